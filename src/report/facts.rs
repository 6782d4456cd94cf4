//! What a report says of an app, as phrases: shared by the forms for people.

use std::collections::BTreeMap;

use super::clean::{self, clean};
use super::sum::percent;
use super::words::{self, Phrase, ui};
use crate::model::{App, Audit, Check, Evidence, Kind, Kinds, Limit, LimitCode, Outcome, Read, Reading, Verdict};

/// Names in a list shown at most.
const LISTED: usize = 12;
/// Pieces of evidence shown in full; the rest are folded, for a minute is short.
pub(super) const SHOWN: usize = 6;
/// Stages, youngest first.
const STAGES: &[&str] = &["preschool", "primary", "junior", "senior"];
/// Subjects, in the notice's order.
const SUBJECTS: &[&str] = &[
    "ethics",
    "chinese",
    "history",
    "geography",
    "maths",
    "english",
    "japanese",
    "russian",
    "physics",
    "chemistry",
    "biology",
];

/// A name that an app or store wrote.
pub(super) fn name(text: &str) -> Phrase {
    Phrase::same(&clean(text.trim(), clean::NAME))
}

/// Title of an app, else its package, else a stand-in.
pub(super) fn title(app: &App) -> Phrase {
    [&app.title, &app.package, &app.id]
        .into_iter()
        .find(|text| !text.trim().is_empty())
        .map_or_else(|| ui("untitled"), |text| name(text))
}

/// `1.2.0 (12)`, as far as it is known.
pub(super) fn version(app: &App) -> String {
    let shown = clean(app.version_name.trim(), 40);
    match (shown.is_empty(), app.version_code) {
        (_, 0) => shown,
        (true, code) => code.to_string(),
        (false, code) => format!("{shown} ({code})"),
    }
}

/// Who an app is: package, version, developer, store.
pub(super) fn identity(app: &App) -> Vec<(Phrase, Phrase)> {
    let rows = [
        ("package", name(&app.package)),
        ("version", Phrase::same(&version(app))),
        ("developer", name(&app.developer)),
        ("store", name(&app.store)),
    ];
    rows.into_iter().filter(|(_, value)| !value.zh.is_empty()).map(|(key, value)| (ui(key), value)).collect()
}

/// Ids in the order in which people name them, unknown ones last.
fn in_order(ids: &[String], order: &[&str]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort_by_key(|id| order.iter().position(|known| known == id).unwrap_or(order.len()));
    ids
}

fn listed(ids: &[String], of: impl Fn(&str) -> Phrase, none: &str) -> Phrase {
    if ids.is_empty() {
        return ui(none);
    }
    let mut parts: Vec<Phrase> = ids.iter().take(LISTED).map(|id| of(id)).collect();
    if ids.len() > LISTED {
        parts.push(Phrase::same("…"));
    }
    Phrase::list(&parts)
}

/// `是（97 %）`
pub(super) fn education(audit: &Audit) -> Phrase {
    let education = &audit.profile.education;
    let (verdict, share) = (words::verdict(education.verdict), percent(education.probability));
    let probability = ui("probability");
    Phrase {
        zh: format!("{}（{} {share}）", verdict.zh, probability.zh).into(),
        en: format!("{} ({} {share})", verdict.en, probability.en).into(),
    }
}

/// What sort of app it is.
pub(super) fn profile(audit: &Audit) -> Vec<(Phrase, Phrase)> {
    let profile = &audit.profile;
    let known = |section: fn(&str) -> Phrase| move |id: &str| section(&clean(id, clean::NAME));
    let mut rows = vec![(ui("education"), education(audit))];
    if profile.education.verdict != Verdict::No {
        rows.push((ui("subject_kind"), words::subject_kind(&clean(&profile.kind, clean::NAME))));
    }
    rows.push((ui("stages"), listed(&in_order(&profile.stages, STAGES), known(words::stage), "none_named")));
    rows.push((ui("subjects"), listed(&in_order(&profile.subjects, SUBJECTS), known(words::subject), "none_named")));
    if !profile.framework.is_empty() {
        rows.push((ui("framework"), listed(&profile.framework, name, "none_named")));
    }
    rows.push((ui("filing_numbers"), listed(&profile.filing_numbers, name, "none_shown")));
    if !profile.languages.is_empty() {
        let mut shares: Vec<(&String, &u32)> = profile.languages.iter().collect();
        shares.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let parts: Vec<Phrase> = shares
            .iter()
            .take(LISTED)
            .map(|(code, share)| {
                let language = words::language(&clean(code, 20));
                Phrase::make(|lang| format!("{} {share} %", language.get(lang)))
            })
            .collect();
        rows.push((ui("languages"), Phrase::list(&parts)));
    }
    rows
}

