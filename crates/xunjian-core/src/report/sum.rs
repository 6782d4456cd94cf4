//! The sum behind a probability, line by line, as a person recomputes it.

use super::clean;
use super::words::{self, Lang, Phrase};
use crate::model::{Contribution, Evidence};

/// Characters of a matched word shown in a sum.
const WORD: usize = 12;
/// Characters of a reason shown in a sum, where nothing was matched; English takes twice as many.
const REASON: usize = 24;

/// One line of a sum.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Decibans.
    pub(super) weight: i32,
    /// Number of the evidence that gives the weight, from 1; none for the base rate.
    pub(super) number: Option<usize>,
    /// What gives it, in a few words.
    pub(super) label: Phrase,
}

/// The lines of a finding's sum, tied to its evidence.
pub(super) fn lines(sum: &[Contribution], evidence: &[Evidence]) -> Vec<Line> {
    sum.iter()
        .map(|part| {
            let index = evidence.iter().position(|e| e.counted && e.group == part.group);
            let label = match index.map(|i| &evidence[i]) {
                Some(item) => label_of(item),
                None if part.group == "base-rate" => words::ui("base"),
                None => Phrase::same(&clean::clean(&part.group, REASON)),
            };
            Line { weight: part.weight, number: index.map(|i| i + 1), label }
        })
        .collect()
}

/// The matched words, else the reason.
fn label_of(item: &Evidence) -> Phrase {
    let marked = clean::marked(&item.text, item.mark).marked;
    if marked.is_empty() {
        let why = Phrase::from(&item.why);
        Phrase::make(|lang| clean::clean(why.get(lang), if lang == Lang::En { 2 * REASON } else { REASON }))
    } else {
        // Latin letters are half as wide.
        let longest = if marked.is_ascii() { 2 * WORD } else { WORD };
        Phrase::same(&clean::clean(marked.trim(), longest))
    }
}

/// Total of a sum.
pub(super) fn total(sum: &[Contribution]) -> i32 {
    sum.iter().fold(0, |total, part| total.saturating_add(part.weight))
}

/// A weight with its sign; a minus is a minus, not a hyphen.
pub(super) fn signed(weight: i32) -> String {
    match weight {
        w if w < 0 => format!("−{}", w.unsigned_abs()),
        w => format!("+{w}"),
    }
}

/// A probability in whole per cent; never 0 or 100, which no evidence reaches.
#[must_use]
pub fn percent(probability: f64) -> String {
    let rounded = (probability * 100.0).round();
    match rounded {
        p if p >= 100.0 => ">99 %".into(),
        p if p < 1.0 => "<1 %".into(),
        p => format!("{p:.0} %"),
    }
}

/// `−20 基准 + 18 [1] 拍照搜题 = −2 → 39 %`
pub(super) fn written(sum: &[Contribution], evidence: &[Evidence], probability: f64, lang: Lang) -> String {
    text_of(&lines(sum, evidence), total(sum), probability, lang)
}

fn text_of(lines: &[Line], total: i32, probability: f64, lang: Lang) -> String {
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        let size = line.weight.unsigned_abs();
        out.push_str(&match (index, line.weight < 0) {
            (0, true) => format!("−{size}"),
            (0, false) => format!("{size}"),
            (_, true) => format!(" − {size}"),
            (_, false) => format!(" + {size}"),
        });
        if let Some(number) = line.number {
            out.push_str(&format!(" [{number}]"));
        }
        out.push(' ');
        out.push_str(line.label.get(lang));
    }
    let total = match total {
        t if t < 0 => format!("−{}", t.unsigned_abs()),
        t => t.to_string(),
    };
    format!("{out} = {total} → {}", percent(probability))
}

/// Lines of a long sum that are told one by one; the rest is told together.
const BRIEF: usize = 5;

/// `基准 −11；[1] +13；其余 3 条 +12；合计 48，估算 >99 %`: the strongest lines by the numbers of their evidence, for where
/// that stands above.
pub(super) fn brief(sum: &[Contribution], evidence: &[Evidence], probability: f64, lang: Lang) -> String {
    let (base, mut told): (Vec<Line>, Vec<Line>) =
        lines(sum, evidence).into_iter().partition(|line| line.number.is_none());
    told.sort_by_key(|line| std::cmp::Reverse(line.weight.abs()));
    let most = if told.len() > BRIEF + 1 { BRIEF } else { told.len() };
    let rest = told.split_off(most);
    let mut parts: Vec<String> =
        base.iter().map(|line| format!("{} {}", line.label.get(lang), signed(line.weight))).collect();
    let number = |line: &Line| line.number.map_or_else(String::new, |number| format!("[{number}] "));
    parts.extend(told.iter().map(|line| format!("{}{}", number(line), signed(line.weight))));
    let said = |key: &str, values: &[(&str, &str)]| {
        let phrase = values.iter().fold(words::ui(key), |phrase, (name, value)| phrase.with(name, value));
        phrase.get(lang).to_owned()
    };
    if !rest.is_empty() {
        let weight = rest.iter().fold(0_i32, |all, line| all.saturating_add(line.weight));
        parts.push(said("sum_rest", &[("n", &rest.len().to_string()), ("weight", &signed(weight))]));
    }
    let total = total(sum).to_string().replace('-', "−");
    parts.push(said("sum_comes_to", &[("total", &total), ("percent", &percent(probability))]));
    parts.join(if lang == Lang::Zh { "；" } else { "; " })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_evidence_reaches_certainty() {
        assert_eq!(percent(0.8337), "83 %");
        assert_eq!(percent(0.9999), ">99 %");
        assert_eq!(percent(0.0001), "<1 %");
    }
}
