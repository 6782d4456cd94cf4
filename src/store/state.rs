//! What is known of apps, and what was found in them.

use std::future::Future;

use super::{
    AppRow, AuditRow, Delta, Doubt, FetchRow, FindingRow, Judged, Known, ListingRow, NewAudit, NewFetch, PackageFile,
    Result, Review, Run, Seen, Sight, SkipRow, Withheld,
};
use crate::model::{Listing, Skipped};

/// The memory of apps. Every method is one step: it happens whole or not at all.
pub trait State: Send + Sync {
    /// Begins a run, or continues the open one of this kind and scope.
    fn begin(&self, kind: &str, scope: &str, now: i64) -> impl Future<Output = Result<Run>> + Send;
    /// Ends a run.
    fn end(&self, run: i64, summary: &str, now: i64) -> impl Future<Output = Result<()>> + Send;
    /// One run.
    fn run(&self, id: i64) -> impl Future<Output = Result<Option<Run>>> + Send;
    /// The latest run of a kind and scope.
    fn latest_run(&self, kind: &str, scope: &str) -> impl Future<Output = Result<Option<Run>>> + Send;
    /// Opens a run to workers: from now on they find it by [`State::joinable`].
    fn plan(&self, run: i64, plan: &str) -> impl Future<Output = Result<()>> + Send;
    /// Runs that go on and have a plan, first begun first.
    fn joinable(&self) -> impl Future<Output = Result<Vec<Run>>> + Send;
    /// Latest runs, latest first.
    fn runs(&self, most: u32) -> impl Future<Output = Result<Vec<Run>>> + Send;

    /// Keeps an answer; its number. One that only repeats the latest to the same question is counted there.
    fn fetched(&self, fetch: &NewFetch) -> impl Future<Output = Result<i64>> + Send;
    /// The latest answer with a body to a question.
    fn last_fetch(&self, ask: &str) -> impl Future<Output = Result<Option<FetchRow>>> + Send;
    /// One answer.
    fn fetch(&self, id: i64) -> impl Future<Output = Result<Option<FetchRow>>> + Send;

    /// Keeps where something lies that a store's adapter wants to know next time.
    fn note(&self, store: &str, name: &str, blob: &str) -> impl Future<Output = Result<()>> + Send;
    /// Where it lies.
    fn noted(&self, store: &str, name: &str) -> impl Future<Output = Result<Option<String>>> + Send;

