//! `xunjian signatures calibrate`: clue weights from labelled examples.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::bench::Bench;
use super::pack::JudgingArgs;
use super::usage::{OrUsage, ensure_usage};
use super::{Exit, examples};
use crate::measure::Labelled;
use crate::model::{About, Detection, Sign};
use crate::report::words::{Lang, find};
use crate::score;
use crate::signature::{Pack, reweigh};
use crate::train::weights::{Fitted, Options, Problem, Quality, Row};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of labelled .jsonl files, or one of them.
    dir: PathBuf,
    /// Only these signs, or `education`.
    #[arg(long, value_parser = super::trial::about)]
    sign: Vec<About>,
    /// How far a weight strays lightly from its present value, in decibans.
    #[arg(long, default_value_t = 3.0)]
    spread: f64,
    /// Share of the sign among real apps, between 0 and 1, where the examples hold more or less of it.
    #[arg(long)]
    share: Option<f64>,
    /// Judge each example by text models that have not seen it: a folder that
    /// `signatures train --folds-out` wrote.
    #[arg(long, value_name = "DIR")]
    folds: Option<PathBuf>,
    /// Write the new weights of signs that improve out of fold into the files of `--signatures`,
    /// or of `signatures/` here, keeping comments.
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    judging: JudgingArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let options = args.options()?;
    let examples = examples::load(&args.dir)?;
    let bench = Bench::with(&args.judging, args.folds.as_deref())?;
    let detections: Vec<Detection> =
        examples::weigh(|id| bench.auditor(id), &examples)?.into_iter().map(|(_, detection)| detection).collect();
    let mut out = std::io::stdout().lock();
    let mut better: Vec<Fitted> = Vec::new();
    for about in args.signs() {
        let prior = score::prior(bench.policy(), about);
        match problem(&bench, about, prior, &examples, &detections).fit(&options) {
            Ok(fitted) => {
                args.print(about, prior, &fitted, &mut out)?;
                if fitted.is_better() {
                    better.push(fitted);
                }
            }
            Err(error) => writeln!(out, "{}: {error}\n", about.id())?,
        }
    }
    if args.write {
        for path in args.rewrite(bench.pack(), &better)? {
            writeln!(out, "{}", args.word("written", &[("path", path.display().to_string())]))?;
        }
    }
    Ok(Exit::Clean)
}

fn problem(bench: &Bench, about: About, prior: i32, examples: &[Labelled], detections: &[Detection]) -> Problem {
    let mut problem = Problem::new(bench.pack(), about, prior);
    for (example, detection) in examples.iter().zip(detections) {
        let Some(is_yes) = example.labels.get(about.id()).and_then(|label| label.is_yes()) else { continue };
        if examples::is_beyond_the_notice(example, about.id()) {
            continue;
        }
        let text = example.listing.as_ref().map_or_else(String::new, |l| format!("{}\n{}", l.title, l.description));
        problem.add(&example.id, &text, is_yes, &bench.auditor(&example.id).evidence(detection, about));
    }
    problem
}

impl Args {
    fn options(&self) -> anyhow::Result<Options> {
        ensure_usage!(self.spread.is_finite() && self.spread > 0.0, "--spread must be above 0");
        ensure_usage!(self.share.is_none_or(|s| s > 0.0 && s < 1.0), "--share must lie between 0 and 1");
        Ok(Options { spread: self.spread, share: self.share })
    }

    fn signs(&self) -> Vec<About> {
        let all = || std::iter::once(About::Education).chain(Sign::ALL.iter().map(|&sign| About::Sign(sign)));
        if self.sign.is_empty() { all().collect() } else { self.sign.clone() }
    }

    fn word(&self, key: &str, values: &[(&str, String)]) -> String {
        let phrase = find(&format!("calibrate.{key}"));
        let phrase = phrase.map(|p| values.iter().fold(p, |p, (name, value)| p.with(name, value)));
        phrase.map_or_else(|| key.to_owned(), |p| p.get(Lang::of(&self.judging.speech.lang)).to_owned())
    }

