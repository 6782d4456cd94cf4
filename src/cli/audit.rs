//! `xunjian audit`: packages and listings in, a report out.

use std::collections::HashMap;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rayon::prelude::*;

use super::Exit;
use super::network::{Network, NetworkArgs, name_of, starts};
use super::pack::JudgingArgs;
use super::register::{RegisterArgs, today};
use super::targets::{self, Target, TargetError};
use crate::model::fetch::{Fault, Found};
use crate::model::{Audit, Budget, Confidence, LimitCode, Listing, Skipped};
use crate::pipeline::Opened;
use crate::pipeline::{Auditor, Identity, Reading};
use crate::report::{self, Format, Style};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A package file, a folder of them, a listings.jsonl (one listing a line), STORE:PACKAGE,
    /// STORE:?WORDS, *:?WORDS (every store), a store page's URL, or
    /// fdroid+https://HOST/repo?fingerprint=…#PACKAGE.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// Listing (one JSON object) that belongs to the one package given.
    #[arg(long, value_name = "FILE")]
    listing: Option<PathBuf>,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the report to a file instead of stdout.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    registers: RegisterArgs,
    #[command(flatten)]
    network: NetworkArgs,
    /// Day on which licences and dates are judged, as 2026-01-31. Default: today.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Exit with 10 when a finding has at least this confidence.
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    fail_on: FailOn,
    /// Seconds that reading one app may take.
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    timeout: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FailOn {
    Never,
    Weak,
    Likely,
    Strong,
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

/// Apps judged at once: enough to keep the cores busy, few enough to hold in memory.
const BATCH: usize = 512;

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let pack = args.judging.pack.load()?;
    let policy = args.judging.policy(&pack)?;
    let auditor = Auditor {
        pack: Arc::new(pack),
        policy,
        budget: Budget::default(),
        registers: Arc::new(args.registers.load(&args.as_of.clone().unwrap_or_else(today))?),
    };
    let network = Network::new(&args.network)?;
    let jobs = jobs(args, &auditor, &network)?;
    let (out, is_terminal) = open(args.out.as_deref())?;
    let style = Style { lang: args.judging.lang.clone(), colour: is_terminal };
    let mut writer = report::writer(args.format, out, style, auditor.made_by());
    let mut exit = Exit::Clean;
    for batch in jobs.chunks(BATCH) {
        let results: Vec<Vec<Outcome>> =
            batch.par_iter().map(|job| job.run(&auditor, &network, args.timeout)).collect();
        for outcome in results.into_iter().flatten() {
            exit = worse(exit, &outcome, args.fail_on);
            match outcome {
                Outcome::Audit(audit) => writer.audit(*audit)?,
                Outcome::Skip(skipped) => {
                    tracing::warn!("{}: {}", skipped.target, skipped.reason);
                    writer.skipped(skipped)?;
                }
            }
        }
    }
    writer.finish()?;
    Ok(exit)
}

pub(super) fn open(path: Option<&Path>) -> anyhow::Result<(Box<dyn Write + Send>, bool)> {
    match path {
        None => {
            let stdout = std::io::stdout();
            let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            Ok((Box::new(std::io::BufWriter::new(stdout)), colour))
        }
        Some(path) => {
            let is_missing = path.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
            let hint = if is_missing { "; its folder is not there: make it, or name another" } else { "" };
            let what = || format!("--out {}: cannot be written{hint}", path.display());
            let file = File::create(path).with_context(what)?;
            Ok((Box::new(std::io::BufWriter::new(file)), false))
        }
    }
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

enum Outcome {
    Audit(Box<Audit>),
    Skip(Skipped),
}

/// What becomes one audit, or a skip a file.
enum Job {
    Listing(Box<Listing>),
    Packages(Vec<PathBuf>, Option<Box<Listing>>),
    /// An app of a store, its package not yet fetched.
    Found(Box<Found>),
    Skip(Skipped),
}

/// Jobs by package and version, each with the splits it has.
type Sets = HashMap<(String, u64), Vec<(usize, Vec<String>)>>;

/// Puts the splits of one app together; order is that of the first file.
fn jobs(args: &Args, auditor: &Auditor, network: &Network) -> anyhow::Result<Vec<Job>> {
    let targets = targets::resolve(&args.targets, &|| args.network.stores())?;
    let identity = |target: &Target| match target {
        Target::Package(path) => Opened::new(path).ok().and_then(|file| auditor.identify(&file)),
        _ => None,
    };
    let identities: Vec<Option<Identity>> = targets.par_iter().map(identity).collect();
    let mut jobs: Vec<Job> = Vec::new();
    let mut sets = Sets::new();
    for (target, identity) in targets.into_iter().zip(identities) {
        match target {
            Target::Listing(listing) => jobs.push(Job::Listing(listing)),
            Target::Skip(skipped) => jobs.push(Job::Skip(skipped)),
            Target::Store(target) => jobs.extend(from_stores(&target, network)?),
            Target::Package(path) => match identity {
                Some(id) if !id.package.is_empty() => join(path, &id, &mut jobs, &mut sets),
                _ => jobs.push(Job::Packages(vec![path], None)),
            },
        }
    }
    attach(args, &mut jobs)?;
    Ok(jobs)
}

/// Apps of one target that are audited; `sweep` is for more.
const FOUND_MAX: usize = 200;

/// What stores have for a target: an app each, and a skip for whatever went wrong.
fn from_stores(target: &crate::crawl::Target, network: &Network) -> anyhow::Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for (store, start) in starts(target) {
        let name = name_of(&store, &start);
        let visit = network.visit(&store, &start, FOUND_MAX)?;
        let nothing = visit.found.is_empty() && visit.faults.is_empty();
        jobs.extend(visit.found.into_iter().map(|found| Job::Found(Box::new(found))));
        jobs.extend(visit.faults.iter().map(|fault| Job::Skip(skip_for(&name, "crawl", fault))));
        let more_code = if nothing { "not-found" } else { "too-many" };
        let more = match (nothing, visit.left) {
            (true, _) => "not-found: the store lists nothing".to_owned(),
            (false, 0) => continue,
            (false, left) => {
                format!("{left} more apps or lists were left out after {FOUND_MAX} apps; `sweep` takes them all")
            }
        };
        jobs.push(Job::Skip(Skipped { target: name, stage: "crawl".into(), code: more_code.into(), reason: more }));
    }
    Ok(jobs)
}

