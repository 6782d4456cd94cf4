//! Packages.

use super::jobs::{About, Judge};
use super::tally::count;
use super::trace::{self, Way};
use super::{Catalogue, Sweep, SweepError, now};
use crate::model::fetch::{Outcome, Wanted};
use crate::store::{Lease, State, Vault, Work};

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    /// Fetches a package; what cannot be had leaves the listing to be judged alone.
    pub(super) async fn package(
        &self,
        run: i64,
        lease: &Lease,
        about: About,
        wanted: &Wanted,
    ) -> Result<(), SweepError> {
        let at_hand = self.state.offered(about.app, &about.offer).await?;
        let fetched = self.file(wanted, at_hand.as_deref()).await?;
        let file = match fetched {
            Ok(Some((file, fetch))) => {
                count(&self.tally.packages, 1);
                tracing::Span::current().record("bytes", file.bytes);
                trace::ended("ok");
                Some((file.sha256, Some(fetch)))
            }
            Ok(None) => {
                trace::ended("ok");
                at_hand.map(|sha256| (sha256, None))
            }
            Err(fault) => {
                trace::ended(fault.outcome.id());
                let is_over = self.is_over(lease, fault.outcome);
                if !is_over {
                    self.fail(run, lease, &about.target(), "fetch", &fault).await?;
                    return Ok(());
                }
                self.withhold(&about, &fault).await?;
                self.skip(run, fault.outcome.id(), &about.target(), "fetch", &fault.detail).await?;
                None
            }
        };
        let trace = about.trace.clone();
        let next = self.judgement(run, Judge { about, file }, &Way::Job(&trace)).await?;
        self.state.complete(lease, next.as_slice(), now()).await?;
        Ok(())
    }

    fn is_over(&self, lease: &Lease, outcome: Outcome) -> bool {
        !outcome.is_passing() || lease.attempts >= self.plan.tries
    }
}
