//! Who answers for an app, by what its package says: an about page, a line of copyright, a credit code.

use crate::model::{Hits, Provider, Sighting};
use crate::register::credit_codes;
use crate::signature::Pack;

/// The provider that the package names, if it names one.
pub(super) fn of(pack: &Pack, hits: &Hits) -> Option<Provider> {
    let names: Vec<&Sighting> = collected(pack, hits, "provider").collect();
    let codes: Vec<&Sighting> = collected(pack, hits, "credit-codes").collect();
    // A name that stands alone is an about page's; one within a sentence may be anybody's.
    let name = names.iter().find(|s| s.matched.trim() == s.text.trim()).or_else(|| names.first());
    let mut credit_codes: Vec<String> = codes.iter().flat_map(|s| credit_codes(&s.matched)).collect();
    credit_codes.sort();
    credit_codes.dedup();
    if name.is_none() && credit_codes.is_empty() {
        return None;
    }
    let place = name.or_else(|| codes.first()).map(|s| s.place.clone()).unwrap_or_default();
    Some(Provider { name: name.map(|s| s.matched.trim().to_owned()).unwrap_or_default(), credit_codes, place })
}

/// What the clues that collect under this name matched.
fn collected<'a>(pack: &'a Pack, hits: &'a Hits, name: &str) -> impl Iterator<Item = &'a Sighting> {
    let clues = pack.collecting.get(name).into_iter().flatten();
    clues.filter_map(|clue| hits.clues.get(clue)).flat_map(|seen| &seen.sightings)
}
