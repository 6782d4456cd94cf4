//! `xunjian corpora`: how good recognition is, on labelled examples.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use super::Exit;
use super::bench::Bench;
use super::pack::PackArgs;
use crate::measure::{Figures, Judged, Label, Labelled, figures, read_folder};
use crate::model::{Audit, Confidence, Contribution, Sign, Verdict};
use crate::pipeline::Auditor;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Precision, recall, F1, average precision, Brier score and reliability per sign.
    Evaluate {
        /// Folder of labelled .jsonl files, or one of them.
        dir: PathBuf,
        /// Form of the answer.
        #[arg(long, default_value = "human", value_parser = ["human", "json"])]
        format: String,
        /// Worst misses listed per sign.
        #[arg(long, default_value_t = 5)]
        worst: usize,
        /// Policy whose base rates apply.
        #[arg(long, default_value = "bj-2022-02-draft")]
        policy: String,
        /// Judge each example by text models that have not seen it: a folder that
        /// `signatures train --folds-out` wrote.
        #[arg(long, value_name = "DIR")]
        folds: Option<PathBuf>,
        #[command(flatten)]
        pack: PackArgs,
    },
}

#[derive(Serialize)]
struct Evaluation {
    examples: usize,
    signs: BTreeMap<String, SignEvaluation>,
}

#[derive(Serialize)]
struct SignEvaluation {
    #[serde(flatten)]
    figures: Figures,
    worst: Vec<Miss>,
}

/// An example that was called wrong.
#[derive(Serialize, Clone)]
struct Miss {
    id: String,
    truth: &'static str,
    probability: f64,
    sum: Vec<Contribution>,
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    let Command::Evaluate { dir, format, worst, policy, folds, pack } = command;
    let examples: Vec<Labelled> = read_folder(dir)?.into_iter().flat_map(|(_, lines)| lines).collect();
    let bench = match folds {
        Some(folds) => Bench::of_folds(pack, policy, folds)?,
        None => Bench::of(pack, policy)?,
    };
    let audits: Vec<Audit> =
        examples.par_iter().map(|example| audit(bench.auditor(&example.id), example)).collect::<anyhow::Result<_>>()?;
    let evaluation = evaluate(&examples, &audits, *worst);
    let mut out = std::io::stdout().lock();
    if format == "json" {
        writeln!(out, "{}", serde_json::to_string_pretty(&evaluation)?)?;
    } else {
        print(&evaluation, &mut out)?;
    }
    Ok(Exit::Clean)
}

fn audit(auditor: &Auditor, example: &Labelled) -> anyhow::Result<Audit> {
    let mut readings = Vec::new();
    if let Some(path) = &example.package {
        let bytes = std::fs::read(path).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?;
        readings.push(auditor.read(&path.display().to_string(), "", &bytes)?);
    }
    Ok(auditor.conclude(example.listing.as_ref(), readings))
}

fn evaluate(examples: &[Labelled], audits: &[Audit], worst: usize) -> Evaluation {
    let mut judged: BTreeMap<String, Vec<(Judged, Miss)>> = BTreeMap::new();
    for (example, audit) in examples.iter().zip(audits) {
        for (sign, label) in &example.labels {
            if *label == Label::Unclear || is_beyond_the_notice(example, sign, *label) {
                continue;
            }
            let truth = *label == Label::Yes;
            let (called, probability, sum) = said(audit, sign);
            let miss = Miss { id: example.id.clone(), truth: if truth { "y" } else { "n" }, probability, sum };
            let item = Judged { id: example.id.clone(), truth, called, probability };
            judged.entry(sign.clone()).or_default().push((item, miss));
        }
    }
    let signs = judged
        .into_iter()
        .map(|(sign, items)| {
            let (judged, misses): (Vec<Judged>, Vec<Miss>) = items.into_iter().unzip();
            let mut wrong: Vec<(f64, Miss)> = judged
                .iter()
                .zip(misses)
                .filter(|(j, _)| j.truth != j.called)
                .map(|(j, miss)| ((j.probability - f64::from(u8::from(j.truth))).abs(), miss))
                .collect();
            wrong.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
            let worst = wrong.into_iter().take(worst).map(|(_, miss)| miss).collect();
            (sign, SignEvaluation { figures: figures(&judged), worst })
        })
        .collect();
    Evaluation { examples: examples.len(), signs }
}

/// What is so in an app that the notice does not cover is kept apart and not called.
fn is_beyond_the_notice(example: &Labelled, sign: &str, label: Label) -> bool {
    label == Label::Yes
        && example.labels.get("education") == Some(&Label::No)
        && sign != "education"
        && Sign::from_id(sign).is_none_or(|sign| !sign.is_always_in_scope())
}

/// What an audit says of a label: called or not at `likely`, the probability, the sum.
fn said(audit: &Audit, label: &str) -> (bool, f64, Vec<Contribution>) {
    match label {
        "education" => {
            let education = &audit.profile.education;
            let sum = education.evidence.iter().filter(|e| e.counted);
            let sum = sum.map(|e| Contribution { group: e.group.clone(), weight: e.weight }).collect();
            (education.verdict == Verdict::Yes, education.probability, sum)
        }
        "adsgames" => {
            let (ads, games) = (said(audit, "advertising"), said(audit, "game-link"));
            if ads.1 >= games.1 { (ads.0 || games.0, ads.1, ads.2) } else { (ads.0 || games.0, games.1, games.2) }
        }
        id => {
            let called = |f: &crate::model::Finding| f.sign.id() == id && f.confidence >= Confidence::Likely;
            let check = audit.checks.iter().find(|c| Sign::from_id(id) == Some(c.sign));
            let in_scope =
                audit.profile.education.verdict != Verdict::No || check.is_some_and(|c| c.sign.is_always_in_scope());
            let probability = check.filter(|_| in_scope).map_or(0.0, |c| c.probability);
            (audit.findings.iter().any(called), probability, check.map_or_else(Vec::new, |c| c.sum.clone()))
        }
    }
}

fn print(evaluation: &Evaluation, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{} examples; `likely` and above count as called, `u` is left out\n", evaluation.examples)?;
    writeln!(
        out,
        "{:20} {:>5} {:>9} {:>7} {:>6} {:>6} {:>6}",
        "sign", "is so", "precision", "recall", "F1", "AP", "Brier"
    )?;
    for (sign, e) in &evaluation.signs {
        let f = &e.figures;
        writeln!(
            out,
            "{sign:20} {:>5} {:>9.3} {:>7.3} {:>6.3} {:>6.3} {:>6.3}",
            f.positives, f.precision, f.recall, f.f1, f.average_precision, f.brier
        )?;
    }
    writeln!(out, "\nstated probability beside what is so (examples)")?;
    for (sign, e) in &evaluation.signs {
        let bands: Vec<String> = e
            .figures
            .reliability
            .iter()
            .map(|b| format!("{:.2}->{:.2} ({})", b.stated, b.observed, b.examples))
            .collect();
        writeln!(out, "{sign:20} {}", bands.join("  "))?;
    }
    writeln!(out, "\nworst misses")?;
    for (sign, e) in &evaluation.signs {
        for miss in &e.worst {
            let sum: Vec<String> = miss.sum.iter().map(|c| format!("{:+} {}", c.weight, c.group)).collect();
            writeln!(out, "{sign:20} {} is {} at {:.2}: {}", miss.id, miss.truth, miss.probability, sum.join(" "))?;
        }
    }
    Ok(())
}
