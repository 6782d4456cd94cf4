//! Screenshots of apps in which something was found: evidence shows what the store showed.

use super::jobs::{self, About, Errand};
use super::trace::{self, Way};
use super::{Catalogue, Sweep, SweepError, now};
use crate::model::Listing;
use crate::model::fetch::{Ask, Purpose};
use crate::store::{Lease, NewJob, State, Vault, Work};

/// Screenshots of one listing, at most: stores show five or so.
const PICTURES_MAX: usize = 10;

/// The requests for a listing's screenshots.
pub(in crate::pipeline) fn asks(listing: &Listing) -> impl Iterator<Item = Ask> {
    let urls = listing.screenshots.iter().filter(|url| url.starts_with("http"));
    urls.take(PICTURES_MAX).map(|url| Ask::get(url.clone(), Purpose::Picture))
}

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
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
