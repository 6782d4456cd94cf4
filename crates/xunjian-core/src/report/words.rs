//! The words of reports, in Chinese and English (`locales/app.yml`).
//!
//! Each function takes a noun of the model and gives its name for people. An id that
//! the locale file does not know (a new lexicon label, say) stands for itself, so a
//! report never loses a fact for want of a word.

use crate::model::{
    ArtifactKind, Confidence, Kind, LimitCode, Outcome, Reading, RegisterKind, Severity, Sign, Standing, Status, Trick,
    Verdict,
};

pub use super::phrase::{Lang, Phrase};

/// The phrase under a key, when the locale file has it.
#[must_use]
pub fn find(key: &str) -> Option<Phrase> {
    let get = |lang: Lang| crate::_rust_i18n_try_translate(lang.code(), key);
    Some(Phrase { zh: get(Lang::Zh)?, en: get(Lang::En)? })
}

/// The phrase under a key with its `%{…}` filled in. The brackets of a forgotten key show
/// up in any test that reads the answer.
#[must_use]
pub fn said(key: &str, values: &[(&str, &str)]) -> Phrase {
    let phrase = find(key).unwrap_or_else(|| Phrase::same(&format!("⟦{key}⟧")));
    values.iter().fold(phrase, |phrase, (name, value)| phrase.with(name, value))
}

fn named(section: &str, id: &str) -> Phrase {
    find(&format!("{section}.{id}")).unwrap_or_else(|| Phrase::same(id))
}

/// A phrase of the report itself: heading, label, note.
#[must_use]
pub fn ui(key: &str) -> Phrase {
    // The brackets make a forgotten key show up in any test that reads a report.
    find(&format!("ui.{key}")).unwrap_or_else(|| Phrase::same(&format!("⟦{key}⟧")))
}

/// The line that every report for people carries.
#[must_use]
pub fn not_a_verdict() -> Phrase {
    find("not_a_verdict").unwrap_or_else(|| Phrase::same("⟦not_a_verdict⟧"))
}

/// What a person does with a report that is no verdict.
#[must_use]
pub fn not_a_verdict_more() -> Phrase {
    find("not_a_verdict_more").unwrap_or_else(|| Phrase::same("⟦not_a_verdict_more⟧"))
}

/// Name of a sign.
#[must_use]
pub fn sign(sign: Sign) -> Phrase {
    named("sign", sign.id())
}

/// The id of an outcome, as the report writes it.
#[must_use]
pub const fn outcome_id(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Found => "found",
        Outcome::NotFound => "not-found",
        Outcome::NotAssessable => "not-assessable",
    }
}

/// Name of an outcome.
#[must_use]
pub fn outcome(outcome: Outcome) -> Phrase {
    named("outcome", outcome_id(outcome))
}

/// The id of a severity, as the report writes it.
#[must_use]
pub const fn severity_id(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}

/// Name of whether a rule binds.
#[must_use]
pub fn status(status: Status) -> Phrase {
    named("binding", status.id())
}

/// Name of a severity.
#[must_use]
pub fn severity(severity: Severity) -> Phrase {
    named("severity", severity_id(severity))
}

/// The id of a confidence, as the report writes it.
#[must_use]
pub const fn confidence_id(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Weak => "weak",
        Confidence::Likely => "likely",
        Confidence::Strong => "strong",
    }
}

/// Name of a confidence.
#[must_use]
pub fn confidence(confidence: Confidence) -> Phrase {
    named("confidence", confidence_id(confidence))
}

/// Name of a register or list.
#[must_use]
pub fn register(kind: RegisterKind) -> Phrase {
    named("register", kind.id())
}

/// Name of a standing.
#[must_use]
pub fn standing(standing: Standing) -> Phrase {
    named(
        "standing",
        match standing {
            Standing::Listed => "listed",
            Standing::NotListed => "not-listed",
            Standing::NotChecked => "not-checked",
        },
    )
}

/// Name of a verdict on scope.
#[must_use]
pub fn verdict(verdict: Verdict) -> Phrase {
    named(
        "verdict",
        match verdict {
            Verdict::Yes => "yes",
            Verdict::No => "no",
            Verdict::Unclear => "unclear",
        },
    )
}

