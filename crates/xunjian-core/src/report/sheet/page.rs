//! What stands on a page, whatever form it takes.

use super::Run;
use crate::model::{Audit, Evidence, Finding, LimitCode, Outcome, Skipped};
use crate::report::clean::{self, Marked, clean};
use crate::report::sum::{self, percent, signed};
use crate::report::words::{self, Lang, Phrase, find, said, ui};
use crate::report::{facts, law, origin, registers, table};

/// Pieces of evidence shown.
const EVIDENCE: usize = 3;
/// Lines of a list: a page is one page.
const LISTED: usize = 4;
/// Lines of a sum; the rest is told together.
const LINES: usize = 5;
/// Longest quotation from the app.
const QUOTE: usize = 110;
/// Longest text of a ground, and of a further one.
const GROUND: usize = 1_000;
const CITED: usize = 3;

/// A page.
pub(super) struct Page {
    pub(super) title: String,
    /// Labels and values above all sections.
    pub(super) head: Vec<(String, String)>,
    pub(super) sections: Vec<Section>,
    /// Below all sections.
    pub(super) foot: Vec<String>,
    /// What is signed or written by hand.
    pub(super) blanks: Vec<String>,
}

/// A heading and what stands below it.
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) lines: Vec<Line>,
}

/// A line.
pub(super) struct Line {
    /// What is said, the marked words in the middle.
    pub(super) text: Marked,
    /// Smaller, behind it: where it stands.
    pub(super) note: String,
    pub(super) is_bold: bool,
}

impl Line {
    fn plain(text: impl Into<String>) -> Self {
        let text = Marked { before: text.into(), marked: String::new(), after: String::new() };
        Self { text, note: String::new(), is_bold: false }
    }

    fn bold(text: impl Into<String>) -> Self {
        Self { is_bold: true, ..Self::plain(text) }
    }
}

/// A word of the sheet.
fn word(key: &str, lang: Lang) -> String {
    said(&format!("sheet.{key}"), &[]).get(lang).to_owned()
}

fn with(key: &str, values: &[(&str, &str)], lang: Lang) -> String {
    said(&format!("sheet.{key}"), values).get(lang).to_owned()
}

fn listed(parts: &[Phrase], lang: Lang) -> String {
    Phrase::list(parts).get(lang).to_owned()
}

/// The page of a finding; of an app without any, `None`.
pub(super) fn of(run: &Run, audit: &Audit, finding: Option<&Finding>) -> Page {
    let lang = run.lang;
    let mut sections = Vec::new();
    if let Some(finding) = finding {
        sections.push(what(audit, finding, lang));
        sections.push(ground(audit, finding, lang));
        sections.push(evidence(finding, lang));
    } else {
        let lines = vec![Line::bold(facts::no_findings(audit).get(lang))];
        sections.push(Section { heading: word("finding", lang), lines });
    }
    sections.push(favour(audit, finding, lang));
    sections.push(unchecked(audit, lang));
    sections.extend(finding.map(|finding| sum_of(finding, lang)));
    let title = if finding.is_some() { "title" } else { "title_none" };
    Page {
        title: word(title, lang),
        head: head(run, audit, finding),
        sections,
        foot: foot(run, audit),
        blanks: blanks(lang),
    }
}

/// One page for all that was not audited.
pub(super) fn of_skipped(run: &Run, skipped: &[Skipped]) -> Page {
    let lang = run.lang;
    let line = |one: &Skipped| Line { note: table::reason(one, lang), ..Line::bold(clean(&one.target, clean::NAME)) };
    let heading = ui("skipped_note").get(lang).to_owned();
    Page {
        title: word("title_skipped", lang),
        head: vec![(word("at", lang), clean(&run.at, 40))],
        sections: vec![Section { heading, lines: skipped.iter().map(line).collect() }],
        foot: vec![made_by(run)],
        blanks: Vec::new(),
    }
}

fn head(run: &Run, audit: &Audit, finding: Option<&Finding>) -> Vec<(String, String)> {
    let lang = run.lang;
    let mut rows = Vec::new();
    if let Some(finding) = finding {
        rows.push((word("number", lang), clean(&finding.id, 40)));
    }
    rows.push((word("at", lang), clean(&run.at, 40)));
    let version = facts::version(&audit.app);
    let package = clean(&audit.app.package, clean::NAME);
    let app = [facts::title(&audit.app).get(lang).to_owned(), package, version];
    rows.push((
        ui("app").get(lang).to_owned(),
        app.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("　"),
    ));
    rows.push((word("source", lang), source(audit, lang)));
    let file = |artifact: &crate::model::Artifact| format!("SHA-256 {}", clean(&artifact.sha256, 64));
    if let Some(first) = audit.artifacts.first() {
        rows.push((word("hash", lang), file(first)));
    }
    if let Some(names) = audit.artifacts.iter().find_map(origin::also) {
        rows.push((ui("same_file").get(lang).to_owned(), names));
    }
    if let Some(signer) = audit.artifacts.iter().flat_map(|artifact| &artifact.signers).next() {
        rows.push((word("signer", lang), origin::signer(signer).get(lang).to_owned()));
    }
    rows.push((word("provider", lang), origin::provider(audit).get(lang).to_owned()));
    rows.push((word("filing", lang), filing(audit, lang)));
    rows
}

