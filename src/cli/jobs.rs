//! What a command line comes to: jobs, each of which becomes audits or skips.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::audit::Args;
use super::doing::Doing;
use super::keeper::Keeper;
use super::network::{Network, name_of, starts};
use super::shown::{self, Exchange, From, Had};
use super::targets::{self, Target, TargetError};
use crate::audit::{Auditor, Identity, Inner, Reading};
use crate::isolate::{self, Asked, Opened};
use crate::model::fetch::{Fault, Found, Purpose, Wanted};
use crate::model::{Audit, Listing, Skipped};
use crate::runs::{inner, unread_code};

/// What jobs share.
pub(super) struct Bench<'a> {
    pub(super) auditor: &'a Auditor,
    pub(super) network: &'a Network,
    /// Seconds that reading one app may take.
    pub(super) timeout: u64,
    /// What goes on, for who waits.
    pub(super) doing: &'a Doing,
    /// Remembers each audit and hands out evidence.
    pub(super) keeper: Option<Keeper>,
}

/// What one job came to.
pub(super) enum Outcome {
    Audit(Box<Audit>),
    Skip(Skipped),
}

/// What becomes one audit, or a skip a file.
pub(super) enum Job {
    Listing(Box<Listing>, PathBuf),
    Packages(Vec<PathBuf>, Option<(Box<Listing>, PathBuf)>),
    /// One app of an archive that holds several.
    Inner(PathBuf, Box<Inner>),
    /// An app of a store, its package not yet fetched.
    /// The page that it was read from is kept where evidence is.
    Found(Box<Found>, Option<Arc<Exchange>>),
    /// Apps of stores, not yet looked for.
    Store(Box<crate::crawl::Target>),
    /// A package by its address.
    Link(String),
    Skip(Skipped),
}

/// Jobs by package and version, each with the splits it has.
type Sets = HashMap<(String, u64), Vec<(usize, Identity)>>;

/// Other names of files that are audited once, by the name that counts.
pub(super) type Copies = HashMap<String, Vec<String>>;

/// Puts the splits of one app together; order is that of the first file.
pub(super) fn jobs(args: &Args, bench: &Bench<'_>) -> anyhow::Result<(Vec<Job>, Copies)> {
    let mut targets = targets::resolve(args.targets(), &|| args.stores())?;
    once(&mut targets);
    let copies = copies(&mut targets);
    let identity = |target: &Target| match target {
        Target::Package(path) => Opened::new(path).ok().and_then(|file| isolate::identify(bench.auditor, file)),
        _ => None,
    };
    let identities: Vec<Option<Identity>> = targets.par_iter().map(identity).collect();
    let mut jobs: Vec<Job> = Vec::new();
    let mut sets = Sets::new();
    for (target, identity) in targets.into_iter().zip(identities) {
        match target {
            Target::Listing(listing, folder) => jobs.push(Job::Listing(listing, folder)),
            Target::Skip(skipped) => jobs.push(Job::Skip(skipped)),
            Target::Link(url) => jobs.push(Job::Link(url)),
            Target::Store(target) => jobs.push(Job::Store(target)),
            Target::Package(path) => match identity {
                Some(id) if !id.apps.is_empty() => {
                    jobs.extend(id.apps.into_iter().map(|inner| Job::Inner(path.clone(), Box::new(inner))));
                }
                Some(id) if !id.package.is_empty() => join(path, &id, &mut jobs, &mut sets),
                _ => jobs.push(Job::Packages(vec![path], None)),
            },
        }
    }
    attach(args.listing(), &mut jobs)?;
    Ok((jobs, copies))
}

/// Leaves out what is named twice: one file is one audit, however often and by whatever path it was given.
fn once(targets: &mut Vec<Target>) {
    let mut known = HashSet::new();
    targets.retain(|target| match target {
        Target::Package(path) => std::fs::canonicalize(path).map_or(true, |path| known.insert(path)),
        _ => true,
    });
}

