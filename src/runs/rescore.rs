//! A new pack over everything remembered: nothing is fetched, and no package read again whose
//! facts were kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;

use super::judge;
use super::sweep::{Ended, SweepError, Tally, now};
use crate::audit::Auditor;
use crate::model::Skipped;
use crate::store::{AppRow, NewAudit, State, Vault};

/// Apps taken from the state at once.
const PAGE: u32 = 256;

/// Judges every app of the state that the auditor's pack has not judged yet.
pub struct Rescore<S, V> {
    /// State.
    pub state: S,
    /// Bytes.
    pub vault: V,
    /// Pack, policy and registers.
    pub auditor: Arc<Auditor>,
    /// What its runs are called: `rescore`, or what `watch` does besides.
    pub kind: String,
    /// Only these apps; all where it is empty.
    pub only: Vec<i64>,
    /// Judge again even what this pack has judged: registers and dates may have changed.
    pub all: bool,
    /// Audits at once.
    pub auditors: usize,
    /// Seconds that reading one app may take.
    pub timeout: u64,
    /// Day on which licences are judged.
    pub as_of: String,
    /// Name of the registers in the vault; empty where none was given.
    pub registers: String,
    /// What was done.
    pub tally: Arc<Tally>,
    /// Set from outside: finish what is in hand, then stop.
    pub stop: Arc<AtomicBool>,
}

impl<S: State + 'static, V: Vault + 'static> Rescore<S, V> {
    /// Judges until every app has its turn or [`Rescore::stop`] is set.
    ///
    /// # Errors
    /// When something cannot be remembered.
    pub async fn run(self) -> Result<Ended, SweepError> {
        let run = self.state.begin(&self.kind, "", now()).await?;
        let me = Arc::new(self);
        let mut tasks: JoinSet<Result<(), SweepError>> = JoinSet::new();
        let mut after = 0;
        let mut is_done = false;
        while !me.stop.load(Ordering::Relaxed) {
            let apps = me.state.apps(after, PAGE).await?;
            let Some(last) = apps.last() else {
                is_done = true;
                break;
            };
            after = last.id;
            for app in apps.into_iter().filter(|app| me.only.is_empty() || me.only.contains(&app.id)) {
                while tasks.len() >= me.auditors.max(1) {
                    if let Some(ended) = tasks.join_next().await {
                        ended??;
                    }
                }
                let (me, run) = (Arc::clone(&me), run.id);
                tasks.spawn(async move { me.app(run, app).await });
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        let counts = me.state.tally(run.id).await?;
        if is_done {
            me.state.end(run.id, &serde_json::to_string(&counts)?, now()).await?;
        }
        Ok(Ended { run, is_done, counts })
    }

    async fn app(&self, run: i64, app: AppRow) -> Result<(), SweepError> {
        let judged = self.state.judged(app.id).await?;
        let made_by = self.auditor.made_by();
        let is_done = judged.as_ref().is_some_and(|judged| {
            judged.run == run || !self.all && judged.made_by == made_by && judged.listing == app.listing
        });
        if is_done || app.listing.is_none() && judged.is_none() {
            return Ok(());
        }
        let (listing_id, mut artifact) = match judged {
            Some(judged) => (app.listing.or(judged.listing), judged.artifact),
            None => (app.listing, None),
        };
        let withheld = self.state.withheld(app.id).await?;
        if artifact.is_none()
            && let Some(withheld) = &withheld
        {
            // A file that was lost may be back: a copy of the vault was restored.
            artifact = self.state.offered(app.id, &withheld.offer).await?;
        }
        let listing = match listing_id {
            Some(id) => self.state.listing(id).await?.map(|row| row.listing),
            None => None,
        };
        let places = (&self.state, &self.vault);
        let name = judge::file_name(listing.as_ref());
        let artifact = artifact.as_deref();
        let told = judge::judge(places, &self.auditor, listing, artifact, self.timeout).await?;
        let mut facts = String::new();
        if let Some(artifact) = artifact {
            facts = judge::keep(places, artifact, &name, &told, now()).await?;
            if told.is_lost {
                super::sweep::want_again(&self.state, app.id, artifact, withheld.as_ref()).await?;
            }
        }
        if let Some(reason) = &told.unread {
            let skipped = Skipped {
                target: format!("{}:{}", app.store, app.name),
                stage: "unpack".into(),
                code: judge::unread_code(reason).into(),
                reason: reason.clone(),
            };
            self.state.skip(run, judge::unread_code(reason), &skipped, now()).await?;
        }
        let audit = NewAudit {
            run,
            app: app.id,
            listing: listing_id,
            artifact: told.file(artifact),
            audit: &told.audit,
            made_by: &made_by,
            as_of: &self.as_of,
            registers: &self.registers,
            facts: &facts,
            controls: &[],
            at: now(),
        };
        let controls = judge::controls(places, &self.auditor, &audit, self.timeout).await?;
        let audit = NewAudit { controls: &controls, ..audit };
        if self.state.remember(audit).await?.is_kept {
            self.tally.audits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