/// The file and the store's page, or that there was none.
fn source(audit: &Audit, lang: Lang) -> String {
    let file = audit.artifacts.first().map_or_else(
        || word("package_none", lang),
        |artifact| format!("{}（{}）", clean(&artifact.name, clean::NAME), facts::size(artifact.bytes)),
    );
    let has_page = audit.coverage.limits.iter().all(|limit| limit.code != LimitCode::NoListing);
    let url = clean(&audit.app.url, clean::NAME);
    let page = match (has_page, url.is_empty()) {
        (false, _) => word("page_none", lang),
        (true, true) => word("page_noted", lang),
        (true, false) => with("page_given", &[("url", &url)], lang),
    };
    format!("{file} ／ {page}")
}

fn filing(audit: &Audit, lang: Lang) -> String {
    let numbers: Vec<Phrase> =
        audit.profile.filing_numbers.iter().take(LISTED).map(|n| Phrase::same(&clean(n, 60))).collect();
    let numbers = if numbers.is_empty() { ui("none_shown").get(lang).to_owned() } else { listed(&numbers, lang) };
    let registers = registers::line(audit, lang);
    let registers = if registers.is_empty() { word("registers_none", lang) } else { registers };
    format!("{}；{registers}", with("shown", &[("numbers", &numbers)], lang))
}

