//! `--keep` and `--evidence`: audits of one command remembered, and the bag of each finding written at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tempfile::TempDir;

use super::home::{HomeArgs, runtime};
use super::jobs::{Outcome, Shows};
use super::network::Network;
use super::shown::From;
use super::usage::OrUsage;
use crate::acquire::Client;
use crate::audit::Auditor;
use crate::model::config::Config;
use crate::model::{Audit, Listing, Skipped};
use crate::register::Register;
use crate::runs::asked::Grounds;
use crate::runs::evidence::{self, Stamping};
use crate::runs::inner;
use crate::runs::single::{self, Single};
use crate::signature::Source;
use crate::store::{AuditRow, Home, State, Vault};
use crate::time;

/// Kind of the runs.
const KIND: &str = "audit";

/// Remembers audits, in the home or in a folder that is gone afterwards.
pub(super) struct Keeper {
    runtime: tokio::runtime::Runtime,
    home: Home,
    grounds: Grounds,
    run: i64,
    bags: Option<(PathBuf, Stamping)>,
    _folder: Option<TempDir>,
}

/// What a keeper's audits rest on.
pub(super) struct Basis<'a> {
    pub(super) auditor: &'a Auditor,
    pub(super) source: &'a Source,
    pub(super) registers: &'a [Register],
    pub(super) as_of: String,
    pub(super) timeout: u64,
}

impl Keeper {
    /// Remembers in this home; in none that lasts where there is none.
    ///
    /// # Errors
    /// When the home cannot be used.
    pub(super) fn new(home: Option<&HomeArgs>, config: &Config, basis: &Basis<'_>) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let folder = if home.is_none() { Some(tempfile::tempdir().context("no temporary folder")?) } else { None };
        let opened = runtime.block_on(async {
            match (home, &folder) {
                (Some(home), _) => home.open_by(config).await,
                (None, Some(folder)) => Ok(Home::open(folder.path()).await?),
                (None, None) => anyhow::bail!("no folder to remember in"),
            }
        })?;
        let (registers, run) = runtime.block_on(async {
            evidence::keep_pack(&opened.state, &opened.vault, basis.source).await?;
            let registers = match basis.registers {
                [] => String::new(),
                all => opened.vault.put(&serde_json::to_vec(all)?).await?,
            };
            let run = opened.state.begin(KIND, &format!("{}", time::now()), time::now()).await?;
            anyhow::Ok((registers, run.id))
        })?;
        let auditor = Auditor {
            pack: Arc::clone(&basis.auditor.pack),
            policy: basis.auditor.policy.clone(),
            budget: basis.auditor.budget.renewed(),
            registers: Arc::clone(&basis.auditor.registers),
        };
        let grounds = Grounds {
            auditor: Arc::new(auditor),
            timeout: basis.timeout,
            as_of: basis.as_of.clone(),
            registers,
            incoming: opened.vault.incoming(),
        };
        Ok(Self { runtime, home: opened, grounds, run, bags: None, _folder: folder })
    }

