//! Rows for spreadsheets: one a finding, and one for every app and input without any, so
//! that nothing is missing from a table that was complete in the report.

use super::clean::{self, clean};
use super::sum::{self, percent, signed};
use super::words::{self, Lang, ui};
use super::{facts, law, origin, registers};
use crate::model::{Audit, Evidence, Finding, Sign, Skipped};

/// Columns, by their keys under `table` in the locale.
const COLUMNS: &[&str] = &[
    "result",
    "app",
    "package",
    "store",
    "developer",
    "version",
    "sign",
    "severity",
    "confidence",
    "probability",
    "standing",
    "clause",
    "clause_text",
    "evidence",
    "sum",
    "reading",
    "url",
    "sha256",
    "policy",
    "grounds",
    "finding",
    "registers",
    "file",
    "signer",
    "favour",
    "checked_at",
];
/// Columns at the very end: registers, file, signer, what speaks for the provider, time.
const OF_ORIGIN: usize = 5;
/// Columns after the reading of an app: what the finding rests on, and its id.
const OF_GROUNDS: usize = 3;
/// Columns that say which app it is.
const OF_APP: usize = 6;
/// The column of probabilities.
pub(super) const PROBABILITY: u16 = 9;
/// Pieces of evidence in a cell; the report has them all.
const EVIDENCE: usize = 5;
/// Longest cell of running words; a spreadsheet takes 32,767.
const CELL: usize = 4_000;

/// What a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowOf {
    /// A finding of a sign.
    Finding(Sign),
    /// An app without findings, or an input that was skipped.
    Nothing,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) of: RowOf,
    pub(super) cells: Vec<String>,
    /// Of a finding, as a number.
    pub(super) probability: Option<f64>,
}

/// A word of the tables.
pub(super) fn word(key: &str, lang: Lang) -> String {
    words::find(&format!("table.{key}")).map_or_else(|| format!("⟦{key}⟧"), |phrase| phrase.get(lang).to_owned())
}

/// Headings of all columns.
pub(super) fn heading(lang: Lang) -> Vec<String> {
    COLUMNS.iter().map(|key| word(key, lang)).collect()
}

/// A column of names, versions and ids: what stands there is no number, whatever it looks like.
pub(super) fn is_text(column: usize) -> bool {
    COLUMNS.get(column).is_some_and(|key| matches!(*key, "app" | "package" | "developer" | "version" | "finding"))
}

/// The rows of one app.
pub(super) fn rows(audit: &Audit, lang: Lang, at: &str) -> Vec<Row> {
    let inside = audit.findings.iter().map(|finding| (finding, "row_finding"));
    let outside = audit.out_of_scope.iter().map(|finding| (finding, "row_out_of_scope"));
    let rows: Vec<Row> = inside
        .chain(outside)
        .map(|(finding, result)| {
            let mut cells = of_app(&word(result, lang), audit, lang);
            cells.extend(of_finding(audit, finding, lang));
            cells.extend(closing(audit, lang));
            cells.extend(of_grounds(audit, finding, lang));
            cells.push(finding.id.clone());
            cells.extend(of_origin(audit, Some(finding), lang, at));
            Row { of: RowOf::Finding(finding.sign), cells, probability: Some(finding.probability) }
        })
        .collect();
    if rows.is_empty() { vec![without_findings(audit, lang, at)] } else { rows }
}

fn without_findings(audit: &Audit, lang: Lang, at: &str) -> Row {
    let mut cells = of_app(&word("row_none", lang), audit, lang);
    cells.push(facts::no_findings(audit).get(lang).to_owned());
    cells.resize(COLUMNS.len() - OF_GROUNDS - 3 - OF_ORIGIN, String::new());
    cells.extend(closing(audit, lang));
    cells.resize(COLUMNS.len() - OF_ORIGIN, String::new());
    cells.extend(of_origin(audit, None, lang, at));
    Row { of: RowOf::Nothing, cells, probability: None }
}

/// What the row rests on: registers, files, who signed them, what speaks for the provider, when.
fn of_origin(audit: &Audit, finding: Option<&Finding>, lang: Lang, at: &str) -> [String; OF_ORIGIN] {
    let names = audit.artifacts.iter().flat_map(|file| std::iter::once(&file.name).chain(&file.also));
    let files: Vec<String> = names.take(EVIDENCE).map(|name| clean(name, clean::TEXT)).collect();
    let signers = audit.artifacts.iter().flat_map(|file| &file.signers).take(1);
    let signers: Vec<String> = signers.map(|signer| origin::signer(signer).get(lang).to_owned()).collect();
    let favour: Vec<String> = origin::in_favour(audit, finding).iter().map(|told| told.get(lang).to_owned()).collect();
    [registers::line(audit, lang), files.join("\n"), signers.join("\n"), favour.join("\n"), clean(at, 40)]
}

/// The row of an input that was not audited.
pub(super) fn skipped(skipped: &Skipped, lang: Lang) -> Row {
    let mut cells = vec![word("row_skipped", lang), clean(&skipped.target, clean::NAME)];
    cells.resize(OF_APP, String::new());
    cells.push(reason(skipped, lang));
    cells.resize(COLUMNS.len(), String::new());
    Row { of: RowOf::Nothing, cells, probability: None }
}