    /// What is known of an app by what the store's catalogue calls it.
    fn known(&self, store: &str, key: &str) -> impl Future<Output = Result<Option<Known>>> + Send;
    /// Keeps a listing as it was seen.
    fn see(&self, seen: Seen<'_>) -> impl Future<Output = Result<Sight>> + Send;
    /// An app was seen in a catalogue that says the same of it as before.
    fn seen_again(&self, run: i64, app: i64, at: i64) -> impl Future<Output = Result<()>> + Send;
    /// A look at an app came to something else than a listing.
    fn missed(&self, run: i64, app: i64, outcome: &str) -> impl Future<Output = Result<()>> + Send;

    /// Keeps which file an offer stands for, and joins the app to its copies by certificate.
    fn package(&self, file: PackageFile<'_>) -> impl Future<Output = Result<()>> + Send;
    /// The file an app handed out for an offer.
    fn offered(&self, app: i64, offer: &str) -> impl Future<Output = Result<Option<String>>> + Send;
    /// The offer for which an app handed out a file, the latest of several.
    fn offer_of(&self, app: i64, artifact: &str) -> impl Future<Output = Result<Option<String>>> + Send;
    /// Keeps that an app's package was not handed out, in place of what was kept before;
    /// `None` where it was, or none is promised any more.
    fn withhold(&self, app: i64, withheld: Option<&Withheld>) -> impl Future<Output = Result<()>> + Send;
    /// What was kept of an app's package that was not handed out. [`State::package`] ends it.
    fn withheld(&self, app: i64) -> impl Future<Output = Result<Option<Withheld>>> + Send;
    /// Keeps where the facts of a file lie.
    fn keep_facts(
        &self,
        artifact: &str,
        name: &str,
        blob: &str,
        made_by: &str,
        at: i64,
    ) -> impl Future<Output = Result<()>> + Send;
    /// Where the facts of a file lie, if this version of xunjian read them.
    fn facts(&self, artifact: &str, name: &str, made_by: &str) -> impl Future<Output = Result<Option<String>>> + Send;
    /// Where the facts of a file lie, whatever they were called and whoever read them: name and blob.
    fn any_facts(&self, artifact: &str) -> impl Future<Output = Result<Option<(String, String)>>> + Send;

    /// Earlier audits without whose bytes, judged anew, a new audit of this app could not tell whether
    /// the app changed or its judge did; none where nothing confirmed turns on it.
    fn doubts(&self, new: &NewAudit<'_>) -> impl Future<Output = Result<Vec<Doubt>>> + Send;
    /// Whether an app has findings that are open.
    fn has_open(&self, app: i64) -> impl Future<Output = Result<bool>> + Send;
    /// Ids that a finding had before.
    fn former_ids(&self, finding: &str) -> impl Future<Output = Result<Vec<String>>> + Send;
    /// Keeps an audit and moves the findings of its app.
    fn remember(&self, audit: NewAudit<'_>) -> impl Future<Output = Result<Delta>> + Send;
    /// Keeps that something was left out; once a run, target and stage.
    fn skip(&self, run: i64, code: &str, skipped: &Skipped, at: i64) -> impl Future<Output = Result<()>> + Send;
    /// Takes back that something was left out.
    fn unskip(&self, run: i64, skipped: &Skipped) -> impl Future<Output = Result<()>> + Send;
    /// Audits of a run after an audit, in the order they were made.
    fn audits(&self, run: i64, after: i64, most: u32) -> impl Future<Output = Result<Vec<AuditRow>>> + Send;
    /// Skips of a run after a skip.
    fn skips(&self, run: i64, after: i64, most: u32) -> impl Future<Output = Result<Vec<SkipRow>>> + Send;
    /// The latest audits of an app, latest first.
    fn history(&self, app: i64, most: u32) -> impl Future<Output = Result<Vec<AuditRow>>> + Send;
    /// What the latest audit of an app rested on.
    fn judged(&self, app: i64) -> impl Future<Output = Result<Option<Judged>>> + Send;
    /// One audit.
    fn audit(&self, id: i64) -> impl Future<Output = Result<Option<AuditRow>>> + Send;

    /// Apps after an app, by number.
    fn apps(&self, after: i64, most: u32) -> impl Future<Output = Result<Vec<AppRow>>> + Send;
    /// Some apps of a store with open findings, or, picked at random, without.
    fn sample(&self, store: &str, has_findings: bool, most: u32) -> impl Future<Output = Result<Vec<AppRow>>> + Send;
    /// Apps of this package or name, in one store or (empty) in all.
    fn find(&self, store: &str, name: &str) -> impl Future<Output = Result<Vec<AppRow>>> + Send;
    /// Versions of an app's listing, latest first.
    fn listings(&self, app: i64, most: u32) -> impl Future<Output = Result<Vec<ListingRow>>> + Send;
    /// One version of a listing.
    fn listing(&self, id: i64) -> impl Future<Output = Result<Option<ListingRow>>> + Send;
    /// A finding, by its id or one that it had before.
    fn finding(&self, id: &str) -> impl Future<Output = Result<Option<FindingRow>>> + Send;
    /// Keeps a decision. Nothing is ever changed or taken back; a correction is another one.
    fn review(&self, review: &Review) -> impl Future<Output = Result<()>> + Send;
    /// Decisions about a finding, in order.
    fn reviews(&self, finding: &str) -> impl Future<Output = Result<Vec<Review>>> + Send;
    /// The answer a package file last came in, for an app.
    fn package_fetch(&self, app: i64, artifact: &str) -> impl Future<Output = Result<Option<i64>>> + Send;
    /// Counts of a run by name: `seen`, `new`, `changed`, `audited`, `skipped:CODE`, `found:SIGN`, `came`,
    /// `unread` (apps seen or audited whose latest audit did not read all), `failed` (stores of which nothing was seen).
    fn tally(&self, run: i64) -> impl Future<Output = Result<std::collections::BTreeMap<String, u64>>> + Send;
}

/// What an app of a store is called: [`Listing::name`].
#[must_use]
pub fn name_of(listing: &Listing) -> &str {
    listing.name()
}
