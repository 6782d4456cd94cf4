//! `xunjian feed`: decisions to the case backend.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Exit;
use super::deliver::DeliverArgs;
use super::home::{HomeArgs, runtime};
use super::register::RegisterArgs;
use super::run::stop_on_interrupt;
use super::usage::{OrUsage, ensure_usage};
use crate::feed::{Asked, Feed, Source, is_safe};
use crate::runs::sweep::now;

/// Time between looks at the clock.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    deliver: DeliverArgs,
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
    args.deliver.check()?;
    let source = source(args)?;
    runtime()?.block_on(async {
        let home = args.home.open().await?;
        let courier = args.deliver.courier(&home).await?;
        if args.once {
            let has_standings = match &source {
                Some(source) => ask(&courier.feed, source).await,
                None => true,
            };
            let round = courier.once().await?.or_usage(|| "--once: another feed or worker delivers from there")?;
            return Ok(if round.again + round.dead == 0 && has_standings { Exit::Clean } else { Exit::Incomplete });
        }
        let stop = stop_on_interrupt();
        let every = Duration::from_secs(args.standings_every);
        let asking = async {
            let mut asked: Option<Instant> = None;
            while !stop.load(Ordering::Relaxed) {
                if let Some(source) = source.as_ref().filter(|_| asked.is_none_or(|at| at.elapsed() >= every)) {
                    asked = Some(Instant::now());
                    ask(&courier.feed, source).await;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::join!(courier.run(&stop), asking);
        Ok(Exit::Clean)
    })
}

/// Where standings are asked for, if anywhere.
fn source(args: &Args) -> anyhow::Result<Option<Source>> {
    let Some(from) = args.standings.clone() else { return Ok(None) };
    ensure_usage!(is_safe(&from), "--standings: lists travel over https only, except on this machine");
    let folder = args.registers.folder().or_usage(|| "--registers is missing: name the folder of registers")?;
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
            let more = taken.left_out_count - taken.left_out.len();
            if more > 0 {
                tracing::warn!(more, "further entries were left out");
            }
            for name in &taken.unknown {
                tracing::warn!(name, "nothing was done with what the contract does not name");
            }
            // Other lists in force are worth a line whatever the level.
            tracing::warn!(?taken.kept, "standings taken");
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
