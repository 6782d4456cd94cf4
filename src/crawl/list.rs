//! Lists: items into apps or further requests, page after page, neither endless nor in circles.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};

use super::adapter::Step;
use super::page::Page;
use super::select::Selector;
use super::store::Store;
use super::{Harvest, Todo, field};
use crate::model::fetch::{Fault, Outcome};
use crate::model::{Listing, hex};

/// Fingerprints of pages remembered to notice a circle.
const SEEN_MAX: usize = 16;

impl Store {
    pub(super) fn list(&self, step: &Step, items: &Selector, todo: &Todo, page: &Page<'_>) -> Harvest {
        let found = match page.items(items) {
            Ok(found) => found,
            Err(why) => return Harvest::fault(self.broken(todo, page.answer, &why)),
        };
        if found.is_empty() {
            return self.empty(step, todo, page);
        }
        let mut harvest = Harvest::default();
        let mut lacking: Vec<String> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        let mut met = HashSet::new();
        for (number, item) in found.iter().enumerate() {
            let (mut listing, mut vars) = (todo.partial.clone(), todo.vars.clone());
            // The page's number and cursor are the list's, not the app's.
            vars.remove("page");
            let lacks = field::harvest(&step.fields, page, Some(*item), &self.hosts, &mut listing, &mut vars);
            listing.unread.extend(page.unread());
            listing.unread.dedup();
            let key = key_of(&listing, &vars);
            let is_double = !key.is_empty() && !met.insert(key.clone());
            keys.push(key);
            if is_double {
                continue;
            }
            if !lacks.is_empty() {
                lacking.push(format!("item {}: {}", number + 1, lacks.join(", ")));
            } else if self.is_wanted(step, todo, &vars) {
                let one = self.pass_on(step, todo, listing, vars, page.answer);
                harvest.found.extend(one.found);
                harvest.next.extend(one.next);
                harvest.faults.extend(one.faults);
            }
        }
        if !lacking.is_empty() {
            let first: Vec<&str> = lacking.iter().take(3).map(String::as_str).collect();
            let detail =
                format!("{} of {} items lack what is required: {}", lacking.len(), found.len(), first.join("; "));
            harvest.faults.push(self.broken(todo, page.answer, &detail));
        }
        self.next_page(step, todo, page, &keys, &mut harvest);
        self.picked(step, todo, &mut harvest);
        harvest
    }

    pub(super) fn is_wanted(&self, step: &Step, todo: &Todo, vars: &BTreeMap<String, String>) -> bool {
        let fits = |name: &String, wanted: &str| vars.get(name).is_some_and(|value| value == wanted);
        // Without a wish of the caller's, every item is picked.
        let picked = match &step.file.pick {
            Some(name) => todo.vars.get(name).is_none_or(|wanted| fits(name, wanted)),
            None => true,
        };
        picked && step.only.iter().all(|(name, regex)| vars.get(name).is_some_and(|value| regex.is_match(value)))
    }

    /// A list in which one app was looked for ends when it is found, or with `not-found`.
    fn picked(&self, step: &Step, todo: &Todo, harvest: &mut Harvest) {
        let Some(wanted) = step.file.pick.as_ref().and_then(|name| todo.vars.get(name)) else { return };
        let is_page = |next: &Todo| next.step == todo.step && next.page > todo.page;
        if !harvest.found.is_empty() || harvest.next.iter().any(|next| !is_page(next)) {
            harvest.next.retain(|next| !is_page(next));
        } else if harvest.next.is_empty() && harvest.faults.is_empty() {
            let detail = format!("the store `{}` lists no `{wanted}`", self.id);
            harvest.faults.push(Fault::new(Outcome::NotFound, detail));
        }
    }

    fn empty(&self, step: &Step, todo: &Todo, page: &Page<'_>) -> Harvest {
        if todo.page > 0 {
            let mut harvest = Harvest::default();
            self.picked(step, todo, &mut harvest);
            return harvest;
        }
        let list = step.list.as_ref().and_then(|path| path.query(page.json().ok()?).first());
        if list.is_some_and(|value| value.as_array().is_some_and(Vec::is_empty)) {
            let detail = format!("{}: the list is empty", page.answer.url);
            return Harvest::fault(Fault::with_page(Outcome::NotFound, detail, page.answer));
        }
        Harvest::fault(self.broken(todo, page.answer, "no item where the list should be"))
    }

    /// The next page of a list, unless it ends here, runs in a circle or has too many pages.
    fn next_page(&self, step: &Step, todo: &Todo, page: &Page<'_>, keys: &[String], harvest: &mut Harvest) {
        let Some(paging) = &step.file.paging else { return };
        let one = |selector| page.values(selector, None).unwrap_or_default().into_iter().next();
        let mut vars = todo.vars.clone();
        vars.remove("page");
        if let Some(selector) = &step.next {
            match one(selector) {
                Some(cursor) if todo.vars.get("page") != Some(&cursor) => vars.insert("page".into(), cursor),
                _ => return,
            };
        }
        if let Some(selector) = &step.more
            && !one(selector).is_some_and(|more| matches!(more.as_str(), "true" | "1" | "yes" | "True"))
        {
            return;
        }
        let number = paging.from + paging.by * u64::from(todo.page);
        if let Some(last) = step.last.as_ref().and_then(one)
            && last.parse().is_ok_and(|last: u64| number >= last)
        {
            return;
        }
        let print = fingerprint(keys);
        if todo.seen.contains(&print) {
            return;
        }
        if todo.page + 1 >= self.pages_max {
            let detail = format!("the list goes on after {} pages; `caps.pages` ends it", self.pages_max);
            let mut fault = self.broken(todo, page.answer, &detail);
            fault.page = None;
            harvest.faults.push(fault);
            return;
        }
        match self.todo(&todo.step, vars, todo.partial.clone(), todo.page + 1) {
            Ok(mut next) => {
                next.key.clone_from(&todo.key);
                next.seen = todo.seen.iter().rev().take(SEEN_MAX - 1).rev().copied().chain([print]).collect();
                harvest.next.push(next);
            }
            Err(fault) => harvest.faults.push(fault),
        }
    }
}

fn fingerprint(keys: &[String]) -> u64 {
    let digest = Sha256::digest(keys.join("\n"));
    digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The store's key for an app: its package, else its id, else its page.
pub(super) fn key_of(listing: &Listing, vars: &BTreeMap<String, String>) -> String {
    let of = |name: &str| vars.get(name).cloned().unwrap_or_default();
    let known = [listing.package.clone(), listing.id.clone(), listing.url.clone(), of("url")];
    known.into_iter().find(|key| !key.is_empty()).unwrap_or_default()
}

/// A hash over what a list says of an app; empty when it says nothing of its version.
pub(super) fn mark_of(listing: &Listing) -> String {
    let says = !listing.version_name.is_empty() || listing.version_code > 0 || listing.more.contains_key("updated");
    if !says {
        return String::new();
    }
    hex(&Sha256::digest(serde_json::to_vec(listing).unwrap_or_default()))
}
