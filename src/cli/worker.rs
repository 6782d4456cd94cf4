//! `xunjian worker`: joins the sweeps that were submitted to a cluster, and delivers where it is told to.

mod health;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::Exit;
use super::config::ConfigArgs;
use super::deliver::DeliverArgs;
use super::home::{HomeArgs, runtime};
use super::network::NetworkArgs;
use super::run::{GroundsArgs, line, stop_on_interrupt};
use super::sweep::{Errand, prepare};
use crate::audit::Auditor;
use crate::crawl::Store;
use crate::register::{Register, Registers};
use crate::runs::sweep::{self, Sweep};
use crate::store::{Database, Home, Place, Run, State, Vault};
use health::Health;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Cluster of the configuration to join, or the address of its database. Default: the engines of `--engine`.
    #[arg(long, value_name = "CLUSTER")]
    on: Option<String>,
    /// Work to take.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "catalogue,listing,package,pictures,audit")]
    stages: Vec<Stage>,
    /// Audits at once. Default: as many as there are cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    auditors: Option<u16>,
    /// Address to answer `/health`, `/ready` and `/metrics` on.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// End when nothing is left to join.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    grounds: GroundsArgs,
    #[command(flatten)]
    deliver: DeliverArgs,
}

/// Work of one sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Stage {
    /// Pages of catalogues.
    Catalogue,
    /// Apps' own pages.
    Listing,
    /// Packages, and screenshots as evidence: many bytes.
    Package,
    /// Screenshots, fetched and read for words: much computing.
    Pictures,
    /// Audits: much computing.
    Audit,
    /// Decisions to the case backend, as `xunjian feed` sends them; of several that could, one does.
    Deliver,
}

impl Stage {
    /// The stage of a sweep, if it is one.
    fn of_sweep(self) -> Option<sweep::Stage> {
        match self {
            Self::Catalogue => Some(sweep::Stage::Catalogue),
            Self::Listing => Some(sweep::Stage::Listing),
            Self::Package => Some(sweep::Stage::Package),
            Self::Pictures => Some(sweep::Stage::Pictures),
            Self::Audit => Some(sweep::Stage::Audit),
            Self::Deliver => None,
        }
    }
}

/// Time between looks for runs to join.
const LOOK: Duration = Duration::from_secs(1);

/// What whoever submits a sweep tells those who join it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Stores as they were named.
    stores: Vec<String>,
    /// Ask for every app's page.
    refresh: bool,
    /// Seconds that reading one app may take.
    timeout: u64,
    /// Day on which licences are judged.
    as_of: String,
    /// Name of the registers in the vault; empty where none was given.
    registers: String,
    /// Hash of the signatures that judge.
    pack_sha256: String,
    /// Policy that judges.
    policy: String,
    /// Version that judges.
    version: String,
}

impl Order {
    /// What a sweep goes by.
    pub(super) fn of(sweep: &Sweep<Database, Place, Store>, stores: &[String]) -> Self {
        let made_by = sweep.auditor.made_by();
        Self {
            stores: stores.to_vec(),
            refresh: sweep.plan.refresh,
            timeout: sweep.plan.timeout,
            as_of: sweep.plan.as_of.clone(),
            registers: sweep.plan.registers.clone(),
            pack_sha256: made_by.pack_sha256,
            policy: made_by.policy,
            version: made_by.version,
        }
    }

    /// The auditor of a worker, made to judge as the order says.
    async fn auditor(&self, own: &Auditor, vault: &impl Vault) -> anyhow::Result<Auditor> {
        let made_by = own.made_by();
        anyhow::ensure!(made_by.version == self.version, "it was submitted by xunjian {}", self.version);
        anyhow::ensure!(
            made_by.pack_sha256 == self.pack_sha256,
            "it was submitted with other signatures ({}): give this worker the same version and --signatures, or submit the sweep anew",
            self.pack_sha256
        );
        let policy = own.pack.policy(&self.policy).with_context(|| format!("policy {} is not here", self.policy))?;
        let registers: Vec<Register> = match self.registers.as_str() {
            "" => Vec::new(),
            name => serde_json::from_slice(&vault.get(name).await?).context("its registers do not read")?,
        };
        let registers = Arc::new(Registers::new(registers, &self.as_of));
        let (pack, budget) = (Arc::clone(&own.pack), own.budget.clone());
        Ok(Auditor { pack, policy, budget, registers })
    }
}

