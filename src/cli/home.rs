//! `--home` and `--engine`: where everything remembered is kept, and on what it stands.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::Context;
use clap::ArgMatches;

use super::config::ConfigArgs;
use super::usage::{OrUsage, ensure_usage, usage};
use crate::model::config::{Config, Engine};
use crate::store::{Home, Lock, StoreError};

/// The home that this command line, or the environment, names.
static GIVEN: OnceLock<PathBuf> = OnceLock::new();

/// Keeps the home of a command line: its configuration and registers are those in force where none
/// were named, also for options that do not know of it.
pub(super) fn give(mut matches: &ArgMatches) {
    loop {
        if let Ok(Some(home)) = matches.try_get_one::<PathBuf>("home") {
            let _ = GIVEN.set(home.clone());
        }
        let Some((_, deeper)) = matches.subcommand() else { return };
        matches = deeper;
    }
}

/// The home in force, for what lies in it.
pub(super) fn given() -> Option<PathBuf> {
    GIVEN.get().cloned().or_else(|| std::env::var_os("XUNJIAN_HOME").map(PathBuf::from))
}

/// Options that name the home and its engines.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct HomeArgs {
    /// Folder of state and packages. Default: `XUNJIAN_HOME`.
    #[arg(long, value_name = "DIR", env = "XUNJIAN_HOME")]
    home: Option<PathBuf>,
    /// What state and work stand on. Default: what the configuration's `[engine]` names, else sqlite.
    #[arg(long, value_enum)]
    engine: Option<EngineName>,
    /// Address of PostgreSQL. Default: `XUNJIAN_DATABASE`, else the configuration's.
    #[arg(long, value_name = "URL", env = "XUNJIAN_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// Address of NATS. Default: `XUNJIAN_NATS`, else the configuration's.
    #[arg(long, value_name = "URL", env = "XUNJIAN_NATS", hide_env_values = true)]
    nats: Option<String>,
    /// `s3://BUCKET/PREFIX` or a folder. Default: `XUNJIAN_VAULT`, else the configuration's, else in the home.
    #[arg(long, value_name = "PLACE", env = "XUNJIAN_VAULT")]
    vault: Option<String>,
}

/// What state and work stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EngineName {
    /// A file in the home folder.
    Sqlite,
    /// State and work in PostgreSQL.
    Postgres,
    /// State in PostgreSQL, work handed out by NATS JetStream.
    Nats,
}

impl HomeArgs {
    /// The folder.
    pub(super) fn folder(&self) -> anyhow::Result<PathBuf> {
        self.home.clone().or_usage(|| "--home is missing: name a folder for state and packages, or set XUNJIAN_HOME")
    }

    /// The engines: what was said here over what the configuration says.
    pub(super) fn engines(&self, config: &Config) -> anyhow::Result<Engine> {
        let mut engine = config.engine.clone();
        for (said, to) in
            [(&self.database, &mut engine.database), (&self.nats, &mut engine.nats), (&self.vault, &mut engine.vault)]
        {
            if let Some(said) = said {
                to.clone_from(said);
            }
        }
        match self.engine {
            None => {}
            Some(EngineName::Sqlite) => {
                engine.database.clear();
                engine.nats.clear();
            }
            Some(EngineName::Postgres) => {
                ensure_usage!(!engine.database.is_empty(), "--engine postgres: say where with --database URL");
                engine.nats.clear();
            }
            Some(EngineName::Nats) => {
                ensure_usage!(!engine.database.is_empty(), "--engine nats: say where state is with --database URL");
                ensure_usage!(!engine.nats.is_empty(), "--engine nats: say where it is with --nats URL");
            }
        }
        Ok(engine)
    }

    /// Opens it, made where it is not there yet.
    pub(super) async fn open(&self) -> anyhow::Result<Home> {
        self.open_by(&ConfigArgs::default().load()?).await
    }

    /// Opens it on the engines of this configuration.
    pub(super) async fn open_by(&self, config: &Config) -> anyhow::Result<Home> {
        let (folder, engine) = (self.folder()?, self.engines(config)?);
        named(Home::open_on(&folder, &engine).await, || format!("--home {}: cannot be used", folder.display()))
    }

    /// Opens it on a cluster of the configuration, or (`postgres://…`) on that database.
    pub(super) async fn open_on(&self, cluster: &str, config: &Config) -> anyhow::Result<Home> {
        let engine = match config.cluster.get(cluster) {
            // What was said here, or in the environment, wins as it does for [engine].
            Some(engine) => self.engines(&Config { engine: engine.clone(), ..Config::default() })?,
            None if cluster.contains("://") => Engine { database: cluster.to_owned(), ..self.engines(config)? },
            None => {
                return Err(usage!(
                    "--on {cluster}: no such cluster; add [cluster.{cluster}] to the configuration, or give postgres://..."
                ));
            }
        };
        ensure_usage!(!engine.database.is_empty(), "--on {cluster}: a cluster has a `database`");
        let folder = self.folder()?;
        named(Home::open_on(&folder, &engine).await, || format!("--on {cluster}: cannot be used"))
    }

    /// Opens it for this process alone.
    pub(super) async fn take(&self, config: &Config) -> anyhow::Result<(Home, Lock)> {
        let home = self.open_by(config).await?;
        let lock = home.lock()?.ok_or_else(|| Held(home.root.clone()))?;
        Ok((home, lock))
    }
}

/// Another process changes the home.
#[derive(Debug, thiserror::Error)]
#[error("--home {}: another sweep, rescore or watch works on it; wait for it to end", .0.display())]
pub(super) struct Held(PathBuf);

/// What was opened. An engine that cannot be used is told by its own name, not by that of the folder
/// or the option that led to it.
fn named(opened: crate::store::Result<Home>, by: impl FnOnce() -> String) -> anyhow::Result<Home> {
    match opened {
        Err(error @ StoreError::Unusable { .. }) => Err(error.into()),
        opened => opened.or_usage(by),
    }
}

/// The threads that asynchronous work runs on.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads for network and state")
}
