//! What changed between two versions of an app, or between its copies in two stores.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::audit::{Kept, KeptError};
use crate::model::{Audit, Facts, Kind, Listing};
use crate::store::{AuditRow, State, StoreError, Vault};

/// Strings told of each side; the rest is counted.
const TOLD_MAX: usize = 40;
/// Longest string told, in characters.
const LENGTH_MAX: usize = 120;
/// Kinds of facts whose strings are compared.
const WORDS: &[Kind] = &[Kind::Label, Kind::Resource, Kind::Asset, Kind::Code];

/// Why two versions cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The state or the vault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Kept facts.
    #[error(transparent)]
    Facts(#[from] KeptError),
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// Store.
    pub store: String,
    /// Version for people.
    pub version_name: String,
    /// Version for machines.
    pub version_code: u64,
    /// Hash of its package; none where only a listing is known.
    pub package_sha256: Option<String>,
    /// The audit.
    pub audit: i64,
    /// When it was audited, in milliseconds since 1970 UTC.
    pub at: i64,
}

/// What is only on one side.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Sets {
    /// Only in the later, or second.
    pub added: Vec<String>,
    /// Only in the earlier, or first.
    pub removed: Vec<String>,
    /// How many there are on each side alone, told or not: added, removed.
    pub counts: (usize, usize),
}

impl Sets {
    /// Both sides hold the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts == (0, 0)
    }

    fn of(was: &BTreeSet<String>, is: &BTreeSet<String>) -> Self {
        let counts = (is.difference(was).count(), was.difference(is).count());
        let told = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> Vec<String> {
            let mut all: Vec<&String> = a.difference(b).collect();
            // What people read comes first.
            all.sort_by_key(|text| !text.chars().any(crate::signature::is_han));
            all.into_iter().take(TOLD_MAX).map(|text| text.chars().take(LENGTH_MAX).collect()).collect()
        };
        Self { added: told(is, was), removed: told(was, is), counts }
    }
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Name of the listing's field.
    pub name: String,
    /// Before, or in the first.
    pub was: String,
    /// After, or in the second.
    pub is: String,
}

/// A finding on both sides whose probability differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moved {
    /// Sign.
    pub sign: String,
    /// Probability before.
    pub was: f64,
    /// Probability after.
    pub is: f64,
}

/// Two versions or copies of an app, side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Earlier, or first.
    pub from: Side,
    /// Later, or second.
    pub to: Side,
    /// Fields of the listing.
    pub listing: Vec<Field>,
    /// Permissions of the packages, else of the listings.
    pub permissions: Sets,
    /// Libraries in the packages.
    pub libraries: Sets,
    /// Hashes of signing certificates.
    pub certificates: Sets,
    /// Strings of the packages.
    pub strings: Sets,
    /// Signs found.
    pub findings: Sets,
    /// Signs found on both sides, otherwise likely.
    pub moved: Vec<Moved>,
}

impl Comparison {
    /// Nothing differs but the time.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let sets = [&self.permissions, &self.libraries, &self.certificates, &self.strings, &self.findings];
        self.listing.is_empty() && self.moved.is_empty() && sets.iter().all(|set| set.is_empty())
    }
}

/// Everything of one side.
struct Whole {
    row: AuditRow,
    listing: Option<Listing>,
    facts: Facts,
}

/// Compares two audits.
///
/// # Errors
/// When what they rest on cannot be read.
pub async fn compare<S: State, V: Vault>(
    places: (&S, &V),
    from: AuditRow,
    to: AuditRow,
) -> Result<Comparison, CompareError> {
    let is_same_file = from.artifact == to.artifact;
    let (was, is) = (whole(places, from, is_same_file).await?, whole(places, to, is_same_file).await?);
    let sets = |of: &dyn Fn(&Whole) -> BTreeSet<String>| Sets::of(&of(&was), &of(&is));
    Ok(Comparison {
        from: side(&was),
        to: side(&is),
        listing: fields(was.listing.as_ref(), is.listing.as_ref()),
        permissions: sets(&permissions),
        libraries: sets(&|whole| whole.row.audit.profile.libraries.iter().map(|l| l.name.clone()).collect()),
        certificates: sets(&|whole| whole.row.audit.artifacts.iter().flat_map(|a| a.certificates.clone()).collect()),
        strings: sets(&strings),
        findings: sets(&|whole| whole.row.audit.findings.iter().map(|f| f.sign.id().to_owned()).collect()),
        moved: moved(&was.row.audit, &is.row.audit),
    })
}

