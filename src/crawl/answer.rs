//! What an answer means before its content is read: outcomes told apart.

use super::adapter::Rule;
use super::page::Page;
use crate::model::fetch::{Answer, Fault, Outcome};

/// The fault that an answer is, by the adapter's rules and then by its status; nothing when it
/// is to be read.
pub(super) fn fault(rules: &[Rule], page: &Page<'_>) -> Option<Fault> {
    let answer = page.answer;
    if let Some(rule) = rules.iter().find(|rule| rule.holds(page)) {
        if rule.is == Outcome::Ok {
            return None;
        }
        let detail = format!("{}: HTTP {}, as a rule of the adapter says", answer.url, answer.status);
        return Some(Fault::with_page(rule.is, detail, answer));
    }
    by_status(answer)
}

/// What a status means where no rule says otherwise.
pub(super) fn by_status(answer: &Answer) -> Option<Fault> {
    let outcome = match answer.status {
        200..=299 => return None,
        404 => Outcome::NotFound,
        410 => Outcome::Delisted,
        451 => Outcome::RegionLocked,
        // Stores refuse whom they take for a robot; the app may well be there.
        403 | 429 => Outcome::Throttled,
        500..=599 => Outcome::Network,
        _ => Outcome::AdapterBroken,
    };
    Some(Fault::with_page(outcome, format!("{}: HTTP {}", answer.url, answer.status), answer))
}

impl Rule {
    fn holds(&self, page: &Page<'_>) -> bool {
        if self.status.is_some_and(|status| status != page.answer.status) {
            return false;
        }
        if self.text.as_ref().is_some_and(|text| !page.text().contains(text.as_str())) {
            return false;
        }
        let Some(at) = &self.at else { return true };
        let found = page.values(at, None).unwrap_or_default();
        match &self.equals {
            Some(wanted) => found.iter().any(|value| value == wanted),
            None => !found.is_empty(),
        }
    }
}
