//! What a store says about an app.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One store listing: a line of `listings.jsonl`.
///
/// All but one of `title` and `description` may be missing; keys that are not
/// known are kept in `more`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listing {
    /// The list's own id for the app.
    pub id: String,
    /// Store id.
    pub store: String,
    /// Package name.
    pub package: String,
    /// Title.
    pub title: String,
    /// Developer.
    pub developer: String,
    /// Category.
    pub category: String,
    /// Age rating as printed.
    pub age_rating: String,
    /// Description.
    pub description: String,
    /// What is new.
    pub changelog: String,
    /// Permissions as the store lists them.
    pub permissions: Vec<String>,
    /// Addresses of screenshots.
    pub screenshots: Vec<String>,
    /// Page.
    pub url: String,
    /// Version for people.
    pub version_name: String,
    /// Version for machines.
    pub version_code: u64,
    /// Address of the package.
    pub download_url: String,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Why a line is no listing.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// Not JSON, or a key has another type than ours.
    #[error("not a listing: {0}; give one JSON object a line with the keys README names")]
    Json(String),
    /// Nothing to read.
    #[error("neither `title` nor `description` is there; give at least one")]
    Empty,
}

impl Listing {
    /// Reads one line. `null` counts as missing, numbers as text, because exports differ.
    ///
    /// # Errors
    /// When the line is no JSON object, a key has an unusable type, or it says nothing.
    pub fn parse(line: &str) -> Result<Self, ListingError> {
        let mut value: Value = serde_json::from_str(line).map_err(|e| ListingError::Json(e.to_string()))?;
        let Some(object) = value.as_object_mut() else {
            return Err(ListingError::Json("not an object".into()));
        };
        soften(object);
        let listing: Self = serde_json::from_value(value).map_err(|e| ListingError::Json(e.to_string()))?;
        if listing.title.trim().is_empty() && listing.description.trim().is_empty() {
            return Err(ListingError::Empty);
        }
        Ok(listing)
    }
}

/// Turns near-misses of exports (`null`, a number as text, text as a number) into our types.
fn soften(object: &mut Map<String, Value>) {
    const TEXT: &[&str] = &[
        "id",
        "store",
        "package",
        "title",
        "developer",
        "category",
        "age_rating",
        "description",
        "changelog",
        "url",
        "version_name",
        "download_url",
    ];
    object.retain(|_, value| !value.is_null());
    for (key, value) in object.iter_mut() {
        if TEXT.contains(&key.as_str()) && (value.is_number() || value.is_boolean()) {
            *value = Value::String(value.to_string());
        } else if key == "version_code"
            && let Some(number) = value.as_str().and_then(|s| s.trim().parse::<u64>().ok())
        {
            *value = Value::from(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_kept_and_near_misses_softened() {
        let listing =
            Listing::parse(r#"{"id": 7, "title": "甲", "developer": null, "rank": 3, "version_code": "12"}"#).unwrap();
        assert_eq!(listing.id, "7");
        assert_eq!(listing.version_code, 12);
        assert_eq!(listing.more["rank"], 3);
    }

    #[test]
    fn a_line_that_says_nothing_is_refused() {
        assert!(matches!(Listing::parse(r#"{"id":"a"}"#), Err(ListingError::Empty)));
        assert!(matches!(Listing::parse("[1]"), Err(ListingError::Json(_))));
        assert!(matches!(Listing::parse(r#"{"title":["x"]}"#), Err(ListingError::Json(_))));
    }
}