/// Leaves out files of the same bytes as one before: what they are called besides. Only files of one length can be
/// the same, so that few are read for it.
fn copies(targets: &mut Vec<Target>) -> Copies {
    let length = |target: &Target| match target {
        Target::Package(path) => std::fs::metadata(path).ok().map(|told| told.len()),
        _ => None,
    };
    let lengths: Vec<Option<u64>> = targets.iter().map(length).collect();
    let mut times: HashMap<u64, u32> = HashMap::new();
    lengths.iter().flatten().for_each(|length| *times.entry(*length).or_default() += 1);
    let is_doubtful = |length: &Option<u64>| length.is_some_and(|length| times.get(&length).is_some_and(|n| *n > 1));
    let hash = |(target, length): (&Target, &Option<u64>)| match target {
        Target::Package(path) if is_doubtful(length) => Opened::new(path).and_then(|file| file.sha256()).ok(),
        _ => None,
    };
    let hashes: Vec<Option<String>> = targets.par_iter().zip(&lengths).map(hash).collect();
    let mut first: HashMap<&str, String> = HashMap::new();
    let (mut copies, mut stays) = (Copies::new(), Vec::new());
    for (target, hash) in targets.iter().zip(&hashes) {
        let (Target::Package(path), Some(hash)) = (target, hash) else {
            stays.push(true);
            continue;
        };
        let name = path.display().to_string();
        let known = first.get(hash.as_str()).cloned();
        stays.push(known.is_none());
        match known {
            Some(known) => copies.entry(known).or_default().push(name),
            None => _ = first.insert(hash, name),
        }
    }
    let mut stays = stays.into_iter();
    targets.retain(|_| stays.next().unwrap_or(true));
    copies
}

/// Tells under which other names the files of an audit were given.
pub(super) fn name_copies(audit: &mut Audit, copies: &Copies) {
    for artifact in &mut audit.artifacts {
        let whole = |known: &str| artifact.name == known;
        // Of an archive of several apps, the archive was given.
        let within = |known: &str| artifact.name.strip_prefix(known).is_some_and(|rest| rest.starts_with('!'));
        let found = copies.iter().find(|(known, _)| whole(known)).or_else(|| {
            let is_outer = !artifact.name.contains("!/");
            copies.iter().find(|(known, _)| is_outer && within(known))
        });
        if let Some((_, names)) = found {
            artifact.also.clone_from(names);
        }
    }
}

/// Apps of one target that are audited; `sweep` is for more.
const FOUND_MAX: usize = 200;

