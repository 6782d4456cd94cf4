//! The wiring: the only module that knows every stage.
//!
//! [`Auditor::read`] turns one package file into a [`Reading`], [`Auditor::conclude`]
//! turns the readings and the listing of one app into its audit. Both are pure
//! functions of bytes and pack: no clock, no network, no file system. What has those
//! stands around it: [`sweep`].

pub mod asked;
pub mod compare;
mod container;
pub mod dead;
pub mod evidence;
mod judge;
mod kept;
mod limits;
mod opened;
mod package;
pub mod prune;
pub mod rescore;
pub mod sweep;
mod trial;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detect;
use crate::extract::{self, Extracted, Manifest};
use crate::model::{
    About, App, Artifact, ArtifactKind, Audit, Budget, Coverage, Detection, Evidence, Facts, Hits, Kind, Limit,
    LimitCode, Listing, MadeBy, ModelVerdict, Read, Standings,
};
use crate::register::{Registers, credit_codes};
use crate::score;
use crate::signature::{Pack, Policy, lint};
use crate::unpack::{Archive, UnpackError};
pub use crate::unpack::{ReadAt, read_range};
use container::form_of;
use package::Package;

pub use container::Identity;
pub use kept::{Kept, KeptError};
pub use opened::Opened;
pub use visit::{Visit, visit, visit_one};

/// Everything an audit needs besides the app.
pub struct Auditor {
    /// The compiled pack.
    pub pack: Arc<Pack>,
    /// Policy in force.
    pub policy: Policy,
    /// Budget for each app.
    pub budget: Budget,
    /// Registers at hand.
    pub registers: Arc<Registers>,
}

/// The SHA-256 of an entry's bytes.
type Content = [u8; 32];

/// What was read of one package file, packages inside it included.
#[derive(Default)]
pub struct Reading {
    hits: Hits,
    limits: Vec<Limit>,
    read: Read,
    manifest: Manifest,
    artifacts: Vec<Artifact>,
    certificates: Vec<String>,
    icon: Option<String>,
    models: BTreeMap<String, ModelVerdict>,
    seen: limits::Seen,
    /// What entries hold, where the same may come again in another variant.
    contents: Vec<Content>,
    /// The facts themselves, batch by batch as they were scanned; `None` where nobody asked.
    kept: Option<Vec<Facts>>,
}

/// The span of a stage within whatever goes on: its time alone, for those who trace.
fn stage(name: &'static str) -> tracing::Span {
    tracing::debug_span!("stage", otel.name = name)
}

/// Why a file is no package.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no archive.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// An archive of something else.
    #[error("a ZIP archive, but no package: it holds neither a manifest, nor code, nor packages")]
    NotAPackage,
}

impl Auditor {
    /// What reports are made by.
    #[must_use]
    pub fn made_by(&self) -> MadeBy {
        MadeBy {
            version: env!("CARGO_PKG_VERSION").into(),
            pack_sha256: self.pack.sha256.clone(),
            policy: self.policy.id.clone(),
        }
    }

    /// Reads one package file. `name` is the path as given, `sha256` that of its bytes.
    ///
    /// # Errors
    /// When it is no archive or no package.
    pub fn read(&self, name: &str, sha256: &str, source: &dyn ReadAt) -> Result<Reading, ReadError> {
        self.read_file(name, sha256, source, false)
    }

    /// Reads one package file like [`Auditor::read`] and keeps its facts: [`Reading::keep`].
    ///
    /// # Errors
    /// When it is no archive or no package.
    pub fn read_keeping(&self, name: &str, sha256: &str, source: &dyn ReadAt) -> Result<Reading, ReadError> {
        self.read_file(name, sha256, source, true)
    }

    fn read_file(&self, name: &str, sha256: &str, source: &dyn ReadAt, keeps: bool) -> Result<Reading, ReadError> {
        let budget = self.budget.for_file(source.size());
        let place = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let archive = stage("unpack").in_scope(|| Archive::open(source, place, &budget))?;
        let package = Package { keeps, ..self.package(&archive, place, name, &budget) };
        let form = form_of(&package).ok_or(ReadError::NotAPackage)?;
        // Entries are inflated, read and scanned one by one, many at once.
        let mut reading = stage("extract").in_scope(|| package.read(Some(form)));
        let artifact = package.artifact(form, sha256.into(), source.size(), &reading);
        reading.artifacts.insert(0, artifact);
        Ok(reading)
    }

