//! Screenshots: read for words before an app is judged; and of apps in which something was found, kept as
//! evidence of what the store showed.

use super::jobs::{self, About, Errand, Judge};
use super::trace::{self, Way};
use super::{Catalogue, Sweep, SweepError, now};
use crate::model::Listing;
use crate::model::fetch::{Ask, Purpose};
use crate::runs::shown;
use crate::store::{Lease, NewJob, State, Vault, Work};

/// Screenshots of one listing, at most: stores show five or so.
const PICTURES_MAX: usize = 10;

/// The requests for the pictures that a listing names, each with its place: screenshots, icon, banner.
pub(in crate::runs) fn asks(listing: &Listing) -> impl Iterator<Item = (String, Ask)> {
    let remote = listing.pictures(PICTURES_MAX).filter(|(_, url)| url.starts_with("http"));
    remote.map(|(place, url)| (place, Ask::get(url.to_owned(), Purpose::Picture)))
}

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    /// The requests for the screenshots that are read before an app is judged: all of them, unless its
    /// listing makes clear that it teaches nothing.
    pub(super) async fn pictures_first(&self, listing: i64) -> Result<Vec<Ask>, SweepError> {
        let Some(row) = self.state.listing(listing).await? else { return Ok(Vec::new()) };
        let are_wanted = shown::are_wanted(&self.auditor, &row.listing);
        Ok(asks(&row.listing).filter(|_| are_wanted).map(|(_, ask)| ask).collect())
    }

    /// Fetches an app's screenshots and reads them; then it is judged. One that cannot be had is missing
    /// from what is read, which the audit says.
    pub(super) async fn read_pictures(
        &self,
        run: i64,
        lease: &Lease,
        asks: &[Ask],
        judge: Judge,
    ) -> Result<(), SweepError> {
        for ask in asks {
            match self.answer(ask).await? {
                Ok(answered) => {
                    let Some(row) = self.state.fetch(answered.fetch).await? else { continue };
                    let places = (&self.state, &self.vault);
                    shown::read(places, &self.auditor, &row.fetch.body, self.plan.timeout).await?;
                }
                Err(fault) if fault.outcome.is_passing() && lease.attempts < self.plan.tries => {
                    self.fail(run, lease, &judge.about.target(), "pictures", &fault).await?;
                    return Ok(());
                }
                Err(fault) => {
                    let (app, code) = (judge.about.target(), fault.outcome);
                    tracing::info!(%app, stage = "pictures", %code, "{}", fault.detail);
                }
            }
        }
        trace::ended("ok");
        self.state.complete(lease, &[jobs::judge(run, &judge)?], now()).await?;
        Ok(())
    }

    /// The jobs that fetch screenshots, under the pace of their hosts as everything else.
    pub(super) fn pictures(run: i64, about: &About, asks: Vec<Ask>) -> Result<Vec<NewJob>, SweepError> {
        let trace = Way::Job(&about.trace).next(&about.store, &about.name);
        let about = About { trace, ..about.clone() };
        let jobs = asks.into_iter().map(|ask| {
            let errand: Errand<C::Step> = Errand::Picture { about: about.clone(), ask: ask.clone() };
            jobs::errand(run, &about.store, &errand, &ask)
        });
        Ok(jobs.collect::<Result<_, _>>()?)
    }

    /// Fetches one. What cannot be had is missing from the evidence and said there; it leaves
    /// no app out, and is no skip.
    pub(super) async fn picture(&self, run: i64, lease: &Lease, about: &About, ask: &Ask) -> Result<(), SweepError> {
        let answered = self.answer(ask).await?;
        trace::ended(answered.as_ref().map_or_else(|fault| fault.outcome.id(), |_| "ok"));
        if let Err(fault) = answered {
            if fault.outcome.is_passing() && lease.attempts < self.plan.tries {
                self.fail(run, lease, &about.target(), "screenshot", &fault).await?;
                return Ok(());
            }
            tracing::info!(app = %about.target(), stage = "screenshot", code = %fault.outcome, "{}", fault.detail);
        }
        self.state.complete(lease, &[], now()).await?;
        Ok(())
    }
}
