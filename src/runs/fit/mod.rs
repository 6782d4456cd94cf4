//! Whether a store's file still fits the store: answers recorded, read again without the network, and cut down to a
//! fixture that becomes a test.

mod cut;
mod fixture;
mod markup;
mod replay;
mod told;

use serde::{Deserialize, Serialize};

use crate::acquire::Client;
use crate::crawl::{Forgetful, Start, Store};

pub use fixture::{Exchange, Fixture, FixtureError};
pub use told::{StoreFit, fits, remember};

use super::visit::{Visit, visit_each};

/// Apps of one search that are looked at.
const APPS_MAX: usize = 5;
/// Exchanges of one start that are recorded.
const EXCHANGES_MAX: usize = 40;

/// A field of an app, and whether it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The store's file calls it required.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Start of its value; empty when it was not found.
    #[serde(default)]
    pub value: String,
}

/// What one start of a store came to: apps with their fields, and what went wrong.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// What was visited.
    pub visit: Visit,
    /// The answers, in order.
    pub exchanges: Vec<Exchange>,
}

/// Follows a start of a store and records what it answers.
pub async fn look(client: &Client, store: &Store, start: &Start) -> Looked {
    let mut exchanges = Vec::new();
    let mut note = |ask: &_, answer: &_| {
        if exchanges.len() < EXCHANGES_MAX {
            exchanges.push(Exchange::new(ask, answer));
        }
    };
    let visit = visit_each(client, store, start, &Forgetful, APPS_MAX, (false, &mut note)).await;
    Looked { visit, exchanges }
}

/// The fields of an app, as the store's file knows them.
#[must_use]
pub fn fields(store: &Store, found: &crate::model::fetch::Found) -> Vec<Field> {
    let seen = store.check(found).into_iter();
    seen.map(|field| Field { name: field.name, required: field.required, value: field.value }).collect()
}

/// Whether every field that the store's file requires was found.
#[must_use]
pub fn is_whole(fields: &[Field]) -> bool {
    fields.iter().all(|field| !field.required || !field.value.is_empty())
}
