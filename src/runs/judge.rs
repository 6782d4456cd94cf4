//! An app judged from what is remembered: by the facts kept of its package, else by the
//! package itself, whose facts are then kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shown::{self, Shown};
use super::sweep::SweepError;
use crate::audit::{Auditor, Kept, Reading, stage};
use crate::isolate::{self, Asked, Opened};
use crate::model::{Audit, Limit, LimitCode, Listing};
use crate::store::{Control, NewAudit, State, StoreError, Vault};

/// What became of an app and its package file.
pub(super) struct Judged {
    pub(super) audit: Audit,
    /// Facts, where the package was read and not reread.
    pub(super) kept: Option<Kept>,
    /// Name in the vault of the facts it was judged by, where it was not read.
    pub(super) facts: Option<String>,
    /// Why there is no reading.
    pub(super) unread: Option<String>,
    /// The file is not in the vault, or not whole: it is to be fetched again.
    pub(super) is_lost: bool,
}

impl Judged {
    /// Judged without its package, or with all of it.
    fn new(audit: Audit) -> Self {
        Self { audit, kept: None, facts: None, unread: None, is_lost: false }
    }

    /// The file that the audit rests on: none where it could not be read.
    pub(super) fn file<'a>(&self, sha256: Option<&'a str>) -> Option<&'a str> {
        sha256.filter(|_| self.unread.is_none())
    }
}

impl Judged {
    /// Why the package file is not a whole package, in plain English: its directory is broken, an entry ends
    /// before its time, or nothing of it reads. What a store's file is like when it was cut on the way.
    pub(super) fn incomplete(&self) -> Option<String> {
        if self.is_lost { None } else { self.unread.clone().or_else(|| incomplete(&self.audit)) }
    }
}

/// Why the package of an audit is not whole.
pub(super) fn incomplete(audit: &Audit) -> Option<String> {
    let is_hole = |limit: &&Limit| matches!(limit.code, LimitCode::DamagedArchive | LimitCode::UnreadableEntry);
    let hole = audit.coverage.limits.iter().find(is_hole)?;
    Some(format!("the package is not whole: {}: {}", hole.place, hole.detail))
}

/// Sort of reason why a file was not read: each has another cure.
#[must_use]
pub fn unread_code(reason: &str) -> &'static str {
    let has = |part: &str| reason.contains(part);
    if has("Permission denied") || has("Access is denied") {
        "no-permission"
    } else if has("not a package: no ZIP directory") || has("but no package") {
        "no-package"
    } else if has("the archive holds several apps") {
        "other-apps"
    } else {
        "unreadable"
    }
}

/// Name that places in facts begin with: the same in every store, so that facts are shared.
pub(super) fn file_name(listing: Option<&Listing>) -> String {
    let package = listing.map_or("", |listing| &listing.package);
    let is_plain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = package.chars().filter(is_plain).take(100).collect();
    if name.is_empty() { "app.apk".into() } else { format!("{name}.apk") }
}

/// Judges an app by its listing and, where there is one, the package file of this hash.
pub(super) async fn judge<S: State, V: Vault>(
    (state, vault): (&S, &V),
    auditor: &Arc<Auditor>,
    listing: Option<Listing>,
    file: Option<&str>,
    timeout: u64,
) -> Result<Judged, SweepError> {
    let name = file_name(listing.as_ref());
    judge_as((state, vault), auditor, listing, file.map(|sha256| (sha256, name)), timeout).await
}

/// The same with the name that places in the package begin with.
pub(super) async fn judge_as<S: State, V: Vault>(
    (state, vault): (&S, &V),
    auditor: &Arc<Auditor>,
    listing: Option<Listing>,
    file: Option<(&str, String)>,
    timeout: u64,
) -> Result<Judged, SweepError> {
    let auditor = Arc::clone(auditor);
    let shown = shown::kept((state, vault), &auditor, listing.as_ref()).await?;
    let Some((sha256, name)) = file else {
        let judge = move || auditor.conclude(listing.as_ref(), shown.readings(&auditor));
        return Ok(Judged::new(aside(judge).await?));
    };
    // Facts are all that judging needs: whether the file itself is still there does not matter.
    if let Some(blob) = state.facts(sha256, &name, env!("CARGO_PKG_VERSION")).await?
        && is_whole(vault, &blob).await?
    {
        let (again, listing, kept) = (Arc::clone(&auditor), listing.clone(), Kept(vault.get(&blob).await?));
        let seen = Arc::clone(&shown);
        let reread = move || {
            let reading = stage("reread").in_scope(|| again.reread(&kept).ok())?;
            Some(again.conclude(listing.as_ref(), seen.with(&again, reading)))
        };
        // Facts of another form are read anew from the package.
        if let Some(audit) = aside(reread).await? {
            return Ok(Judged { facts: Some(blob), ..Judged::new(audit) });
        }
    }
    if !is_whole(vault, sha256).await? {
        let judge = move || auditor.conclude(listing.as_ref(), shown.readings(&auditor));
        let unread = Some("it is not kept any more, or damaged; the next sweep fetches it again".into());
        return Ok(Judged { unread, is_lost: true, ..Judged::new(aside(judge).await?) });
    }
    let (path, sha256) = (vault.local(sha256).await?, sha256.to_owned());
    let (plain, alone) = (Arc::clone(&auditor), listing.clone());
    let seen = Arc::clone(&shown);
    let judge = move || judge_file(&auditor, listing.as_ref(), &seen, (&path, &name, &sha256), timeout);
    match aside(judge).await {
        // A package that breaks a reader must not end a sweep: it is told, and the listing judged.
        Err(error) if error.is_panic() => {
            let judge = move || plain.conclude(alone.as_ref(), shown.readings(&plain));
            let unread = Some("a reader failed on this package; report it".into());
            Ok(Judged { unread, ..Judged::new(aside(judge).await?) })
        }
        judged => Ok(judged?),
    }
}