fn what(audit: &Audit, finding: &Finding, lang: Lang) -> Section {
    let values = [
        ("sign", facts::sign_of(audit, finding).get(lang).to_owned()),
        ("severity", words::severity(finding.severity).get(lang).to_owned()),
        ("confidence", words::confidence(finding.confidence).get(lang).to_owned()),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
    Section { heading: word("finding", lang), lines: vec![Line::bold(with("finding_line", &values, lang))] }
}

/// The ground in full, then the further ones by their citations.
fn ground(audit: &Audit, finding: &Finding, lang: Lang) -> Section {
    let mut lines = Vec::new();
    if let Some(banner) = law::banner(&audit.basis) {
        lines.push(Line::bold(banner.get(lang)));
    }
    let mut grounds = finding.grounds.iter();
    match grounds.next() {
        Some(first) => {
            let title = Phrase::from(&first.title);
            let line = format!("{}：{}", clean(title.get(lang), clean::TEXT), law::line(first, lang));
            lines.push(Line::plain(clean(&line, GROUND)));
        }
        None => {
            let clause = format!("{}“{}”", clean(&finding.clause, 40), clean(&finding.clause_text, GROUND));
            lines.push(Line::plain(clause));
        }
    }
    let more: Vec<String> =
        grounds.filter(|cited| cited.carries).take(CITED).map(|cited| law::citation(cited, lang)).collect();
    if !more.is_empty() {
        lines.push(Line { note: more.join("；"), ..Line::plain("") });
    }
    Section { heading: word("ground", lang), lines }
}

fn evidence(finding: &Finding, lang: Lang) -> Section {
    let counted: Vec<&Evidence> = finding.evidence.iter().filter(|item| item.counted && item.weight > 0).collect();
    let mut lines: Vec<Line> =
        counted.iter().take(EVIDENCE).enumerate().map(|(index, item)| piece(index + 1, item, lang)).collect();
    if counted.len() > EVIDENCE {
        let more = (counted.len() - EVIDENCE).to_string();
        lines.push(Line { note: with("evidence_more", &[("n", &more)], lang), ..Line::plain("") });
    }
    if let Some(recheck) = find(&format!("recheck.{}", finding.sign.id())) {
        let sep = ui("label_sep");
        lines.push(Line::plain(format!("{}{}{}", word("recheck", lang), sep.get(lang), recheck.get(lang))));
    }
    Section { heading: word("evidence", lang), lines }
}

/// `1 why：“words”`, and where they stand.
fn piece(number: usize, item: &Evidence, lang: Lang) -> Line {
    let why = clean(item.why.get(lang.code()), clean::TEXT);
    let marked = clean::marked(&item.text, item.mark);
    let (part, exact) = facts::place(item);
    let times = if item.times > 1 && item.kind != "library" {
        format!(" · {}", ui("times").with("n", &item.times.to_string()).get(lang))
    } else {
        String::new()
    };
    let note = format!("{} {}{times}", part.get(lang), clean(&exact, 90));
    let is_quote = !(marked.before.trim().is_empty() && marked.marked.is_empty());
    let (open, close) = if is_quote { ("：“", "”") } else { ("", "") };
    let marked = narrow(marked);
    let text = Marked {
        before: format!("{number}. {why}{open}{}", marked.before),
        marked: marked.marked,
        after: format!("{}{close}", marked.after),
    };
    Line { text, note, is_bold: false }
}

/// As much around the mark as a line has room for.
fn narrow(text: Marked) -> Marked {
    let room = QUOTE / 2;
    let length = text.before.chars().count();
    let is_plain = text.marked.is_empty();
    let before = if is_plain {
        clean(&text.before, QUOTE)
    } else if length > room {
        format!("…{}", text.before.chars().skip(length - room).collect::<String>())
    } else {
        text.before
    };
    Marked { before, marked: clean(&text.marked, QUOTE), after: clean(&text.after, room) }
}

fn favour(audit: &Audit, finding: Option<&Finding>, lang: Lang) -> Section {
    let told = origin::in_favour(audit, finding);
    let lines = match told.as_slice() {
        [] => vec![Line::plain(word("favour_none", lang))],
        all => {
            let told: Vec<&str> = all.iter().take(LISTED).map(|one| one.get(lang)).collect();
            vec![Line::plain(told.join(if lang == Lang::Zh { "；" } else { "; " }))]
        }
    };
    Section { heading: word("favour", lang), lines }
}

/// What could not be read, and which checks that leaves open.
fn unchecked(audit: &Audit, lang: Lang) -> Section {
    let limits: Vec<Phrase> = facts::limits(audit).into_keys().map(|code| words::limit(code).name).collect();
    let open = audit.checks.iter().filter(|check| !check.silent && check.outcome == Outcome::NotAssessable);
    let open: Vec<Phrase> = open.map(|check| words::sign(check.sign)).collect();
    let mut text = if limits.is_empty() { word("unchecked_none", lang) } else { listed(&limits, lang) };
    if !open.is_empty() {
        let space = if lang == Lang::En { ". " } else { "。" };
        text.push_str(space);
        text.push_str(&with("undecided", &[("signs", &listed(&open, lang))], lang));
    }
    Section { heading: word("unchecked", lang), lines: vec![Line::plain(text)] }
}

/// One line of arithmetic, and what the number means.
fn sum_of(finding: &Finding, lang: Lang) -> Section {
    let mut lines = sum::lines(&finding.sum, &finding.evidence);
    let base: i32 = lines.iter().filter(|line| line.number.is_none()).map(|line| line.weight).sum();
    lines.retain(|line| line.number.is_some());
    lines.sort_by_key(|line| std::cmp::Reverse(line.weight.abs()));
    let mut parts = vec![with("base", &[("weight", &signed(base))], lang)];
    parts.extend(lines.iter().take(LINES).map(|line| format!("{} {}", line.label.get(lang), signed(line.weight))));
    if lines.len() > LINES {
        let weight = lines.iter().skip(LINES).fold(0_i32, |all, line| all.saturating_add(line.weight));
        let n = (lines.len() - LINES).to_string();
        parts.push(with("sum_more", &[("n", &n), ("weight", &signed(weight))], lang));
    }
    let total = sum::total(&finding.sum).to_string();
    let values = [("total", total.as_str()), ("percent", &percent(finding.probability))];
    let sep = if lang == Lang::Zh { "；" } else { "; " };
    let lines = vec![Line::plain(parts.join(sep)), Line::plain(with("sum_total", &values, lang))];
    Section { heading: word("sum", lang), lines }
}

fn foot(run: &Run, audit: &Audit) -> Vec<String> {
    let lang = run.lang;
    let sep = ui("label_sep");
    let policies: Vec<String> = audit.basis.iter().map(|basis| origin::policy(basis).get(lang).to_owned()).collect();
    let policies = if policies.is_empty() { vec![clean(&run.made_by.policy, clean::NAME)] } else { policies };
    vec![format!("{}{}{}", ui("basis").get(lang), sep.get(lang), policies.join("；")), made_by(run)]
}

fn made_by(run: &Run) -> String {
    let values = [("version", clean(&run.made_by.version, 40)), ("pack", clean(&run.made_by.pack_sha256, 64))];
    let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
    with("made_by", &values, run.lang)
}

fn blanks(lang: Lang) -> Vec<String> {
    ["inspector", "reviewer", "day", "opinion"].map(|key| word(key, lang)).to_vec()
}
