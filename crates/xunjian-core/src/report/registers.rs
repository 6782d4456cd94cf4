//! What registers and lists say of an app, in words: shared by the forms for people.

use super::clean::{self, clean};
use super::words::{self, Lang, Phrase, said, ui};
use crate::model::{Answer, Audit, RegisterKind, Row, SMALL_REGISTER, Standing};

/// A row a register that was at hand: its name, and what it says.
pub(super) fn rows(audit: &Audit) -> Vec<(Phrase, Phrase)> {
    audit.standings.answers.iter().map(|(kind, answer)| (words::register(*kind), answer_of(answer))).collect()
}

/// The same of some registers.
pub(super) fn rows_of(audit: &Audit, kinds: &[&RegisterKind]) -> Vec<(Phrase, Phrase)> {
    let answers = audit.standings.answers.iter().filter(|(kind, _)| kinds.contains(kind));
    answers.map(|(kind, answer)| (words::register(*kind), answer_of(answer))).collect()
}

/// One register's answer in a sentence: standing, number and last day, or how much was looked through.
fn answer_of(answer: &Answer) -> Phrase {
    let cleaned = |text: &str| clean(text, clean::NAME);
    match (answer.standing, &answer.row) {
        (Standing::Listed, Some(row)) => {
            let (number, until) = (cleaned(&named(row)), cleaned(&row.until));
            let key = match (answer.expired, until.is_empty()) {
                (true, _) => "standing.row_expired",
                (false, true) => "standing.row",
                (false, false) => "standing.row_until",
            };
            said(key, &[("row", &number), ("until", &until), ("day", &cleaned(&answer.as_of))])
        }
        (Standing::NotListed, _) => {
            let key = if answer.rows < SMALL_REGISTER { "standing.not_in_few" } else { "standing.not_in" };
            said(key, &[("rows", &answer.rows.to_string())])
        }
        _ if answer.is_unasked() => ui("register_unasked"),
        _ => words::standing(Standing::NotChecked),
    }
}

/// What tells a row: its number, else who or what it names.
fn named(row: &Row) -> String {
    let fields = [&row.number, &row.provider, &row.app, &row.package];
    fields.into_iter().find(|field| !field.is_empty()).cloned().unwrap_or_default()
}

/// All of it in one line; empty where no register was at hand.
pub(super) fn line(audit: &Audit, lang: Lang) -> String {
    let rows = rows(audit);
    let told =
        rows.iter().map(|(name, value)| format!("{}{}{}", name.get(lang), ui("label_sep").get(lang), value.get(lang)));
    told.collect::<Vec<_>>().join("; ")
}
