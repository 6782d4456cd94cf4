//! One store: its adapter at work.

use std::collections::BTreeMap;

use super::adapter::{Adapter, Category, Driver, Step, Text};
use super::field::{self, is_package};
use super::list::{key_of, mark_of};
use super::page::Page;
use super::template::{Escape, fill};
use super::{Hand, Harvest, Memory, Start, Todo, answer, fdroid, genuine, sitemap};
use crate::model::Listing;
use crate::model::config::{Pace, StoreSettings};
use crate::model::fetch::{Answer, Ask, Expected, Fault, Found, Method, Outcome, Purpose, Wanted};

/// What a fault says before the fields that are required and were not found, set apart by commas.
pub const LACKS: &str = "required and not found: ";

/// The value that says which step an app was asked for in vain.
const OTHERWISE: &str = "otherwise";

/// Lists nested in lists (sitemap indexes) are followed this deep.
pub(super) const DEPTH_MAX: u32 = 4;

/// A store that can be crawled.
#[derive(Debug, Clone)]
pub struct Store {
    /// Id: the name of its file.
    pub id: String,
    pub(super) adapter: Adapter,
    pub(super) hosts: BTreeMap<String, String>,
    pub(super) vars: BTreeMap<String, String>,
    /// Pages of one list that are followed.
    pub(super) pages_max: u32,
}

/// A field of an adapter and whether it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSeen {
    /// Its name.
    pub name: String,
    /// The adapter calls it required.
    pub required: bool,
    /// Start of its value; empty when it was not found.
    pub value: String,
}

impl Store {
    pub(super) fn new(id: &str, adapter: Adapter, settings: &StoreSettings, pages_max: u32) -> Self {
        let mut hosts = adapter.file.hosts.clone();
        if let Some(base) = &settings.base {
            hosts.values_mut().for_each(|host| *host = base.trim_end_matches('/').to_owned());
        }
        let mut vars = adapter.file.vars.clone();
        vars.extend(settings.vars.clone());
        Self { id: id.to_owned(), adapter, hosts, vars, pages_max }
    }

    /// Its name for people.
    #[must_use]
    pub fn title(&self) -> &Text {
        &self.adapter.file.title
    }

    /// When its facts were last seen to hold.
    #[must_use]
    pub fn seen(&self) -> &str {
        &self.adapter.file.seen
    }

    /// Why nobody could check these facts against the store itself; nothing where somebody did.
    #[must_use]
    pub fn unverified(&self) -> Option<&Text> {
        self.adapter.file.unverified.as_ref()
    }

    /// Where its facts are from, and how old they were then.
    #[must_use]
    pub fn facts(&self) -> Option<&str> {
        self.adapter.file.facts.as_deref()
    }

    /// Parts of its catalogue.
    #[must_use]
    pub fn categories(&self) -> &[Category] {
        &self.adapter.file.category
    }

    /// Packages, or `?words`, that `store check` fetches.
    #[must_use]
    pub fn known(&self) -> &[String] {
        &self.adapter.file.known
    }

    /// Names of its hosts and the pace its file asks for, if it does.
    #[must_use]
    pub fn paces(&self) -> Vec<(String, Pace)> {
        let Some(pace) = &self.adapter.file.pace else { return Vec::new() };
        let names = self.hosts.values().filter_map(|host| url::Url::parse(host).ok()?.host_str().map(str::to_owned));
        names.map(|name| (name, pace.clone())).collect()
    }

    /// Which starts it knows: catalogue, package, words.
    #[must_use]
    pub fn starts(&self) -> [bool; 3] {
        let start = &self.adapter.file.start;
        match self.adapter.file.driver {
            Driver::Fdroid => [true; 3],
            Driver::Steps => [start.catalogue.is_some(), start.package.is_some(), start.words.is_some()],
        }
    }

    /// The first requests.
    ///
    /// # Errors
    /// When the store has no such start, or no page of this address.
    pub fn start(&self, start: &Start) -> Result<Vec<Todo>, Fault> {
        if self.adapter.file.driver == Driver::Fdroid {
            return fdroid::start(self, start);
        }
        let none = |what: &str| Fault::new(Outcome::NotFound, format!("the store `{}` knows no {what}", self.id));
        let start_file = &self.adapter.file.start;
        let mut vars = BTreeMap::new();
        match start {
            Start::Catalogue(category) => {
                let step = start_file.catalogue.as_deref().ok_or_else(|| none("catalogue"))?;
                self.catalogue(step, category.as_deref())
            }
            Start::Package(package) => {
                if !is_package(package) {
                    return Err(Fault::new(Outcome::NotFound, format!("`{package}` is no package name")));
                }
                let step = start_file.package.as_deref().ok_or_else(|| none("way to an app by its package"))?;
                vars.insert("package".into(), package.clone());
                vars.insert("words".into(), package.clone());
                let todo = self.todo(step, vars, Listing::default(), 0)?;
                Ok(vec![Todo { want: Some(package.clone()), key: package.clone(), ..todo }])
            }
            Start::Words(words) => {
                let step = start_file.words.as_deref().ok_or_else(|| none("search"))?;
                vars.insert("words".into(), words.clone());
                Ok(vec![self.todo(step, vars, Listing::default(), 0)?])
            }
            Start::Url(url) => self.by_url(url).ok_or_else(|| none("page of this address"))?.map(|todo| vec![todo]),
        }
    }

