//! Packages.

use super::jobs::{About, Judge};
use super::tally::count;
use super::trace::{self, Way};
use super::{Catalogue, Sweep, SweepError, now};
use crate::model::fetch::{Fault, Outcome, Wanted};
use crate::runs::judge;
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
        let offered = self.state.offered(about.app, &about.offer).await?;
        let at_hand = match &offered {
            // Whoever says that it has a file is not sent it again.
            Some(sha256) if judge::is_whole(&self.vault, sha256).await? => offered.clone(),
            _ => None,
        };
        let fetched = self.file(wanted, at_hand.as_deref()).await?;
        let file = match fetched {
            Ok(Some((file, fetch))) => {
                self.is_incomplete_still(&about, &file.sha256).await?;
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
                // What was had for this very offer stays, or what was read of it, even if it is not to be had
                // just now; what came incomplete stays for what it is.
                let before = match at_hand {
                    None => self.read_before(about.listing, offered).await?,
                    at_hand => at_hand,
                };
                let incomplete = self.state.offered(about.app, &about.incomplete_offer()).await?;
                before.or(incomplete).map(|sha256| (sha256, None))
            }
        };
        let trace = about.trace.clone();
        let next = self.judgement(run, Judge { about, file }, &Way::Job(&trace)).await?;
        self.state.complete(lease, next.as_slice(), now()).await?;
        Ok(())
    }

    /// The same file came that was not whole before: it is asked for again later each time.
    async fn is_incomplete_still(&self, about: &About, sha256: &str) -> Result<(), SweepError> {
        let before = self.state.offered(about.app, &about.incomplete_offer()).await?;
        if before.as_deref() != Some(sha256) {
            return Ok(());
        }
        let fault = Fault::new(Outcome::AdapterBroken, "the package is not whole, the same as the last time");
        self.withhold(about, &fault).await
    }

    /// A file that is not at hand, and whose facts are.
    async fn read_before(&self, listing: i64, offered: Option<String>) -> Result<Option<String>, SweepError> {
        let (Some(sha256), Some(row)) = (offered, self.state.listing(listing).await?) else { return Ok(None) };
        let name = judge::file_name(Some(&row.listing));
        let Some(facts) = self.state.facts(&sha256, &name, env!("CARGO_PKG_VERSION")).await? else { return Ok(None) };
        Ok(judge::is_whole(&self.vault, &facts).await?.then_some(sha256))
    }

    fn is_over(&self, lease: &Lease, outcome: Outcome) -> bool {
        !outcome.is_passing() || lease.attempts >= self.plan.tries
    }
}