/// Part of the app, then the exact place.
pub(super) fn place(item: &Evidence) -> (Phrase, String) {
    if item.kind == "absence" {
        return (looked_at(&item.place), String::new());
    }
    let mut parts: Vec<Phrase> = Vec::new();
    let mut is_told = true;
    for one in item.place.split("; ").take(LISTED) {
        let (part, is_exact) = part(one);
        is_told &= is_exact;
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let exact = if is_told { String::new() } else { clean(&item.place, clean::TEXT) };
    (Phrase::list(&parts), exact)
}

/// The part of the app that one place lies in. Of a listing, the field as well: that
/// says all there is to say.
fn part(place: &str) -> (Phrase, bool) {
    let part = words::part_of(place);
    let field =
        place.split_once("listing ").filter(|_| !place.contains("!/")).and_then(|(_, rest)| rest.split(' ').next());
    match field.and_then(|field| Kind::from_id(&field.replace('_', "-"))) {
        Some(kind) => {
            let kind = words::kind(kind);
            let phrase = Phrase {
                zh: format!("{}（{}）", part.zh, kind.zh).into(),
                en: format!("{} ({})", part.en, kind.en).into(),
            };
            (phrase, true)
        }
        None => (part, false),
    }
}

/// Where an absence was looked for: `title 1, asset 22` in words.
fn looked_at(place: &str) -> Phrase {
    let parts: Vec<Phrase> = place
        .split(", ")
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once(' ') {
            Some((kind, count)) if Kind::from_id(kind).is_some() => {
                let (kind, count) = (words::kind_of(kind), clean(count, 20));
                Phrase::make(|lang| format!("{} {count}", kind.get(lang)))
            }
            _ => name(part),
        })
        .collect();
    let (searched, list) = (ui("searched"), Phrase::list(&parts));
    let sep = ui("label_sep");
    Phrase::make(|lang| format!("{}{}{}", searched.get(lang), sep.get(lang), list.get(lang)))
}

/// Remarks on a piece of evidence: disguise, repetition, not counted.
pub(super) fn remarks(item: &Evidence) -> Vec<Phrase> {
    let mut remarks = Vec::new();
    if let Some(written) = &item.written_as {
        let phrase = ui("written_as").with_phrase("trick", &words::trick(written.trick));
        remarks.push(phrase.with("term", &clean(&written.term, clean::NAME)));
    }
    if item.times > 1 && item.kind != "library" {
        remarks.push(ui("times").with("n", &item.times.to_string()));
    }
    if !item.counted {
        remarks.push(ui("uncounted"));
    }
    remarks
}

/// The limits of an audit, together by code.
pub(super) fn limits(audit: &Audit) -> BTreeMap<LimitCode, Vec<&Limit>> {
    let mut groups: BTreeMap<LimitCode, Vec<&Limit>> = BTreeMap::new();
    for limit in &audit.coverage.limits {
        groups.entry(limit.code).or_default().push(limit);
    }
    groups
}

/// Limits with something to tell beside their code: that nothing was given at all is said by it.
pub(super) fn told<'a>(limits: &'a [&'a Limit]) -> impl Iterator<Item = &'a Limit> {
    limits.iter().copied().filter(|l| !matches!(l.code, LimitCode::NoListing | LimitCode::NoPackage))
}

/// How much of an app was read.
pub(super) fn reading(audit: &Audit) -> Reading {
    audit.coverage.reading()
}

/// Part of what was given could not be read.
pub(super) fn is_unread(audit: &Audit) -> bool {
    matches!(reading(audit), Reading::Partial | Reading::None)
}

/// How much was read.
pub(super) fn read(read: &Read) -> Phrase {
    ui("read_line")
        .with("entries", &read.entries.to_string())
        .with("size", &size(read.bytes))
        .with("strings", &read.strings.to_string())
        .with("classes", &read.classes.to_string())
}

/// Bytes as people say them.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Kinds of facts that were searched.
pub(super) fn searched(checks: &[Check]) -> Phrase {
    let all = checks.iter().fold(Kinds::empty(), |all, check| all | check.searched);
    Phrase::list(&all.each().map(words::kind).collect::<Vec<_>>())
}

/// Signs with an outcome, each with the limits that made it so.
pub(super) fn with_outcome(audit: &Audit, outcome: Outcome) -> Phrase {
    let of = |check: &Check| {
        let (sign, because) = (words::sign(check.sign), because(check));
        Phrase {
            zh: if because.zh.is_empty() { sign.zh } else { format!("{}（{}）", sign.zh, because.zh).into() },
            en: if because.en.is_empty() { sign.en } else { format!("{} ({})", sign.en, because.en).into() },
        }
    };
    Phrase::list(&audit.checks.iter().filter(|c| c.outcome == outcome).map(of).collect::<Vec<_>>())
}

/// Checks that nobody can call clean.
pub(super) fn not_assessable(audit: &Audit) -> usize {
    audit.checks.iter().filter(|check| check.outcome == Outcome::NotAssessable).count()
}

/// What is said where there are no findings: never that an app is clean when it was not read.
pub(super) fn no_findings(audit: &Audit) -> Phrase {
    match not_assessable(audit) {
        0 => ui("no_findings"),
        n => ui("no_findings_partial").with("n", &n.to_string()),
    }
}

/// Limits that make a check not assessable.
pub(super) fn because(check: &Check) -> Phrase {
    Phrase::list(&check.because.iter().map(|code| words::because(&clean(code, 40))).collect::<Vec<_>>())
}