    fn catalogue(&self, step: &str, category: Option<&str>) -> Result<Vec<Todo>, Fault> {
        let categories = &self.adapter.file.category;
        let chosen: Vec<&Category> = categories.iter().filter(|c| category.is_none_or(|id| id == c.id)).collect();
        if let Some(id) = category.filter(|_| chosen.is_empty()) {
            return Err(Fault::new(Outcome::NotFound, format!("the store `{}` has no category `{id}`", self.id)));
        }
        if chosen.is_empty() {
            return Ok(vec![self.todo(step, BTreeMap::new(), Listing::default(), 0)?]);
        }
        chosen.iter().map(|c| self.todo(step, c.vars.clone(), Listing::default(), 0)).collect()
    }

    /// A page of this store, if the address is one.
    fn by_url(&self, address: &str) -> Option<Result<Todo, Fault>> {
        let url = url::Url::parse(address).ok()?;
        let mut path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        if let Some(route) = route_of(&url) {
            path.push('#');
            path.push_str(route);
        }
        for (host, regex, step) in &self.adapter.pages {
            let base = url::Url::parse(self.hosts.get(host)?).ok()?;
            let is_any = self.adapter.steps.get(step).is_some_and(|s| s.file.url == "{url}");
            if (base.origin() != url.origin() && !is_any) || !regex.is_match(&path) {
                continue;
            }
            let groups = regex.captures(&path)?;
            let mut vars: BTreeMap<String, String> = regex
                .capture_names()
                .flatten()
                .filter_map(|name| Some((name.to_owned(), groups.name(name)?.as_str().to_owned())))
                .collect();
            vars.insert("url".into(), url.to_string());
            return Some(self.todo(step, vars, Listing::default(), 0));
        }
        None
    }

    /// A request of a step. The known values and the page number become its template's.
    pub(super) fn todo(
        &self,
        step: &str,
        vars: BTreeMap<String, String>,
        partial: Listing,
        page: u32,
    ) -> Result<Todo, Fault> {
        let broken = |detail: String| Fault::new(Outcome::AdapterBroken, format!("{}, step {step}: {detail}", self.id));
        let Some(found) = self.adapter.steps.get(step) else { return Err(broken("there is no such step".into())) };
        let file = &found.file;
        let mut all = self.vars.clone();
        all.extend(vars.clone());
        if let Some(paging) = &file.paging {
            all.entry("page".into()).or_insert_with(|| (paging.from + paging.by * u64::from(page)).to_string());
        }
        let put = |template: &str, escape| {
            fill(template, &all, &self.hosts, escape).map_err(|name| broken(format!("`{{{name}}}` has no value")))
        };
        // A whole address is taken as it is.
        let url = put(&file.url, if file.url == "{url}" { Escape::None } else { Escape::Url })?;
        let mut headers = Vec::new();
        for (name, value) in self.adapter.file.headers.iter().chain(&file.headers) {
            // A header made of a value that nobody gave is none.
            let value = put(value, Escape::None)?;
            headers.extend((!value.is_empty()).then(|| (name.clone(), value)));
        }
        if file.method == Method::Post {
            let kind = match file.body.trim_start().chars().next() {
                Some('{' | '[') => "application/json",
                Some('<') => "application/xml",
                _ => "application/x-www-form-urlencoded",
            };
            headers.push(("content-type".into(), kind.into()));
        }
        let escape = match file.body.trim_start().chars().next() {
            Some('{' | '[') => Escape::Json,
            Some('<') => Escape::Xml,
            _ => Escape::Url,
        };
        let ask = Ask {
            method: file.method,
            url,
            headers,
            body: put(&file.body, escape)?.into_bytes(),
            purpose: file.purpose,
            validators: None,
            captcha: self.adapter.file.captcha.clone(),
        };
        Ok(Todo { ask, step: step.to_owned(), vars, partial, page, ..Todo::default() })
    }

