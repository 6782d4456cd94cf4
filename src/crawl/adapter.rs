//! Syntax of a store's file, and its checks.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json_path::JsonPath;

use super::field::{Field, FieldFile, NAMES};
use super::select::{Form, Selector, regex};
use super::template;
use crate::model::config::Pace;
use crate::model::fetch::{Method, Outcome, Purpose};

/// Words in two languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A part of a store's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Id, for `sweep`.
    pub id: String,
    /// Its name.
    pub title: Text,
    /// Values its requests name.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
}

/// Driver of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Driver {
    /// Steps over pages and interfaces.
    #[default]
    Steps,
    /// An F-Droid repository.
    Fdroid,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    pub(super) title: Text,
    #[serde(default)]
    pub(super) driver: Driver,
    /// When the facts were last seen to hold.
    pub(super) seen: String,
    /// Where the facts are from: `client of 2025-10`.
    pub(super) facts: Option<String>,
    /// Why nobody could check these facts against the store itself, and what is not known.
    pub(super) unverified: Option<Text>,
    pub(super) hosts: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) vars: BTreeMap<String, String>,
    pub(super) pace: Option<Pace>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Sent with every request for a package, wherever it lies: nothing secret.
    #[serde(default)]
    pub(super) package_headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) captcha: Vec<String>,
    #[serde(default)]
    pub(super) start: StartFile,
    #[serde(default)]
    pub(super) page: Vec<PageFile>,
    #[serde(default)]
    pub(super) category: Vec<Category>,
    #[serde(default)]
    pub(super) outcome: Vec<RuleFile>,
    #[serde(default)]
    pub(super) steps: BTreeMap<String, StepFile>,
    /// Packages (or `?words`) that `store check` fetches.
    #[serde(default)]
    pub(super) known: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StartFile {
    pub(super) catalogue: Option<String>,
    pub(super) package: Option<String>,
    pub(super) words: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PageFile {
    pub(super) host: String,
    /// Over path and query; its named groups become values.
    pub(super) path: String,
    pub(super) step: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleFile {
    pub(super) status: Option<u16>,
    /// A selector that must find something.
    pub(super) at: Option<String>,
    /// What it must find, as text.
    pub(super) equals: Option<String>,
    /// Text that must stand in the body.
    pub(super) text: Option<String>,
    /// There must be no body.
    #[serde(default)]
    pub(super) empty: bool,
    pub(super) is: Outcome,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StepFile {
    pub(super) url: String,
    #[serde(default)]
    pub(super) method: Method,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: String,
    #[serde(default)]
    pub(super) purpose: Purpose,
    #[serde(default)]
    pub(super) form: Form,
    /// Texts that lead to JSON inside a page.
    #[serde(default)]
    pub(super) embedded: Vec<String>,
    /// JSONPath of a text that holds the HTML which `css:` looks into.
    pub(super) fragment: Option<String>,
    pub(super) items: Option<String>,
    /// JSONPath of the list itself, where `items` does not end in `[*]`.
    pub(super) list: Option<String>,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, FieldFile>,
    /// Step that each item, or what was found here, leads to.
    pub(super) then: Option<String>,
    /// Step that asks for the same another way where the answer of this one does not fit.
    pub(super) otherwise: Option<String>,
    /// Field that must equal the package asked for.
    pub(super) pick: Option<String>,
    /// Items are kept whose field fits, e.g. addresses of a sitemap.
    #[serde(default)]
    pub(super) only: BTreeMap<String, String>,
    pub(super) paging: Option<PagingFile>,
    #[serde(default)]
    pub(super) outcome: Vec<RuleFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PagingFile {
    /// `{page}` of the first page.
    #[serde(default)]
    pub(super) from: u64,
    /// Added for the next page.
    #[serde(default = "one")]
    pub(super) by: u64,
    /// Where the answer names the next page's `{page}`.
    pub(super) next: Option<String>,
    /// Where the answer says whether there is more; `true`, `1` or `yes` go on.
    pub(super) more: Option<String>,
    /// Where the answer names the number of the last page.
    pub(super) last: Option<String>,
}

fn one() -> u64 {
    1
}

/// A rule that tells an outcome.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) status: Option<u16>,
    pub(super) at: Option<Selector>,
    pub(super) equals: Option<String>,
    pub(super) text: Option<String>,
    pub(super) empty: bool,
    pub(super) is: Outcome,
}

/// A compiled step.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) file: StepFile,
    pub(super) items: Option<Selector>,
    /// The list itself where `items` is a JSONPath that ends in `[*]`: there and empty, it is
    /// an empty list; gone, the answer has another form.
    pub(super) list: Option<JsonPath>,
    pub(super) fragment: Option<JsonPath>,
    pub(super) fields: Vec<Field>,
    pub(super) only: Vec<(String, Regex)>,
    pub(super) rules: Vec<Rule>,
    pub(super) next: Option<Selector>,
    pub(super) more: Option<Selector>,
    pub(super) last: Option<Selector>,
}

/// A compiled file.
#[derive(Debug, Clone)]
pub(super) struct Adapter {
    pub(super) file: File,
    pub(super) steps: BTreeMap<String, Step>,
    pub(super) pages: Vec<(String, Regex, String)>,
}

/// What is wrong, with the text it is about.
type Wrong = (String, String);

/// Headers that an adapter must not set: who we are and how bodies come is not its to say.
const HEADERS_REFUSED: &[&str] =
    &["user-agent", "host", "accept-encoding", "range", "connection", "content-length", "transfer-encoding"];

impl Adapter {
    pub(super) fn new(file: File) -> Result<Self, Wrong> {
        for (name, address) in &file.hosts {
            // A template could mean either.
            if NAMES.contains(&name.as_str()) || matches!(name.as_str(), "page" | "words") {
                return Err((format!("{name} ="), format!("a host cannot be called `{name}`: that is a value")));
            }
            let url = url::Url::parse(address).map_err(|e| (address.clone(), format!("host `{name}`: {e}")))?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err((address.clone(), format!("host `{name}` is neither http nor https")));
            }
        }
        let mut steps = BTreeMap::new();
        for (name, step) in &file.steps {
            steps.insert(name.clone(), Step::new(step, &file)?);
        }
        let to = |name: &str| {
            if steps.contains_key(name) { Ok(()) } else { Err((name.into(), format!("no step `{name}`"))) }
        };
        if file.driver == Driver::Steps {
            let starts = [&file.start.catalogue, &file.start.package, &file.start.words];
            starts.into_iter().flatten().try_for_each(|name| to(name))?;
            file.steps
                .values()
                .flat_map(|step| [&step.then, &step.otherwise])
                .flatten()
                .try_for_each(|name| to(name))?;
            file.page.iter().try_for_each(|page| to(&page.step))?;
        }
        let mut pages = Vec::new();
        for page in &file.page {
            if !file.hosts.contains_key(&page.host) {
                return Err((page.host.clone(), format!("no host `{}`", page.host)));
            }
            let path = regex(&page.path).map_err(|e| (page.path.clone(), e))?;
            pages.push((page.host.clone(), path, page.step.clone()));
        }
        Ok(Self { steps, pages, file })
    }
}

impl Step {
    fn new(step: &StepFile, file: &File) -> Result<Self, Wrong> {
        let select = |text: &Option<String>| {
            text.as_ref().map(|t| Selector::new(t, step.form).map_err(|e| (t.clone(), e))).transpose()
        };
        for name in file.headers.keys().chain(file.package_headers.keys()).chain(step.headers.keys()) {
            if HEADERS_REFUSED.contains(&name.to_ascii_lowercase().as_str()) {
                return Err((name.clone(), format!("the header `{name}` is not an adapter's to set")));
            }
        }
        if !template::names(&step.url).first().is_some_and(|first| file.hosts.contains_key(*first) || *first == "url") {
            return Err((
                step.url.clone(),
                "an address begins with a host of [hosts], as `{host}/path`, or is `{url}`".into(),
            ));
        }
        let mut fields = Vec::new();
        for (name, field) in &step.fields {
            fields.push(Field::new(name, field, step.form)?);
        }
        let mut only = Vec::new();
        for (name, text) in &step.only {
            only.push((name.clone(), regex(text).map_err(|e| (text.clone(), e))?));
        }
        let mut rules = Vec::new();
        for rule in step.outcome.iter().chain(&file.outcome) {
            let at = select(&rule.at)?;
            let (status, equals, text, is) = (rule.status, rule.equals.clone(), rule.text.clone(), rule.is);
            let empty = rule.empty;
            if status.is_none() && at.is_none() && text.is_none() && !empty {
                return Err(("outcome".into(), "a rule needs `status`, `at`, `text` or `empty`".into()));
            }
            rules.push(Rule { status, at, equals, text, empty, is });
        }
        let paging = step.paging.as_ref();
        let of_items = || step.items.as_deref().and_then(|t| t.trim().trim_start_matches("json:").strip_suffix("[*]"));
        let list = step.list.as_deref().or_else(of_items);
        Ok(Self {
            items: select(&step.items)?,
            fragment: step
                .fragment
                .as_ref()
                .map(|text| JsonPath::parse(text).map_err(|e| (text.clone(), e.to_string())))
                .transpose()?,
            list: list.and_then(|path| JsonPath::parse(path).ok()),
            fields,
            only,
            rules,
            next: paging.map(|p| select(&p.next)).transpose()?.flatten(),
            more: paging.map(|p| select(&p.more)).transpose()?.flatten(),
            last: paging.map(|p| select(&p.last)).transpose()?.flatten(),
            file: step.clone(),
        })
    }
}
