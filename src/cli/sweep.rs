//! `xunjian sweep`: crawl, fetch, audit, remember.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;

use super::Exit;
use super::config::ConfigArgs;
use super::home::{HomeArgs, runtime};
use super::network::NetworkArgs;
use super::progress;
use super::run::{GroundsArgs, RunArgs, stop_on_interrupt};
use super::turns::SharedTurns;
use super::worker::Order;
use crate::acquire::Client;
use crate::audit::Auditor;
use crate::crawl::Store;
use crate::model::config::Config;
use crate::runs::sweep::{Ended, Plan, Room, Sweep, Texts};
use crate::store::{Database, Home, Place, State};

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
    /// Leave the work to the workers of a cluster of the configuration, and end.
    #[arg(long, value_name = "CLUSTER", conflicts_with = "limit")]
    on: Option<String>,
    /// With --on: wait until the workers are done, and report.
    #[arg(long, requires = "on")]
    wait: bool,
    #[command(flatten)]
    run: RunArgs,
}

impl Args {
    /// The configuration that holds.
    pub(super) fn config(&self) -> &ConfigArgs {
        &self.network.config
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = args.network.config.load()?;
    let auditor = Arc::new(args.run.grounds.auditor(&config)?);
    let stores = args.network.chosen(&args.stores)?;
    if let Some(cluster) = &args.on {
        return runtime()?.block_on(submit(args, &config, auditor, stores, cluster));
    }
    runtime()?.block_on(async {
        let (home, _lock) = args.home.take(&config).await?;
        let errand = Errand {
            kind: "sweep",
            scope: None,
            stores,
            aims: Vec::new(),
            limit: args.limit,
            refresh: args.refresh,
            stop: stop_on_interrupt(),
        };
        let ended = sweep(&home, &config, Arc::clone(&auditor), &args.run, errand).await?;
        args.run.finish(&home.state, &auditor, &ended).await
    })
}

/// Time between looks at a run that others work on.
const LOOK: Duration = Duration::from_millis(500);

/// Hands a sweep to a cluster.
async fn submit(
    args: &Args,
    config: &Config,
    auditor: Arc<Auditor>,
    stores: Vec<Arc<Store>>,
    cluster: &str,
) -> anyhow::Result<Exit> {
    let home = args.home.open_on(cluster, config).await?;
    let stop = stop_on_interrupt();
    let errand = Errand {
        kind: "sweep",
        scope: None,
        stores,
        aims: Vec::new(),
        limit: None,
        refresh: args.refresh,
        stop: Arc::clone(&stop),
    };
    let sweep = prepare(&home, config, Arc::clone(&auditor), &args.run.grounds, errand).await?;
    let order = Order::of(&sweep, &args.stores);
    let run = sweep.submit(&serde_json::to_string(&order)?).await?;
    if !args.wait {
        println!("{}", rust_i18n::t!("run.submitted", locale = &args.run.grounds.judging.speech.lang, run = run.id));
        return Ok(Exit::Clean);
    }
    loop {
        let now = home.state.run(run.id).await?.context("the run is not there any more")?;
        let is_done = now.ended.is_some();
        if is_done || stop.load(Ordering::Relaxed) {
            let counts = home.state.tally(run.id).await?;
            return args.run.finish(&home.state, &auditor, &Ended { run: now, is_done, counts }).await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What a sweep goes over.
pub(super) struct Errand {
    pub(super) kind: &'static str,
    /// What its run is remembered by, where that is not the stores.
    pub(super) scope: Option<String>,
    pub(super) stores: Vec<Arc<Store>>,
    pub(super) aims: Vec<(String, String)>,
    pub(super) limit: Option<usize>,
    pub(super) refresh: bool,
    pub(super) stop: Arc<AtomicBool>,
}

/// Sweeps, with bars where there is a terminal.
pub(super) async fn sweep(
    home: &Home,
    config: &Config,
    auditor: Arc<Auditor>,
    run: &RunArgs,
    errand: Errand,
) -> anyhow::Result<Ended> {
    let sweep = prepare(home, config, auditor, &run.grounds, errand).await?;
    let (state, tally, client) = (home.state.clone(), Arc::clone(&sweep.tally), Arc::clone(&sweep.client));
    let bars = progress::show(state, tally, client, &run.grounds.judging.speech.lang);
    let ended = sweep.run().await;
    drop(bars);
    Ok(ended?)
}

/// A sweep over this home, ready to run.
pub(super) async fn prepare(
    home: &Home,
    config: &Config,
    auditor: Arc<Auditor>,
    grounds: &GroundsArgs,
    errand: Errand,
) -> anyhow::Result<Sweep<Database, Place, Store>> {
    if config.network.contact.is_empty() {
        tracing::warn!("network.contact is empty: no store can reach whoever runs this; set it in the configuration");
    }
    let client = Client::new(config)?;
    let client = Arc::new(match home.state.is_shared() {
        true => client.sharing(Arc::new(SharedTurns::new(home.state.clone()))),
        false => client,
    });
    for (host, pace) in errand.stores.iter().flat_map(|store| store.paces()) {
        client.set_pace(&host, pace);
    }
    let plan = Plan {
        refresh: errand.refresh,
        accepts_losses: config.store.iter().filter(|(_, of)| of.accept_losses).map(|(id, _)| id.clone()).collect(),
        // The client has tried with waits of its own before a job fails.
        backoff: (config.network.backoff * 2500.0) as i64,
        withheld_rest: (config.network.withheld_rest * 1000.0) as i64,
        timeout: grounds.timeout,
        as_of: grounds.day(),
        registers: grounds.keep_grounds(home).await?,
        at_once: at_once(config, &errand.stores),
        ..Plan::default()
    };
    Ok(Sweep {
        state: home.state.clone(),
        vault: home.vault.clone(),
        incoming: home.vault.incoming(),
        client,
        stores: errand.stores,
        kind: errand.kind.into(),
        scope: errand.scope,
        aims: errand.aims,
        auditor,
        plan,
        room: Room::of(errand.limit),
        texts: Texts::default(),
        tally: Arc::default(),
        stop: errand.stop,
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
