//! What a report says of an app, as phrases: shared by the forms for people.

use std::collections::BTreeMap;

use super::clean::{self, clean};
use super::registers;
use super::sum::percent;
use super::words::{self, Phrase, find, ui};
use crate::model::{
    App, Audit, Check, Contribution, Evidence, Finding, Kind, Kinds, Limit, LimitCode, Outcome, Read, Reading, Sign,
    Verdict,
};

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

/// Share of an app's text from which a language is told, in per cent, and how many are.
const SPOKEN: u32 = 10;
const SPOKEN_MAX: usize = 2;

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

/// `是（97 %）`, or why it cannot be told and what would settle it.
pub(super) fn education(audit: &Audit) -> Phrase {
    let education = &audit.profile.education;
    // A number beside "cannot tell" would be read as an answer.
    if let Some(because) = find(&format!("unclear_because.{}", education.because)) {
        return Phrase::make(|lang| format!("{} — {}", words::verdict(education.verdict).get(lang), because.get(lang)));
    }
    let (verdict, share) = (words::verdict(education.verdict), percent(education.probability));
    let probability = ui("of_education");
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
            // What is rarer than that says nothing of an app.
            .filter(|(_, share)| **share >= SPOKEN)
            .take(SPOKEN_MAX)
            .map(|(code, share)| {
                let language = words::language(&clean(code, 20));
                Phrase::make(|lang| format!("{} {share} %", language.get(lang)))
            })
            .collect();
        if !parts.is_empty() {
            rows.push((ui("languages"), Phrase::list(&parts)));
        }
    }
    rows.extend(registers::rows(audit));
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
        // A blank in a button's caption hides nothing.
        remarks.push(match is_spaced(item, &written.term) {
            true => ui("spaced"),
            false => phrase.with("term", &clean(&written.term, clean::NAME)),
        });
    }
    if item.times > 1 && item.kind != "library" {
        remarks.push(ui("times").with("n", &item.times.to_string()));
    }
    if !item.counted {
        remarks.push(ui("uncounted"));
    }
    remarks
}

/// The words are the term with blanks between its characters.
fn is_spaced(item: &Evidence, term: &str) -> bool {
    let Some([from, to]) = item.mark else { return false };
    let plain =
        |text: &str| text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect::<String>();
    let marked: String = item.text.chars().skip(from).take(to.saturating_sub(from)).collect();
    plain(&marked) == plain(term)
}

/// What a finding is called: of a filing, whether none was seen, or one was seen and is on no register.
pub(super) fn sign_of(audit: &Audit, finding: &Finding) -> Phrase {
    let numbers = &audit.profile.filing_numbers;
    if finding.sign == Sign::FilingMissing && !numbers.is_empty() {
        let shown: Vec<String> = numbers.iter().take(3).map(|number| clean(number, 60)).collect();
        return ui("filing_not_found").with("numbers", &shown.join("、"));
    }
    words::sign(finding.sign)
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

/// Weight from which what speaks against an absence was seen, rather than hinted at.
const SEEN: i32 = -5;

/// What an absence asks for was seen: that it was not found missing is not enough.
pub(super) fn is_seen(check: &Check) -> bool {
    let speaks = |part: &Contribution| part.group != "base-rate" && part.weight <= SEEN;
    check.sign.is_absence() && check.outcome == Outcome::NotFound && check.sum.iter().any(speaks)
}

/// Signs with an outcome, with the limits that made it so: signs of the same limits together, so that they are told once.
pub(super) fn with_outcome(audit: &Audit, outcome: Outcome) -> Phrase {
    let mut groups: Vec<(Phrase, Vec<Phrase>)> = Vec::new();
    for check in audit.checks.iter().filter(|c| !c.silent && c.outcome == outcome) {
        let clear = find(&format!("clear.{}", check.sign.id())).filter(|_| is_seen(check));
        let (sign, because) = (clear.unwrap_or_else(|| words::sign(check.sign)), because(check));
        match groups.iter_mut().find(|(known, _)| known.zh == because.zh) {
            Some((_, signs)) => signs.push(sign),
            None => groups.push((because, vec![sign])),
        }
    }
    Phrase::make(|lang| {
        let told = |(because, signs): &(Phrase, Vec<Phrase>)| {
            let names = Phrase::list(signs);
            let (names, why) = (names.get(lang), because.get(lang));
            match (why.is_empty(), signs.len() > 1, lang == words::Lang::Zh) {
                (true, ..) => names.to_owned(),
                (_, true, true) => format!("{names}（均因{why}）"),
                (_, true, false) => format!("{names} (each because of: {why})"),
                (_, false, true) => format!("{names}（{why}）"),
                (_, false, false) => format!("{names} ({why})"),
            }
        };
        groups.iter().map(told).collect::<Vec<_>>().join(if lang == words::Lang::Zh { "；" } else { "; " })
    })
}

/// Signs that the policy says nothing of.
pub(super) fn silent(audit: &Audit) -> Phrase {
    Phrase::list(&audit.checks.iter().filter(|c| c.silent).map(|c| words::sign(c.sign)).collect::<Vec<_>>())
}

/// Checks that nobody can call clean.
pub(super) fn not_assessable(audit: &Audit) -> usize {
    audit.checks.iter().filter(|check| !check.silent && check.outcome == Outcome::NotAssessable).count()
}

/// What is said where there are no findings: never that an app is clean when it was not read.
pub(super) fn no_findings(audit: &Audit) -> Phrase {
    if audit.profile.education.verdict == Verdict::No {
        return match audit.out_of_scope.len() {
            0 => ui("no_findings_outside"),
            n => ui("no_findings_outside_n").with("n", &n.to_string()),
        };
    }
    match not_assessable(audit) {
        0 => ui("no_findings"),
        n => ui("no_findings_partial").with("n", &n.to_string()),
    }
}

/// Limits that make a check not assessable.
pub(super) fn because(check: &Check) -> Phrase {
    Phrase::list(&check.because.iter().map(|code| words::because(&clean(code, 40))).collect::<Vec<_>>())
}