/// What stores have for a target: an app each, and a skip for whatever went wrong.
fn from_stores(target: &crate::crawl::Target, bench: &Bench<'_>) -> anyhow::Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for (store, start) in starts(target) {
        let name = name_of(&store, &start);
        let _doing = bench.doing.begin(&name);
        let visit = match bench.keeper {
            Some(_) => bench.network.visit_keeping(&store, &start, FOUND_MAX)?,
            None => bench.network.visit(&store, &start, FOUND_MAX)?,
        };
        let nothing = visit.found.is_empty() && visit.faults.is_empty();
        let mut pages = visit.pages.into_iter();
        jobs.extend(visit.found.into_iter().map(|found| Job::Found(Box::new(found), pages.next())));
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

/// Adds a file to the set of its package, version and signer that has none of its splits yet.
fn join(path: PathBuf, id: &Identity, jobs: &mut Vec<Job>, sets: &mut Sets) {
    let known = sets.entry((id.package.clone(), id.version_code)).or_default();
    // Two bases of one version are two copies of an app, and two audits; and a set
    // without any split takes none but splits.
    let home = known
        .iter_mut()
        .find(|(_, own)| own.is_one_with(id) && !id.splits.iter().any(|split| own.splits.contains(split)));
    match home {
        Some((index, own)) => {
            own.splits.extend_from_slice(&id.splits);
            if let Job::Packages(paths, _) = &mut jobs[*index] {
                paths.push(path);
            }
        }
        None => {
            known.push((jobs.len(), id.clone()));
            jobs.push(Job::Packages(vec![path], None));
        }
    }
}

fn attach(listing: Option<&Path>, jobs: &mut [Job]) -> anyhow::Result<()> {
    let Some(path) = listing else { return Ok(()) };
    match jobs {
        [Job::Packages(_, listing)] => {
            *listing = Some((Box::new(targets::listing(path)?), targets::folder_of(path)));
            Ok(())
        }
        _ => Err(TargetError::ListingNeedsOnePackage.into()),
    }
}

impl Job {
    /// How people name it.
    pub(super) fn name(&self) -> String {
        let of = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        match self {
            Self::Listing(listing, _) => listing.name().to_owned(),
            Self::Packages(paths, _) => paths.first().map(|path| of(path)).unwrap_or_default(),
            Self::Inner(archive, inner) => {
                let file = inner.files.first();
                file.map_or_else(|| of(archive), |file| inner::name_of(&of(archive), file))
            }
            Self::Found(found, _) => format!("{}:{}", found.listing.store, found.listing.package),
            Self::Store(target) => starts(target).first().map(|(s, start)| name_of(s, start)).unwrap_or_default(),
            Self::Link(url) => url.clone(),
            Self::Skip(skipped) => skipped.target.clone(),
        }
    }

    pub(super) fn run(&self, bench: &Bench<'_>) -> Vec<Outcome> {
        match self {
            Self::Skip(skipped) => vec![Outcome::Skip(skipped.clone())],
            Self::Listing(listing, folder) => packages(bench, &[], Some((listing, From::Folder(folder)))),
            Self::Packages(paths, listing) => {
                let named: Vec<_> = paths.iter().map(|path| (path.clone(), path.display().to_string())).collect();
                let listing = listing.as_ref().map(|(listing, folder)| (&**listing, From::Folder(folder)));
                packages(bench, &named, listing)
            }
            Self::Inner(archive, inner) => taken_out(bench, (archive, &archive.display().to_string()), inner),
            Self::Found(found, page) => fetched(bench, found, page.as_deref()),
            Self::Store(target) => sought(bench, target),
            Self::Link(url) => linked(bench, url),
        }
    }
}

/// Looks for apps in stores and audits each; what lies on the disk does not wait for them.
fn sought(bench: &Bench<'_>, target: &crate::crawl::Target) -> Vec<Outcome> {
    match from_stores(target, bench) {
        Ok(jobs) => jobs.par_iter().flat_map_iter(|job| job.run(bench)).collect(),
        Err(error) => {
            let target = starts(target).first().map(|(store, start)| name_of(store, start)).unwrap_or_default();
            let reason = format!("{error:#}");
            vec![Outcome::Skip(Skipped { target, stage: "crawl".into(), code: "failed".into(), reason })]
        }
    }
}

/// Archives within archives that are taken apart.
const NESTED_MAX: usize = 4;

/// Audits one app of an archive that holds several, from files of its own; what holds several again, one by one.
fn taken_out(bench: &Bench<'_>, (archive, name): (&Path, &str), inner: &Inner) -> Vec<Outcome> {
    // Gone with this function, package and all.
    let files = tempfile::tempdir().and_then(|folder| {
        let files = inner::take_out(archive, name, inner, folder.path())?;
        Ok((folder, files))
    });
    match files {
        Ok((_folder, files)) => apart(bench, &files, None),
        Err(error) => {
            let target = inner.files.first().map_or_else(|| name.to_owned(), |file| inner::name_of(name, file));
            let reason = format!("cannot be taken out of the archive: {error}");
            vec![Outcome::Skip(Skipped { target, stage: "unpack".into(), code: "unreadable".into(), reason })]
        }
    }
}

/// Audits files of one app; one file that holds several apps, app by app.
fn apart(bench: &Bench<'_>, files: &[(PathBuf, String)], listing: Option<Shows<'_>>) -> Vec<Outcome> {
    if let [(path, name)] = files
        && name.matches('!').count() < NESTED_MAX
    {
        let identity = Opened::new(path).ok().and_then(|file| isolate::identify(bench.auditor, file));
        let apps = identity.map(|identity| identity.apps).unwrap_or_default();
        if !apps.is_empty() {
            return apps.iter().flat_map(|inner| taken_out(bench, (path, name), inner)).collect();
        }
    }
    packages(bench, files, listing)
}

/// Fetches the package of an app and audits both; the listing alone where there is none or it
/// cannot be had.
fn fetched(bench: &Bench<'_>, found: &Found, page: Option<&Exchange>) -> Vec<Outcome> {
    let listing = &found.listing;
    let name = format!("{}:{}", listing.store, listing.package);
    let had = Had { page, package: None };
    let shows = (listing, From::Store(bench.network, had));
    let alone = || packages(bench, &[], Some(shows));
    let Some(wanted) = &found.package else { return alone() };
    let failed = |code: &str, reason: String| {
        let skipped = Skipped { target: name.clone(), stage: "acquire".into(), code: code.into(), reason };
        alone().into_iter().chain([Outcome::Skip(skipped)]).collect()
    };
    // Gone with this function, package and all.
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return failed("network", format!("no temporary folder: {error}")),
    };
    match bench.network.download(wanted, folder.path()) {
        Ok(Ok(file)) => {
            let answered = (wanted.ask.clone(), file.answer);
            let had = Had { package: Some(&answered), ..had };
            let shows = (listing, From::Store(bench.network, had));
            let outcomes = packages(bench, &[(file.path, wanted.ask.url.clone())], Some(shows));
            let has_audit = outcomes.iter().any(|o| matches!(o, Outcome::Audit(_)));
            // The listing is worth an audit even when the package is none.
            if has_audit { outcomes } else { alone().into_iter().chain(outcomes).collect() }
        }
        Ok(Err(fault)) => failed(fault.outcome.id(), fault.to_string()),
        Err(error) => failed("network", format!("{error:#}")),
    }
}

