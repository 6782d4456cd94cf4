//! What a store says about an app.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::loose;

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
    /// Address of the icon.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// Address of the banner above the page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub banner: String,
    /// Page.
    pub url: String,
    /// Version for people.
    pub version_name: String,
    /// Version for machines.
    pub version_code: u64,
    /// Address of the package.
    pub download_url: String,
    /// What of it could not be read, in plain English; a limit of every audit that rests on it.
    #[serde(rename = "_unread", skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
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
    /// Reads one line. `null` counts as missing, numbers as text, because exports differ; a key whose value
    /// cannot be used costs that key, and [`Listing::unread`] says so.
    ///
    /// # Errors
    /// When the line is no JSON object, or says nothing.
    pub fn parse(line: &str) -> Result<Self, ListingError> {
        let mut value = loose::read(line).map_err(|e| ListingError::Json(e.to_string()))?;
        let Some(object) = value.as_object_mut() else {
            return Err(ListingError::Json("not an object".into()));
        };
        let unread = soften(object);
        let mut listing: Self = serde_json::from_value(value).map_err(|e| ListingError::Json(e.to_string()))?;
        listing.unread.extend(unread);
        if listing.says_nothing() { Err(ListingError::Empty) } else { Ok(listing) }
    }

    /// Neither a title nor a description: nothing of it can be judged.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.title.trim().is_empty() && self.description.trim().is_empty()
    }

    /// The app that it is of, as archives of several are searched for it: its package name, empty where it speaks
    /// of some app and does not name it, `None` where it says nothing of any.
    #[must_use]
    pub fn wanted(&self) -> Option<&str> {
        (!self.package.is_empty() || !self.says_nothing()).then_some(&self.package)
    }

    /// The pictures that the store shows, each with its place: `screenshot 3`, `icon`, `banner`; so many of the
    /// screenshots at most.
    pub fn pictures(&self, screenshots: usize) -> impl Iterator<Item = (String, &str)> {
        let shots = self.screenshots.iter().take(screenshots).enumerate();
        let shots = shots.map(|(index, address)| (format!("screenshot {}", index + 1), address.as_str()));
        let others = [("icon", &self.icon), ("banner", &self.banner)].into_iter();
        let others = others.filter(|(_, address)| !address.is_empty());
        shots.chain(others.map(|(place, address)| (place.to_owned(), address.as_str())))
    }

    /// What an app is called in its store: its package, or the first of id, address and title that is there.
    #[must_use]
    pub fn name(&self) -> &str {
        let names = [&self.package, &self.id, &self.url, &self.title];
        names.into_iter().find(|name| !name.is_empty()).map_or("", |name| name)
    }
}

const TEXTS: &[&str] = &[
    "id",
    "store",
    "package",
    "title",
    "icon",
    "banner",
    "developer",
    "category",
    "age_rating",
    "description",
    "changelog",
    "url",
    "version_name",
    "download_url",
];
const LISTS: &[&str] = &["permissions", "screenshots", "_unread"];
/// Where an object in place of a text holds it.
const INNER: &[&str] = &["name", "title", "text", "value", "url", "$oid", "id"];

/// Turns near-misses of exports into our types, and drops what cannot be: which, and why.
fn soften(object: &mut Map<String, Value>) -> Vec<String> {
    let mut unread = Vec::new();
    // `Title`, where nobody wrote `title`.
    let known = |key: &str| TEXTS.contains(&key) || LISTS.contains(&key) || key == "version_code";
    let odd = |key: &&String| !known(key) && known(&key.to_ascii_lowercase());
    let odd: Vec<String> = object.keys().filter(odd).cloned().collect();
    for key in odd {
        let plain = key.to_ascii_lowercase();
        if !object.contains_key(&plain)
            && let Some(value) = object.shift_remove(&key)
        {
            object.insert(plain, value);
        }
    }
    object.retain(|_, value| !value.is_null());
    object.retain(|key, value| {
        let fits = match key.as_str() {
            key if TEXTS.contains(&key) => text_of(value).map(Value::from),
            key if LISTS.contains(&key) => list_of(value).map(Value::from),
            "version_code" => match &*value {
                Value::String(text) if text.trim().is_empty() => return false,
                Value::String(text) => loose::whole_number(text).map(Value::from),
                other => loose::whole_number(&other.to_string()).map(Value::from),
            },
            _ => return true,
        };
        match fits {
            Some(fits) => *value = fits,
            None => {
                let shown: String = value.to_string().chars().take(60).collect();
                unread.push(format!("`{key}` is of no use as it stands: {shown}"));
                return false;
            }
        }
        true
    });
    unread
}

/// A text, or what stands for one; nothing where it is something else.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Array(all) => {
            let texts: Vec<String> = all.iter().filter(|v| !v.is_null()).map(text_of).collect::<Option<_>>()?;
            Some(texts.join(", "))
        }
        Value::Object(object) => INNER.iter().find_map(|key| object.get(*key)).and_then(|value| match value {
            Value::String(_) | Value::Number(_) => text_of(value),
            _ => None,
        }),
        Value::Null => None,
    }
}

fn list_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => {
            let parts = text.split([',', ';', '\n', '，', '；']).map(str::trim).filter(|part| !part.is_empty());
            Some(parts.map(str::to_owned).collect())
        }
        Value::Array(all) => all.iter().filter(|v| !v.is_null()).map(text_of).collect(),
        _ => None,
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
        assert!(matches!(Listing::parse(r#"{"title":{"x":["y"]}}"#), Err(ListingError::Empty)));
    }

    #[test]
    fn a_bad_field_costs_that_field_and_is_said() {
        let base = r#""title":"题山","description":"一键拍照搜题""#;
        for (odd, lost) in [
            (r#""version_code":12.0"#, 0),
            (r#""version_code":"""#, 0),
            (r#""version_code":"1.2.3""#, 1),
            (r#""version_code":-1"#, 1),
            (r#""version_code":18446744073709551616"#, 1),
            (r#""score":NaN"#, 0),
            (r#""developer":{"name":"示例"}"#, 0),
            (r#""developer":{"a":[1]}"#, 1),
            (r#""category":["教育","学习"]"#, 0),
            (r#""id":{"$oid":"5f"}"#, 0),
            (r#""permissions":"a,b""#, 0),
            (r#""permissions":["a",null]"#, 0),
            (r#""screenshots":[{"url":"http://x/1.png"}]"#, 0),
            (r#""screenshots":7"#, 1),
            (r#""changelog":"好用\ud83d""#, 0),
        ] {
            let listing = Listing::parse(&format!("{{{base},{odd}}}")).unwrap();
            assert_eq!((listing.title.as_str(), listing.unread.len()), ("题山", lost), "{odd}: {:?}", listing.unread);
        }
        let listing = Listing::parse(&format!("{{{base},\"permissions\":\"a,b\",\"version_code\":12.0}}")).unwrap();
        assert_eq!((listing.permissions.len(), listing.version_code), (2, 12));
        assert_eq!(Listing::parse(r#"{"Title":"题山"}"#).unwrap().title, "题山");
    }
}
