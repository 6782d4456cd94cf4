//! `--home`: where everything remembered is kept.

use std::path::PathBuf;

use anyhow::Context;

use crate::store::{Home, Lock};

/// Option that names the home.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct HomeArgs {
    /// Folder of state and packages. Default: `XUNJIAN_HOME`.
    #[arg(long, value_name = "DIR", env = "XUNJIAN_HOME")]
    home: Option<PathBuf>,
}

impl HomeArgs {
    /// The folder.
    pub(super) fn folder(&self) -> anyhow::Result<PathBuf> {
        self.home.clone().context("--home is missing: name a folder for state and packages, or set XUNJIAN_HOME")
    }

    /// Opens it, made where it is not there yet.
    pub(super) async fn open(&self) -> anyhow::Result<Home> {
        let folder = self.folder()?;
        Home::open(&folder).await.with_context(|| format!("--home {}: cannot be used", folder.display()))
    }

    /// Opens it for this process alone.
    pub(super) async fn take(&self) -> anyhow::Result<(Home, Lock)> {
        let home = self.open().await?;
        let lock = home.lock()?.with_context(|| {
            format!("--home {}: another sweep, rescore or watch works on it; wait for it to end", home.root.display())
        })?;
        Ok((home, lock))
    }
}

/// The threads that asynchronous work runs on.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads for network and state")
}
