//! A store listing with the evidence marked in place.

use super::page::Page;
use crate::model::{Audit, Evidence, Listing};
use crate::report::html::Markup;
use crate::report::{clean, link};
use crate::runs::asked::claimed_store;

/// Longest text of a listing shown, in characters.
const TEXT: usize = 20_000;
/// Screenshots and permissions named at most.
const NAMED: usize = 60;
/// Words marked at most.
const WORDS: usize = 60;

/// A listing as the page shows it.
pub(super) struct ListingView {
    /// Label and text.
    pub(super) fields: Vec<(String, Markup)>,
    /// Permissions: what they allow, and their name.
    pub(super) permissions: Vec<(String, String)>,
    /// Addresses of screenshots.
    pub(super) screenshots: Vec<String>,
}

impl ListingView {
    pub(super) fn new(page: &Page, listing: &Listing, audit: &Audit) -> Self {
        let words = marked_words(audit);
        let texts = [
            ("title", &listing.title),
            ("developer", &listing.developer),
            ("category", &listing.category),
            ("age_rating", &listing.age_rating),
            ("description", &listing.description),
            ("changelog", &listing.changelog),
        ];
        let shown = |(name, text): (&str, &String)| {
            let marked = Markup::highlighted(text.trim(), TEXT, &words);
            (!text.trim().is_empty()).then(|| (page.t(&format!("f.{name}")), marked))
        };
        // Of a package that a program sent: what it says, on which nothing rests.
        let claimed = claimed_store(listing).to_owned();
        let claimed =
            (!claimed.is_empty()).then(|| (page.t("claimed_store"), Markup::highlighted(&claimed, NAMED, &[])));
        let permission = |name: &String| (in_words(page, name), clean(name, 160));
        Self {
            fields: texts.into_iter().filter_map(shown).chain(claimed).collect(),
            permissions: listing.permissions.iter().take(NAMED).map(permission).collect(),
            screenshots: listing
                .screenshots
                .iter()
                .take(NAMED)
                .filter_map(|url| link(url))
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// What evidence from the listing marked: the words themselves, without what stands around them.
fn marked_words(audit: &Audit) -> Vec<&str> {
    let all = audit.findings.iter().chain(&audit.out_of_scope).flat_map(|finding| &finding.evidence);
    let mut words: Vec<&str> = all.filter_map(mark_of).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(WORDS);
    words
}

/// The marked words of a piece of evidence. The mark counts characters.
fn mark_of(evidence: &Evidence) -> Option<&str> {
    let [start, end] = evidence.mark?;
    let at = |n: usize| evidence.text.char_indices().nth(n).map(|(at, _)| at).or(Some(evidence.text.len()));
    evidence.text.get(at(start)?..at(end)?).filter(|word| !word.trim().is_empty())
}

/// What an Android permission allows; the store's own words where it lists those instead.
pub(super) fn in_words(page: &Page, permission: &str) -> String {
    let id = permission.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().replace('_', "-");
    crate::report::words::find(&format!("permission.{id}"))
        .map_or_else(String::new, |phrase| phrase.get(page.lang).to_owned())
}
