//! `xunjian audit`: packages and listings in, a report out.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rayon::prelude::*;

use super::config::ConfigArgs;
use super::doing::Doing;
use super::home::HomeArgs;
use super::jobs::{Bench, Job, Outcome, jobs, name_copies};
use super::keeper::{Basis, Keeper};
use super::network::{Network, NetworkArgs};
use super::out::Out;
use super::pack::JudgingArgs;
use super::register::RegisterArgs;
use super::usage::ensure_usage;
use super::{Exit, choice};
use crate::audit::Auditor;
use crate::crawl::Stores;
use crate::model::{Audit, Confidence, LimitCode};
use crate::report::{self, Format, Style};
use crate::time;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A package file, a folder of them, a listings.jsonl (one listing a line) or .json, `-` for standard
    /// input, STORE:PACKAGE, STORE:?WORDS, *:?WORDS (every store), a store page's URL, or
    /// fdroid+https://HOST/repo?fingerprint=…#PACKAGE.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// Listing (one JSON object) that belongs to the one package given.
    #[arg(long, value_name = "FILE")]
    listing: Option<PathBuf>,
    /// Form of the report. Default: what the ending of --out says, else `human`.
    #[arg(long, value_parser = choice::format())]
    format: Option<Format>,
    /// Write the report to a file instead of stdout.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Write the evidence of each finding into this folder, a bag each, with the package and a page to read.
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    /// Remember the audits in the home, for `evidence export`, `diff` and the reviewers' page.
    #[arg(long)]
    keep: bool,
    /// Permissions and libraries in the report on a terminal, too.
    #[arg(long = "details")]
    is_long: bool,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    registers: RegisterArgs,
    #[command(flatten)]
    network: NetworkArgs,
    /// Day on which licences and dates are judged, as 2026-01-31. Default: today.
    #[arg(long, value_name = "DATE", value_parser = choice::day)]
    as_of: Option<String>,
    /// Exit with 10 when a finding has at least this confidence.
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    fail_on: FailOn,
    /// Seconds that reading one app may take.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    #[command(flatten)]
    home: HomeArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FailOn {
    Never,
    Weak,
    Likely,
    Strong,
}

impl Args {
    /// The configuration that holds.
    pub(super) fn config(&self) -> &ConfigArgs {
        &self.network.config
    }

    /// The words that name what is audited.
    pub(super) fn targets(&self) -> &[String] {
        &self.targets
    }

    /// The file of `--listing`.
    pub(super) fn listing(&self) -> Option<&Path> {
        self.listing.as_deref()
    }

    /// The stores that words may name.
    pub(super) fn stores(&self) -> anyhow::Result<Stores> {
        self.network.stores()
    }

    /// More is told with `-v`.
    pub(super) fn tell_more(&mut self, verbose: u8) {
        self.is_long |= verbose > 0;
    }

    /// The form of the report, by `--format` or the ending of `--out`.
    fn format(&self) -> anyhow::Result<Format> {
        let by_ending = self.out.as_ref().and_then(|out| Format::by_ending(&out.to_string_lossy()));
        let format = self.format.or(by_ending).unwrap_or(Format::Human);
        ensure_usage!(
            !format.is_binary() || self.out.is_some() || !std::io::stdout().is_terminal(),
            "--format {}: no terminal shows it; name a file with --out",
            format.id()
        );
        Ok(format)
    }

    /// Who remembers, where that was asked for.
    fn keeper(&self, basis: &Basis<'_>) -> anyhow::Result<Option<Keeper>> {
        if !self.keep && self.evidence.is_none() {
            return Ok(None);
        }
        let config = self.network.config.load()?;
        let keeper = Keeper::new(self.keep.then_some(&self.home), &config, basis)?;
        Ok(Some(match &self.evidence {
            Some(folder) => keeper.with_bags(folder, &config)?,
            None => keeper,
        }))
    }
}

impl FailOn {
    pub(super) fn is_met_by(self, audit: &Audit) -> bool {
        let from = match self {
            Self::Never => return false,
            Self::Weak => Confidence::Weak,
            Self::Likely => Confidence::Likely,
            Self::Strong => Confidence::Strong,
        };
        audit.findings.iter().any(|finding| finding.confidence >= from)
    }
}

