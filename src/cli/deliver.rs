//! Delivery to the case backend, as `feed` and `worker --stages deliver` do it: of all that could
//! deliver, one does, and another one takes over when it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::usage::{OrUsage, ensure_usage};
use crate::feed::{Feed, FeedError, Round, Secret, is_safe};
use crate::runs::sweep::{hold, now};
use crate::store::{Home, Lease, NewJob, Outbox, Work};
use crate::time::today;

/// Queue and key of the one job that is never done: whoever holds it delivers.
const JOB: &str = "deliver";
/// Milliseconds that it is held without a sign of life.
const HELD: i64 = 20_000;
/// Longest until what was delivered is told in the log, and overdue apps are looked for.
const ROUND: Duration = Duration::from_secs(60);
/// Time between looks for letters, or for the job.
const LOOK: Duration = Duration::from_secs(1);

/// Options of delivery.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DeliverArgs {
    /// Address of the case backend that takes events, https except on this machine.
    #[arg(long, value_name = "URL", env = "XUNJIAN_FEED_TO", hide_env_values = true)]
    to: Option<url::Url>,
    /// File with the secret shared with the case backend. Default: `XUNJIAN_FEED_SECRET`.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Name of this installation in events.
    #[arg(long, value_name = "URI", default_value = "urn:xunjian")]
    source: String,
    /// Address of the reviewers' page, for links in events.
    #[arg(long, value_name = "URL", default_value = "")]
    page: String,
    /// Seconds before the second try; doubled each time.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    wait: f64,
}

/// Who delivers.
pub(super) struct Courier {
    home: Home,
    pub(super) feed: Feed,
    /// Beside the job, where nobody else could be told apart from one that was killed.
    _lock: Option<File>,
}

impl DeliverArgs {
    /// What is needed besides a home; said before anything is opened.
    pub(super) fn check(&self) -> anyhow::Result<(url::Url, Secret)> {
        let to =
            self.to.clone().or_usage(|| "--to is missing: give the case backend's address, or set XUNJIAN_FEED_TO")?;
        ensure_usage!(is_safe(&to), "--to: findings travel over https only, except on this machine");
        ensure_usage!((0.1..=3_600.0).contains(&self.wait), "--wait {}: give seconds from 0.1 to 3600", self.wait);
        let secret = secret_of(self.secret_file.as_deref())?
            .or_usage(|| "--secret-file is missing: name a file with the shared secret, or set XUNJIAN_FEED_SECRET")?;
        Ok((to, secret))
    }

    /// A courier of this home.
    pub(super) async fn courier(&self, home: &Home) -> anyhow::Result<Courier> {
        let (to, secret) = self.check()?;
        let lock = if home.state.is_shared() { None } else { Some(locked(home)?) };
        if lock.is_some() {
            // Whoever held it died: this process alone delivers.
            home.state.release(JOB, now()).await?;
        }
        let job = NewJob { key: JOB.into(), queue: JOB.into(), priority: 0, payload: String::new() };
        home.state.push(&[job], now()).await?;
        let wait = Some((self.wait * 1_000.0) as i64);
        let feed = Feed::new(home.clone(), to, secret, self.source.clone(), self.page.clone(), wait)?;
        Ok(Courier { home: home.clone(), feed, _lock: lock })
    }
}

impl Courier {
    /// Delivers until told to stop, whenever no other one does. What fails is told, and tried again.
    pub(super) async fn run(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            match self.turn(stop).await {
                Ok(()) => {}
                Err(error) => tracing::error!("letters are not delivered: {error}"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Sends all that is due; `None` where another one delivers.
    pub(super) async fn once(&self) -> Result<Option<Round>, FeedError> {
        let Some(lease) = self.lease().await? else { return Ok(None) };
        let sending = async {
            self.home.state.tell_overdue(&today(), now()).await?;
            let (stop, never) = (AtomicBool::new(false), Duration::MAX);
            Ok(Some(self.feed.deliver(now, &stop, never).await?))
        };
        self.held(&lease, sending, None).await
    }

    /// Delivers for as long as nobody else does.
    async fn turn(&self, stop: &AtomicBool) -> Result<(), FeedError> {
        let Some(lease) = self.lease().await? else { return Ok(()) };
        let sending = async {
            while !stop.load(Ordering::Relaxed) {
                self.home.state.tell_overdue(&today(), now()).await?;
                match self.feed.deliver(now, stop, ROUND).await? {
                    Round { sent: 0, again: 0, dead: 0 } => tokio::time::sleep(LOOK).await,
                    Round { sent, again, dead } => tracing::info!(sent, again, dead, "letters delivered"),
                }
            }
            Ok(())
        };
        self.held(&lease, sending, ()).await
    }

    async fn lease(&self) -> Result<Option<Lease>, FeedError> {
        Ok(self.home.state.lease(&[JOB], now(), now() + HELD).await?)
    }

    /// Does something for as long as the job is ours, and leaves the job to the next one; `lost` where
    /// another one took it.
    async fn held<T>(
        &self,
        lease: &Lease,
        sending: impl Future<Output = Result<T, FeedError>>,
        lost: T,
    ) -> Result<T, FeedError> {
        let done = tokio::select! {
            done = sending => done,
            () = hold(&self.home.state, lease, HELD) => return Ok(lost),
        };
        self.home.state.defer(lease, "left to the next one", now()).await?;
        done
    }
}

/// Two feeds would send an app's letters out of order.
fn locked(home: &Home) -> anyhow::Result<File> {
    let lock = File::create(home.root.join("feed.lock")).or_usage(|| "--home: feed.lock cannot be made")?;
    ensure_usage!(lock.try_lock().is_ok(), "--home {}: another feed works on it", home.root.display());
    Ok(lock)
}

/// The secret of a file, or of the environment; `None` where neither is given.
pub(super) fn secret_of(file: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).or_usage(|| format!("--secret-file {}", file.display()))?,
        None => match std::env::var("XUNJIAN_FEED_SECRET") {
            Ok(text) => text,
            Err(_) => return Ok(None),
        },
    };
    Ok(Some(Secret::parse(&text).or_usage(|| "--secret-file: unusable")?))
}
