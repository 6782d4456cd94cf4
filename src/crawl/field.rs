//! Fields of a listing and where an adapter finds them.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde::de::{self, value::MapAccessDeserializer};

use super::page::{Item, Page, clean};
use super::select::{Form, Selector, regex};
use super::template::{Escape, fill};
use crate::model::{Listing, loose};

/// Names that a field may have; `more.NAME` keeps a value of one's own.
pub(super) const NAMES: &[&str] = &[
    "id",
    "package",
    "title",
    "developer",
    "category",
    "age_rating",
    "description",
    "changelog",
    "permissions",
    "screenshots",
    "icon",
    "banner",
    "url",
    "version_name",
    "version_code",
    "download_url",
    "sha256",
    "bytes",
    "updated",
];
/// Fields that are addresses.
const ADDRESSES: &[&str] = &["url", "download_url", "screenshots", "icon", "banner"];
/// Fields of many values.
const LISTS: &[&str] = &["permissions", "screenshots"];
/// Values of a list field.
const LIST_MAX: usize = 500;

/// A field as it stands in a file: a selector, several of which the first that finds something
/// counts, or a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FieldFile {
    pub(super) from: Vec<String>,
    pub(super) find: Option<String>,
    /// What stands between the values of a list that is one text.
    pub(super) split: Option<String>,
    pub(super) required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    from: OneOrMany,
    #[serde(rename = "match")]
    find: Option<String>,
    split: Option<String>,
    #[serde(default)]
    required: bool,
}

struct OneOrMany(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let field = FieldFile::deserialize(deserializer)?;
        Ok(Self(field.from))
    }
}

impl<'de> Deserialize<'de> for FieldFile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = FieldFile;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a selector, a list of selectors, or a table with `from`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FieldFile, E> {
                Ok(FieldFile { from: vec![text.into()], ..FieldFile::default() })
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<FieldFile, A::Error> {
                let mut from = Vec::new();
                while let Some(text) = seq.next_element::<String>()? {
                    from.push(text);
                }
                Ok(FieldFile { from, ..FieldFile::default() })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<FieldFile, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(FieldFile { from: table.from.0, find: table.find, split: table.split, required: table.required })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A compiled field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    from: Vec<Selector>,
    find: Option<Regex>,
    split: Option<String>,
    pub(super) required: bool,
}

impl Field {
    pub(super) fn new(name: &str, file: &FieldFile, form: Form) -> Result<Self, (String, String)> {
        let own = name.strip_prefix("more.").is_some_and(|n| !n.is_empty()) || name.strip_prefix("var.").is_some();
        if !NAMES.contains(&name) && !own {
            return Err((
                name.into(),
                format!("no field `{name}`; there are {}, more.NAME and var.NAME", NAMES.join(", ")),
            ));
        }
        let from = file.from.iter().map(|text| Selector::new(text, form).map_err(|e| (text.clone(), e)));
        let find = file.find.as_deref().map(|text| regex(text).map_err(|e| (text.to_owned(), e))).transpose()?;
        let split = file.split.clone().filter(|mark| !mark.is_empty());
        Ok(Self { name: name.into(), from: from.collect::<Result<_, _>>()?, find, split, required: file.required })
    }

    /// Whether the field is made from others rather than found.
    fn is_made(&self) -> bool {
        self.from.iter().any(|s| matches!(s, Selector::Value(_)))
    }

