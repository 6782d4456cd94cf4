//! A listing as facts.

use std::sync::Arc;

use super::tags::without_tags;
use super::unescape::unescape;
use crate::model::{Block, Facts, Kind, Listing};

/// Every field that says something in words.
#[must_use]
pub fn listing(listing: &Listing) -> Facts {
    let mut facts = Facts::default();
    let place: Arc<str> =
        if listing.store.is_empty() { "listing".into() } else { format!("{} listing", listing.store).into() };
    let fields = [
        (Kind::Title, "title", &listing.title),
        (Kind::Description, "description", &listing.description),
        (Kind::Changelog, "changelog", &listing.changelog),
        (Kind::Category, "category", &listing.category),
        (Kind::AgeRating, "age_rating", &listing.age_rating),
        (Kind::Developer, "developer", &listing.developer),
    ];
    for (kind, name, text) in fields {
        if !text.trim().is_empty() {
            // Pages hand their tags and entities on: <b> or &nbsp; between characters hides a term.
            facts.push(Block::one(kind, Arc::clone(&place), name, &unescape(&without_tags(text))));
        }
    }
    let mut permissions = Block::new(Kind::Permission, place, "permission");
    for (index, permission) in listing.permissions.iter().enumerate() {
        permissions.push(index as u32 + 1, permission);
    }
    facts.push(permissions);
    facts
}