/// Name of a reading.
#[must_use]
pub fn reading(reading: Reading) -> Phrase {
    named("level", reading.id())
}

/// Name of a sort of file.
#[must_use]
pub fn artifact(kind: ArtifactKind) -> Phrase {
    named(
        "artifact",
        match kind {
            ArtifactKind::Apk => "apk",
            ArtifactKind::Split => "split",
            ArtifactKind::Xapk => "xapk",
            ArtifactKind::Apks => "apks",
            ArtifactKind::Aab => "aab",
            ArtifactKind::Hap => "hap",
            ArtifactKind::Ipa => "ipa",
            ArtifactKind::Obb => "obb",
            ArtifactKind::Wgt => "wgt",
        },
    )
}

/// How a term was disguised: «written as …».
#[must_use]
pub fn trick(trick: Trick) -> Phrase {
    named(
        "trick",
        match trick {
            Trick::Strewn => "strewn",
            Trick::Respelt => "respelt",
        },
    )
}

/// Name of a fact kind.
#[must_use]
pub fn kind(kind: Kind) -> Phrase {
    named("kind", kind.id())
}

/// What a limit code says: its name, what it means, and whose step closes the gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitWords {
    /// Name.
    pub name: Phrase,
    /// What it means for the result.
    pub meaning: Phrase,
    /// Which person does what next.
    pub step: Phrase,
}

/// Words of a limit code.
#[must_use]
pub fn limit(code: LimitCode) -> LimitWords {
    let part = |part: &str| find(&format!("limit.{}.{part}", code.id())).unwrap_or_else(|| Phrase::same(code.id()));
    LimitWords { name: part("name"), meaning: part("meaning"), step: part("step") }
}

/// Name of a limit code given as text.
#[must_use]
pub fn because(code: &str) -> Phrase {
    find(&format!("limit.{code}.name")).unwrap_or_else(|| Phrase::same(code))
}

macro_rules! by_id {
    ($($name:ident, $section:literal, $doc:literal;)*) => {
        $(#[doc = $doc] #[must_use] pub fn $name(id: &str) -> Phrase { named($section, id) })*
    };
}

by_id! {
    subject_kind, "subject_kind", "Name of a profile's kind: subject, non-subject, unclear.";
    stage, "stage", "Name of a stage of schooling.";
    subject, "subject", "Name of a school subject.";
    evidence_kind, "evidence_kind", "Name of an evidence kind.";
    kind_of, "kind", "Name of a fact kind given as text.";
    library, "library", "Name of a library category.";
    language, "language", "Name of a language by its code.";
    policy, "policy", "Name of a policy.";
    skip_stage, "skip_stage", "Name of the stage at which an input stopped.";
}

/// Sort of reason of a skip; nothing for one that is not known.
#[must_use]
pub fn skip_code(code: &str) -> Option<Phrase> {
    find(&format!("skip_code.{code}")).or_else(|| find(&format!("fetch.{code}")))
}

/// What a person does about an input that stopped for such a reason, else at such a stage, where that is known.
#[must_use]
pub fn skip_step(code: &str, stage: &str) -> Option<Phrase> {
    find(&format!("skip_step.{code}")).or_else(|| find(&format!("skip_step.{stage}")))
}

/// A place in this picture of the store: its name alone, or with the box behind it.
fn is_shown(place: &str, name: &str) -> bool {
    place.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// In what part of a package or listing a place lies.
#[must_use]
pub fn part_of(place: &str) -> Phrase {
    let has = |needle: &str| place.contains(needle);
    let part = if place.starts_with("screenshot ") {
        "screenshot"
    } else if is_shown(place, "icon") {
        "store-icon"
    } else if is_shown(place, "banner") {
        "store-banner"
    } else if has("!/") && has(" @") {
        "picture"
    } else if !has("!/") && has("listing") {
        "listing"
    } else if has("AndroidManifest.xml") {
        "manifest"
    } else if has("resources.arsc") || has("/res/") {
        "resources"
    } else if has(".dex") {
        "dex"
    } else if has(".so") {
        "native"
    } else if has("/assets/") {
        "asset"
    } else {
        "other"
    };
    named("place", part)
}