    /// Writes a bag for each finding into this folder.
    ///
    /// # Errors
    /// When no client can be made for the authority that stamps bags.
    pub(super) fn with_bags(mut self, folder: &Path, config: &Config) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .or_usage(|| format!("--evidence {}: the folder cannot be made", folder.display()))?;
        let stamping = Stamping::of(&config.evidence, &Arc::new(Client::new(config)?));
        self.bags = Some((folder.to_owned(), stamping));
        Ok(self)
    }

    /// Audits one app by its files, its listing, or both.
    pub(super) fn audit(&self, files: &[(PathBuf, String)], shows: Option<Shows<'_>>) -> Vec<Outcome> {
        let listing = shows.map(|(listing, _)| listing);
        let target = files.first().map(|(_, name)| name.clone());
        let target = target.or_else(|| listing.map(|listing| listing.name().to_owned())).unwrap_or_default();
        match self.keep(files, shows) {
            Ok((told, skipped)) => told
                .into_iter()
                .map(|told| Outcome::Audit(Box::new(told)))
                .chain(skipped.into_iter().map(Outcome::Skip))
                .collect(),
            Err(error) => {
                let reason = format!("{error:#}");
                vec![Outcome::Skip(Skipped { target, stage: "audit".into(), code: "failed".into(), reason })]
            }
        }
    }

    fn keep(
        &self,
        files: &[(PathBuf, String)],
        shows: Option<Shows<'_>>,
    ) -> anyhow::Result<(Option<Audit>, Option<Skipped>)> {
        let mut packed = None;
        // What is kept is one file: splits are packed as stores hand them out.
        let file = match files {
            [] => None,
            [(path, name)] => Some((path.clone(), name.clone())),
            [(_, name), ..] => {
                let mut set = tempfile::NamedTempFile::new()?;
                inner::pack(files, set.as_file_mut())?;
                let path = packed.insert(set).path().to_owned();
                Some((path, format!("{}.apks", name.trim_end_matches(".apk"))))
            }
        };
        let mut single = Single {
            file: file.as_ref().map(|(path, name)| (path.as_path(), name.as_str())),
            listing: shows.map(|(listing, _)| listing),
            ..Single::default()
        };
        if let Some((listing, From::Store(network, had))) = shows {
            (single.page, single.package) = (had.page, had.package);
            self.pictures(network, listing)?;
        }
        let places = (&self.home.state, &self.home.vault);
        let kept = self.runtime.block_on(single::audit(places, &self.grounds, self.run, single))?;
        if kept.audit.is_none() {
            return Ok((None, kept.skipped));
        }
        self.bag(&kept.told)?;
        let mut told = kept.told;
        // In the bag by its last name, in the report by the path that it was given as.
        if let (Some((_, name)), Some(artifact)) = (&file, told.artifacts.first_mut()) {
            artifact.name.clone_from(name);
        }
        Ok((Some(told), kept.skipped))
    }

    /// Fetches and reads the pictures that a store shows of an app. One that cannot be had is missing from what is
    /// read, which the audit says.
    fn pictures(&self, network: &Network, listing: &Listing) -> anyhow::Result<()> {
        let places = (&self.home.state, &self.home.vault);
        for ask in single::pictures(&self.grounds, listing) {
            match network.fetch(&ask)? {
                Ok(answer) => {
                    let picture = (ask, answer);
                    self.runtime.block_on(single::keep_picture(places, &self.grounds, &picture))?;
                }
                Err(fault) => tracing::info!(url = %ask.url, "a picture is not to be had: {fault}"),
            }
        }
        Ok(())
    }

    /// The bag of each finding, in a folder by its id.
    fn bag(&self, audit: &Audit) -> anyhow::Result<()> {
        let Some((folder, stamping)) = &self.bags else { return Ok(()) };
        for finding in &audit.findings {
            let out = free(folder, &finding.id);
            let places = (&self.home.state, &self.home.vault);
            let done = evidence::export(places, &finding.id, stamping, &out, time::now());
            self.runtime.block_on(done).or_usage(|| format!("--evidence {}", out.display()))?;
        }
        Ok(())
    }

    /// Everything is done.
    ///
    /// # Errors
    /// When the state fails.
    pub(super) fn finish(&self) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let counts = self.home.state.tally(self.run).await?;
            self.home.state.end(self.run, &serde_json::to_string(&counts)?, time::now()).await?;
            Ok(())
        })
    }

    /// Audits one file and hands back what is remembered of it, for a comparison.
    ///
    /// # Errors
    /// When it is no package, or cannot be remembered.
    pub(super) fn row(&self, path: &Path) -> anyhow::Result<AuditRow> {
        let name = path.display().to_string();
        let single = Single { file: Some((path, &name)), ..Single::default() };
        let places = (&self.home.state, &self.home.vault);
        let kept = self.runtime.block_on(single::audit(places, &self.grounds, self.run, single))?;
        let reason = kept.skipped.map(|skipped| skipped.reason).unwrap_or_default();
        let id = kept.audit.or_usage(|| format!("{name}: {reason}"))?;
        let row = self.runtime.block_on(self.home.state.audit(id))?;
        row.context("the audit is not there any more")
    }

    /// Home and threads, for what reads what was remembered.
    pub(super) fn parts(&self) -> (&tokio::runtime::Runtime, &Home) {
        (&self.runtime, &self.home)
    }
}

/// A folder that is not there yet: the bags of an earlier audit stay.
fn free(folder: &Path, name: &str) -> PathBuf {
    let first = folder.join(name);
    let mut others = (2_u32..).map(|number| folder.join(format!("{name}-{number}")));
    if first.exists() { others.find(|other| !other.exists()).unwrap_or(first) } else { first }
}
