//! What an answer means before its content is read: outcomes told apart.

use super::adapter::Rule;
use super::page::Page;
use crate::model::fetch::{Answer, Fault, Outcome};

/// The fault that an answer is, by the adapter's rules and then by its status; nothing when it
/// is to be read. Rules about words alone wait until it was: the words may be the app's own.
pub(super) fn fault(rules: &[Rule], page: &Page<'_>) -> Option<Fault> {
    let answer = page.answer;
    let is_read = (200..=299).contains(&answer.status);
    let mut rules = rules.iter().filter(|rule| !(is_read && rule.is_about_words()));
    match rules.find(|rule| rule.holds(page)) {
        Some(rule) if rule.is == Outcome::Ok => None,
        Some(rule) => Some(rule.fault(page)),
        None => by_status(answer),
    }
}

/// The fault that the words of a page make it, which are not the app's own.
pub(super) fn by_words(rules: &[Rule], page: &Page<'_>, own: &str) -> Option<Fault> {
    let holds = |rule: &&Rule| {
        rule.is_about_words() && rule.text.as_ref().is_some_and(|text| !own.contains(text.as_str())) && rule.holds(page)
    };
    rules.iter().find(holds).filter(|rule| rule.is != Outcome::Ok).map(|rule| rule.fault(page))
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
    fn is_about_words(&self) -> bool {
        self.text.is_some() && self.status.is_none() && self.at.is_none() && !self.empty
    }

    fn fault(&self, page: &Page<'_>) -> Fault {
        let answer = page.answer;
        let detail = format!("{}: HTTP {}, as a rule of the adapter says", answer.url, answer.status);
        Fault::with_page(self.is, detail, answer)
    }

    fn holds(&self, page: &Page<'_>) -> bool {
        if self.status.is_some_and(|status| status != page.answer.status) {
            return false;
        }
        if self.empty && !page.answer.body.trim_ascii().is_empty() {
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
