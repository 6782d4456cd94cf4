//! Screenshots in a bag: those that the sweep fetched.

use serde::{Deserialize, Serialize};

use super::{EvidenceError, fetched};
use crate::model::Listing;
use crate::preserve::{Bag, Custody, Warc, name};
use crate::runs::sweep::{ask_key, picture_asks};
use crate::store::{State, Vault};

/// One screenshot of the listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Screenshot {
    /// Where the store shows it.
    url: String,
    /// Its file in the bag; none where it could not be had, or was no picture.
    pub(super) file: Option<String>,
    /// Which one it is, as places name it; empty in bags of before, which hold screenshots in their order.
    #[serde(default)]
    pub(super) place: String,
}

/// Adds each screenshot at hand as a file, and its request and answer to the WARC.
pub(super) async fn add<S: State, V: Vault>(
    (state, vault): (&S, &V),
    listing: &Listing,
    bag: &mut Bag,
    warc: &mut Warc,
    custody: &mut Custody,
) -> Result<Vec<Screenshot>, EvidenceError> {
    let mut all = Vec::new();
    for (place, ask) in picture_asks(listing) {
        let mut file = None;
        if let Some(row) = state.last_fetch(&ask_key(&ask)).await?.filter(|row| row.fetch.status == 200) {
            let body = vault.get(&row.fetch.body).await?;
            if let Some(kind) = kind(&body) {
                let number = place.strip_prefix("screenshot ").and_then(|number| number.parse::<u8>().ok());
                let stem = number.map_or_else(|| place.clone(), |number| format!("{number:02}"));
                let path = format!("{}/{stem}.{kind}", name::SCREENSHOTS);
                bag.add(&path, &body)?;
                fetched((state, vault), row.id, "screenshot", warc, custody).await?;
                file = Some(path);
            }
        }
        all.push(Screenshot { url: ask.url, file, place });
    }
    Ok(all)
}

/// A screenshot that was fetched, counted from 0: ending of its format, and bytes.
///
/// # Errors
/// When state or vault cannot be read.
pub async fn screenshot<S: State, V: Vault>(
    (state, vault): (&S, &V),
    listing: &Listing,
    number: usize,
) -> Result<Option<(&'static str, Vec<u8>)>, EvidenceError> {
    let Some((_, ask)) = picture_asks(listing).nth(number) else { return Ok(None) };
    let row = state.last_fetch(&ask_key(&ask)).await?.filter(|row| row.fetch.status == 200);
    let Some(row) = row else { return Ok(None) };
    let bytes = vault.get(&row.fetch.body).await?;
    Ok(kind(&bytes).map(|kind| (kind, bytes)))
}

/// Numbers of the screenshots that were fetched.
///
/// # Errors
/// When the state cannot be read.
pub async fn screenshots_at_hand(state: &impl State, listing: &Listing) -> Result<Vec<usize>, EvidenceError> {
    let mut at_hand = Vec::new();
    for (number, (_, ask)) in picture_asks(listing).enumerate() {
        if state.last_fetch(&ask_key(&ask)).await?.is_some_and(|row| row.fetch.status == 200) {
            at_hand.push(number);
        }
    }
    Ok(at_hand)
}

/// What sort of picture bytes are, by the signatures of the formats; a page of excuses is none.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}
