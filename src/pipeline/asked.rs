//! Audits that somebody asked for: one app of a store, or one file, ahead of every sweep.
//!
//! Asking opens a run and pushes a job, so that a request outlives the process that took it;
//! who asks for the same again while it waits is told of the same run.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Auditor;
use super::judge;
use super::sweep::{SweepError, now};
use crate::model::{App, Listing, Skipped, hex};
use crate::store::{NewAudit, NewJob, PackageFile, Run, Seen, State, Vault, Work};

/// Kind of the runs.
pub const KIND: &str = "asked";
/// Queue of the jobs.
pub const QUEUE: &str = "asked";
/// Store of apps that came as a file and are in no store.
pub const FILES: &str = "file";

/// What is to be audited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "kebab-case")]
pub enum Wish {
    /// An app of a store.
    App {
        /// The store's id.
        store: String,
        /// The app's package.
        package: String,
    },
    /// A file in the vault.
    File {
        /// Its name there.
        sha256: String,
        /// What it was called.
        name: String,
        /// The listing that belongs to it.
        listing: Option<Box<Listing>>,
    },
}

impl Wish {
    /// How people name it.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::App { store, package } => format!("{store}:{package}"),
            Self::File { name, .. } => name.clone(),
        }
    }

    /// What makes two wishes the same.
    ///
    /// # Errors
    /// When a listing cannot be written.
    pub fn scope(&self) -> serde_json::Result<String> {
        Ok(match self {
            Self::App { store, package } => format!("{store}:{package}"),
            Self::File { sha256, listing, .. } => {
                format!("{sha256} {}", &hex(&Sha256::digest(serde_json::to_vec(listing)?))[..16])
            }
        })
    }
}

/// A job's payload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The run it answers.
    pub run: i64,
    /// What is wished for.
    pub wish: Wish,
}

/// Asks for an audit: the run that will answer.
///
/// # Errors
/// When it cannot be remembered.
pub async fn ask(state: &(impl State + Work), wish: &Wish, now: i64) -> Result<Run, SweepError> {
    let run = state.begin(KIND, &wish.scope()?, now).await?;
    let job = NewJob {
        key: format!("{QUEUE}/{}", run.id),
        queue: QUEUE.into(),
        priority: 100,
        payload: serde_json::to_string(&Job { run: run.id, wish: wish.clone() })?,
    };
    state.push(&[job], now).await?;
    Ok(run)
}

/// What an audit of a file rests on besides the file.
#[derive(Clone)]
pub struct Grounds {
    /// Pack, policy and registers.
    pub auditor: Arc<Auditor>,
    /// Seconds that reading may take.
    pub timeout: u64,
    /// Day on which licences are judged.
    pub as_of: String,
    /// Name of the registers in the vault; empty where none was given.
    pub registers: String,
}

/// Audits a file of the vault and remembers it as an app of the store [`FILES`], or of its listing's.
///
/// # Errors
/// When it cannot be remembered. A file that cannot be read is a skip of the run.
pub async fn audit_file<S: State, V: Vault>(
    places: (&S, &V),
    grounds: &Grounds,
    run: i64,
    (sha256, name, listing): (&str, &str, Option<&Listing>),
) -> Result<(), SweepError> {
    let (state, vault) = places;
    let auditor = &grounds.auditor;
    let judged = judge::judge(places, auditor, listing.cloned(), Some(sha256), grounds.timeout).await?;
    if let Some(reason) = &judged.unread {
        let (code, stage) = ("unreadable", "unpack".to_owned());
        let skipped = Skipped { target: name.into(), stage, code: code.into(), reason: reason.clone() };
        state.skip(run, code, &skipped, now()).await?;
        if listing.is_none() {
            return Ok(());
        }
    }
    let seen = seen_as(listing, &judged.audit.app, name);
    let sight = state.see(Seen { run, listing: &seen, key: None, fetch: None, at: now() }).await?;
    let artifact = judged.audit.artifacts.first();
    if let Some(artifact) = artifact {
        let app = &judged.audit.app;
        let file = PackageFile {
            app: sight.app,
            offer: sha256,
            sha256,
            bytes: vault.size(sha256).await?.unwrap_or_default(),
            kind: Some(artifact.kind),
            certificates: &artifact.certificates,
            identity: (&app.package, &app.version_name, app.version_code),
            fetch: None,
            at: now(),
        };
        state.package(file).await?;
    }
    if let Some(kept) = &judged.kept {
        judge::keep(places, sha256, &judge::file_name(listing), kept, now()).await?;
    }
    let audit = NewAudit {
        run,
        app: sight.app,
        listing: listing.map(|_| sight.listing),
        artifact: artifact.map(|_| sha256),
        audit: &judged.audit,
        made_by: &auditor.made_by(),
        as_of: &grounds.as_of,
        registers: &grounds.registers,
        at: now(),
    };
    state.remember(audit).await?;
    Ok(())
}

/// What the app is remembered by: its listing, or what the package says of itself.
fn seen_as(listing: Option<&Listing>, app: &App, name: &str) -> Listing {
    let mut seen = listing.cloned().unwrap_or_else(|| Listing {
        title: app.title.clone(),
        package: app.package.clone(),
        version_name: app.version_name.clone(),
        version_code: app.version_code,
        ..Listing::default()
    });
    if seen.store.is_empty() {
        seen.store = FILES.into();
    }
    if seen.package.is_empty() {
        seen.package.clone_from(&app.package);
    }
    if [&seen.package, &seen.id, &seen.url, &seen.title].iter().all(|name| name.is_empty()) {
        seen.id = name.to_owned();
    }
    seen
}