impl Args {
    /// The configuration that holds.
    pub(super) fn config(&self) -> &ConfigArgs {
        &self.network.config
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.stages.contains(&Stage::Deliver) {
        args.deliver.check()?;
    }
    let config = args.network.config.load()?;
    let own = args.grounds.auditor(&config)?;
    runtime()?.block_on(async {
        let home = match &args.on {
            Some(cluster) => args.home.open_on(cluster, &config).await?,
            None => args.home.open_by(&config).await?,
        };
        let stop = stop_on_interrupt();
        let health = Arc::new(Health::new(home.state.clone(), Arc::clone(&stop)));
        if let Some(address) = args.listen {
            health::listen(address, Arc::clone(&health)).await?;
        }
        let courier = match args.stages.contains(&Stage::Deliver) {
            true => Some(args.deliver.courier(&home).await?),
            false => None,
        };
        let delivering = async {
            match &courier {
                Some(courier) if args.once => courier.once().await.map(drop),
                Some(courier) => {
                    courier.run(&stop).await;
                    Ok(())
                }
                None => Ok(()),
            }
        };
        let (sent, ()) = tokio::join!(delivering, join_all(args, &home, &own, &stop, &health));
        home.state.close().await;
        sent?;
        Ok(Exit::Clean)
    })
}

/// Joins runs until this worker is stopped, or until nothing is left where it was told to end then.
async fn join_all(args: &Args, home: &Home, own: &Auditor, stop: &Arc<AtomicBool>, health: &Arc<Health>) {
    let stages: Vec<sweep::Stage> = args.stages.iter().filter_map(|stage| stage.of_sweep()).collect();
    if stages.is_empty() {
        return;
    }
    let mut told = Vec::new();
    loop {
        let mut joined = false;
        for run in joinable(home).await {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let id = run.id;
            match join(args, home, own, run, &stages, stop, health).await {
                Ok(is_done) => joined |= is_done,
                // Once for each run: the next look comes in a second.
                Err(error) if !told.contains(&id) => {
                    tracing::error!(run = id, "cannot join: {error:#}");
                    told.push(id);
                }
                Err(_) => {}
            }
        }
        if stop.load(Ordering::Relaxed) || (args.once && !joined) {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Runs to join; none while the engine does not answer.
async fn joinable(home: &Home) -> Vec<Run> {
    match home.state.joinable().await {
        Ok(runs) => runs,
        Err(error) => {
            tracing::warn!("the engine does not answer: {error}");
            Vec::new()
        }
    }
}

/// Works on a run until it is done or this worker is stopped.
async fn join(
    args: &Args,
    home: &Home,
    own: &Auditor,
    run: Run,
    stages: &[sweep::Stage],
    stop: &Arc<AtomicBool>,
    health: &Arc<Health>,
) -> anyhow::Result<bool> {
    let order: Order = serde_json::from_str(run.plan.as_deref().unwrap_or_default())
        .context("its plan is of another version of xunjian")?;
    let auditor = Arc::new(order.auditor(own, &home.vault).await?);
    let config = args.network.config.load()?;
    let errand = Errand {
        kind: "sweep",
        scope: None,
        stores: args.network.chosen(&order.stores)?,
        aims: Vec::new(),
        limit: None,
        refresh: order.refresh,
        stop: Arc::clone(stop),
    };
    let mut sweep = prepare(home, &config, auditor, &args.grounds, errand).await?;
    sweep.plan.timeout = order.timeout;
    sweep.plan.as_of = order.as_of;
    sweep.plan.registers = order.registers;
    if let Some(auditors) = args.auditors {
        sweep.plan.auditors = usize::from(auditors);
    }
    sweep.tally = Arc::clone(&health.tally);
    health.watch(&sweep.client);
    let ended = sweep.join(run, stages).await?;
    tracing::info!("{}", line(&ended, &args.grounds.judging.speech.lang));
    Ok(ended.is_done)
}
