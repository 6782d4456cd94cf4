//! What findings rest on, as people read it: names of policies, banners, grounds with their marks.

use super::clean::{self, clean};
use super::words::{self, Lang, Phrase, ui};
use crate::model::{Basis, Cited, Known, Status};

/// Longest text of an article shown.
const ARTICLE: usize = 2_000;

/// Names of the policies that judged; by their ids where an audit of before does not say more.
#[must_use]
pub fn names(basis: &[Basis], ids: &str) -> Phrase {
    let known = |basis: &Basis| Phrase::make(|lang| clean(Phrase::from(&basis.title).get(lang), clean::TEXT));
    let named: Vec<Phrase> = if basis.is_empty() {
        ids.split('+').filter(|id| !id.is_empty()).map(|id| words::policy(&clean(id, clean::NAME))).collect()
    } else {
        basis.iter().map(known).collect()
    };
    Phrase::list(&named)
}

/// What stands above everything that was judged by a rule that does not bind; of several, which of them.
#[must_use]
pub fn banner(basis: &[Basis]) -> Option<Phrase> {
    let mut told: Vec<Phrase> = Vec::new();
    for (status, key) in [(Status::Draft, "banner_draft"), (Status::Superseded, "banner_superseded")] {
        let of: Vec<Basis> = basis.iter().filter(|basis| basis.status == status).cloned().collect();
        if of.len() == basis.len() {
            told.extend((!of.is_empty()).then(|| ui(key)));
        } else if !of.is_empty() {
            let titles = names(&of, "");
            let one = ui(&format!("{key}_of"));
            told.push(Phrase::make(|lang| one.with("titles", titles.get(lang)).get(lang).to_owned()));
        }
    }
    (!told.is_empty()).then(|| Phrase::make(|lang| told.iter().map(|t| t.get(lang)).collect::<Vec<_>>().join(" ")))
}

/// What a reader must know of a ground before citing it.
pub(super) fn marks(cited: &Cited) -> Vec<Phrase> {
    let mut marks = Vec::new();
    match cited.status {
        Status::Draft => marks.push(ui("mark_draft")),
        Status::Superseded => marks.push(ui("mark_superseded")),
        Status::InForce | Status::Reported => {}
    }
    if cited.known == Known::Reported {
        let seen = clean(&cited.address, clean::TEXT);
        marks.push(ui("mark_reported").with("source", &seen));
    }
    marks.extend(cited.misfits.iter().map(|misfit| ui(&format!("mark_misfit_{}", misfit.id()))));
    if cited.lineage {
        marks.push(ui("mark_lineage"));
    }
    marks
}

/// `《未成年人保护法》第七十四条第三款“…”（据报道）`, with what follows a breach.
#[must_use]
pub fn line(cited: &Cited, lang: Lang) -> String {
    told(cited, &format!("“{}”", clean(&cited.text, ARTICLE)), lang)
}

/// The same without the words.
pub(super) fn citation(cited: &Cited, lang: Lang) -> String {
    told(cited, "", lang)
}

fn told(cited: &Cited, words: &str, lang: Lang) -> String {
    let clause = clean(&cited.clause, clean::NAME);
    let marks: Vec<String> = marks(cited).iter().map(|mark| mark.get(lang).to_owned()).collect();
    let (open, close, sep) = if lang == Lang::Zh { ("（", "）", "；") } else { (" (", ")", "; ") };
    let marks = if marks.is_empty() { String::new() } else { format!("{open}{}{close}", marks.join(sep)) };
    let sanction = cited.sanction.as_ref().map_or_else(String::new, |sanction| {
        let label = ui("sanction");
        format!("{sep}{} {}", label.get(lang), clean(&sanction.clause, clean::NAME))
    });
    format!("{clause}{words}{marks}{sanction}")
}
