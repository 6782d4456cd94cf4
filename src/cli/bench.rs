//! The auditors of a measurement: one, or one for each fold that text models were trained in.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use super::pack::{JudgingArgs, PackArgs};
use super::usage::{OrUsage, ensure_usage};
use crate::audit::Auditor;
use crate::signature::{Pack, Policy, Source};

/// The auditors, and which of them is to judge an example.
pub(super) struct Bench {
    auditors: Vec<Auditor>,
    fold_of: BTreeMap<String, usize>,
}

impl Bench {
    /// One auditor with the models as they are shipped or, where `folds` is given, one for each fold
    /// in that folder, as `signatures train --folds-out` writes it.
    pub(super) fn with(args: &JudgingArgs, folds: Option<&Path>) -> anyhow::Result<Self> {
        match folds {
            Some(dir) => Self::of_folds(args, dir),
            None => Ok(Self { auditors: vec![args.auditor_of(&args.pack.source()?)?], fold_of: BTreeMap::new() }),
        }
    }

    fn of_folds(args: &JudgingArgs, dir: &Path) -> anyhow::Result<Self> {
        let fold_of = fold_of(dir)?;
        let folds = fold_of.values().max().map_or(0, |last| last + 1);
        let auditors =
            (0..folds).map(|fold| args.auditor_of(&source_of_fold(&args.pack, &dir.join(fold.to_string()))?));
        Ok(Self { auditors: auditors.collect::<anyhow::Result<_>>()?, fold_of })
    }

    /// The policy of all of them.
    pub(super) fn policy(&self) -> &Policy {
        &self.auditors[0].policy
    }

    /// Signatures, which all of them share; models are those of the first.
    pub(super) fn pack(&self) -> &Pack {
        &self.auditors[0].pack
    }

    /// The auditor whose models have not seen the example. One that none has seen is
    /// judged by the first.
    pub(super) fn auditor(&self, id: &str) -> &Auditor {
        &self.auditors[self.fold_of.get(id).copied().unwrap_or_default()]
    }
}

/// The pack with each of its models replaced by that of the fold.
fn source_of_fold(args: &PackArgs, dir: &Path) -> anyhow::Result<Source> {
    let mut source = args.source()?;
    for model in source.files.keys().filter(|file| file.ends_with(".model")) {
        ensure_usage!(dir.join(model).is_file(), "--folds: no {}; train every model", dir.join(model).display());
    }
    source.overlay(dir).or_usage(|| format!("--folds {}: cannot be read", dir.display()))?;
    Ok(source)
}

/// The fold of each id, on which the tables of all models must agree.
fn fold_of(dir: &Path) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut fold_of = BTreeMap::new();
    let listed = std::fs::read_dir(dir).or_usage(|| format!("--folds {}: cannot be read", dir.display()))?;
    for entry in listed {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "tsv") {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
        for line in text.lines().skip(1) {
            let mut cells = line.split('\t');
            let (id, fold) = (cells.next().unwrap_or_default(), cells.next().and_then(|fold| fold.parse().ok()));
            let fold = fold.with_context(|| format!("{}: no fold in `{line}`", path.display()))?;
            let before = fold_of.insert(id.to_owned(), fold);
            anyhow::ensure!(
                before.is_none_or(|before| before == fold),
                "{}: {id} was held out of another fold for another model; train all on the same files",
                path.display()
            );
        }
    }
    ensure_usage!(
        !fold_of.is_empty(),
        "--folds {}: holds no table that `signatures train --folds-out` writes",
        dir.display()
    );
    Ok(fold_of)
}
