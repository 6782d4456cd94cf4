//! What a finding rests on, in the order in which it is read.

use crate::model::{Cited, Profile};
use crate::signature::SignPolicy;

/// The grounds of a sign as they stand to an app: first those that fit it, what binds before what never
/// did and local before national; then those that do not fit; last where the sign comes from.
pub(super) fn of(rule: &SignPolicy, profile: &Profile) -> Vec<Cited> {
    let mut grounds: Vec<Cited> = rule.rules.iter().map(|rule| rule.of(profile)).collect();
    // Stable: among equals the order of the policy's file.
    grounds.sort_by_key(|ground| (ground.lineage, !ground.carries, !ground.status.binds(), ground.region.is_empty()));
    grounds
}
