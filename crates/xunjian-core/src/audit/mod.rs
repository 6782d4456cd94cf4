//! The wiring of one audit: the only module of the core that knows every stage.
//!
//! [`Auditor::read`] turns one package file into a [`Reading`], [`Auditor::conclude`]
//! turns the readings and the listing of one app into its audit. Both are pure
//! functions of bytes and pack: no clock, no network, no file system.

mod container;
mod kept;
mod limits;
mod package;
mod pictures;
mod provider;
mod sealed;
mod trial;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detect;
use crate::extract::{self, Extracted, Manifest, Name};
use crate::model::config::WhichPictures;
use crate::model::{
    About, App, Artifact, ArtifactKind, Audit, Block, Budget, Coverage, Detection, Evidence, Facts, Hits, Kind, Limit,
    LimitCode, Listed, Listing, MadeBy, ModelVerdict, Profile, Read, Signer, Standings,
};
use crate::register::{Registers, credit_codes};
use crate::score;
use crate::signature::{Pack, Policy, lint};
use crate::unpack::{Archive, UnpackError};
pub use crate::unpack::{ReadAt, read_range};
use container::form_of;
use package::Package;
use pictures::{CutOuts, Pictures};

pub use crate::extract::picture::{IS_BUILT as READS_PICTURES, MODEL as READS_PICTURES_BY};
pub use container::{Identity, Inner, InnerFile};
pub use kept::{Kept, KeptError};

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
    /// The same as they describe themselves, until its artifact is made.
    signers: Vec<Signer>,
    icon: Option<String>,
    models: BTreeMap<String, ModelVerdict>,
    seen: limits::Seen,
    /// Names that splits hold for their base, with the place of each table.
    names: Vec<(String, Name)>,
    /// What entries hold, where the same may come again in another variant.
    contents: Vec<Content>,
    /// Pictures that may be read for words.
    pictures: Pictures,
    /// Cut-outs of pictures in which something was seen, by place, as `data:` addresses.
    cut_outs: CutOuts,
    /// What an archive of several apps holds, where none of them is the one that is wanted.
    strangers: Option<String>,
    /// It is of a picture that a store shows, not of a package.
    is_shown: bool,
    /// The facts themselves, batch by batch as they were scanned; `None` where nobody asked.
    kept: Option<Vec<Facts>>,
}

/// The span of a stage within whatever goes on: its time alone, for those who trace.
#[must_use]
pub fn stage(name: &'static str) -> tracing::Span {
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
    /// An archive of several apps, none of which is the one that is wanted.
    #[error("the archive holds several apps, and none of them is {wanted}: {apps}")]
    OtherApps {
        /// The app that is wanted, in words where it has no name.
        wanted: String,
        /// The apps that it holds.
        apps: String,
    },
}