/// Fetches a package by its address and audits it.
fn linked(bench: &Bench<'_>, url: &str) -> Vec<Outcome> {
    let failed = |code: &str, reason: String| {
        vec![Outcome::Skip(Skipped { target: url.into(), stage: "acquire".into(), code: code.into(), reason })]
    };
    // Gone with this function, package and all.
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return failed("network", format!("no temporary folder: {error}")),
    };
    let wanted = Wanted { ask: crate::model::fetch::Ask::get(url, Purpose::default()), ..Wanted::default() };
    match bench.network.download(&wanted, folder.path()) {
        Ok(Ok(file)) => apart(bench, &[(file.path, url.to_owned())], None),
        Ok(Err(fault)) => failed(fault.outcome.id(), fault.to_string()),
        Err(error) => failed("network", format!("{error:#}")),
    }
}

/// A listing, and where the pictures that it names are to be had.
pub(super) type Shows<'a> = (&'a Listing, From<'a>);

/// One app by its files, its listing, or both.
fn packages(bench: &Bench<'_>, paths: &[(PathBuf, String)], shows: Option<Shows<'_>>) -> Vec<Outcome> {
    let listing = shows.map(|(listing, _)| listing);
    if let Some(keeper) = &bench.keeper {
        return keeper.audit(paths, shows);
    }
    let until = Instant::now().checked_add(Duration::from_secs(bench.timeout));
    let mut outcomes = Vec::new();
    let mut readings = Vec::new();
    for (path, name) in paths {
        match read(bench.auditor, path, (name, listing.and_then(Listing::wanted)), until) {
            Ok(reading) => readings.push(reading),
            Err(reason) => {
                let (target, code) = (name.clone(), unread_code(&reason).into());
                outcomes.push(Outcome::Skip(Skipped { target, stage: "unpack".into(), code, reason }))
            }
        }
    }
    if !readings.is_empty() || paths.is_empty() {
        if let Some((listing, from)) = shows {
            readings.extend(shown::read(bench.auditor, listing, from, until));
        }
        outcomes.insert(0, Outcome::Audit(Box::new(bench.auditor.conclude(listing, readings))));
    }
    outcomes
}

fn read(
    auditor: &Auditor,
    path: &Path,
    (name, wanted): (&str, Option<&str>),
    until: Option<Instant>,
) -> Result<Reading, String> {
    let file = Opened::new(path).map_err(|e| format!("cannot be opened: {e}"))?;
    let sha256 = file.sha256().map_err(|e| format!("cannot be read: {e}"))?;
    let asked = Asked { name, sha256: &sha256, wanted, keeps: false, until };
    isolate::read(auditor, file, asked).map(|(reading, _)| reading)
}