    fn print(&self, about: About, prior: i32, fitted: &Fitted, out: &mut impl Write) -> anyhow::Result<()> {
        let counts = [("yes", fitted.yes.to_string()), ("no", fitted.no.to_string()), ("prior", format!("{prior:+}"))];
        writeln!(out, "{}  {}", about.id(), self.word("head", &counts))?;
        for (key, quality) in
            [("before", &fitted.before), ("out_of_fold", &fitted.out_of_fold), ("fitted", &fitted.fitted)]
        {
            writeln!(out, "  {}", self.quality(key, quality))?;
        }
        writeln!(out, "  {}", self.word("columns", &[]))?;
        for row in &fitted.rows {
            writeln!(out, "  {}", line(row))?;
        }
        if fitted.unseen > 0 {
            writeln!(out, "  {}", self.word("unseen", &[("n", fitted.unseen.to_string())]))?;
        }
        let verdict = if fitted.is_better() { "better" } else { "no_better" };
        writeln!(out, "  {}\n", self.word(verdict, &[("n", fitted.changed().count().to_string())]))?;
        Ok(())
    }

    fn quality(&self, key: &str, quality: &Quality) -> String {
        let figures = &quality.figures;
        let values = [
            ("loss", format!("{:.4}", quality.log_loss)),
            ("f1", format!("{:.3}", figures.f1)),
            ("precision", format!("{:.3}", figures.precision)),
            ("recall", format!("{:.3}", figures.recall)),
            ("ap", format!("{:.3}", figures.average_precision)),
            ("brier", format!("{:.4}", figures.brier)),
        ];
        format!("{} {}", self.word(key, &[]), self.word("figures", &values))
    }

    /// Writes the new weights; answers with the files.
    fn rewrite(&self, pack: &Pack, better: &[Fitted]) -> anyhow::Result<Vec<PathBuf>> {
        let mut changes: BTreeMap<&str, BTreeMap<&str, i32>> = BTreeMap::new();
        for row in better.iter().flat_map(Fitted::changed) {
            changes.entry(&row.weight.signature).or_default().insert(&row.weight.clue, row.new);
        }
        let mut texts = Vec::new();
        for (id, weights) in changes {
            let path = self.home(id)?;
            let text = std::fs::read_to_string(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
            let compiled = pack.signature(id).map_or("", |signature| &signature.text);
            ensure_usage!(
                text == compiled,
                "--write: {} is not the file these weights were fitted to; give its folder with --signatures",
                path.display()
            );
            let new = reweigh(&path.display().to_string(), &text, &weights)?;
            texts.push((path, new));
        }
        // All or none: a fault in one file leaves the others as they were.
        for (path, text) in &texts {
            std::fs::write(path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
        }
        Ok(texts.into_iter().map(|(path, _)| path).collect())
    }

    /// The file of a signature: in the last `--signatures` that has it, else in `signatures/` here.
    fn home(&self, id: &str) -> anyhow::Result<PathBuf> {
        let file = format!("{id}.toml");
        let here = [PathBuf::from("signatures")];
        let found =
            self.judging.pack.signatures.iter().rev().chain(&here).map(|dir| dir.join(&file)).find(|p| p.is_file());
        found.or_usage(|| {
            format!("--write: {file} is in no folder of --signatures nor in {}", Path::new("signatures").display())
        })
    }
}

/// `+9 → +11   34  2  subject-tutoring/exam#exam`
fn line(row: &Row) -> String {
    let mark = if row.new == row.weight.present { ' ' } else { '*' };
    let name = format!("{}#{}", row.weight.signature, row.weight.clue);
    format!("{:>+4} {:>+4} {mark} {:>5} {:>5}  {name}", row.weight.present, row.new, row.yes, row.no)
}