/// Stage and reason of a skip, and what to do.
pub(super) fn reason(skipped: &Skipped, lang: Lang) -> String {
    let stage = words::skip_stage(&clean(&skipped.stage, 40));
    let step =
        words::skip_step(&skipped.code, &skipped.stage).map(|step| format!(" {}", step.get(lang))).unwrap_or_default();
    format!("{}: {}{step}", stage.get(lang), why(skipped, lang))
}

/// The reason in the reader's language, and the facts behind it.
pub(super) fn why(skipped: &Skipped, lang: Lang) -> String {
    let facts = clean(&skipped.reason, clean::TEXT);
    match words::skip_code(&skipped.code) {
        Some(code) if lang == Lang::Zh => format!("{}（{facts}）", code.get(lang)),
        Some(code) => format!("{} ({facts})", code.get(lang)),
        None => facts,
    }
}

fn of_app(result: &str, audit: &Audit, lang: Lang) -> Vec<String> {
    let app = &audit.app;
    vec![
        result.to_owned(),
        facts::title(app).get(lang).to_owned(),
        clean(&app.package, clean::NAME),
        clean(&app.store, clean::NAME),
        clean(&app.developer, clean::NAME),
        facts::version(app),
    ]
}

fn of_finding(audit: &Audit, finding: &Finding, lang: Lang) -> Vec<String> {
    let evidence = finding.evidence.iter().take(EVIDENCE).enumerate();
    // Numbered as the sum names them.
    let evidence: Vec<String> =
        evidence.map(|(index, item)| format!("[{}] {}", index + 1, one_line(item, lang))).collect();
    vec![
        facts::sign_of(audit, finding).get(lang).to_owned(),
        words::severity(finding.severity).get(lang).to_owned(),
        words::confidence(finding.confidence).get(lang).to_owned(),
        percent(finding.probability),
        words::standing(finding.standing).get(lang).to_owned(),
        clean(&finding.clause, clean::NAME),
        clean(&finding.clause_text, CELL),
        evidence.join("\n"),
        sum::written(&finding.sum, &finding.evidence, finding.probability, lang),
    ]
}

/// Policies, with a banner where one does not bind, and every ground.
fn of_grounds(audit: &Audit, finding: &Finding, lang: Lang) -> [String; 2] {
    let policies = law::names(&audit.basis, "").get(lang).to_owned();
    let policies = match law::banner(&audit.basis) {
        Some(banner) => format!("{}\n{policies}", banner.get(lang)),
        None => policies,
    };
    let grounds: Vec<String> = finding.grounds.iter().map(|cited| law::line(cited, lang)).collect();
    [policies, grounds.join("\n")]
}

/// `+12 why: words in their surroundings (place)`
pub(super) fn one_line(item: &Evidence, lang: Lang) -> String {
    let (part, exact) = facts::place(item);
    let text = clean(item.text.trim(), clean::TEXT);
    let weight = if item.counted { signed(item.weight) } else { format!("({})", signed(item.weight)) };
    format!("{weight} {}: {text} [{} {exact}]", clean(item.why.get(lang.code()), clean::TEXT), part.get(lang))
}

fn closing(audit: &Audit, lang: Lang) -> Vec<String> {
    let hashes: Vec<&str> = audit.artifacts.iter().map(|artifact| artifact.sha256.as_str()).take(EVIDENCE).collect();
    vec![
        words::reading(facts::reading(audit)).get(lang).to_owned(),
        clean::link(&audit.app.url).unwrap_or_default().to_owned(),
        hashes.join(" "),
    ]
}

/// Headings of the table of what could not be read.
pub(super) fn limit_heading(lang: Lang) -> Vec<String> {
    let columns = ["app", "package", "limit", "detail", "where", "meaning", "step"];
    columns.iter().map(|key| word(key, lang)).collect()
}

/// What of one app could not be read, a row a limit.
pub(super) fn limits(audit: &Audit, lang: Lang) -> Vec<Vec<String>> {
    let (title, package) = (facts::title(&audit.app), clean(&audit.app.package, clean::NAME));
    let mut rows = Vec::new();
    for limit in &audit.coverage.limits {
        let words = words::limit(limit.code);
        rows.push(vec![
            title.get(lang).to_owned(),
            package.clone(),
            words.name.get(lang).to_owned(),
            clean(super::detail(&limit.detail).get(lang), clean::TEXT),
            clean(&limit.place, clean::NAME),
            words.meaning.get(lang).to_owned(),
            words.step.get(lang).to_owned(),
        ]);
    }
    rows
}

/// The word for all that no sheet has room for.
pub(super) fn disclaimer(lang: Lang) -> String {
    [words::not_a_verdict(), words::not_a_verdict_more()].map(|phrase| phrase.get(lang).to_owned()).join(" ")
}

/// Name of the report itself.
pub(super) fn title(lang: Lang) -> String {
    ui("report").get(lang).to_owned()
}