fn skip_for(target: &str, stage: &str, fault: &Fault) -> Skipped {
    let code = fault.outcome.id().into();
    Skipped { target: target.into(), stage: stage.into(), code, reason: fault.to_string() }
}

/// Adds a file to the set of its package and version that has none of its splits yet.
fn join(path: PathBuf, id: &Identity, jobs: &mut Vec<Job>, sets: &mut Sets) {
    let known = sets.entry((id.package.clone(), id.version_code)).or_default();
    // Two bases of one version are two copies of an app, and two audits; and a set
    // without any split takes none but splits.
    let home = known.iter_mut().find(|(_, splits)| !id.splits.iter().any(|split| splits.contains(split)));
    match home {
        Some((index, splits)) => {
            splits.extend_from_slice(&id.splits);
            if let Job::Packages(paths, _) = &mut jobs[*index] {
                paths.push(path);
            }
        }
        None => {
            known.push((jobs.len(), id.splits.clone()));
            jobs.push(Job::Packages(vec![path], None));
        }
    }
}

fn attach(args: &Args, jobs: &mut [Job]) -> anyhow::Result<()> {
    let Some(path) = &args.listing else { return Ok(()) };
    match jobs {
        [Job::Packages(_, listing)] => {
            *listing = Some(Box::new(targets::listing(path)?));
            Ok(())
        }
        _ => Err(TargetError::ListingNeedsOnePackage.into()),
    }
}

impl Job {
    fn run(&self, auditor: &Auditor, network: &Network, timeout: u64) -> Vec<Outcome> {
        match self {
            Self::Skip(skipped) => vec![Outcome::Skip(skipped.clone())],
            Self::Listing(listing) => vec![Outcome::Audit(Box::new(auditor.conclude(Some(listing), Vec::new())))],
            Self::Packages(paths, listing) => {
                let named: Vec<_> = paths.iter().map(|path| (path.clone(), path.display().to_string())).collect();
                packages(auditor, &named, listing.as_deref(), timeout)
            }
            Self::Found(found) => fetched(auditor, network, found, timeout),
        }
    }
}

/// Fetches the package of an app and audits both; the listing alone where there is none or it
/// cannot be had.
fn fetched(auditor: &Auditor, network: &Network, found: &Found, timeout: u64) -> Vec<Outcome> {
    let listing = &found.listing;
    let name = format!("{}:{}", listing.store, listing.package);
    let alone = || Outcome::Audit(Box::new(auditor.conclude(Some(listing), Vec::new())));
    let Some(wanted) = &found.package else { return vec![alone()] };
    let failed = |code: &str, reason: String| {
        let skipped = Skipped { target: name.clone(), stage: "acquire".into(), code: code.into(), reason };
        vec![alone(), Outcome::Skip(skipped)]
    };
    // Gone with this function, package and all.
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return failed("network", format!("no temporary folder: {error}")),
    };
    match network.download(wanted, folder.path()) {
        Ok(Ok(file)) => {
            let outcomes = packages(auditor, &[(file.path, wanted.ask.url.clone())], Some(listing), timeout);
            let has_audit = outcomes.iter().any(|o| matches!(o, Outcome::Audit(_)));
            // The listing is worth an audit even when the package is none.
            if has_audit { outcomes } else { std::iter::once(alone()).chain(outcomes).collect() }
        }
        Ok(Err(fault)) => failed(fault.outcome.id(), fault.to_string()),
        Err(error) => failed("network", format!("{error:#}")),
    }
}

fn packages(auditor: &Auditor, paths: &[(PathBuf, String)], listing: Option<&Listing>, timeout: u64) -> Vec<Outcome> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(timeout);
    let auditor = Auditor {
        pack: Arc::clone(&auditor.pack),
        policy: auditor.policy.clone(),
        registers: Arc::clone(&auditor.registers),
        budget: auditor.budget.clone().until(move || std::time::Instant::now() > deadline),
    };
    let mut outcomes = Vec::new();
    let mut readings = Vec::new();
    for (path, name) in paths {
        match read(&auditor, path, name) {
            Ok(reading) => readings.push(reading),
            Err(reason) => {
                let (target, code) = (name.clone(), "unreadable".into());
                outcomes.push(Outcome::Skip(Skipped { target, stage: "unpack".into(), code, reason }))
            }
        }
    }
    if !readings.is_empty() {
        outcomes.insert(0, Outcome::Audit(Box::new(auditor.conclude(listing, readings))));
    }
    outcomes
}

fn read(auditor: &Auditor, path: &Path, name: &str) -> Result<Reading, String> {
    let file = Opened::new(path).map_err(|e| format!("cannot be opened: {e}"))?;
    let file = file.held().map_err(|e| format!("cannot be read: {e}"))?;
    let sha256 = file.sha256().map_err(|e| format!("cannot be read: {e}"))?;
    auditor.read(name, &sha256, &file).map_err(|e| e.to_string())
}
