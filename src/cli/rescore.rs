//! `xunjian rescore`: the signatures at hand over everything remembered.

use std::sync::Arc;

use super::Exit;
use super::home::{HomeArgs, runtime};
use super::run::{RunArgs, stop_on_interrupt};
use crate::pipeline::rescore::Rescore;

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
    let auditor = Arc::new(args.run.auditor()?);
    runtime()?.block_on(async {
        let (home, _lock) = args.home.take().await?;
        let rescore = Rescore {
            state: home.state.clone(),
            vault: home.vault.clone(),
            auditor: Arc::clone(&auditor),
            kind: "rescore".into(),
            only: Vec::new(),
            all: args.all,
            auditors: std::thread::available_parallelism().map_or(1, usize::from),
            timeout: args.run.timeout,
            as_of: args.run.day(),
            registers: args.run.keep_grounds(&home).await?,
            tally: Arc::default(),
            stop: stop_on_interrupt(),
        };
        let ended = rescore.run().await?;
        args.run.finish(&home.state, &auditor, &ended).await
    })
}
