//! Policies: which rules stand behind a sign, how severe it is, how common.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::instrument::{Instrument, date_of};
use super::{PackError, Rule, Scope};
use crate::model::{Basis, Severity, Sign, Status, Words};

/// `signatures/policies/<id>.toml`, with the words of the instruments it cites.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its id: the file's name; of several policies at once their ids, joined by `+`.
    pub id: String,
    /// What each policy says of itself: one, or several where they judge at once.
    pub basis: Vec<Basis>,
    /// Base rate of education apps, in decibans.
    pub education_prior: i32,
    /// Findings below this probability are not raised.
    pub report_from: f64,
    /// Sign id to what the policy says of it. A sign that is not here is not raised.
    pub signs: BTreeMap<String, SignPolicy>,
}

/// What a policy says of one sign.
#[derive(Debug, Clone)]
pub struct SignPolicy {
    /// Severity.
    pub severity: Severity,
    /// Base rate among education apps, in decibans.
    pub prior: i32,
    /// What it rests on, in the file's order.
    pub rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    id: Option<Spanned<String>>,
    /// The instrument that this policy is; its articles are cited by their names alone.
    instrument: Option<Spanned<String>>,
    title: Option<Words>,
    source: Option<Words>,
    issuer: Option<Words>,
    number: Option<String>,
    issued: Option<Spanned<String>>,
    in_force: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
    status: Option<Status>,
    superseded_by: Option<String>,
    address: Option<String>,
    region: Option<String>,
    languages: Option<Vec<String>>,
    education_prior: i32,
    #[serde(default = "default_report_from")]
    report_from: f64,
    signs: BTreeMap<String, SignFile>,
}

const fn default_report_from() -> f64 {
    0.2
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SignFile {
    severity: Severity,
    prior: i32,
    grounds: Vec<GroundFile>,
}

/// A ground as a policy writes it: a reference to an article.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct GroundFile {
    /// `instrument#article`.
    pub(super) article: Spanned<String>,
    /// The part of the article that is cited; without it, all of it.
    pub(super) words: Option<Spanned<String>>,
    /// `article` of the same instrument, or `instrument#article`.
    pub(super) sanction: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) scope: Scope,
    #[serde(default)]
    pub(super) lineage: bool,
}

impl Policy {
    /// Reads one policy file and looks up what it cites.
    ///
    /// # Errors
    /// All faults: of syntax the first, else every unknown sign, date that is none and article that its
    /// instrument does not hold.
    pub fn parse(
        file: &str,
        id: &str,
        text: &str,
        instruments: &BTreeMap<String, Instrument>,
    ) -> Result<Self, Vec<PackError>> {
        let mut parsed: File = toml::from_str(text)
            .map_err(|e| vec![PackError::at(file, text, e.span().map_or(0, |s| s.start), e.message().trim())])?;
        let mut faults = Vec::new();
        let id = parsed.id.take().map_or_else(|| id.to_owned(), Spanned::into_inner);
        if id.contains('+') {
            faults.push(PackError::at(file, text, 0, format!("`{id}`: an id has no `+`, which joins several")));
        }
        let own = parsed.instrument.as_ref().map(|name| name.get_ref().clone());
        let signs = std::mem::take(&mut parsed.signs);
        let (education_prior, report_from) = (parsed.education_prior, parsed.report_from);
        let basis = basis(parsed, &id, (file, text), instruments, &mut faults);
        let citing = Citing {
            policy: &id,
            own: own.as_deref(),
            binds: basis.as_ref().is_none_or(|basis| basis.status.binds()),
            site: (file, text),
            instruments,
        };
        let mut rules_of = BTreeMap::new();
        for (sign, said) in signs {
            if Sign::from_id(&sign).is_none() {
                let known = Sign::ALL.iter().map(|s| s.id()).collect::<Vec<_>>().join(", ");
                let at = place_of(text, &sign);
                faults.push(PackError::at(file, text, at, format!("no sign `{sign}`; signs are {known}")));
                continue;
            }
            if !said.grounds.iter().any(|ground| !ground.lineage) {
                let message = format!("sign `{sign}` has no ground of its own: leave out a sign that it is silent on");
                faults.push(PackError::at(file, text, place_of(text, &sign), message));
            }
            let rules = said.grounds.iter().filter_map(|ground| citing.rule(ground, &mut faults)).collect();
            rules_of.insert(sign, SignPolicy { severity: said.severity, prior: said.prior, rules });
        }
        match basis {
            Some(basis) if faults.is_empty() => {
                Ok(Self { id, basis: vec![basis], education_prior, report_from, signs: rules_of })
            }
            _ => Err(faults),
        }
    }

