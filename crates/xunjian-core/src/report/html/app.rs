//! An app as the page shows it: its row of the summary, and its article.

use std::collections::BTreeMap;

use askama::Template;

use super::finding::{EvidenceView, FindingView};
use super::markup::Markup;
use crate::model::{Audit, Finding, Limit, LimitCode, Outcome};
use crate::report::clean::{self, clean};
use crate::report::detail;
use crate::report::facts;
use crate::report::law;
use crate::report::origin;
use crate::report::sum::percent;
use crate::report::words::{self, Phrase, ui};

/// Row of the summary table.
#[derive(Template)]
#[template(path = "report/row.html")]
pub(super) struct Row<'a> {
    number: usize,
    classes: &'a str,
    title: Markup,
    package: String,
    developer: Markup,
    education: Markup,
    signs: Vec<Chip>,
    level_id: &'static str,
    level: Markup,
    no_findings: Markup,
}

/// A finding in a row.
struct Chip {
    severity_id: &'static str,
    sign: Markup,
    probability: String,
}

impl<'a> Row<'a> {
    pub(super) fn new(number: usize, classes: &'a str, audit: &Audit) -> Self {
        let chip = |finding: &Finding| Chip {
            severity_id: words::severity_id(finding.severity),
            sign: Markup::phrase(&words::sign(finding.sign)),
            probability: percent(finding.probability),
        };
        let none = match facts::not_assessable(audit) {
            _ if !audit.out_of_scope.is_empty() => ui("out_of_scope_tag"),
            0 => Phrase::same("—"),
            n => ui("not_assessable_n").with("n", &n.to_string()),
        };
        Self {
            number,
            classes,
            title: Markup::phrase(&facts::title(&audit.app)),
            package: clean(&audit.app.package, clean::NAME),
            developer: Markup::data(&clean(&audit.app.developer, clean::NAME)),
            education: Markup::phrase(&words::verdict(audit.profile.education.verdict)),
            signs: audit.findings.iter().map(chip).collect(),
            level_id: facts::reading(audit).id(),
            level: Markup::phrase(&words::reading(facts::reading(audit))),
            no_findings: Markup::phrase(&none),
        }
    }
}

impl Row<'_> {
    fn ui(&self, key: &str) -> Markup {
        Markup::phrase(&ui(key))
    }
}

/// What an app is filtered by: `app hit unread s-photo-search`.
pub(super) fn classes(audit: &Audit) -> String {
    let mut classes = String::from("app");
    if !audit.findings.is_empty() {
        classes.push_str(" hit");
    }
    if facts::is_unread(audit) {
        classes.push_str(" unread");
    }
    for finding in &audit.findings {
        classes.push_str(" s-");
        classes.push_str(finding.sign.id());
    }
    classes
}

/// Article of an app.
#[derive(Template)]
#[template(path = "report/app.html")]
pub(super) struct App<'a> {
    number: usize,
    classes: &'a str,
    icon: Option<&'a str>,
    initial: String,
    title: Markup,
    identity: Vec<(Markup, Markup)>,
    url: Option<&'a str>,
    url_text: String,
    profile: Vec<(Markup, Markup)>,
    /// Files and signers.
    origin: Vec<(Markup, Markup)>,
    /// What speaks for the provider.
    favour: Vec<Markup>,
    levels: Option<Markup>,
    permissions: Vec<Markup>,
    education: Option<Reasons>,
    /// Above the findings of a rule that does not bind.
    banner: Option<Markup>,
    /// Policies that judged.
    basis: Markup,
    findings: Vec<FindingView>,
    no_findings: Markup,
    out_of_scope: Vec<FindingView>,
    level_id: &'static str,
    level: Markup,
    read: Markup,
    limits: Vec<LimitView>,
    checks: Vec<CheckView>,
    searched: Markup,
    libraries: Vec<LibraryView>,
    artifacts: Vec<ArtifactView>,
}

impl<'a> App<'a> {
    /// The article; `icon` only where the page still has room for one.
    pub(super) fn new(number: usize, classes: &'a str, audit: &'a Audit, icon: Option<&'a str>) -> Self {
        let title = facts::title(&audit.app);
        Self {
            number,
            classes,
            icon,
            initial: title.zh.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "?".into(), String::from),
            title: Markup::phrase(&title),
            identity: pairs(&facts::identity(&audit.app)),
            url: clean::link(&audit.app.url),
            url_text: clean(&audit.app.url, 100),
            profile: pairs(&facts::profile(audit)),
            origin: pairs(&origin::rows(audit)),
            favour: origin::in_favour(audit, None).iter().map(Markup::phrase).collect(),
            levels: audit.profile.asks.as_ref().map(|asks| Markup::phrase(&origin::levels(asks))),
            permissions: audit
                .profile
                .asks
                .iter()
                .flat_map(|asks| &asks.permissions)
                .map(|name| Markup::phrase(&origin::permission(name)))
                .collect(),
            education: Reasons::of(audit),
            banner: law::banner(&audit.basis).as_ref().map(Markup::phrase),
            basis: Markup::phrase(&law::names(&audit.basis, "")),
            findings: audit.findings.iter().map(|finding| FindingView::new(audit, finding)).collect(),
            no_findings: Markup::phrase(&facts::no_findings(audit)),
            out_of_scope: audit.out_of_scope.iter().map(|finding| FindingView::new(audit, finding)).collect(),
            level_id: facts::reading(audit).id(),
            level: Markup::phrase(&words::reading(facts::reading(audit))),
            read: Markup::phrase(&facts::read(&audit.coverage.read)),
            limits: facts::limits(audit).into_iter().map(|(code, all)| LimitView::new(code, &all)).collect(),
            checks: CheckView::all(audit),
            searched: Markup::phrase(&facts::searched(&audit.checks)),
            libraries: LibraryView::all(audit),
            artifacts: ArtifactView::all(audit),
        }
    }

    /// Puts markup below findings, by id.
    pub(super) fn with_slots(mut self, slots: &BTreeMap<String, Markup>) -> Self {
        for finding in self.findings.iter_mut().chain(&mut self.out_of_scope) {
            finding.slot = slots.get(&finding.id).cloned().unwrap_or_default();
        }
        self
    }

    fn ui(&self, key: &str) -> Markup {
        Markup::phrase(&ui(key))
    }
}

