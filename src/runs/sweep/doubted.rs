//! Listings that are not believed: what an adapter reads of a page that is not the app's, or not as it was.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::{Catalogue, Sweep, SweepError};
use crate::model::Listing;
use crate::model::fetch::{Found, Outcome};
use crate::model::hex;
use crate::store::{Known, State, Vault, Work};

/// Texts remembered of a sweep; the oldest half goes when there are more.
const TEXTS_MAX: usize = 20_000;

/// Which app of a sweep said which words first, of those whose pages do not name them.
#[derive(Debug, Default)]
pub struct Texts(Mutex<HashMap<String, (usize, String)>>);

impl Texts {
    /// Another app that said the same; none where this one is the first.
    fn said_by(&self, found: &Found, name: &str) -> Option<String> {
        let listing = &found.listing;
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = format!("{}\n{}\n{}", listing.store, listing.title, listing.description);
        let number = said.len();
        if number >= TEXTS_MAX {
            said.retain(|_, (at, _)| *at >= TEXTS_MAX / 2);
        }
        let (_, first) = said.entry(hex(&Sha256::digest(text))).or_insert_with(|| (number, name.to_owned()));
        (first != name).then(|| first.clone())
    }
}

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    /// The page does not name the app it is asked for, and said the same of another one: one page for all.
    pub(super) fn is_another(&self, found: &Found) -> Option<String> {
        let name = crate::store::name_of(&found.listing);
        if found.is_named || found.listing.package.is_empty() {
            return None;
        }
        let other = self.texts.said_by(found, name)?;
        Some(format!("the page does not name the app, and said the same of {other}: not the app's page"))
    }

    /// Fields that an app's listing had the last time and has no more.
    pub(super) async fn has_lost(&self, found: &Found, name: &str) -> Result<Option<(Known, Vec<String>)>, SweepError> {
        if self.plan.accepts_losses.contains(&found.listing.store) {
            return Ok(None);
        }
        let Some(known) = self.state.known(&found.listing.store, name).await? else { return Ok(None) };
        let Some(listing) = known.listing else { return Ok(None) };
        let Some(before) = self.state.listing(listing).await? else { return Ok(None) };
        let lost = lost(&before.listing, &found.listing);
        Ok((!lost.is_empty()).then_some((known, lost)))
    }

    /// Keeps the page for whoever mends the adapter, and says so.
    pub(super) async fn doubt(&self, run: i64, found: &Found, fetch: Option<i64>, why: &str) -> Result<(), SweepError> {
        let listing = &found.listing;
        let target = format!("{}:{}", listing.store, crate::store::name_of(listing));
        let kept = match fetch {
            Some(fetch) => self.state.fetch(fetch).await?,
            None => None,
        };
        let at =
            kept.map_or_else(|| listing.url.clone(), |row| format!("{}, kept as {}", row.fetch.url, row.fetch.body));
        self.skip(run, Outcome::AdapterBroken.id(), &target, "crawl", &format!("{at}: {why}")).await
    }
}

/// What a listing had and has no more, of what stores do not take back.
fn lost(before: &Listing, now: &Listing) -> Vec<String> {
    let texts = [
        ("title", &before.title, &now.title),
        ("developer", &before.developer, &now.developer),
        ("category", &before.category, &now.category),
        ("age_rating", &before.age_rating, &now.age_rating),
        ("description", &before.description, &now.description),
        ("version_name", &before.version_name, &now.version_name),
    ];
    let mut lost: Vec<String> = texts
        .into_iter()
        .filter(|(_, before, now)| !before.trim().is_empty() && now.trim().is_empty())
        .map(|(name, ..)| name.to_owned())
        .collect();
    if before.version_code > 0 && now.version_code == 0 {
        lost.push("version_code".into());
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_named_and_what_comes_and_goes_is_not() {
        let before = Listing {
            title: "题山".into(),
            description: "学习".into(),
            changelog: "修复".into(),
            version_code: 3,
            screenshots: vec!["a".into()],
            ..Listing::default()
        };
        let now = Listing { title: "题山".into(), description: " ".into(), ..Listing::default() };
        assert_eq!(lost(&before, &now), ["description", "version_code"]);
        assert!(lost(&now, &before).is_empty());
    }
}