/// A package file as it is read: what it is called, what it is known by, which app is wanted of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// The path as given.
    pub name: &'a str,
    /// SHA-256 of its bytes.
    pub sha256: &'a str,
    /// Package name of the app that is wanted of an archive of several, as [`Listing::wanted`] has it; the first
    /// where that is `None`.
    pub wanted: Option<&'a str>,
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
        self.read_named(Named { name, sha256, wanted: None }, source, false)
    }

    /// Reads one package file like [`Auditor::read`] and keeps its facts: [`Reading::keep`].
    ///
    /// # Errors
    /// When it is no archive or no package.
    pub fn read_keeping(&self, name: &str, sha256: &str, source: &dyn ReadAt) -> Result<Reading, ReadError> {
        self.read_named(Named { name, sha256, wanted: None }, source, true)
    }

    /// Reads one package file; of an archive of several apps the one that is wanted. `keeps` as
    /// [`Auditor::read_keeping`] does.
    ///
    /// # Errors
    /// When it is no archive or no package, or holds several apps and not the one that is wanted.
    pub fn read_named(&self, file: Named<'_>, source: &dyn ReadAt, keeps: bool) -> Result<Reading, ReadError> {
        let Named { name, sha256, wanted } = file;
        let budget = self.budget.for_file(source.size());
        let place = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let archive = stage("unpack").in_scope(|| Archive::open(source, place, &budget))?;
        let package = Package { keeps, wanted, ..self.package(&archive, place, name, &budget) };
        let form = form_of(&package).ok_or(ReadError::NotAPackage)?;
        // Entries are inflated, read and scanned one by one, many at once.
        let mut reading = stage("extract").in_scope(|| package.read(Some(form)));
        if let Some(apps) = reading.strangers.take() {
            let wanted = wanted.filter(|wanted| !wanted.is_empty()).unwrap_or("an app that its listing names").into();
            return Err(ReadError::OtherApps { wanted, apps });
        }
        stage("pictures").in_scope(|| self.read_pictures(&mut reading, place, &budget));
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
        let identity = form_of(&package)?.identity(&package)?;
        let certificates = package::certificates_of(&archive, &budget);
        Some(if certificates.is_empty() { identity } else { Identity { certificates, ..identity } })
    }

    /// Reads a picture that a store shows of an app, and keeps its facts: `name` is how places name it,
    /// `screenshot 3`.
    #[must_use]
    pub fn read_shown(&self, name: &str, source: &dyn ReadAt) -> Reading {
        let mut reading = Reading { is_shown: true, kept: Some(Vec::new()), ..Reading::default() };
        let budget = self.budget.for_file(source.size());
        let size = source.size().min(extract::picture::BYTES_MAX * 4);
        match source.range(0, size) {
            Ok(bytes) => {
                let extracted = extract::picture::read(Kind::Screenshot, &bytes, name, &budget);
                self.take_picture(&bytes, extracted, &mut reading);
            }
            Err(error) => reading.limits.push(Limit::new(LimitCode::UnreadPicture, name, error.to_string())),
        }
        reading
    }

    fn package<'a>(
        &'a self,
        archive: &'a Archive<'a>,
        place: &'a str,
        name: &'a str,
        budget: &'a Budget,
    ) -> Package<'a> {
        let (is_carried, keeps, known) = (false, false, None);
        Package { auditor: self, archive, place, name, depth: 0, is_carried, keeps, wanted: None, known, budget }
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
            let unread = |detail: &String| Limit::new(LimitCode::UnreadListing, "listing", detail.clone());
            all.limits.extend(listing.unread.iter().map(unread));
        }
        if listing.is_none_or(Listing::says_nothing) {
            all.limits.push(Limit::new(LimitCode::NoListing, "", "no listing was given"));
        }
        if let Some(listing) = listing.filter(|_| readings.iter().all(|reading| !reading.is_shown)) {
            all.limits.extend(pictures::unshown(listing, &self.budget));
        }
        if readings.iter().all(|reading| reading.is_shown) {
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
        let is_only_splits = has_splits && all.artifacts.iter().all(|a| a.kind == ArtifactKind::Split);
        if is_only_splits {
            let detail = "a split without its base: manifest, code and most words of the app are not here";
            all.limits.push(Limit::new(LimitCode::MissingSplit, "", detail));
        }
        self.name(&mut all);
        self.finish(listing, all)
    }

    /// Names the app as its splits of languages do: their tables hold the label that the
    /// base's manifest refers to.
    fn name(&self, all: &mut Reading) {
        let Some(id) = all.manifest.label_id else { return };
        for (place, name) in std::mem::take(&mut all.names).into_iter().filter(|(_, name)| name.id == id) {
            let spot = format!("application label [{}]", name.config);
            let fact = Facts { blocks: vec![Block::one(Kind::Label, place, &spot, &name.text)] };
            all.read.strings += 1;
            all.take(&self.pack, fact);
            all.manifest.labels.push((name.config, name.text));
        }
        extract::arrange(&mut all.manifest.labels);
    }

    /// The evidence about a subject in what was detected, whatever it came to.
    #[must_use]
    pub fn evidence(&self, detection: &Detection, about: About) -> Vec<Evidence> {
        detect::evidence(&self.pack, detection, about)
    }

    fn finish(&self, listing: Option<&Listing>, mut all: Reading) -> (Audit, Detection) {
        let app = app_of(listing, &all.manifest);
        let is_whole = all.limits.iter().all(|limit| limit.code != LimitCode::OverBudget);
        let listed = Listed::of(listing, &app);
        all.limits.extend(other_package(listing, &all.manifest));
        all.limits.extend(other_version(listing, &all.manifest));
        all.limits.extend(limits::infer(&self.pack, &all.hits, &all.manifest, &all.seen, is_whole));
        let mut coverage = Coverage::new(all.limits, all.read);
        coverage.pictures = Some(WhichPictures::of(&self.budget));
        let detection = stage("conclude").in_scope(|| detect::conclude(&self.pack, all.hits, all.models));
        let standings = self.standings(listing, &app, &detection.hits);
        let evidence = |about| self.evidence(&detection, about);
        let case = score::Case {
            listed: &listed,
            coverage: &coverage,
            detection: &detection,
            evidence: &evidence,
            standings: &standings,
        };
        let scored = stage("score").in_scope(|| score::score(&self.pack, &self.policy, case));
        let profile = Profile {
            provider: provider::of(&self.pack, &detection.hits),
            asks: all.manifest.asks.clone(),
            ..scored.profile
        };
        let audit = Audit {
            app,
            artifacts: all.artifacts,
            profile,
            standings,
            coverage,
            basis: self.policy.basis.clone(),
            checks: scored.checks,
            findings: pictures::shown(&all.cut_outs, scored.findings),
            out_of_scope: pictures::shown(&all.cut_outs, scored.out_of_scope),
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
        let mut codes = credit_codes(&said);
        codes.extend(provider::of(&self.pack, hits).into_iter().flat_map(|provider| provider.credit_codes));
        self.registers.look_up(app, &codes, &numbers)
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
        self.pictures.merge(other.pictures);
        self.cut_outs.extend(other.cut_outs);
        self.names.extend(other.names);
        self.strangers = self.strangers.take().or(other.strangers);
        if let (Some(mine), Some(theirs)) = (&mut self.kept, other.kept) {
            mine.extend(theirs);
        }
        for certificate in other.certificates {
            if !self.certificates.contains(&certificate) {
                self.certificates.push(certificate);
            }
        }
        for signer in other.signers {
            if self.signers.iter().all(|known| known.sha256 != signer.sha256) {
                self.signers.push(signer);
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

/// The listing and the package speak of different versions: what one of them shows the other may not have.
fn other_version(listing: Option<&Listing>, manifest: &Manifest) -> Option<Limit> {
    let listing = listing?;
    let is_other_code =
        listing.version_code != 0 && manifest.version_code != 0 && listing.version_code != manifest.version_code;
    let (listed, inside) = (listing.version_name.trim(), manifest.version_name.trim());
    let is_other_name = !listed.is_empty() && !inside.is_empty() && plain(listed) != plain(inside);
    (is_other_code || is_other_name).then(|| {
        let detail = format!(
            "listed as version {listed} ({}), and the package is version {inside} ({})",
            listing.version_code, manifest.version_code
        );
        Limit::new(LimitCode::OtherVersion, "", detail)
    })
}

/// A version as stores write it: with or without a leading `v`.
fn plain(version: &str) -> &str {
    version.strip_prefix(['v', 'V']).unwrap_or(version)
}

/// A store hands out another app's package under this listing: a downloader's stub, one vendor's
/// build under several names, or a swapped file. What is inside is then not what was listed.
fn other_package(listing: Option<&Listing>, manifest: &Manifest) -> Option<Limit> {
    let (listed, inside) = (&listing?.package, &manifest.package);
    let is_other = listed.contains('.') && !inside.is_empty() && !listed.eq_ignore_ascii_case(inside);
    is_other.then(|| {
        let detail = format!("listed as {listed}, and the package inside is {inside}");
        Limit::new(LimitCode::OtherPackage, "", detail)
    })
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
    let mut hits = detect::scan(pack, facts);
    // An example shows one kind of fact: what a package says in all is given as `screen`.
    hits.screen.clear();
    let detection = detect::conclude(pack, hits, models);
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