/// Why an app counts as an education app, or not.
struct Reasons {
    evidence: Vec<EvidenceView>,
    more: Vec<EvidenceView>,
    more_title: Markup,
}

impl Reasons {
    fn of(audit: &Audit) -> Option<Self> {
        let evidence = EvidenceView::all(&audit.profile.education.evidence);
        (!evidence.is_empty()).then(|| Self { evidence, more: Vec::new(), more_title: Markup::default() })
    }
}

fn pairs(pairs: &[(Phrase, Phrase)]) -> Vec<(Markup, Markup)> {
    pairs.iter().map(|(label, value)| (Markup::phrase(label), Markup::phrase(value))).collect()
}

/// A limit of coverage.
struct LimitView {
    code: &'static str,
    name: Markup,
    meaning: Markup,
    step: Markup,
    places: Vec<(String, Markup)>,
}

impl LimitView {
    fn new(code: LimitCode, limits: &[&Limit]) -> Self {
        let words = words::limit(code);
        Self {
            code: code.id(),
            name: Markup::phrase(&words.name),
            meaning: Markup::phrase(&words.meaning),
            step: Markup::phrase(&words.step),
            places: facts::told(limits)
                .map(|l| (clean(&l.place, clean::TEXT), Markup::phrase(&detail(&clean(&l.detail, clean::TEXT)))))
                .collect(),
        }
    }
}

/// One of the thirteen checks.
struct CheckView {
    sign: Markup,
    outcome_id: &'static str,
    outcome: Markup,
    probability: String,
    because: Markup,
}

impl CheckView {
    fn all(audit: &Audit) -> Vec<Self> {
        let view = |check: &crate::model::Check| {
            let is_out = check.outcome == Outcome::Found && audit.out_of_scope.iter().any(|f| f.sign == check.sign);
            let because = if is_out { ui("out_of_scope_tag") } else { facts::because(check) };
            Self {
                sign: Markup::phrase(&words::sign(check.sign)),
                outcome_id: words::outcome_id(check.outcome),
                outcome: Markup::phrase(&if check.silent { ui("silent") } else { words::outcome(check.outcome) }),
                // A sum over what was not read would look like a result.
                probability: if check.outcome == Outcome::NotAssessable {
                    "—".into()
                } else {
                    percent(check.probability)
                },
                because: Markup::phrase(&because),
            }
        };
        audit.checks.iter().map(view).collect()
    }
}

/// A library.
struct LibraryView {
    category: Markup,
    name: Markup,
    vendor: Markup,
    place: String,
    faint: bool,
}

impl LibraryView {
    fn all(audit: &Audit) -> Vec<Self> {
        let mut libraries: Vec<_> = audit.profile.libraries.iter().collect();
        libraries.sort_by(|a, b| a.category.cmp(&b.category).then(a.faint.cmp(&b.faint)).then(a.name.cmp(&b.name)));
        let view = |library: &crate::model::LibraryFound| Self {
            category: Markup::phrase(&words::library(&clean(&library.category, 40))),
            name: Markup::data(&clean(&library.name, clean::NAME)),
            vendor: Markup::data(&clean(&library.vendor, clean::NAME)),
            place: clean(&library.place, clean::TEXT),
            faint: library.faint,
        };
        libraries.into_iter().map(view).collect()
    }
}

/// A file.
struct ArtifactView {
    name: Markup,
    kind: Markup,
    size: String,
    sha256: String,
    certificates: Vec<String>,
    signers: Vec<Markup>,
}

impl ArtifactView {
    fn all(audit: &Audit) -> Vec<Self> {
        let view = |artifact: &crate::model::Artifact| Self {
            name: Markup::data(&clean(&artifact.name, clean::TEXT)),
            kind: Markup::phrase(&words::artifact(artifact.kind)),
            size: facts::size(artifact.bytes),
            sha256: clean(&artifact.sha256, 64),
            certificates: artifact.certificates.iter().map(|c| clean(c, 64)).collect(),
            signers: artifact.signers.iter().map(|signer| Markup::phrase(&origin::signer(signer))).collect(),
        };
        audit.artifacts.iter().map(view).collect()
    }
}