    /// Reads the answer to a [`Todo`] of this store.
    #[must_use]
    pub fn read(&self, todo: &Todo, answer: &Answer, memory: &dyn Memory) -> Harvest {
        let mut found = Vec::new();
        let harvest = self.read_each(todo, answer, memory, &mut |app| found.push(app));
        Harvest { found, ..harvest }
    }

    /// The same, but each app is handed on as it is read: an index names more than are to be held
    /// at once. It is handed on only when all of the answer is known to fit.
    #[must_use]
    pub fn read_each(&self, todo: &Todo, answer: &Answer, memory: &dyn Memory, hand: Hand<'_>) -> Harvest {
        if self.adapter.file.driver == Driver::Fdroid {
            return fdroid::read(self, todo, answer, memory, hand);
        }
        let mut harvest = self.read_page(todo, answer);
        harvest.found.drain(..).for_each(hand);
        harvest
    }

    fn read_page(&self, todo: &Todo, answer: &Answer) -> Harvest {
        if answer.is_unchanged() {
            return Harvest::default();
        }
        let Some(step) = self.adapter.steps.get(&todo.step) else {
            return Harvest::fault(Fault::new(Outcome::AdapterBroken, format!("{}: no step `{}`", self.id, todo.step)));
        };
        let page = Page::new(answer, &step.file.embedded, step.fragment.as_ref())
            .in_xml(step.file.form == super::select::Form::Xml);
        if let Some(fault) = answer::fault(&step.rules, &page) {
            return Harvest::fault(fault);
        }
        let mut harvest = match (&step.items, step.file.form) {
            (_, super::select::Form::Sitemap) => sitemap::read(self, step, todo, answer),
            (Some(items), _) => self.list(step, items, todo, &page),
            (None, _) => self.single(step, todo, &page),
        };
        let is_broken = |fault: &Fault| fault.outcome == Outcome::AdapterBroken;
        let is_nothing = harvest.found.is_empty() && harvest.next.is_empty() && !harvest.faults.is_empty();
        // A list that does not fit may be no list at all.
        if step.items.is_some()
            && is_nothing
            && harvest.faults.iter().all(is_broken)
            && let Some(told) = self.told(step, todo, &page, &Listing::default(), true)
        {
            harvest = told;
        }
        self.ask_otherwise(step, todo, &mut harvest);
        harvest.next.iter_mut().for_each(|next| next.want.clone_from(&todo.want));
        harvest
    }

    /// Where an answer does not fit, the same is asked another way, if the file knows one. That this one does
    /// not fit stays said.
    fn ask_otherwise(&self, step: &Step, todo: &Todo, harvest: &mut Harvest) {
        let is_broken = |fault: &Fault| fault.outcome == Outcome::AdapterBroken;
        let is_nothing = harvest.found.is_empty() && harvest.next.is_empty() && !harvest.faults.is_empty();
        let Some(other) = step.file.otherwise.as_ref().filter(|_| is_nothing && todo.page == 0) else { return };
        if !harvest.faults.iter().all(is_broken) || todo.vars.contains_key(OTHERWISE) {
            return;
        }
        let mut vars = todo.vars.clone();
        vars.insert(OTHERWISE.into(), todo.step.clone());
        // A file whose other way lacks a value is told so by that.
        match self.todo(other, vars, todo.partial.clone(), 0) {
            Ok(next) => harvest.next.push(Todo { key: todo.key.clone(), mark: todo.mark.clone(), ..next }),
            Err(fault) => harvest.faults.push(fault),
        }
    }

    fn single(&self, step: &Step, todo: &Todo, page: &Page<'_>) -> Harvest {
        let (mut listing, mut vars) = (todo.partial.clone(), todo.vars.clone());
        let lacks = field::harvest(&step.fields, page, None, &self.hosts, &mut listing, &mut vars);
        if let Some(told) = self.told(step, todo, page, &listing, !lacks.is_empty()) {
            return told;
        }
        if !lacks.is_empty() {
            return Harvest::fault(self.broken(todo, page.answer, &format!("{LACKS}{}", lacks.join(", "))));
        }
        // The list named the app whose page this was to be.
        let named = &todo.partial.package;
        if !named.is_empty() && listing.package != *named {
            let detail =
                format!("{}: the list says `{named}`, its page is that of `{}`", page.answer.url, listing.package);
            return Harvest::fault(Fault::with_page(Outcome::AdapterBroken, detail, page.answer));
        }
        if !self.is_wanted(step, todo, &vars) {
            // One of several that a search found.
            return Harvest::default();
        }
        if listing.url.is_empty() {
            listing.url.clone_from(&page.answer.url);
        }
        listing.unread.extend(page.unread());
        listing.unread.dedup();
        self.pass_on(step, todo, listing, vars, page.answer)
    }

