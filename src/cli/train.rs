//! `xunjian signatures train`: a text model from labelled listings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Exit;
use super::usage::{OrUsage, ensure_usage};
use crate::audit::sha256;
use crate::measure::{self, label_name, read_table};
use crate::signature::Shape;
use crate::train::model::{self, Options, Records, Trained, describe};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Labelled listings, one JSON object a line: `id`, `text` or `title`/`description`/`changelog`,
    /// and the label (`y`, `n`, `u`) as a key or within `labels`. The figures rest on these.
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// More listings to learn from, by which the model is not judged.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    support: Vec<PathBuf>,
    /// Weight of a `--support` listing.
    #[arg(long, default_value_t = 0.3)]
    support_weight: f64,
    /// The label to learn: `education` or a sign.
    #[arg(long, value_parser = label)]
    label: &'static str,
    /// Tab-separated labels by id, for listings without their own.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    labels: Vec<PathBuf>,
    /// Columns of `--labels`, if its first line does not name them.
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Name of the model.
    #[arg(long)]
    name: String,
    /// Where the model fails: a line for its card.
    #[arg(long, value_name = "TEXT")]
    limits: Vec<String>,
    /// File to write: `NAME.model` in the folder `models` of the signatures.
    #[arg(long)]
    out: PathBuf,
    /// Write the model of each fold (`FOLD/models/NAME.model`) and who was held out of which
    /// (`NAME.tsv`), for `corpora evaluate --folds`.
    #[arg(long, value_name = "DIR")]
    folds_out: Option<PathBuf>,
    /// Lengths of the n-grams, in characters.
    #[arg(long, default_value = "1-2", value_parser = range)]
    ngrams: (usize, usize),
    /// Size of the model: 2^BITS weights of one byte.
    #[arg(long, default_value_t = 17)]
    bits: u32,
    /// What an error costs against the square of the weights.
    #[arg(long, default_value_t = 100.0)]
    strength: f64,
    /// Count that every n-gram starts from in its log-count ratio.
    #[arg(long, default_value_t = 1.0)]
    smoothing: f64,
    /// Give both classes the same total weight.
    #[arg(long)]
    balance: bool,
}

fn label(word: &str) -> Result<&'static str, String> {
    label_name(word).ok_or_else(|| "no such label: use `education` or the id of a sign".into())
}

fn range(word: &str) -> Result<(usize, usize), String> {
    let (min, max) = word.split_once('-').unwrap_or((word, word));
    min.parse().ok().zip(max.parse().ok()).ok_or_else(|| "give two lengths, as in 1-2".into())
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let options = args.options()?;
    let records = args.records()?;
    let mut trained = model::train(&args.name, &records, &options)?;
    trained.model.card.push(("label".to_owned(), args.label.to_owned()));
    trained.model.card.extend(args.limits.iter().map(|limit| ("limits".to_owned(), limit.clone())));
    write(&args.out, &trained.model.to_text())?;
    if let Some(dir) = &args.folds_out {
        write_folds(dir, &args.name, &records, &trained)?;
    }
    for (key, value) in &trained.model.card {
        println!("{key}: {value}");
    }
    println!("{}: {} weights", args.out.display(), options.shape.buckets());
    Ok(Exit::Clean)
}

impl Args {
    fn options(&self) -> anyhow::Result<Options> {
        let shape = Shape { min: self.ngrams.0, max: self.ngrams.1, bits: self.bits };
        ensure_usage!(
            shape.is_sound(),
            "--ngrams must lie in 1-{}, --bits in {}-{}",
            Shape::MAX_LEN,
            Shape::MIN_BITS,
            Shape::MAX_BITS
        );
        for (name, value) in
            [("strength", self.strength), ("smoothing", self.smoothing), ("support-weight", self.support_weight)]
        {
            ensure_usage!(value.is_finite() && value > 0.0, "--{name} must be above 0");
        }
        let is_name = self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        ensure_usage!(is_name && !self.name.is_empty(), "--name takes lower-case letters, digits and `-`");
        ensure_usage!(
            self.out.file_name().is_some_and(|file| *file == *format!("{}.model", self.name)),
            "--out must end in {}.model: a model bears its file's name",
            self.name
        );
        Ok(Options {
            shape,
            strength: self.strength,
            smoothing: self.smoothing,
            support_weight: self.support_weight,
            balance: self.balance,
        })
    }

    fn records(&self) -> anyhow::Result<Records> {
        let mut tables = BTreeMap::new();
        let mut sources = Vec::new();
        for path in &self.labels {
            let text = std::fs::read_to_string(path)
                .or_usage(|| format!("--labels {}: cannot be read as UTF-8 text", path.display()))?;
            let name = path.display().to_string();
            read_table(&name, &text, &self.columns, &mut tables)?;
            sources.push(format!("labels {}", describe(&name, &sha256(text.as_bytes()))));
        }
        let mut records = Records::default();
        for (paths, judged) in [(&self.data, true), (&self.support, false)] {
            for path in paths {
                measure::read(path)?.iter().for_each(|corpus| records.add(corpus, self.label, &tables, judged));
            }
        }
        records.sources.extend(sources);
        Ok(records)
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{}: cannot be written", path.display()))
}

fn write_folds(dir: &Path, name: &str, records: &Records, trained: &Trained) -> anyhow::Result<()> {
    for (fold, model) in trained.folds.iter().enumerate() {
        let models = dir.join(fold.to_string()).join("models");
        std::fs::create_dir_all(&models).with_context(|| format!("{}: cannot be made", models.display()))?;
        write(&models.join(format!("{name}.model")), &model.to_text())?;
    }
    write(&dir.join(format!("{name}.tsv")), &table(records, trained))
}

/// Who was held out of which fold, and what the model of that fold says of it.
fn table(records: &Records, trained: &Trained) -> String {
    let mut out = String::from("id\tfold\tlabel\tlog_odds\n");
    for ((record, fold), log_odds) in records.list.iter().zip(&trained.fold_of).zip(&trained.out_of_fold) {
        let _ = writeln!(out, "{}\t{fold}\t{}\t{log_odds:.4}", record.id, record.label.id());
    }
    out
}
