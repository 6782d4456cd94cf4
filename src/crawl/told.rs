//! What an answer that is no app's page comes to: an outcome of its own, or a further request.

use url::Url;

use super::adapter::Step;
use super::genuine::{self, Instead};
use super::page::Page;
use super::store::Store;
use super::{Harvest, Todo, answer};
use crate::model::Listing;
use crate::model::fetch::{Fault, Method, Outcome};

/// Pages that lead on to one another.
const MOVES_MAX: u32 = 3;
/// The value that counts them.
const MOVED: &str = "moved";

impl Store {
    /// What a page is when it is not the app's. `listing` is what was read of it; `is_lacking`: not all that
    /// must be.
    pub(super) fn told(
        &self,
        step: &Step,
        todo: &Todo,
        page: &Page<'_>,
        listing: &Listing,
        is_lacking: bool,
    ) -> Option<Harvest> {
        let own = own_words(listing);
        if let Some(fault) = answer::by_words(&step.rules, page, &own) {
            return Some(Harvest::fault(fault));
        }
        let at = &page.answer.url;
        let is_mark = |mark: &&String| page.text().contains(mark.as_str()) && !own.contains(mark.as_str());
        if let Some(mark) = self.adapter.file.captcha.iter().filter(|_| is_lacking).find(is_mark) {
            let detail = format!("{at}: a page that asks for patience or a captcha ({mark})");
            return Some(Harvest::fault(Fault::with_page(Outcome::Throttled, detail, page.answer)));
        }
        Some(match genuine::instead(page, listing, is_lacking)? {
            Instead::Other(outcome, what) => {
                Harvest::fault(Fault::with_page(outcome, format!("{at}: not the app's page but {what}"), page.answer))
            }
            Instead::Moved(url) => self.moved(step, todo, page, &url),
        })
    }

    /// The request for the page that this one leads to.
    fn moved(&self, step: &Step, todo: &Todo, page: &Page<'_>, to: &Url) -> Harvest {
        let fault = |outcome, why: String| {
            Harvest::fault(Fault::with_page(outcome, format!("{}: {why}", page.answer.url), page.answer))
        };
        let host = to.host_str().unwrap_or_default();
        let is_login = ["login", "passport", "signin", "sign-in"]
            .iter()
            .any(|word| host.contains(word) || to.path().to_ascii_lowercase().contains(word));
        if is_login {
            return fault(Outcome::LoginWanted, format!("leads to {to}, to log in"));
        }
        let times: u32 = todo.vars.get(MOVED).and_then(|times| times.parse().ok()).unwrap_or(0);
        if times >= MOVES_MAX {
            return fault(Outcome::AdapterBroken, format!("the {times}th page that only leads to another one, {to}"));
        }
        let is_own = |base: &String| Url::parse(base).is_ok_and(|base| base.host_str() == Some(host));
        if step.file.url != "{url}" && !self.hosts.values().any(is_own) {
            return fault(Outcome::AdapterBroken, format!("leads to {to}, which is no page of this store"));
        }
        let mut next = todo.clone();
        // A token meant for one host is not handed to the next one.
        if Url::parse(&next.ask.url).is_ok_and(|from| from.origin() != to.origin()) {
            next.ask.headers.clear();
        }
        next.ask.url = to.to_string();
        next.ask.method = Method::Get;
        next.ask.body.clear();
        next.vars.insert("url".into(), to.to_string());
        next.vars.insert(MOVED.into(), (times + 1).to_string());
        Harvest { next: vec![next], ..Harvest::default() }
    }
}

/// What an app says of itself, in which any word may stand.
fn own_words(listing: &Listing) -> String {
    let texts = [&listing.title, &listing.description, &listing.changelog, &listing.developer, &listing.category];
    texts.map(String::as_str).join("\n")
}
