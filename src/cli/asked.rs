//! What `serve` does besides showing pages: the audits that people and programs ask for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::network::NetworkArgs;
use super::run::GroundsArgs;
use super::sweep::{Errand, prepare};
use crate::model::Skipped;
use crate::runs::asked::{Grounds, Job, KIND, QUEUE, Sent, Wish, audit_file, client_of};
use crate::runs::sweep::{hold, now};
use crate::store::{Failed, Home, Lease, State, Work};

/// Audits under way at once.
const AT_ONCE: usize = 2;
/// Milliseconds that a job is held without a sign of life.
const HELD: i64 = 60_000;
/// Tries of one job.
const TRIES: i64 = 3;
/// Milliseconds before a failed job is tried again.
const AGAIN: i64 = 5_000;
/// Time between looks for jobs.
const LOOK: Duration = Duration::from_millis(300);

/// What the audits are made with.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) home: Home,
    pub(super) network: NetworkArgs,
    pub(super) grounds: GroundsArgs,
    pub(super) stop: Arc<AtomicBool>,
}

impl Asked {
    /// Works until [`Asked::stop`] is raised; what is in hand then is done by the next `serve`.
    pub(super) fn start(&self) -> tokio::task::JoinSet<()> {
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let me = self.clone();
            workers.spawn(async move { me.work().await });
        }
        workers
    }

    async fn work(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let done = match self.home.state.lease(&[QUEUE], now(), now() + HELD).await {
                Ok(Some(lease)) => self.one(&lease).await,
                Ok(None) => {
                    tokio::time::sleep(LOOK).await;
                    Ok(())
                }
                Err(error) => Err(error.into()),
            };
            if let Err(error) = done {
                tracing::error!("an audit on demand: {error:#}");
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// One job, held for as long as it takes.
    async fn one(&self, lease: &Lease) -> anyhow::Result<()> {
        let job: Job = match serde_json::from_str(&lease.payload) {
            Ok(job) => job,
            Err(error) => {
                let why = skipped(&lease.key, "failed", &format!("of another version of xunjian: {error}"));
                self.home.state.fail(lease, &why, now(), now(), 0).await?;
                return Ok(());
            }
        };
        // In a task of its own: a reader that fails must not end this worker.
        let (me, own) = (self.clone(), job.clone());
        let mut task = tokio::spawn(async move { me.audit(&own).await });
        let done = tokio::select! {
            done = &mut task => done.unwrap_or_else(|error| Err(error.into())),
            () = hold(&self.home.state, lease, HELD) => {
                task.abort();
                return Ok(());
            }
        };
        match done {
            Ok(true) => {
                self.home.state.complete(lease, &[], now()).await?;
            }
            // Stopped in the middle: the run goes on when the job is taken again.
            Ok(false) => {
                self.home.state.defer(lease, "stopped", now()).await?;
            }
            Err(error) => {
                let reason = format!("{error:#}");
                let why = skipped(&job.wish.target(), "failed", &reason);
                if self.home.state.fail(lease, &why, now(), now() + AGAIN, TRIES).await? == Failed::Dead {
                    self.give_up(&job, "failed", &reason).await?;
                }
            }
        }
        Ok(())
    }

    /// Audits; `false` where it was stopped before the end.
    async fn audit(&self, job: &Job) -> anyhow::Result<bool> {
        match &job.wish {
            Wish::App { store, package } => self.audit_app(job, store, package).await,
            Wish::File { sha256, name, listing, client } => {
                let grounds = Grounds {
                    auditor: Arc::new(self.grounds.auditor(&self.network.config.load()?)?),
                    timeout: self.grounds.timeout,
                    as_of: self.grounds.day(),
                    registers: self.grounds.keep_grounds(&self.home).await?,
                    incoming: self.home.vault.incoming(),
                };
                let places = (&self.home.state, &self.home.vault);
                let sent = Sent { sha256, name, listing: listing.as_deref(), client };
                audit_file(places, &grounds, job.run, sent).await?;
                self.end(job.run).await?;
                Ok(true)
            }
        }
    }

    async fn audit_app(&self, job: &Job, store: &str, package: &str) -> anyhow::Result<bool> {
        let chosen = match self.network.chosen(&[store.to_owned()]) {
            Ok(chosen) if client_of(store).is_none() => chosen,
            _ => {
                let reason = format!("{store}: no such store is known here; see `xunjian store list`");
                self.give_up(job, "unknown-store", &reason).await?;
                return Ok(true);
            }
        };
        let config = self.network.config.load()?;
        let errand = Errand {
            kind: KIND,
            scope: Some(job.wish.scope()?),
            stores: chosen,
            aims: vec![(store.to_owned(), package.to_owned())],
            limit: None,
            refresh: true,
            stop: Arc::clone(&self.stop),
        };
        let auditor = Arc::new(self.grounds.auditor(&config)?);
        let sweep = prepare(&self.home, &config, auditor, &self.grounds, errand).await?;
        Ok(sweep.run().await?.is_done)
    }

    async fn end(&self, run: i64) -> anyhow::Result<()> {
        let counts = self.home.state.tally(run).await?;
        Ok(self.home.state.end(run, &serde_json::to_string(&counts)?, now()).await?)
    }

    /// Ends a run with the reason why there is nothing.
    async fn give_up(&self, job: &Job, code: &str, reason: &str) -> anyhow::Result<()> {
        let skipped = skipped(&job.wish.target(), code, reason);
        self.home.state.skip(job.run, code, &skipped, now()).await?;
        self.end(job.run).await
    }
}

fn skipped(target: &str, code: &str, reason: &str) -> Skipped {
    Skipped { target: target.into(), stage: "ask".into(), code: code.into(), reason: reason.into() }
}