    /// Signs that are to be spoken of: those of the notice, whether it says anything of them or not, and the further
    /// ones that it names.
    pub fn spoken_of(&self) -> impl Iterator<Item = Sign> {
        Sign::ALL.iter().copied().filter(|sign| !sign.is_further() || self.of(*sign).is_some())
    }

    /// What it says of a sign; nothing where it is silent.
    #[must_use]
    pub fn of(&self, sign: Sign) -> Option<&SignPolicy> {
        self.signs.get(sign.id())
    }

    /// Several policies that judge at once: every sign that one of them speaks of, with the grounds of
    /// all, the highest severity, and the base rates of the first that names one. `None` of none.
    #[must_use]
    pub fn joined(policies: &[&Self]) -> Option<Self> {
        let (first, others) = policies.split_first()?;
        let mut joined = (*first).clone();
        for policy in others {
            if joined.basis.iter().any(|known| policy.basis.iter().any(|new| new.id == known.id)) {
                continue;
            }
            joined.id = format!("{}+{}", joined.id, policy.id);
            joined.basis.extend(policy.basis.iter().cloned());
            joined.report_from = joined.report_from.min(policy.report_from);
            for (sign, said) in &policy.signs {
                match joined.signs.get_mut(sign) {
                    None => drop(joined.signs.insert(sign.clone(), said.clone())),
                    Some(known) => {
                        known.severity = known.severity.max(said.severity);
                        said.rules.iter().for_each(|rule| super::rule::add(&mut known.rules, rule));
                    }
                }
            }
        }
        Some(joined)
    }
}

/// Where the table of a sign begins.
fn place_of(text: &str, sign: &str) -> usize {
    let table = format!("[signs.{sign}]");
    text.find(&table).map(|at| at + "[signs.".len()).or_else(|| text.find(sign)).unwrap_or(0)
}

/// What the policy says of itself, else what its instrument says.
fn basis(
    parsed: File,
    id: &str,
    (file, text): (&str, &str),
    instruments: &BTreeMap<String, Instrument>,
    faults: &mut Vec<PackError>,
) -> Option<Basis> {
    let own = match &parsed.instrument {
        Some(name) => {
            let own = instruments.get(name.get_ref());
            if own.is_none() {
                let message = format!("no instrument `{}` under instruments/", name.get_ref());
                faults.push(PackError::at(file, text, name.span().start, message));
                return None;
            }
            own.map(|instrument| &instrument.basis)
        }
        None => None,
    };
    let mut missing = |name: &str| {
        let message = format!("`{name}` is missing: say it here, or name the `instrument` that says it");
        faults.push(PackError::at(file, text, 0, message));
    };
    let title = parsed.title.or_else(|| own.map(|own| own.title.clone()));
    let source = parsed.source.or_else(|| own.map(|own| own.source.clone()));
    let issuer = parsed.issuer.or_else(|| own.map(|own| own.issuer.clone()));
    let status = parsed.status.or_else(|| own.map(|own| own.status));
    for (name, is_missing) in [
        ("title", title.is_none()),
        ("source", source.is_none()),
        ("issuer", issuer.is_none()),
        ("status", status.is_none()),
    ] {
        if is_missing {
            missing(name);
        }
    }
    let text_of = |said: Option<String>, own: Option<&String>| said.or_else(|| own.cloned()).unwrap_or_default();
    let mut day = |said: Option<Spanned<String>>, own: Option<&String>| match said {
        Some(date) => date_of(Some(date), file, text, faults),
        None => own.cloned().unwrap_or_default(),
    };
    let issued = day(parsed.issued, own.map(|own| &own.issued));
    let in_force = day(parsed.in_force, own.map(|own| &own.in_force));
    let until = day(parsed.until, own.map(|own| &own.until));
    Some(Basis {
        id: id.to_owned(),
        title: title?,
        status: status?,
        issuer: issuer?,
        number: text_of(parsed.number, own.map(|own| &own.number)),
        issued,
        in_force,
        until,
        superseded_by: text_of(parsed.superseded_by, own.map(|own| &own.superseded_by)),
        address: text_of(parsed.address, own.map(|own| &own.address)),
        region: text_of(parsed.region, own.map(|own| &own.region)),
        source: source?,
        languages: parsed.languages.or_else(|| own.map(|own| own.languages.clone())).unwrap_or_default(),
    })
}

/// Who cites, and out of what.
pub(super) struct Citing<'a> {
    pub(super) policy: &'a str,
    /// The instrument that the policy is.
    pub(super) own: Option<&'a str>,
    /// The policy binds, so a draft among its grounds is lineage.
    pub(super) binds: bool,
    pub(super) site: (&'a str, &'a str),
    pub(super) instruments: &'a BTreeMap<String, Instrument>,
}
