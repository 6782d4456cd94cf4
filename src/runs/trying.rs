//! A policy tried on everything kept: nothing is fetched, and nothing is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::change::Changes;
use super::judge;
use super::sweep::SweepError;
use crate::audit::Auditor;
use crate::store::{AppRow, State, Vault};

/// Apps taken from the state at once.
const PAGE: u32 = 256;

/// One policy beside another.
pub struct Trying<S, V> {
    /// State.
    pub state: S,
    /// Bytes.
    pub vault: V,
    /// Judges as now.
    pub now: Arc<Auditor>,
    /// Judges as would be.
    pub then: Arc<Auditor>,
    /// Seconds that reading one app may take.
    pub timeout: u64,
    /// Set from outside: stop after the app in hand.
    pub stop: Arc<AtomicBool>,
}

impl<S: State + 'static, V: Vault + 'static> Trying<S, V> {
    /// Judges every app that has been judged before by both policies, with the signatures at hand.
    ///
    /// # Errors
    /// When the state or the vault cannot be read.
    pub async fn run(&self) -> Result<Changes, SweepError> {
        let mut changes = Changes::default();
        let mut after = 0;
        loop {
            let apps = self.state.apps(after, PAGE).await?;
            let Some(last) = apps.last() else { return Ok(changes) };
            after = last.id;
            for app in apps {
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(changes);
                }
                self.app(app, &mut changes).await?;
            }
        }
    }

    async fn app(&self, app: AppRow, changes: &mut Changes) -> Result<(), SweepError> {
        let judged = self.state.judged(app.id).await?;
        let listing = match app.listing.or_else(|| judged.as_ref().and_then(|judged| judged.listing)) {
            Some(id) => self.state.listing(id).await?.map(|row| row.listing),
            None => None,
        };
        let artifact = judged.and_then(|judged| judged.artifact);
        if listing.is_none() && artifact.is_none() {
            return Ok(());
        }
        let places = (&self.state, &self.vault);
        let was = judge::judge(places, &self.now, listing.clone(), artifact.as_deref(), self.timeout).await?;
        let is = judge::judge(places, &self.then, listing, artifact.as_deref(), self.timeout).await?;
        changes.unread += usize::from(is.unread.is_some());
        changes.note(&was.audit.findings, &is.audit);
        Ok(())
    }
}
