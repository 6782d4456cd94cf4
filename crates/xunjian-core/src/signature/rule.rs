//! Rules: articles as a policy cites them, and which apps they are about.

use serde::Deserialize;
use toml::Spanned;

use super::PackError;
use super::instrument::{Article, Instrument};
use super::policy::{Citing, GroundFile};
use crate::model::{Cited, Misfit, Profile, Sanction, Status};

/// Kinds of education apps that a scope can name.
const KINDS: &[&str] = &["subject", "non-subject"];
/// Stages of learners that a scope can name.
const STAGES: &[&str] = &["preschool", "primary", "junior", "senior"];

/// Which apps an article is about; what is left out does not matter to it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scope {
    /// Kinds of education app: `subject`, `non-subject`.
    #[serde(default)]
    pub kinds: Vec<Spanned<String>>,
    /// Stages of the learners: `preschool`, `primary`, `junior`, `senior`.
    #[serde(default)]
    pub stages: Vec<Spanned<String>>,
}

/// An article as a policy cites it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What is cited; `carries` and `misfits` are said of each app.
    pub cited: Cited,
    /// Which apps it is about.
    pub scope: Scope,
}

impl Rule {
    /// The ground as it stands to an app of this profile. What the profile leaves unclear fits.
    #[must_use]
    pub fn of(&self, profile: &Profile) -> Cited {
        let mut misfits = Vec::new();
        let lacks = |wanted: &[Spanned<String>], has: &dyn Fn(&str) -> bool| {
            !wanted.is_empty() && !wanted.iter().any(|one| has(one.get_ref()))
        };
        if KINDS.contains(&&*profile.kind) && lacks(&self.scope.kinds, &|kind| kind == profile.kind) {
            misfits.push(Misfit::Kind);
        }
        let stages = &profile.stages;
        if !stages.is_empty() && lacks(&self.scope.stages, &|stage| stages.iter().any(|s| s == stage)) {
            misfits.push(Misfit::Stage);
        }
        Cited { carries: misfits.is_empty() && !self.cited.lineage, misfits, ..self.cited.clone() }
    }
}

/// Adds a rule to those of another policy: the same words of the same article are cited once. What one policy rests
/// on is not told a second time as where the sign of another comes from; its citation then names its document.
pub(super) fn add(rules: &mut Vec<Rule>, new: &Rule) {
    let is_cited = |known: &&mut Rule| {
        let (a, b) = (&known.cited, &new.cited);
        (&a.instrument, &a.article, &a.text) == (&b.instrument, &b.article, &b.text)
            && (a.lineage != b.lineage || known.scope == new.scope)
    };
    let Some(known) = rules.iter_mut().find(is_cited) else { return rules.push(new.clone()) };
    if known.cited.lineage == new.cited.lineage {
        known.cited.policies.extend(new.cited.policies.iter().cloned());
        return;
    }
    let clauses = [&known.cited.clause, &new.cited.clause].map(String::clone);
    if known.cited.lineage {
        *known = new.clone();
    }
    // One is cited within its own document, the other with its name.
    known.cited.clause = clauses.into_iter().max_by_key(String::len).unwrap_or_default();
}

impl Citing<'_> {
    /// The rule that a ground refers to; what is wrong with it goes to the faults.
    pub(super) fn rule(&self, ground: &GroundFile, faults: &mut Vec<PackError>) -> Option<Rule> {
        let (instrument, article) = self.find(&ground.article, None).map_err(|fault| faults.push(fault)).ok()?;
        let words = match &ground.words {
            Some(words) if !article.text.get_ref().contains(words.get_ref().as_str()) => {
                let message = format!("`{}` does not hold these words", ground.article.get_ref());
                faults.push(self.fault(words, message));
                return None;
            }
            Some(words) => words.get_ref().clone(),
            None => article.text.get_ref().clone(),
        };
        let sanction = match &ground.sanction {
            Some(name) => match self.find(name, Some(instrument)) {
                Ok((home, article)) => {
                    Some(Sanction { clause: self.citation(home, article), text: article.text.get_ref().clone() })
                }
                Err(fault) => {
                    faults.push(fault);
                    None
                }
            },
            None => None,
        };
        let basis = &instrument.basis;
        if self.binds && !ground.lineage && !basis.status.binds() {
            let message = format!("`{}` is a {}: mark it `lineage = true`", basis.id, basis.status.id());
            faults.push(self.fault(&ground.article, message));
        }
        self.check_scope(&ground.scope, faults);
        let address = if article.source.is_empty() { &basis.address } else { &article.source };
        let cited = Cited {
            policies: vec![self.policy.to_owned()],
            instrument: basis.id.clone(),
            title: basis.title.clone(),
            number: basis.number.clone(),
            clause: self.citation(instrument, article),
            article: article.name.clone(),
            text: words,
            known: article.known,
            status: basis.status,
            in_force: basis.in_force.clone(),
            region: basis.region.clone(),
            address: address.clone(),
            sanction,
            carries: !ground.lineage,
            misfits: Vec::new(),
            lineage: ground.lineage,
        };
        Some(Rule { cited, scope: ground.scope.clone() })
    }

    /// `instrument#article`; of `home` where no instrument is named.
    fn find<'b>(
        &'b self,
        name: &Spanned<String>,
        home: Option<&'b Instrument>,
    ) -> Result<(&'b Instrument, &'b Article), PackError> {
        let written = name.get_ref();
        let (instrument, article) = match (written.split_once('#'), home) {
            (Some((instrument, article)), _) => {
                let found = self.instruments.get(instrument);
                let fault = || self.fault(name, format!("no instrument `{instrument}` under instruments/"));
                (found.ok_or_else(fault)?, article)
            }
            (None, Some(home)) => (home, written.as_str()),
            (None, None) => return Err(self.fault(name, format!("`{written}`: write instrument#article"))),
        };
        let found = instrument.articles.get(article).ok_or_else(|| {
            let known = instrument.articles.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            self.fault(name, format!("`{}` holds no article `{article}`; it has {known}", instrument.basis.id))
        })?;
        Ok((instrument, found))
    }

    fn citation(&self, instrument: &Instrument, article: &Article) -> String {
        if self.own == Some(&*instrument.basis.id) {
            return article.name.clone();
        }
        let mark = if instrument.basis.status == Status::Draft { "（征求意见稿）" } else { "" };
        format!("{}{mark}{}", instrument.cite, article.name)
    }

    fn check_scope(&self, scope: &Scope, faults: &mut Vec<PackError>) {
        for (list, known, what) in [(&scope.kinds, KINDS, "kind"), (&scope.stages, STAGES, "stage")] {
            for one in list.iter().filter(|one| !known.contains(&one.get_ref().as_str())) {
                faults.push(self.fault(one, format!("no {what} `{}`; there are {}", one.get_ref(), known.join(", "))));
            }
        }
    }

    fn fault(&self, at: &Spanned<String>, message: String) -> PackError {
        PackError::at(self.site.0, self.site.1, at.span().start, message)
    }
}
