//! What commands that fetch share: the stores, a client, a runtime to wait on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Context;

use super::config::ConfigArgs;
use super::usage::usage;
use crate::acquire::Client;
use crate::crawl::{Forgetful, Start, Store, Stores, Target};
use crate::model::config::Config;
use crate::model::fetch::{Answer, Ask, Downloaded, Fault, Wanted};
use crate::runs::fit::{Looked, look};
use crate::runs::{Visit, visit, visit_keeping};

/// Options of commands that fetch.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct NetworkArgs {
    /// Folder with store files that add to the built-in ones or replace those of the same name.
    #[arg(long = "stores", id = "stores_dir", value_name = "DIR")]
    pub(super) stores: Option<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

impl NetworkArgs {
    pub(super) fn stores(&self) -> anyhow::Result<Stores> {
        Ok(Stores::load(self.stores.as_deref(), &self.config.load()?)?)
    }

    /// The stores of these words.
    pub(super) fn chosen(&self, words: &[String]) -> anyhow::Result<Vec<Arc<Store>>> {
        let known = self.stores()?;
        let by_word = |word: &String| known.by_word(word).map_err(|e| usage!("--stores: {word}: {e}"));
        words.iter().map(|word| by_word(word).map(Arc::new)).collect()
    }
}

/// The network, made when first needed.
pub(super) struct Network {
    config: Config,
    made: OnceLock<(tokio::runtime::Runtime, Client)>,
}

impl Network {
    pub(super) fn new(args: &NetworkArgs) -> anyhow::Result<Self> {
        Ok(Self { config: args.config.load()?, made: OnceLock::new() })
    }

    fn parts(&self) -> anyhow::Result<&(tokio::runtime::Runtime, Client)> {
        if let Some(parts) = self.made.get() {
            return Ok(parts);
        }
        if self.config.network.contact.is_empty() {
            tracing::warn!(
                "network.contact is empty: no store can reach whoever runs this; set it in the configuration"
            );
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
        let client = Client::new(&self.config)?;
        Ok(self.made.get_or_init(|| (runtime, client)))
    }

    /// Follows a start of a store.
    pub(super) fn visit(&self, store: &Store, start: &Start, max: usize) -> anyhow::Result<Visit> {
        let (runtime, client) = self.parts()?;
        Ok(runtime.block_on(visit(client, store, start, &Forgetful, max)))
    }

    /// The same, with the pages that the apps were read from.
    pub(super) fn visit_keeping(&self, store: &Store, start: &Start, max: usize) -> anyhow::Result<Visit> {
        let (runtime, client) = self.parts()?;
        Ok(runtime.block_on(visit_keeping(client, store, start, &Forgetful, max)))
    }

    /// The same, for a few apps, with what was answered.
    pub(super) fn look(&self, store: &Store, start: &Start) -> anyhow::Result<Looked> {
        let (runtime, client) = self.parts()?;
        Ok(runtime.block_on(look(client, store, start)))
    }

    /// Fetches a page or a picture.
    pub(super) fn fetch(&self, ask: &Ask) -> anyhow::Result<Result<Answer, Fault>> {
        let (runtime, client) = self.parts()?;
        Ok(runtime.block_on(client.fetch(ask)))
    }

    /// Fetches a package into a folder.
    pub(super) fn download(&self, wanted: &Wanted, folder: &Path) -> anyhow::Result<Result<Downloaded, Fault>> {
        let (runtime, client) = self.parts()?;
        Ok(runtime.block_on(client.download(&wanted.ask, &wanted.expected, folder)))
    }
}

/// Stores and starts of a target.
pub(super) fn starts(target: &Target) -> Vec<(Store, Start)> {
    match target {
        Target::App(store, package) => vec![((**store).clone(), Start::Package(package.clone()))],
        Target::Page(store, url) => vec![((**store).clone(), Start::Url(url.clone()))],
        Target::Catalogue(store) => vec![((**store).clone(), Start::Catalogue(None))],
        Target::Words(stores, words) => stores.iter().map(|s| (s.clone(), Start::Words(words.clone()))).collect(),
    }
}

/// How a target was written, as far as reports need it.
pub(super) fn name_of(store: &Store, start: &Start) -> String {
    match start {
        Start::Package(package) => format!("{}:{package}", store.id),
        Start::Words(words) => format!("{}:?{words}", store.id),
        Start::Url(url) => url.clone(),
        Start::Catalogue(_) => store.id.clone(),
    }
}