    /// An app goes to its next step, or is complete.
    pub(super) fn pass_on(
        &self,
        step: &Step,
        todo: &Todo,
        listing: Listing,
        vars: BTreeMap<String, String>,
        answer: &Answer,
    ) -> Harvest {
        if let Some(then) = &step.file.then {
            let key = key_of(&listing, &vars);
            let mark = mark_of(&listing);
            return match self.todo(then, vars, listing, 0) {
                Ok(next) => Harvest { next: vec![Todo { key, mark, ..next }], ..Harvest::default() },
                Err(fault) => Harvest::fault(fault),
            };
        }
        match self.complete(listing, &vars, todo.want.as_deref(), answer) {
            Ok(found) => Harvest { found: vec![found], ..Harvest::default() },
            Err(fault) => Harvest::fault(fault),
        }
    }

    pub(super) fn broken(&self, todo: &Todo, answer: &Answer, why: &str) -> Fault {
        let detail = format!("{}: stores/{}.toml, step {}: {why}", answer.url, self.id, todo.step);
        Fault::with_page(Outcome::AdapterBroken, detail, answer)
    }

    fn complete(
        &self,
        mut listing: Listing,
        vars: &BTreeMap<String, String>,
        want: Option<&str>,
        answer: &Answer,
    ) -> Result<Found, Fault> {
        if let Some(wanted) = want {
            if listing.package.is_empty() {
                wanted.clone_into(&mut listing.package);
            } else if listing.package != wanted {
                let detail =
                    format!("{}: asked for `{wanted}`, the store answered with `{}`", answer.url, listing.package);
                return Err(Fault::with_page(Outcome::AdapterBroken, detail, answer));
            }
        }
        listing.store.clone_from(&self.id);
        let expected = Expected {
            sha256: vars
                .get("sha256")
                .filter(|v| v.len() == 64 && v.bytes().all(|b| b.is_ascii_hexdigit()))
                .map(|v| v.to_ascii_lowercase()),
            bytes: vars.get("bytes").and_then(|v| v.parse().ok()),
        };
        let package = (!listing.download_url.is_empty()).then(|| {
            let mut ask = Ask::get(listing.download_url.clone(), Purpose::Package);
            ask.captcha.clone_from(&self.adapter.file.captcha);
            ask.headers = self.package_headers(&listing.download_url, vars);
            Wanted { ask, expected }
        });
        let is_named = genuine::names(&answer.body, &listing.package);
        Ok(Found { listing, package, is_named })
    }

    /// What is sent with the request for a package: the store's own headers where it lies at one of its hosts.
    fn package_headers(&self, url: &str, vars: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let origin = |url: &str| url::Url::parse(url).ok().map(|url| url.origin());
        let is_home = self.hosts.values().any(|host| origin(host) == origin(url));
        let file = &self.adapter.file;
        let mut all = self.vars.clone();
        all.extend(vars.clone());
        let filled = |value: &str| fill(value, &all, &self.hosts, Escape::None).ok().filter(|value| !value.is_empty());
        let own = file.headers.iter().filter(|_| is_home);
        own.chain(&file.package_headers).filter_map(|(name, value)| Some((name.clone(), filled(value)?))).collect()
    }

    /// Field by field, what the adapter knows and an app has.
    #[must_use]
    pub fn check(&self, found: &Found) -> Vec<FieldSeen> {
        let value = serde_json::to_value(&found.listing).unwrap_or_default();
        let mut fields: BTreeMap<String, bool> = BTreeMap::new();
        match self.adapter.file.driver {
            Driver::Fdroid => {
                fields.extend(fdroid::FIELDS.iter().map(|(name, required)| ((*name).to_owned(), *required)))
            }
            Driver::Steps => {
                let all = self.adapter.steps.values().flat_map(|step| &step.fields);
                for field in all.filter(|f| !f.name.starts_with("var.")) {
                    let name = field.name.trim_start_matches("more.").to_owned();
                    *fields.entry(name).or_default() |= field.required;
                }
            }
        }
        let text = |name: &str| match value.get(name) {
            Some(serde_json::Value::String(text)) => text.chars().take(60).collect(),
            Some(serde_json::Value::Array(all)) if !all.is_empty() => format!("{} values", all.len()),
            Some(serde_json::Value::Number(number)) if number.as_u64() != Some(0) => number.to_string(),
            _ => String::new(),
        };
        fields.into_iter().map(|(name, required)| FieldSeen { value: text(&name), required, name }).collect()
    }
}

/// The part of an address that a page's own scripts take for the app: `#/app/C100`, `#!/app/C100`.
pub(super) fn route_of(url: &url::Url) -> Option<&str> {
    url.fragment().filter(|fragment| fragment.starts_with(['/', '!']))
}
