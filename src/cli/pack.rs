//! `--signatures` and `--policy`: which pack and policy a run uses.

use std::path::PathBuf;

use anyhow::Context;

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

/// The policy with this id.
pub(super) fn policy(pack: &Pack, id: &str) -> anyhow::Result<Policy> {
    pack.policies.get(id).cloned().with_context(|| {
        let known = pack.policies.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("--policy {id}: no such policy; there are {known}")
    })
}