/// Children to start ahead: one for a file, as many as there may be for more.
fn children(targets: &[String]) -> usize {
    match targets {
        [one] if !Path::new(one).is_dir() => 1,
        _ => usize::MAX,
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let format = args.format()?;
    let source = args.judging.pack.source()?;
    let pack = args.judging.pack.load_to_read(children(&args.targets))?;
    let policy = args.judging.policy(&pack)?;
    let as_of = args.as_of.clone().unwrap_or_else(time::today);
    let auditor = Auditor {
        pack: Arc::new(pack),
        policy,
        budget: args.network.config.load()?.pictures.read.budget(),
        registers: Arc::new(args.registers.load(&as_of)?),
    };
    // The process ends with the audit: taking the pack apart again would be a tenth of a short one.
    std::mem::forget(Arc::clone(&auditor.pack));
    let network = Network::new(&args.network)?;
    let doing = Doing::new(&args.judging.speech.lang);
    let basis =
        Basis { auditor: &auditor, source: &source, registers: &args.registers.all()?, as_of, timeout: args.timeout };
    let keeper = args.keeper(&basis)?;
    let bench = Bench { auditor: &auditor, network: &network, timeout: args.timeout, doing: &doing, keeper };
    let is_over = AtomicBool::new(false);
    let exit = std::thread::scope(|scope| {
        scope.spawn(|| doing.speak(&|| is_over.load(Ordering::Relaxed)));
        let _over = Over(&is_over);
        audit(args, format, &bench)
    })?;
    bench.keeper.as_ref().map_or(Ok(()), Keeper::finish)?;
    Ok(exit)
}

/// Ends what waits for the end, however that came.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Jobs done ahead of the one that is to be written next: what they came to is held in memory.
const AHEAD: usize = 512;
/// Time between looks of who is that far ahead.
const PATIENCE: Duration = Duration::from_millis(20);

/// Audits in parallel, and writes what comes of each job in the order of the command line, as soon as it is there.
fn audit(args: &Args, format: Format, bench: &Bench<'_>) -> anyhow::Result<Exit> {
    let (jobs, copies) = jobs(args, bench)?;
    bench.doing.expect(jobs.len());
    let out = Out::open(args.out.as_deref(), &inputs(args, &jobs))?;
    let style = Style { is_long: args.is_long, ..style(args.judging.speech.lang.clone(), &out) };
    let mut writer = report::writer(format, out.writer()?, style, bench.auditor.made_by());
    let mut exit = Exit::Clean;
    let mut write = |outcomes: Vec<Outcome>| -> anyhow::Result<()> {
        for outcome in outcomes {
            exit = worse(exit, &outcome, args.fail_on);
            match outcome {
                Outcome::Audit(mut audit) => {
                    name_copies(&mut audit, &copies);
                    bench.doing.aside(|| writer.audit(*audit))?;
                }
                Outcome::Skip(skipped) => {
                    bench.doing.aside(|| tracing::warn!("{}: {}", skipped.target, skipped.reason));
                    bench.doing.aside(|| writer.skipped(skipped))?;
                }
            }
        }
        Ok(())
    };
    in_order(&jobs, bench, &mut write)?;
    bench.doing.aside(|| writer.finish())?;
    drop(writer);
    out.finish()?;
    Ok(exit)
}

/// Runs jobs at once and hands their outcomes over in their order.
fn in_order(
    jobs: &[Job],
    bench: &Bench<'_>,
    write: &mut dyn FnMut(Vec<Outcome>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (sender, receiver) = mpsc::channel();
    let (is_stopped, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let (is_stopped, written) = (&is_stopped, &written);
        scope.spawn(move || {
            // One after the other from the front: the first are done first.
            jobs.iter().enumerate().par_bridge().for_each_with(sender, |sender, (index, job)| {
                while index > written.load(Ordering::Relaxed) + AHEAD && !is_stopped.load(Ordering::Relaxed) {
                    std::thread::sleep(PATIENCE);
                }
                if is_stopped.load(Ordering::Relaxed) {
                    return;
                }
                let doing = bench.doing.begin(&job.name());
                let outcomes = job.run(bench);
                drop(doing);
                bench.doing.advance();
                // Nobody listens any more where the report cannot be written.
                let _ = sender.send((index, outcomes));
            });
        });
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (index, outcomes) in receiver {
            waiting.insert(index, outcomes);
            while let Some(outcomes) = waiting.remove(&next) {
                next += 1;
                written.store(next, Ordering::Relaxed);
                if let Err(error) = write(outcomes) {
                    is_stopped.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    })
}

/// Files that are read, which the report must not replace.
fn inputs(args: &Args, jobs: &[Job]) -> Vec<PathBuf> {
    let packages = jobs.iter().filter_map(|job| match job {
        Job::Packages(paths, _) => Some(paths.clone()),
        Job::Inner(archive, _) => Some(vec![archive.clone()]),
        _ => None,
    });
    packages.flatten().chain(args.targets.iter().map(PathBuf::from)).chain(args.listing.clone()).collect()
}

/// How a report that is made now is written.
pub(super) fn style(lang: String, out: &Out) -> Style {
    Style { lang, colour: has_colour(out), at: time::told(time::made_at()), width: columns(), ..Style::default() }
}

/// Columns that lines may have: `COLUMNS` as POSIX has it (XBD 8.3), else as many as they need.
fn columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.trim().parse().ok().filter(|columns| *columns > 0)
}

/// A terminal that was not asked to stay plain.
pub(super) fn has_colour(out: &Out) -> bool {
    is_coloured(out.is_terminal())
}

/// Colour as the field has it: `NO_COLOR` (<https://no-color.org>) before `FORCE_COLOR` and `CLICOLOR_FORCE`
/// (<https://force-color.org>, <https://bixense.com/clicolors>), else on a terminal that is not a dumb one.
pub(super) fn is_coloured(is_terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !is_plain && (is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE") || is_terminal && !is_dumb)
}

/// Findings outweigh an incomplete audit: they are what the caller asked to be told of.
fn worse(exit: Exit, outcome: &Outcome, fail_on: FailOn) -> Exit {
    match outcome {
        Outcome::Audit(audit) if fail_on.is_met_by(audit) => Exit::Findings,
        _ if exit == Exit::Findings => exit,
        Outcome::Skip(_) => Exit::Incomplete,
        Outcome::Audit(audit) if is_incomplete(audit) => Exit::Incomplete,
        Outcome::Audit(_) => exit,
    }
}

/// Part of what was given could not be read. That no listing or no package was given at
/// all is the caller's choice.
pub(super) fn is_incomplete(audit: &Audit) -> bool {
    audit.coverage.limits.iter().any(|limit| {
        !matches!(limit.code, LimitCode::NoListing | LimitCode::NoPackage) && !limit.code.hides().is_empty()
    })
}
