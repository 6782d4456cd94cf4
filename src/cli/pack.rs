//! `--signatures`, `--policy` and `--lang`: which pack and policy a run uses, and how it speaks.

use std::path::PathBuf;
use std::sync::Arc;

use super::speech::SpeechArgs;
use super::usage::OrUsage;
use crate::audit::Auditor;
use crate::isolate;
use crate::model::Budget;
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
            source.overlay(dir).or_usage(|| {
                format!("--signatures {}: cannot be read; give a folder of .toml and .csv files", dir.display())
            })?;
        }
        Ok(source)
    }

    /// The pack, for a run that reads packages: children that load the same are started
    /// meanwhile, as many as wanted and allowed.
    pub(super) fn load_to_read(&self, wanted: usize) -> anyhow::Result<Pack> {
        let source = self.source()?;
        let known = isolate::know(&source, self.signatures.is_empty());
        isolate::start(&known, wanted);
        Ok(Pack::load(&source)?)
    }

    pub(super) fn load(&self) -> anyhow::Result<Pack> {
        let pack = Pack::load(&self.source()?)?;
        // What is at fault is left out, and must not be missed in silence.
        for fault in &pack.faults {
            eprintln!("xunjian: {fault}");
        }
        Ok(pack)
    }
}

/// Options of what judges apps and tells people of it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct JudgingArgs {
    /// Policy whose rules and base rates apply; given several times, all at once: every finding names those
    /// that it stands under, and base rates are those of the first. `xunjian policies list` names them.
    #[arg(long, default_value = DEFAULT_POLICY, value_name = "ID")]
    policy: Vec<String>,
    #[command(flatten)]
    pub(super) speech: SpeechArgs,
    #[command(flatten)]
    pub(super) pack: PackArgs,
}

impl JudgingArgs {
    /// The policy out of this pack.
    pub(super) fn policy(&self, pack: &Pack) -> anyhow::Result<Policy> {
        policy(pack, &self.policy.join("+"))
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

/// What is in force where the program began.
pub(super) const DEFAULT_POLICY: &str = "bj-in-force";

/// The policy with this id, or several joined by `+`.
pub(super) fn policy(pack: &Pack, id: &str) -> anyhow::Result<Policy> {
    pack.policy(id).or_usage(|| {
        let known = pack.policies.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let faults: Vec<String> = pack.faults.iter().map(|fault| format!("\n{fault}")).collect();
        format!("--policy {id}: no such policy; there are {known}{}", faults.concat())
    })
}