/// Whether the vault has the bytes of a name, and they are these. Others are taken away: what lies
/// under a name that it does not have is no evidence, and would keep the right bytes from being put.
pub(super) async fn is_whole(vault: &impl Vault, sha256: &str) -> Result<bool, SweepError> {
    if vault.size(sha256).await?.is_none() {
        return Ok(false);
    }
    match vault.verify(sha256).await {
        Ok(()) => Ok(true),
        Err(error @ StoreError::Damaged(..)) => {
            tracing::error!(%error, "a damaged file of the vault is taken away, and fetched or made again");
            vault.remove(sha256, i64::MAX).await?;
            Ok(false)
        }
        // Gone in between.
        Err(_) if vault.size(sha256).await?.is_none() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Judges the bytes of earlier audits as a new one is judged, to tell a change of the app from one of
/// its judge.
pub(super) async fn controls<S: State, V: Vault>(
    places: (&S, &V),
    auditor: &Arc<Auditor>,
    new: &NewAudit<'_>,
    timeout: u64,
) -> Result<Vec<Control>, SweepError> {
    let mut controls = Vec::new();
    for doubt in places.0.doubts(new).await? {
        let listing = match doubt.listing {
            Some(id) => places.0.listing(id).await?.map(|row| row.listing),
            None => None,
        };
        let told = judge(places, auditor, listing, doubt.artifact.as_deref(), timeout).await?;
        if told.unread.is_none() {
            let signs = told.audit.findings.iter().map(|finding| finding.sign.id().to_owned()).collect();
            controls.push(Control { audit: doubt.audit, signs });
        }
    }
    Ok(controls)
}

/// Off the threads of the network, in the same span.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, tokio::task::JoinError> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await
}

fn judge_file(
    auditor: &Auditor,
    listing: Option<&Listing>,
    shown: &Shown,
    (path, name, sha256): (&PathBuf, &str, &str),
    timeout: u64,
) -> Judged {
    let wanted = listing.and_then(Listing::wanted);
    match read(auditor, path, (name, sha256, wanted), timeout) {
        Ok((reading, kept)) => Judged { kept, ..Judged::new(auditor.conclude(listing, shown.with(auditor, reading))) },
        Err(reason) => {
            Judged { unread: Some(reason), ..Judged::new(auditor.conclude(listing, shown.readings(auditor))) }
        }
    }
}

fn read(
    auditor: &Auditor,
    path: &Path,
    (name, sha256, wanted): (&str, &str, Option<&str>),
    timeout: u64,
) -> Result<(Reading, Option<Kept>), String> {
    let until = Instant::now().checked_add(Duration::from_secs(timeout));
    let file = Opened::new(path).map_err(|e| format!("cannot be read: {e}"))?;
    isolate::read(auditor, file, Asked { name, sha256, wanted, keeps: true, until })
}

/// Keeps the facts of a file that was read; the name in the vault of those that the audit rests on,
/// empty where there are none.
pub(super) async fn keep<S: State, V: Vault>(
    (state, vault): (&S, &V),
    sha256: &str,
    name: &str,
    judged: &Judged,
    at: i64,
) -> Result<String, SweepError> {
    let Some(kept) = &judged.kept else { return Ok(judged.facts.clone().unwrap_or_default()) };
    let blob = vault.put(&kept.0).await?;
    state.keep_facts(sha256, name, &blob, env!("CARGO_PKG_VERSION"), at).await?;
    Ok(blob)
}