async fn whole<S: State, V: Vault>(
    (state, vault): (&S, &V),
    row: AuditRow,
    is_same_file: bool,
) -> Result<Whole, CompareError> {
    let listing = match row.listing {
        Some(id) => state.listing(id).await?.map(|row| row.listing),
        None => None,
    };
    let kept = match &row.artifact {
        Some(_) if !is_same_file && !row.facts.is_empty() => Some(row.facts.clone()),
        Some(artifact) if !is_same_file => state.any_facts(artifact).await?.map(|(_, blob)| blob),
        _ => None,
    };
    let facts = match kept {
        Some(blob) => Kept(vault.get(&blob).await?).facts()?,
        None => Facts::default(),
    };
    Ok(Whole { row, listing, facts })
}

fn side(whole: &Whole) -> Side {
    let app = &whole.row.audit.app;
    Side {
        store: app.store.clone(),
        version_name: app.version_name.clone(),
        version_code: app.version_code,
        package_sha256: whole.row.artifact.clone(),
        audit: whole.row.id,
        at: whole.row.at,
    }
}

fn permissions(whole: &Whole) -> BTreeSet<String> {
    let asked: BTreeSet<String> = whole.facts.of(Kind::Permission).map(str::to_owned).collect();
    let listed = || whole.listing.as_ref().map(|l| l.permissions.iter().cloned().collect()).unwrap_or_default();
    if asked.is_empty() { listed() } else { asked }
}

fn strings(whole: &Whole) -> BTreeSet<String> {
    let all = WORDS.iter().flat_map(|kind| whole.facts.of(*kind));
    all.filter(|text| text.chars().nth(1).is_some()).map(str::to_owned).collect()
}

/// Fields of two listings, long ones cut around what differs.
fn fields(was: Option<&Listing>, is: Option<&Listing>) -> Vec<Field> {
    let told = |listing: Option<&Listing>| -> BTreeMap<String, String> {
        let value = listing.and_then(|listing| serde_json::to_value(listing).ok()).unwrap_or_default();
        let fields = value.as_object().cloned().unwrap_or_default();
        // The store tells copies apart, and is no change.
        let kept = fields.into_iter().filter(|(name, _)| name != "store" && name != "permissions");
        kept.map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))).collect()
    };
    let (was, is) = (told(was), told(is));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let empty = String::new();
    let pair = |name: &String| (was.get(name).unwrap_or(&empty), is.get(name).unwrap_or(&empty));
    let differing = names.into_iter().filter(|name| pair(name).0 != pair(name).1);
    differing
        .map(|name| {
            let (was, is) = pair(name);
            let same = was.chars().zip(is.chars()).take_while(|(a, b)| a == b).count();
            let cut = |text: &str| -> String {
                let from = if text.chars().count() > LENGTH_MAX { same.saturating_sub(10) } else { 0 };
                text.chars().skip(from).take(LENGTH_MAX).collect()
            };
            Field { name: name.clone(), was: cut(was), is: cut(is) }
        })
        .collect()
}

fn moved(was: &Audit, is: &Audit) -> Vec<Moved> {
    let before = |sign| was.findings.iter().find(|finding| finding.sign == sign).map(|finding| finding.probability);
    let both = is.findings.iter().filter_map(|finding| Some((finding, before(finding.sign)?)));
    let differing = both.filter(|(finding, was)| (finding.probability - was).abs() > f64::EPSILON);
    differing.map(|(finding, was)| Moved { sign: finding.sign.id().to_owned(), was, is: finding.probability }).collect()
}
