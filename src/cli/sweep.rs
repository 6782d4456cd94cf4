//! `xunjian sweep`: crawl, fetch, audit, remember.

use std::sync::Arc;

use super::Exit;
use super::home::{HomeArgs, runtime};
use super::network::NetworkArgs;
use super::progress;
use super::run::{RunArgs, stop_on_interrupt};
use crate::acquire::Client;
use crate::crawl::Store;
use crate::model::config::Config;
use crate::pipeline::sweep::{Plan, Room, Sweep};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Stores by id, or an F-Droid repository as `fdroid+https://HOST/repo`.
    #[arg(required = true, value_name = "STORE")]
    stores: Vec<String>,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    network: NetworkArgs,
    /// Apps looked at in each store, at most.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Ask for every app's page, also where the catalogue says the same of it as before.
    #[arg(long)]
    refresh: bool,
    #[command(flatten)]
    run: RunArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let auditor = Arc::new(args.run.auditor()?);
    let config = args.network.config.load()?;
    let stores = args.network.chosen(&args.stores)?;
    runtime()?.block_on(async {
        let client = Arc::new(Client::new(&config)?);
        for (host, pace) in stores.iter().flat_map(|store| store.paces()) {
            client.set_pace(&host, pace);
        }
        let (home, _lock) = args.home.take().await?;
        let plan = Plan {
            refresh: args.refresh,
            timeout: args.run.timeout,
            as_of: args.run.day(),
            registers: args.run.keep_grounds(&home).await?,
            at_once: at_once(&config, &stores),
            ..Plan::default()
        };
        let sweep = Sweep {
            state: home.state.clone(),
            vault: home.vault.clone(),
            incoming: home.vault.incoming(),
            client: Arc::clone(&client),
            stores,
            auditor: Arc::clone(&auditor),
            plan,
            room: Room::of(args.limit),
            tally: Arc::default(),
            stop: stop_on_interrupt(),
        };
        let bars = progress::show(home.state.clone(), Arc::clone(&sweep.tally), client, &args.run.lang);
        let ended = sweep.run().await;
        drop(bars);
        args.run.finish(&home.state, &auditor, &ended?).await
    })
}

/// As many requests at once as the most patient host of a store allows; the client holds each
/// host to its own.
fn at_once(config: &Config, stores: &[Arc<Store>]) -> usize {
    let own = stores.iter().flat_map(|store| store.paces());
    let paces = own.map(|(host, pace)| config.pace_of(&host, Some(&pace)).at_once);
    paces.chain([config.pace.at_once]).chain(config.host.values().filter_map(|host| host.at_once)).max().unwrap_or(1)
        as usize
}
