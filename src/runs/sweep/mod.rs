//! A sweep: catalogue pages, listings, packages and audits as leased jobs, remembered as they
//! are done.
//!
//! Every step is a job whose key is done once a run, and every result is written before its
//! job ends; so a sweep that is killed goes on where it was, and nothing of the catalogue is
//! held in memory. A page that was not modified is read again from the vault.

mod asking;
#[cfg_attr(not(feature = "traces"), path = "absent/carrier.rs")]
mod carrier;
mod catalogue;
mod crawling;
mod doubted;
mod jobs;
mod judging;
mod packages;
mod pictures;
mod remembered;
mod room;
mod store;
mod tally;
mod trace;
mod withheld;
mod workers;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(super) use asking::kept;
pub(super) use jobs::ask_key;
pub(super) use pictures::asks as picture_asks;

#[cfg(feature = "traces")]
pub use carrier::Ids;
pub use catalogue::{Catalogue, Next, Turn};
pub use doubted::Texts;
pub use jobs::Stage;
pub use room::Room;
pub use tally::{Counts, Tally};
pub(super) use withheld::want_again;
pub use workers::{hold, now};

use crate::acquire::Client;
use crate::audit::Auditor;
use crate::store::{Run, State, StoreError, Vault, Work};

/// Why a sweep stopped. What is wrong with a store or an app is a skip instead.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// What is remembered cannot be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A job does not read back.
    #[error("a job does not write: {0}")]
    Job(#[from] serde_json::Error),
    /// A thread of ours died.
    #[error("a worker died: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

/// How far a sweep goes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Requests of one store under way at once; each host's own limit holds besides.
    pub at_once: usize,
    /// Audits at once.
    pub auditors: usize,
    /// Seconds that reading one app may take.
    pub timeout: u64,
    /// Tries of a job whose failure may pass.
    pub tries: i64,
    /// Look at details even where the catalogue says the same as before.
    pub refresh: bool,
    /// Stores whose listings are taken as they are when they lost what they had the last time.
    pub accepts_losses: BTreeSet<String>,
    /// Milliseconds before a job is tried again; doubled each time.
    pub backoff: i64,
    /// Milliseconds until a package that was not handed out is asked for again the first time.
    pub withheld_rest: i64,
    /// Day on which licences are judged.
    pub as_of: String,
    /// Name of the registers in the vault; empty where none was given.
    pub registers: String,
}

impl Default for Plan {
    fn default() -> Self {
        let auditors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            at_once: 4,
            auditors,
            timeout: 600,
            tries: 4,
            refresh: false,
            accepts_losses: BTreeSet::new(),
            backoff: 5_000,
            withheld_rest: 7 * 86_400_000,
            as_of: String::new(),
            registers: String::new(),
        }
    }
}

/// One sweep over some stores.
pub struct Sweep<S, V, C> {
    /// State and work.
    pub state: S,
    /// Bytes.
    pub vault: V,
    /// Folder for downloads under way, on the vault's disk.
    pub incoming: std::path::PathBuf,
    /// The polite client.
    pub client: Arc<Client>,
    /// The stores.
    pub stores: Vec<Arc<C>>,
    /// What its runs are called: `sweep`, or what `watch` does besides.
    pub kind: String,
    /// What its run goes over, where that is not the stores.
    pub scope: Option<String>,
    /// Only these apps, by store and package; the whole catalogues where it is empty.
    pub aims: Vec<(String, String)>,
    /// Pack, policy and registers.
    pub auditor: Arc<Auditor>,
    /// How far.
    pub plan: Plan,
    /// Apps of each store that there is room for.
    pub room: Room,
    /// What apps said whose pages do not name them.
    pub texts: Texts,
    /// What was done, for bars and lines.
    pub tally: Arc<Tally>,
    /// Set from outside: finish what is in hand, then stop. The next sweep goes on.
    pub stop: Arc<AtomicBool>,
}

/// How a sweep ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Its run.
    pub run: Run,
    /// Everything was done; else it was stopped.
    pub is_done: bool,
    /// Counts by name: see [`State::tally`].
    pub counts: std::collections::BTreeMap<String, u64>,
}

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    /// Sweeps until everything is done or [`Sweep::stop`] is set.
    ///
    /// # Errors
    /// When something cannot be remembered.
    pub async fn run(self) -> Result<Ended, SweepError> {
        let scope = self.scope.clone().unwrap_or_else(|| self.names());
        let run = self.state.begin(&self.kind, &scope, now()).await?;
        if run.plan.is_none() {
            // Whoever held these died: this process alone works on the run.
            self.state.release(&jobs::prefix(run.id), now()).await?;
        }
        self.recall(run.id).await?;
        self.seed(run.id).await?;
        self.join(run, &Stage::ALL).await
    }

    /// Begins a run, or continues the open one, and leaves it to the workers that [`Sweep::join`] it:
    /// `plan` is what they go by.
    ///
    /// # Errors
    /// When something cannot be remembered.
    pub async fn submit(&self, plan: &str) -> Result<Run, SweepError> {
        let scope = self.scope.clone().unwrap_or_else(|| self.names());
        let run = self.state.begin(&self.kind, &scope, now()).await?;
        // Only then: a run without jobs would be over at once.
        self.seed(run.id).await?;
        self.state.plan(run.id, plan).await?;
        Ok(Run { plan: Some(plan.to_owned()), ..run })
    }

    /// Works on a run beside others until everything is done or [`Sweep::stop`] is set. Whoever sees
    /// it done ends it.
    ///
    /// # Errors
    /// When something cannot be remembered.
    pub async fn join(self, run: Run, stages: &[Stage]) -> Result<Ended, SweepError> {
        let prefix = jobs::prefix(run.id);
        let me = Arc::new(self);
        workers::work(&me, run.id, stages).await?;
        let is_done = me.state.next_due(&prefix).await?.is_none();
        if is_done {
            me.bury(run.id).await?;
        }
        let counts = me.state.tally(run.id).await?;
        if is_done {
            me.state.end(run.id, &serde_json::to_string(&counts)?, now()).await?;
            me.state.forget(&prefix).await?;
        }
        Ok(Ended { run, is_done, counts })
    }

    /// Apps that this run took in before it was killed have their room.
    async fn recall(&self, run: i64) -> Result<(), SweepError> {
        let mut after = 0;
        while self.room.is_limited() {
            let apps = self.state.apps(after, 1000).await?;
            let Some(last) = apps.last() else { break };
            after = last.id;
            for app in apps.iter().filter(|app| app.last_run == Some(run)) {
                self.room.take(&app.store, &app.name);
            }
        }
        Ok(())
    }

    /// The stores' names.
    fn names(&self) -> String {
        let mut names: Vec<&str> = self.stores.iter().map(|store| store.id()).collect();
        names.sort_unstable();
        names.dedup();
        names.join(",")
    }

    fn store(&self, id: &str) -> Option<&Arc<C>> {
        self.stores.iter().find(|store| store.id() == id)
    }
}
