//! `xunjian prune`: forget what no longer serves.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rust_i18n::t;

use super::Exit;
use super::config::ConfigArgs;
use super::home::{HomeArgs, runtime};
use super::run::stop_on_interrupt;
use super::speech::SpeechArgs;
use crate::model::config::Config;
use crate::runs::prune::{Limits, Pruned, prune};
use crate::runs::sweep::now;
use crate::store::{Gone, Home};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Cluster of the configuration, or the address of its database. Default: the engines of `--engine`.
    #[arg(long, value_name = "CLUSTER")]
    on: Option<String>,
    /// Only say what would go.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = args.config.load()?;
    runtime()?.block_on(async {
        let home = match &args.on {
            Some(cluster) => args.home.open_on(cluster, &config).await?,
            None => args.home.open_by(&config).await?,
        };
        let pruned = prune_home(&home, &config, args.dry_run, &stop_on_interrupt()).await?;
        print!("{}", told(&pruned, args.dry_run, &args.speech.lang));
        Ok(if pruned.is_done { Exit::Clean } else { Exit::Incomplete })
    })
}

/// Forgets what the configuration does not keep. No lock: it may run beside sweeps.
pub(super) async fn prune_home(
    home: &Home,
    config: &Config,
    is_dry: bool,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Pruned> {
    let limits = Limits::of(&config.keep, now());
    Ok(prune((&home.state, &home.vault), limits, is_dry, stop).await?)
}

/// One line a sort of what went, and why no more did.
fn told(pruned: &Pruned, is_dry: bool, lang: &str) -> String {
    let heading = if is_dry { "prune.would" } else { "prune.did" };
    let mut out = format!("{}\n", t!(heading, locale = lang));
    let rows = pruned.rows.iter().map(|(rows, gone)| (rows.id(), *gone)).chain([("blobs", pruned.blobs)]);
    for (id, gone) in rows {
        out.push_str(&format!("  {}{}\n", t!(format!("prune.{id}"), locale = lang), amount(gone)));
    }
    if let Some(run) = &pruned.held_by {
        out.push_str(&format!(
            "{}\n",
            t!("prune.held", locale = lang, run = run.id, kind = run.kind, scope = run.scope)
        ));
    }
    if !pruned.is_done {
        out.push_str(&format!("{}\n", t!("prune.stopped", locale = lang)));
    }
    out
}

/// One line for a log of runs.
pub(super) fn line(pruned: &Pruned, lang: &str) -> String {
    let rows: u64 = pruned.rows.values().map(|gone| gone.count).sum();
    t!("prune.line", locale = lang, rows = rows, blobs = pruned.blobs.count, bytes = size(pruned.blobs.bytes))
        .into_owned()
}

fn amount(gone: Gone) -> String {
    if gone.bytes == 0 { gone.count.to_string() } else { format!("{} ({})", gone.count, size(gone.bytes)) }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
