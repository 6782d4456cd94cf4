//! Packages that a store lists and does not hand out: asked for again when the listing promises
//! something else, or after a while.

use super::jobs::About;
use super::{Catalogue, Sweep, SweepError, now};
use crate::model::fetch::{Fault, Outcome};
use crate::store::{State, Vault, Withheld, Work};

/// The wait doubles so often at most: to eight times the first one.
const DOUBLED_MAX: u32 = 3;

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    /// Remembers that a package could not be had. One whose failure may pass is due at once.
    pub(super) async fn withhold(&self, about: &About, fault: &Fault) -> Result<(), SweepError> {
        let before = self.state.withheld(about.app).await?.filter(|before| before.offer == about.offer);
        let times = before.map_or(0, |before| before.times).saturating_add(1);
        // Where something open rests on the package, every sweep asks: what could not be looked at is
        // neither mended nor still there until it can.
        let is_waited_for = self.state.has_open(about.app).await?;
        let rest = if is_refusal(fault) && !is_waited_for {
            self.plan.withheld_rest << (times - 1).min(DOUBLED_MAX)
        } else {
            0
        };
        let withheld = Withheld {
            offer: about.offer.clone(),
            outcome: fault.outcome.id().into(),
            detail: fault.detail.clone(),
            times,
            again_at: now().saturating_add(rest),
        };
        Ok(self.state.withhold(about.app, Some(&withheld)).await?)
    }

    /// The store said no to this very offer, and it is too early to ask again.
    pub(super) fn rests(&self, withheld: &Withheld, offer: &str) -> bool {
        !self.plan.refresh && withheld.offer == offer && withheld.again_at > now()
    }

    /// Tells that a package was not asked for, so that it is not taken for one that was had.
    pub(super) async fn skip_withheld(
        &self,
        run: i64,
        target: &str,
        withheld: Option<&Withheld>,
    ) -> Result<(), SweepError> {
        let Some(withheld) = withheld else { return Ok(()) };
        let day = crate::preserve::timestamp(withheld.again_at.div_euclid(1000));
        let reason = format!("{}; not asked again before {day}, unless the listing changes", withheld.detail);
        self.skip(run, &withheld.outcome, target, "fetch", &reason).await
    }

    /// The listing promises nothing, or something that is at hand.
    pub(super) async fn end_withheld(&self, app: i64, withheld: Option<&Withheld>) -> Result<(), SweepError> {
        match withheld {
            Some(_) => Ok(self.state.withhold(app, None).await?),
            None => Ok(()),
        }
    }
}

/// Remembers that a file is lost or damaged, so that the next sweep fetches it again.
pub(in crate::runs) async fn want_again(
    state: &impl State,
    app: i64,
    artifact: &str,
    before: Option<&Withheld>,
) -> Result<(), SweepError> {
    let Some(offer) = state.offer_of(app, artifact).await? else { return Ok(()) };
    if before.is_some_and(|before| before.offer == offer) {
        return Ok(());
    }
    let detail = "the file was not kept whole".to_owned();
    let lost = Withheld { offer, outcome: "lost".into(), detail, times: 0, again_at: 0 };
    Ok(state.withhold(app, Some(&lost)).await?)
}

/// The store's own word, which will hold for a while: not a broken line, nor a plea to slow down.
fn is_refusal(fault: &Fault) -> bool {
    let is_denied = fault.page.as_ref().is_some_and(|page| matches!(page.status, 401 | 403));
    match fault.outcome {
        Outcome::NotFound
        | Outcome::Delisted
        | Outcome::RegionLocked
        | Outcome::LoginWanted
        | Outcome::AdapterBroken => true,
        Outcome::Throttled => is_denied,
        Outcome::Ok | Outcome::BlockedByRobots | Outcome::PrivateAddress | Outcome::DiskFull | Outcome::Network => {
            false
        }
    }
}
