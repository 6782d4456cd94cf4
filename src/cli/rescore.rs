//! `xunjian rescore`: the signatures at hand over everything remembered.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Exit;
use super::config::ConfigArgs;
use super::home::{HomeArgs, runtime};
use super::run::{RunArgs, stop_on_interrupt};
use crate::audit::Auditor;
use crate::runs::rescore::Rescore;
use crate::runs::sweep::Ended;
use crate::store::Home;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArgs,
    /// Judge again even what these signatures have judged: registers or dates changed.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    run: RunArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = ConfigArgs::default().load()?;
    let auditor = Arc::new(args.run.grounds.auditor(&config)?);
    runtime()?.block_on(async {
        let (home, _lock) = args.home.take(&config).await?;
        let ended = rescore(&home, Arc::clone(&auditor), &args.run, args.all, stop_on_interrupt()).await?;
        args.run.finish(&home.state, &auditor, &ended).await
    })
}

/// Judges everything remembered that these signatures have not judged.
pub(super) async fn rescore(
    home: &Home,
    auditor: Arc<Auditor>,
    run: &RunArgs,
    all: bool,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Ended> {
    let rescore = Rescore {
        state: home.state.clone(),
        vault: home.vault.clone(),
        auditor,
        kind: "rescore".into(),
        only: Vec::new(),
        all,
        auditors: std::thread::available_parallelism().map_or(1, usize::from),
        timeout: run.grounds.timeout,
        as_of: run.grounds.day(),
        registers: run.grounds.keep_grounds(home).await?,
        tally: Arc::default(),
        stop,
    };
    Ok(rescore.run().await?)
}
