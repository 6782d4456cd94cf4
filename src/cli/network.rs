//! `--config`, `--stores`, `--allow-private`: what stores there are and how they are asked.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use crate::acquire::Client;
use crate::crawl::{Store, Stores};
use crate::model::config::Config;

/// Options of everything that asks stores.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct NetworkArgs {
    /// Configuration file. Default: `XUNJIAN_CONFIG`, else built-in values.
    #[arg(long, value_name = "FILE", env = "XUNJIAN_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of store files that add to the built-in ones or replace those of the same name.
    #[arg(long = "stores", id = "stores_dir", value_name = "DIR")]
    stores: Option<PathBuf>,
    /// Also connect to private and loopback addresses: for mirrors of your own.
    #[arg(long)]
    allow_private: bool,
}

impl NetworkArgs {
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            None => Config::default(),
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path).with_context(|| format!("--config {name}: cannot be read"))?;
                Config::parse(&name, &text).with_context(|| format!("--config {name}"))?
            }
        };
        config.network.allow_private |= self.allow_private;
        Ok(config)
    }

    /// The stores of these words, and a client that keeps their pace.
    pub(super) fn stores(&self, words: &[String], config: &Config) -> anyhow::Result<(Arc<Client>, Vec<Arc<Store>>)> {
        let known = Stores::load(self.stores.as_deref(), config).context("--stores: a store's file has a fault")?;
        let by_word = |word: &String| known.by_word(word).map_err(|e| anyhow::anyhow!("--stores: {word}: {e}"));
        let stores: Vec<Arc<Store>> =
            words.iter().map(|word| by_word(word).map(Arc::new)).collect::<anyhow::Result<_>>()?;
        let client = Client::new(config)?;
        for (host, pace) in stores.iter().flat_map(|store| store.paces()) {
            client.set_pace(&host, pace);
        }
        Ok((Arc::new(client), stores))
    }
}