    /// Reads only who the app is, to tell which files belong together.
    #[must_use]
    pub fn identify(&self, source: &dyn ReadAt) -> Option<Identity> {
        let budget = self.budget.for_file(source.size());
        let archive = Archive::open(source, "", &budget).ok()?;
        let package = self.package(&archive, "", "", &budget);
        form_of(&package)?.identity(&package)
    }

    fn package<'a>(
        &'a self,
        archive: &'a Archive<'a>,
        place: &'a str,
        name: &'a str,
        budget: &'a Budget,
    ) -> Package<'a> {
        Package { auditor: self, archive, place, name, depth: 0, is_carried: false, keeps: false, known: None, budget }
    }

    /// Facts that were told rather than read, as a reading of everything a package holds.
    #[must_use]
    pub fn read_facts(&self, package: &str, facts: &Facts) -> Reading {
        let mut reading = Reading { hits: detect::scan(&self.pack, facts), ..Reading::default() };
        reading.read.strings = facts.blocks.iter().map(|b| b.len() as u64).sum();
        reading.manifest.package = package.to_owned();
        reading.manifest.labels = facts.of(Kind::Label).map(|label| (String::new(), label.to_owned())).collect();
        reading
    }

    /// Judges one app by its listing and the readings of its files.
    #[must_use]
    pub fn conclude(&self, listing: Option<&Listing>, readings: Vec<Reading>) -> Audit {
        self.weigh(listing, readings).0
    }

    /// Judges one app, and tells what was detected as well.
    #[must_use]
    pub fn weigh(&self, listing: Option<&Listing>, readings: Vec<Reading>) -> (Audit, Detection) {
        let mut all = Reading::default();
        if let Some(listing) = listing {
            let facts = extract::listing(listing);
            all.read.strings += facts.blocks.iter().map(|b| b.len() as u64).sum::<u64>();
            let (hits, models) = stage("detect").in_scope(|| detect::scan_listing(&self.pack, &facts));
            all.hits.merge(hits);
            all.models = models;
        } else {
            all.limits.push(Limit::new(LimitCode::NoListing, "", "no listing was given"));
        }
        if readings.is_empty() {
            all.limits.push(Limit::new(LimitCode::NoPackage, "", "no package was given"));
        }
        for reading in readings {
            all.merge(reading);
        }
        let has_splits = all.artifacts.iter().any(|a| a.kind == ArtifactKind::Split);
        if all.manifest.requires_splits && !has_splits {
            let detail = "the manifest requires splits, none was given; fetch them with the base";
            all.limits.push(Limit::new(LimitCode::MissingSplit, "", detail));
        }
        self.finish(listing, all)
    }

    /// The evidence about a subject in what was detected, whatever it came to.
    #[must_use]
    pub fn evidence(&self, detection: &Detection, about: About) -> Vec<Evidence> {
        detect::evidence(&self.pack, detection, about)
    }

    fn finish(&self, listing: Option<&Listing>, mut all: Reading) -> (Audit, Detection) {
        let app = app_of(listing, &all.manifest);
        all.limits.extend(limits::infer(&self.pack, &all.hits, &all.manifest, &all.seen));
        let coverage = Coverage::new(all.limits, all.read);
        let detection = stage("conclude").in_scope(|| detect::conclude(&self.pack, all.hits, all.models));
        let standings = self.standings(listing, &app, &detection.hits);
        let evidence = |about| self.evidence(&detection, about);
        let case = score::Case {
            app: &app,
            coverage: &coverage,
            detection: &detection,
            evidence: &evidence,
            standings: &standings,
        };
        let scored = stage("score").in_scope(|| score::score(&self.pack, &self.policy, case));
        let audit = Audit {
            app,
            artifacts: all.artifacts,
            profile: scored.profile,
            standings,
            coverage,
            checks: scored.checks,
            findings: scored.findings,
            out_of_scope: scored.out_of_scope,
            icon: all.icon,
        };
        (audit, detection)
    }
}

