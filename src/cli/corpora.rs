//! `xunjian corpora`: how good recognition is, on labelled examples.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::Exit;
use super::bench::Bench;
use super::examples;
use super::pack::JudgingArgs;
use crate::measure::{Called, Figures, Judged, Label, Labelled, figures};
use crate::model::{Audit, Confidence, Contribution, Sign, Verdict};
use crate::report::words::{Lang, Phrase, find};
use crate::signature::Policy;

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
        /// Judge each example by text models that have not seen it: a folder that
        /// `signatures train --folds-out` wrote.
        #[arg(long, value_name = "DIR")]
        folds: Option<PathBuf>,
        #[command(flatten)]
        judging: JudgingArgs,
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
    out_of_scope: bool,
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    let Command::Evaluate { dir, format, worst, folds, judging } = command;
    let bench = Bench::with(judging, folds.as_deref())?;
    let examples = examples::load(dir)?;
    let weighed = examples::weigh(|id| bench.auditor(id), &examples)?;
    let audits: Vec<Audit> = weighed.into_iter().map(|(audit, _)| audit).collect();
    let evaluation = evaluate(&examples, &audits, bench.policy(), *worst);
    let mut out = std::io::stdout().lock();
    if format == "json" {
        writeln!(out, "{}", serde_json::to_string_pretty(&evaluation)?)?;
    } else {
        print(&evaluation, Lang::of(&judging.speech.lang), &mut out)?;
    }
    Ok(Exit::Clean)
}

fn evaluate(examples: &[Labelled], audits: &[Audit], policy: &Policy, worst: usize) -> Evaluation {
    let mut judged: BTreeMap<String, Vec<(Judged, Miss)>> = BTreeMap::new();
    for (example, audit) in examples.iter().zip(audits) {
        for (sign, label) in &example.labels {
            if *label == Label::Unclear || examples::is_beyond_the_notice(example, sign) {
                continue;
            }
            let truth = *label == Label::Yes;
            let Said { called, probability, sum, out_of_scope } = said(audit, policy, sign);
            let miss =
                Miss { id: example.id.clone(), truth: if truth { "y" } else { "n" }, probability, sum, out_of_scope };
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

/// What an audit says of a label.
struct Said {
    called: bool,
    probability: f64,
    sum: Vec<Contribution>,
    /// Whatever its sum, it is kept apart: the app is none that the notice covers.
    out_of_scope: bool,
}

/// Called at `likely` and above.
fn said(audit: &Audit, policy: &Policy, label: &str) -> Said {
    match label {
        "education" => {
            let education = &audit.profile.education;
            let mut sum = vec![Contribution { group: "base-rate".into(), weight: policy.education_prior }];
            let counted = education.evidence.iter().filter(|e| e.counted);
            sum.extend(counted.map(|e| Contribution { group: e.group.clone().into(), weight: e.weight }));
            let called = education.verdict == Verdict::Yes;
            Said { called, probability: education.probability, sum, out_of_scope: false }
        }
        "adsgames" => {
            let (ads, games) = (said(audit, policy, "advertising"), said(audit, policy, "game-link"));
            let called = ads.called || games.called;
            Said { called, ..if ads.probability >= games.probability { ads } else { games } }
        }
        id => {
            let called = |f: &crate::model::Finding| f.sign.id() == id && f.confidence >= Confidence::Likely;
            let check = audit.checks.iter().find(|c| Sign::from_id(id) == Some(c.sign));
            let in_scope =
                audit.profile.education.verdict != Verdict::No || check.is_some_and(|c| c.sign.is_always_in_scope());
            Said {
                called: audit.findings.iter().any(called),
                probability: check.filter(|_| in_scope).map_or(0.0, |c| c.probability),
                sum: check.map_or_else(Vec::new, |c| c.sum.clone()),
                out_of_scope: !in_scope,
            }
        }
    }
}

fn print(evaluation: &Evaluation, lang: Lang, out: &mut impl Write) -> std::io::Result<()> {
    let word = |key: &str| find(&format!("evaluate.{key}")).unwrap_or_else(|| Phrase::same(key));
    let line = |key: &str| word(key).with("n", &evaluation.examples.to_string()).get(lang).to_owned();
    writeln!(out, "{}\n\n{}", line("head"), line("columns"))?;
    for (sign, e) in &evaluation.signs {
        let f = &e.figures;
        writeln!(
            out,
            "{sign:20} {:>5} {:>5} {:>9.3} {:>7.3} {:>6.3} {:>6.3} {:>6.3}",
            f.positives,
            f.examples - f.positives,
            f.precision,
            f.recall,
            f.f1,
            f.average_precision,
            f.brier
        )?;
    }
    writeln!(out, "\n{}", line("reliability"))?;
    for (sign, e) in &evaluation.signs {
        let bands = e.figures.reliability.iter().map(|band| match band.examples {
            0 => format!("{:>16}", "-"),
            n => format!("{:.2}->{:.2} {n:>5}", band.stated, band.observed),
        });
        writeln!(out, "{sign:20} {}", bands.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    writeln!(out, "\n{}", line("confidence"))?;
    for (sign, e) in &evaluation.signs {
        let called = ["likely", "strong"].map(|confidence| called(e.figures.confidence.get(confidence)));
        writeln!(out, "{sign:20} {}", called.join(" ").trim_end())?;
    }
    writeln!(out, "\n{}", line("misses"))?;
    for (sign, e) in &evaluation.signs {
        for miss in &e.worst {
            let sum: Vec<String> = miss.sum.iter().map(|c| format!("{:+} {}", c.weight, c.group)).collect();
            let total: i32 = miss.sum.iter().map(|c| c.weight).sum();
            let (truth, sum) = (miss.truth, sum.join(" "));
            let scope = if miss.out_of_scope { line("out_of_scope") } else { String::new() };
            writeln!(out, "{sign:20} {}  {truth}  {:.2}  {sum} = {total}{scope}", miss.id, miss.probability)?;
        }
    }
    Ok(())
}

/// Share that is so of what was called with one confidence, and how much was.
fn called(called: Option<&Called>) -> String {
    match called {
        Some(called) if called.examples > 0 => {
            format!("{:>8.3} {:>5}", called.hits as f64 / called.examples as f64, called.examples)
        }
        _ => format!("{:>14}", "-"),
    }
}
