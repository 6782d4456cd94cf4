//! `--signatures`, `--policy` and `--lang`: which pack and policy a run uses, and how it speaks.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use crate::model::Budget;
use crate::pipeline::Auditor;
use crate::signature::{Pack, Policy, Source};

/// Options that choose the pack.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PackArgs {
    /// Folder with signature files that add to the built-in ones or replace those of the same path.
    #[arg(long, value_name = "DIR")]
    pub(super) signatures: Vec<PathBuf>,
}

impl PackArgs {
    pub(super) fn source(&self) -> anyhow::Result<Source> {
        let mut source = Source::embedded();
        for dir in &self.signatures {
            source.overlay(dir).with_context(|| {
                format!("--signatures {}: cannot be read; give a folder of .toml and .csv files", dir.display())
            })?;
        }
        Ok(source)
    }

    pub(super) fn load(&self) -> anyhow::Result<Pack> {
        Ok(Pack::load(&self.source()?)?)
    }
}

/// Options of what judges apps and tells people of it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct JudgingArgs {
    /// Policy whose clauses and base rates apply.
    #[arg(long, default_value = "bj-2022-02-draft", value_name = "ID")]
    policy: String,
    /// Language of words for people.
    #[arg(long, default_value = "zh", value_parser = ["zh", "en"])]
    pub(super) lang: String,
    #[command(flatten)]
    pub(super) pack: PackArgs,
}

impl JudgingArgs {
    /// The policy out of this pack.
    pub(super) fn policy(&self, pack: &Pack) -> anyhow::Result<Policy> {
        policy(pack, &self.policy)
    }

    /// An auditor with this pack and no registers.
    pub(super) fn auditor(&self, pack: Arc<Pack>) -> anyhow::Result<Auditor> {
        let policy = self.policy(&pack)?;
        Ok(Auditor { pack, policy, budget: Budget::default(), registers: Arc::default() })
    }

    /// An auditor with this source's pack, for a measurement.
    pub(super) fn auditor_of(&self, source: &Source) -> anyhow::Result<Auditor> {
        self.auditor(Arc::new(Pack::load(source)?))
    }
}

/// The policy with this id.
fn policy(pack: &Pack, id: &str) -> anyhow::Result<Policy> {
    pack.policies.get(id).cloned().with_context(|| {
        let known = pack.policies.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("--policy {id}: no such policy; there are {known}")
    })
}