impl Auditor {
    fn standings(&self, listing: Option<&Listing>, app: &App, hits: &Hits) -> Standings {
        if self.registers.is_empty() {
            return Standings::default();
        }
        let said = listing.map(|l| format!("{} {}", l.developer, l.description)).unwrap_or_default();
        let numbers = score::filing_numbers(&self.pack, hits);
        self.registers.look_up(app, &credit_codes(&said), &numbers)
    }
}

impl Reading {
    fn merge(&mut self, other: Self) {
        self.hits.merge(other.hits);
        self.limits.extend(other.limits);
        self.read += other.read;
        self.seen.merge(other.seen);
        self.artifacts.extend(other.artifacts);
        self.contents.extend(other.contents);
        if let (Some(mine), Some(theirs)) = (&mut self.kept, other.kept) {
            mine.extend(theirs);
        }
        for certificate in other.certificates {
            if !self.certificates.contains(&certificate) {
                self.certificates.push(certificate);
            }
        }
        let better = self.manifest.yield_to(other.manifest);
        if self.icon.is_none() || (better && other.icon.is_some()) {
            self.icon = other.icon;
        }
    }

    fn absorb(&mut self, pack: &Pack, extracted: Extracted) {
        self.take(pack, extracted.facts);
        self.limits.extend(extracted.limits);
        self.read += extracted.read;
    }

    /// Looks at a batch of facts, and keeps it where asked to.
    fn take(&mut self, pack: &Pack, facts: Facts) {
        self.seen.note(&facts);
        self.hits.merge(detect::scan(pack, &facts));
        if let Some(kept) = &mut self.kept
            && !facts.blocks.is_empty()
        {
            kept.push(facts);
        }
    }
}

fn app_of(listing: Option<&Listing>, manifest: &Manifest) -> App {
    let mut app = App {
        package: manifest.package.clone(),
        title: manifest.labels.first().map(|(_, text)| text.clone()).unwrap_or_default(),
        version_name: manifest.version_name.clone(),
        version_code: manifest.version_code,
        ..App::default()
    };
    let Some(listing) = listing else { return app };
    let prefer = |field: &mut String, said: &str| {
        if !said.is_empty() {
            *field = said.to_owned();
        }
    };
    prefer(&mut app.title, &listing.title);
    prefer(&mut app.store, &listing.store);
    prefer(&mut app.developer, &listing.developer);
    prefer(&mut app.url, &listing.url);
    prefer(&mut app.id, &listing.id);
    // The package knows its own name and version better than a page about it.
    if app.package.is_empty() {
        app.package.clone_from(&listing.package);
    }
    if app.version_name.is_empty() {
        app.version_name.clone_from(&listing.version_name);
    }
    if app.version_code == 0 {
        app.version_code = listing.version_code;
    }
    app
}

/// Runs the linter with real detection over every signature of a pack.
#[must_use]
pub fn lint(pack: &Pack) -> Vec<lint::Case> {
    pack.signatures.iter().flat_map(|signature| lint::check(pack, signature, &|facts| holding(pack, facts))).collect()
}

/// Runs the linter over one signature; nothing where the pack has none of this id.
#[must_use]
pub fn lint_one(pack: &Pack, id: &str) -> Vec<lint::Case> {
    let signature = pack.signature(id).into_iter();
    signature.flat_map(|signature| lint::check(pack, signature, &|facts| holding(pack, facts))).collect()
}

fn holding(pack: &Pack, facts: &Facts) -> BTreeSet<usize> {
    // An example shows what speaks for a sign; a model that leans away does not.
    let mut models = detect::judge(pack, facts);
    models.retain(|_, verdict| verdict.lean > 0.0);
    let detection = detect::conclude(pack, detect::scan(pack, facts), models);
    (0..pack.clues.len()).filter(|&clue| detection.holding.contains(clue)).collect()
}

/// SHA-256 of a whole source in lower-case hex; of what could be read, if the medium fails.
fn sha256_of(source: &dyn ReadAt) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    let mut at = 0;
    while let Ok(part) = source.range(at, 1 << 20) {
        if part.is_empty() {
            break;
        }
        hash.update(&part);
        at += part.len() as u64;
    }
    crate::model::hex(&hash.finalize())
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    crate::model::hex(&Sha256::digest(bytes))
}
