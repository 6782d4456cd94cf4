//! Labelled examples through the real pipeline.

use std::path::Path;

use rayon::prelude::*;

use crate::audit::Auditor;
use crate::measure::{self, Label, Labelled, Package};
use crate::model::{Audit, Detection, Sign};

/// Reads a file or folder of which every line is labelled.
pub(super) fn load(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let mut examples = Vec::new();
    for corpus in measure::read(path)? {
        examples.extend(corpus.labelled()?);
    }
    Ok(examples)
}

/// Audits every example, in their order, by the auditor that is to judge its id.
pub(super) fn weigh<'a>(
    auditor: impl Fn(&str) -> &'a Auditor + Sync,
    examples: &[Labelled],
) -> anyhow::Result<Vec<(Audit, Detection)>> {
    examples.par_iter().map(|example| one(auditor(&example.id), example)).collect()
}

fn one(auditor: &Auditor, example: &Labelled) -> anyhow::Result<(Audit, Detection)> {
    let mut readings = Vec::new();
    match &example.package {
        Some(Package::File(path)) => {
            let bytes = std::fs::read(path).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?;
            readings.push(auditor.read(&path.display().to_string(), "", &bytes)?);
        }
        Some(Package::Told(contents)) => readings.push(auditor.read_facts(&contents.package, &contents.facts())),
        None => {}
    }
    Ok(auditor.weigh(example.listing.as_ref(), readings))
}

/// What is so in an app that the notice does not cover is kept apart and not called.
pub(super) fn is_beyond_the_notice(example: &Labelled, label: &str) -> bool {
    example.labels.get(label) == Some(&Label::Yes)
        && example.labels.get("education") == Some(&Label::No)
        && Sign::from_id(label).is_none_or(|sign| !sign.is_always_in_scope())
}