    fn values(&self, page: &Page<'_>, item: Option<Item<'_>>, known: &Known<'_>) -> Result<Vec<String>, String> {
        let mut fault = None;
        for selector in &self.from {
            let values = match selector {
                Selector::Value(template) => known.fill(template),
                other => page.values(other, item).unwrap_or_else(|e| {
                    fault = Some(e);
                    Vec::new()
                }),
            };
            let values = match &self.split {
                None => values,
                Some(mark) => parts(&values, mark),
            };
            let values: Vec<String> = match &self.find {
                None => values,
                Some(regex) => values.iter().filter_map(|value| first_group(regex, value)).collect(),
            };
            if !values.is_empty() {
                return Ok(values);
            }
        }
        fault.map_or(Ok(Vec::new()), Err)
    }
}

/// The values of lists that are one text each.
fn parts(values: &[String], mark: &str) -> Vec<String> {
    let parts = values.iter().flat_map(|value| value.split(mark)).map(clean).filter(|part| !part.is_empty());
    parts.take(LIST_MAX).collect()
}

fn first_group(regex: &Regex, value: &str) -> Option<String> {
    let capture = regex.captures(value)?;
    Some(clean(capture.get(1).or_else(|| capture.get(0))?.as_str())).filter(|text| !text.is_empty())
}

/// What templates may name.
pub(super) struct Known<'a> {
    pub(super) vars: &'a BTreeMap<String, String>,
    pub(super) hosts: &'a BTreeMap<String, String>,
}

impl Known<'_> {
    fn fill(&self, template: &str) -> Vec<String> {
        fill(template, self.vars, self.hosts, Escape::None).ok().filter(|v| !v.is_empty()).into_iter().collect()
    }
}

/// Fills a listing and the values for templates from an answer. Returns the required fields
/// that were not found, each with why.
pub(super) fn harvest(
    fields: &[Field],
    page: &Page<'_>,
    item: Option<Item<'_>>,
    hosts: &BTreeMap<String, String>,
    listing: &mut Listing,
    vars: &mut BTreeMap<String, String>,
) -> Vec<String> {
    let mut lacks = Vec::new();
    let (made, found): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|field| field.is_made());
    for field in found.into_iter().chain(made) {
        let values = field.values(page, item, &Known { vars, hosts });
        let fault = values.as_ref().err().cloned();
        let kept = put(&field.name, &values.unwrap_or_default(), page, listing, vars);
        if field.required && !kept {
            lacks.push(fault.map_or(field.name.clone(), |why| format!("{} ({why})", field.name)));
        }
    }
    lacks
}

/// Writes values into a listing; whether something usable was among them.
fn put(
    name: &str,
    values: &[String],
    page: &Page<'_>,
    listing: &mut Listing,
    vars: &mut BTreeMap<String, String>,
) -> bool {
    let mut values = values.to_vec();
    if ADDRESSES.contains(&name) {
        let base = page.base();
        values = values.iter().filter_map(|value| address(base, value)).collect();
    }
    if LISTS.contains(&name) && !values.is_empty() {
        values.truncate(LIST_MAX);
        *if name == "permissions" { &mut listing.permissions } else { &mut listing.screenshots } = values;
        return true;
    }
    let Some(value) = values.into_iter().next() else { return false };
    if name == "package" && !is_package(&value) {
        return false;
    }
    vars.insert(name.trim_start_matches("var.").replace('.', "_"), value.clone());
    match name {
        "id" => listing.id = value,
        "package" => listing.package = value,
        "title" => listing.title = value,
        "developer" => listing.developer = value,
        "category" => listing.category = value,
        "age_rating" => listing.age_rating = value,
        "description" => listing.description = value,
        "changelog" => listing.changelog = value,
        "icon" => listing.icon = value,
        "banner" => listing.banner = value,
        "url" => listing.url = value,
        "version_name" => listing.version_name = value,
        "version_code" => match loose::whole_number(&value) {
            Some(number) => listing.version_code = number,
            None => {
                let shown: String = value.chars().take(60).collect();
                listing.unread.push(format!("`version_code` is no whole number: {shown}"));
                return false;
            }
        },
        "download_url" => listing.download_url = value,
        name if name.starts_with("var.") => {}
        name => {
            listing.more.insert(name.trim_start_matches("more.").to_owned(), value.into());
        }
    }
    true
}

fn address(base: &str, value: &str) -> Option<String> {
    let url = url::Url::parse(base).ok()?.join(value).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

/// Package names and bundle ids: nothing else may become part of a path or a request.
pub(super) fn is_package(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=255).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('.') && !name.contains("..")
}
