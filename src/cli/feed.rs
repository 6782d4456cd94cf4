//! `xunjian feed`: decisions to the case backend.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::Exit;
use super::home::{HomeArgs, runtime};
use super::run::stop_on_interrupt;
use crate::feed::{Feed, Secret};
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
    /// Send what is due now and end.
    #[arg(long)]
    once: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let is_local = args.to.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    ensure!(args.to.scheme() == "https" || is_local, "--to: findings travel over https only, except on this machine");
    ensure!((0.1..=3_600.0).contains(&args.wait), "--wait {}: give seconds from 0.1 to 3600", args.wait);
    let secret = secret(args)?;
    runtime()?.block_on(async {
        let home = args.home.open().await?;
        // Two feeds would send an app's letters out of order.
        let lock = std::fs::File::create(home.root.join("feed.lock")).context("--home: feed.lock cannot be made")?;
        ensure!(lock.try_lock().is_ok(), "--home {}: another feed works on it", home.root.display());
        let wait = Some((args.wait * 1_000.0) as i64);
        let feed = Feed::new(home.clone(), args.to.clone(), secret, args.source.clone(), args.page.clone(), wait)?;
        let stop = stop_on_interrupt();
        loop {
            let today = chrono::Local::now().format("%Y-%m-%d").to_string();
            home.state.tell_overdue(&today, now()).await?;
            let round = feed.deliver(now).await?;
            if round.sent + round.again + round.dead > 0 {
                tracing::info!(sent = round.sent, again = round.again, dead = round.dead, "a round of deliveries");
            }
            if args.once {
                return Ok(if round.again + round.dead == 0 { Exit::Clean } else { Exit::Incomplete });
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(Exit::Clean);
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

fn secret(args: &Args) -> anyhow::Result<Secret> {
    let text = match &args.secret_file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("--secret-file {}", file.display()))?,
        None => std::env::var("XUNJIAN_FEED_SECRET")
            .context("--secret-file is missing: name a file with the shared secret, or set XUNJIAN_FEED_SECRET")?,
    };
    Secret::parse(&text).context("--secret-file: unusable")
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
