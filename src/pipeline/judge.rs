//! An app judged from what is remembered: by the facts kept of its package, else by the
//! package itself, whose facts are then kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::opened::Opened;
use super::sweep::SweepError;
use super::{Auditor, Kept, Reading, stage};
use crate::model::{Audit, Listing};
use crate::store::{State, Vault};

/// What became of an app and its package file.
pub(super) struct Judged {
    pub(super) audit: Audit,
    /// Facts, where the package was read and not reread.
    pub(super) kept: Option<Kept>,
    /// Why there is no reading.
    pub(super) unread: Option<String>,
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
    let auditor = Arc::clone(auditor);
    let Some(sha256) = file else {
        let judge = move || auditor.conclude(listing.as_ref(), Vec::new());
        return Ok(Judged { audit: aside(judge).await?, kept: None, unread: None });
    };
    let facts = match state.facts(sha256, &name, env!("CARGO_PKG_VERSION")).await? {
        Some(blob) if vault.size(&blob).await?.is_some() => Some(Kept(vault.get(&blob).await?)),
        _ => None,
    };
    if vault.size(sha256).await?.is_none() {
        // An old offer that came back just when its file was forgotten: the next sweep fetches it.
        let judge = move || auditor.conclude(listing.as_ref(), Vec::new());
        let audit = tokio::task::spawn_blocking(judge).await?;
        return Ok(Judged {
            audit,
            kept: None,
            unread: Some("it is not kept any more; fetched by the next sweep".into()),
        });
    }
    let (path, sha256) = (vault.local(sha256).await?, sha256.to_owned());
    let (plain, alone) = (Arc::clone(&auditor), listing.clone());
    let judge = move || judge_file(&auditor, listing.as_ref(), facts, (&path, &name, &sha256), timeout);
    match aside(judge).await {
        // A package that breaks a reader must not end a sweep: it is told, and the listing judged.
        Err(error) if error.is_panic() => {
            let judge = move || plain.conclude(alone.as_ref(), Vec::new());
            let audit = aside(judge).await?;
            Ok(Judged { audit, kept: None, unread: Some("a reader failed on this package; report it".into()) })
        }
        judged => Ok(judged?),
    }
}

/// Off the threads of the network, in the same span.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, tokio::task::JoinError> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await
}

fn judge_file(
    auditor: &Auditor,
    listing: Option<&Listing>,
    facts: Option<Kept>,
    (path, name, sha256): (&PathBuf, &str, &str),
    timeout: u64,
) -> Judged {
    // Damaged facts are read anew from the package.
    if let Some(reading) = facts.and_then(|kept| stage("reread").in_scope(|| auditor.reread(&kept).ok())) {
        return Judged { audit: auditor.conclude(listing, vec![reading]), kept: None, unread: None };
    }
    match read(auditor, path, name, sha256, timeout) {
        Ok(mut reading) => {
            let kept = reading.keep().ok().flatten();
            Judged { audit: auditor.conclude(listing, vec![reading]), kept, unread: None }
        }
        Err(reason) => Judged { audit: auditor.conclude(listing, Vec::new()), kept: None, unread: Some(reason) },
    }
}

fn read(auditor: &Auditor, path: &Path, name: &str, sha256: &str, timeout: u64) -> Result<Reading, String> {
    let deadline = Instant::now() + Duration::from_secs(timeout);
    let auditor = Auditor {
        pack: Arc::clone(&auditor.pack),
        policy: auditor.policy.clone(),
        registers: Arc::clone(&auditor.registers),
        budget: auditor.budget.clone().until(move || Instant::now() > deadline),
    };
    let file = Opened::new(path).and_then(Opened::held).map_err(|e| format!("cannot be read: {e}"))?;
    auditor.read_keeping(name, sha256, &file).map_err(|e| e.to_string())
}

/// Keeps the facts of a file that was read.
pub(super) async fn keep<S: State, V: Vault>(
    (state, vault): (&S, &V),
    sha256: &str,
    name: &str,
    kept: &Kept,
    at: i64,
) -> Result<(), SweepError> {
    let blob = vault.put(&kept.0).await?;
    Ok(state.keep_facts(sha256, name, &blob, env!("CARGO_PKG_VERSION"), at).await?)
}
