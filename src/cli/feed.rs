//! `xunjian feed`: decisions to the case backend.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::Exit;
use super::home::{HomeArgs, runtime};
use super::register::RegisterArgs;
use super::run::stop_on_interrupt;
use crate::feed::{Asked, Feed, Secret, Source};
use crate::store::Outbox;

/// Time between looks for letters.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArgs,
    /// Address of the case backend that takes events, https except on this machine.
    #[arg(long, value_name = "URL", env = "XUNJIAN_FEED_TO", hide_env_values = true)]
    to: url::Url,
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
    /// Address that gives the case backend's lists: they become registers, and the page shows them.
    #[arg(long, value_name = "URL")]
    standings: Option<url::Url>,
    /// Seconds between questions for the lists.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    standings_every: u64,
    #[command(flatten)]
    registers: RegisterArgs,
    /// Send what is due now and end.
    #[arg(long)]
    once: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    ensure!(is_safe(&args.to), "--to: findings travel over https only, except on this machine");
    let source = source(args)?;
    ensure!((0.1..=3_600.0).contains(&args.wait), "--wait {}: give seconds from 0.1 to 3600", args.wait);
    let secret = secret_of(args.secret_file.as_deref())?
        .context("--secret-file is missing: name a file with the shared secret, or set XUNJIAN_FEED_SECRET")?;
    runtime()?.block_on(async {
        let home = args.home.open().await?;
        // Two feeds would send an app's letters out of order.
        let lock = std::fs::File::create(home.root.join("feed.lock")).context("--home: feed.lock cannot be made")?;
        ensure!(lock.try_lock().is_ok(), "--home {}: another feed works on it", home.root.display());
        let wait = Some((args.wait * 1_000.0) as i64);
        let feed = Feed::new(home.clone(), args.to.clone(), secret, args.source.clone(), args.page.clone(), wait)?;
        let stop = stop_on_interrupt();
        let every = Duration::from_secs(args.standings_every);
        let mut asked: Option<Instant> = None;
        let mut has_standings = true;
        loop {
            if let Some(source) = source.as_ref().filter(|_| asked.is_none_or(|at| at.elapsed() >= every)) {
                asked = Some(Instant::now());
                has_standings = ask(&feed, source).await;
            }
            let today = chrono::Local::now().format("%Y-%m-%d").to_string();
            home.state.tell_overdue(&today, now()).await?;
            let round = feed.deliver(now).await?;
            if round.sent + round.again + round.dead > 0 {
                tracing::info!(sent = round.sent, again = round.again, dead = round.dead, "a round of deliveries");
            }
            if args.once {
                return Ok(if round.again + round.dead == 0 && has_standings { Exit::Clean } else { Exit::Incomplete });
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(Exit::Clean);
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

/// Where standings are asked for, if anywhere.
fn source(args: &Args) -> anyhow::Result<Option<Source>> {
    let Some(from) = args.standings.clone() else { return Ok(None) };
    ensure!(is_safe(&from), "--standings: lists travel over https only, except on this machine");
    let folder = args.registers.folder().context("--registers is missing: name the folder of registers")?;
    Ok(Some(Source { from, folder }))
}

/// Asks for standings. What fails is told, and asked for again later.
async fn ask(feed: &Feed, source: &Source) -> bool {
    match feed.ask_for_standings(source, now()).await {
        Ok(Asked::Unchanged) => true,
        Ok(Asked::Taken(taken)) => {
            for out in &taken.left_out {
                tracing::warn!(list = out.list, entry = out.entry, reason = out.reason, "an entry was left out");
            }
            tracing::info!(?taken.kept, "standings taken");
            true
        }
        Ok(Asked::Refused(reason)) => {
            tracing::warn!(reason, "no standings came");
            false
        }
        Err(error) => {
            tracing::error!("standings: {error}");
            false
        }
    }
}

/// The secret of a file, or of the environment; `None` where neither is given.
pub(super) fn secret_of(file: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("--secret-file {}", file.display()))?,
        None => match std::env::var("XUNJIAN_FEED_SECRET") {
            Ok(text) => text,
            Err(_) => return Ok(None),
        },
    };
    Ok(Some(Secret::parse(&text).context("--secret-file: unusable")?))
}

fn is_safe(url: &url::Url) -> bool {
    url.scheme() == "https" || url.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"))
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
