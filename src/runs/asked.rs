//! Audits that somebody asked for: one app of a store, or one file, ahead of every sweep.
//!
//! Asking opens a run and pushes a job, so that a request outlives the process that took it;
//! who asks for the same again while it waits is told of the same run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::sweep::{SweepError, now};
use super::{inner, judge};
use crate::audit::{Auditor, Inner};
use crate::isolate::{self, Opened};
use crate::model::{App, Audit, Listing, Skipped, hex};
use crate::store::{NewAudit, NewJob, PackageFile, Run, Seen, State, Vault, Work};

/// Kind of the runs.
pub const KIND: &str = "asked";
/// Queue of the jobs.
pub const QUEUE: &str = "asked";
/// What the stores of apps begin with that came as a file: each client has one of its own, so that
/// what it sends changes nothing about any other store's app.
const FILES: &str = "file";
/// Where a listing that came with a file keeps the store that it claims to be of.
const CLAIMED: &str = "claimed_store";

/// The store of what a client sends; empty: whoever it was.
#[must_use]
pub fn store_of(client: &str) -> String {
    if client.is_empty() { FILES.into() } else { format!("{FILES}:{client}") }
}

/// The client of a store of files; `None` for any other store.
#[must_use]
pub fn client_of(store: &str) -> Option<&str> {
    if store == FILES { Some("") } else { store.strip_prefix(FILES)?.strip_prefix(':') }
}

/// Whether the scope of a run names a file that was sent.
#[must_use]
pub fn is_sent(scope: &str) -> bool {
    scope.split_once(' ').is_some_and(|(store, _)| client_of(store).is_some())
}

/// The store that a listing which came with a file claims to be of; empty where it claims none.
#[must_use]
pub fn claimed_store(listing: &Listing) -> &str {
    listing.more.get(CLAIMED).and_then(|claimed| claimed.as_str()).unwrap_or_default()
}

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
        /// The listing that belongs to it, as whoever sent it says.
        listing: Option<Box<Listing>>,
        /// Which client sent it; empty in jobs of versions before 0.2.
        #[serde(default)]
        client: String,
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
            Self::File { sha256, listing, client, .. } => {
                let listing = hex(&Sha256::digest(serde_json::to_vec(listing)?));
                format!("{} {sha256} {}", store_of(client), &listing[..16])
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
    /// Folder for what is taken out of archives on its way to the vault.
    pub incoming: PathBuf,
}

/// A file that was sent.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    /// Its name in the vault.
    pub sha256: &'a str,
    /// What it was called.
    pub name: &'a str,
    /// The listing that came with it.
    pub listing: Option<&'a Listing>,
    /// Who sent it.
    pub client: &'a str,
}

/// Audits a file of the vault and remembers it as an app of its client's own store; of an archive that holds
/// several apps, each as one of its own.
///
/// # Errors
/// When it cannot be remembered. A file that cannot be read is a skip of the run.
pub async fn audit_file<S: State, V: Vault>(
    places: (&S, &V),
    grounds: &Grounds,
    run: i64,
    sent: Sent<'_>,
) -> Result<(), SweepError> {
    let mut waiting = vec![(sent.sha256.to_owned(), sent.name.to_owned(), sent.listing.cloned(), 0)];
    while let Some((sha256, name, listing, depth)) = waiting.pop() {
        let apps = if depth < NESTED_MAX { apps_of(places.1, grounds, &sha256).await? } else { Vec::new() };
        if apps.is_empty() {
            let sent = Sent { sha256: &sha256, name: &name, listing: listing.as_ref(), client: sent.client };
            audit_one(places, grounds, run, sent).await?;
        }
        for app in apps.iter().rev() {
            let name = app.files.first().map_or_else(|| name.clone(), |file| inner::name_of(&name, file));
            // A listing that came along is of the app that it names, and of no other.
            let own = listing.clone().filter(|listing| !app.package.is_empty() && listing.package == app.package);
            match take_out(places.1, &grounds.incoming, &sha256, app).await? {
                Ok(sha256) => waiting.push((sha256, name, own, depth + 1)),
                Err(reason) => {
                    let (code, stage) = ("unreadable", "unpack".to_owned());
                    let skipped = Skipped { target: name, stage, code: code.into(), reason };
                    places.0.skip(run, code, &skipped, now()).await?;
                }
            }
        }
    }
    Ok(())
}

/// Archives within archives that are taken apart.
const NESTED_MAX: usize = 4;

/// The apps of a file that holds several; none of any other.
async fn apps_of(vault: &impl Vault, grounds: &Grounds, sha256: &str) -> Result<Vec<Inner>, SweepError> {
    if !judge::is_whole(vault, sha256).await? {
        return Ok(Vec::new());
    }
    let (path, auditor) = (vault.local(sha256).await?, Arc::clone(&grounds.auditor));
    let look = move || Opened::new(&path).ok().and_then(|file| isolate::identify(&auditor, file));
    let identity = tokio::task::spawn_blocking(look).await?;
    Ok(identity.map(|identity| identity.apps).unwrap_or_default())
}

/// Puts one app of an archive into the vault: its name there, or why it does not come out.
async fn take_out(
    vault: &impl Vault,
    incoming: &Path,
    archive: &str,
    app: &Inner,
) -> Result<Result<String, String>, SweepError> {
    let (path, incoming, app) = (vault.local(archive).await?, incoming.to_owned(), app.clone());
    let taken = move || -> std::io::Result<_> {
        std::fs::create_dir_all(&incoming)?;
        let mut file = tempfile::NamedTempFile::new_in(&incoming)?;
        inner::one_file(&path, &app, file.as_file_mut())?;
        let sha256 = Opened::new(file.path())?.sha256()?;
        Ok((file.into_temp_path(), sha256))
    };
    match tokio::task::spawn_blocking(taken).await? {
        Ok((file, sha256)) => {
            vault.adopt(&file, &sha256).await?;
            Ok(Ok(sha256))
        }
        Err(error) => Ok(Err(format!("cannot be taken out of the archive: {error}"))),
    }
}

async fn audit_one<S: State, V: Vault>(
    places: (&S, &V),
    grounds: &Grounds,
    run: i64,
    sent: Sent<'_>,
) -> Result<(), SweepError> {
    let state = places.0;
    let (auditor, sha256) = (&grounds.auditor, sent.sha256);
    let claimed = sent.listing.map(|listing| as_sent(listing, sent.client));
    let judged = judge::judge(places, auditor, claimed.clone(), Some(sha256), grounds.timeout).await?;
    if let Some(reason) = &judged.unread {
        let (code, stage) = (judge::unread_code(reason), "unpack".to_owned());
        let skipped = Skipped { target: sent.name.into(), stage, code: code.into(), reason: reason.clone() };
        state.skip(run, code, &skipped, now()).await?;
        if claimed.is_none() {
            return Ok(());
        }
    }
    let is_bare = claimed.is_none();
    let listing = claimed.unwrap_or_else(|| bare(&judged.audit.app, sent));
    let sight = state.see(Seen { run, listing: &listing, key: None, fetch: None, at: now() }).await?;
    keep_file(places, sight.app, sha256, &judged.audit).await?;
    let facts = judge::keep(places, sha256, &judge::file_name(Some(&listing)), &judged, now()).await?;
    // Now that it is known what the package calls itself, the app has a name, and its findings are its own.
    let judged = if is_bare {
        judge::judge(places, auditor, Some(listing), Some(sha256), grounds.timeout).await?
    } else {
        judged
    };
    let audit = NewAudit {
        run,
        app: sight.app,
        listing: Some(sight.listing),
        artifact: judged.audit.artifacts.first().map(|_| sha256),
        audit: &judged.audit,
        made_by: &auditor.made_by(),
        as_of: &grounds.as_of,
        registers: &grounds.registers,
        facts: &facts,
        controls: &[],
        at: now(),
    };
    let controls = judge::controls(places, auditor, &audit, grounds.timeout).await?;
    state.remember(NewAudit { controls: &controls, ..audit }).await?;
    Ok(())
}

/// Keeps what a file says of itself, for the app that it came as.
async fn keep_file<S: State, V: Vault>(
    (state, vault): (&S, &V),
    app: i64,
    sha256: &str,
    audit: &Audit,
) -> Result<(), SweepError> {
    let Some(artifact) = audit.artifacts.first() else { return Ok(()) };
    let file = PackageFile {
        app,
        offer: sha256,
        sha256,
        bytes: vault.size(sha256).await?.unwrap_or_default(),
        kind: Some(artifact.kind),
        certificates: &artifact.certificates,
        identity: (&audit.app.package, &audit.app.version_name, audit.app.version_code),
        fetch: None,
        at: now(),
    };
    Ok(state.package(file).await?)
}

/// A listing as somebody sent it: of their own store; what store it says to be of is a remark.
fn as_sent(listing: &Listing, client: &str) -> Listing {
    let mut sent = Listing { store: store_of(client), ..listing.clone() };
    sent.more.remove(CLAIMED);
    if !listing.store.is_empty() {
        sent.more.insert(CLAIMED.into(), listing.store.clone().into());
    }
    if [&sent.package, &sent.id, &sent.url, &sent.title].iter().all(|name| name.is_empty()) {
        sent.id = "?".into();
    }
    sent
}

/// What stands in for a listing where none came: a name, and no word that could be judged.
fn bare(app: &App, sent: Sent<'_>) -> Listing {
    let name = [&app.package, &app.title].into_iter().find(|name| !name.is_empty());
    let id = name.map_or_else(|| sent.name.to_owned(), Clone::clone);
    Listing { store: store_of(sent.client), id, ..Listing::default() }
}

/// Whether a listing stands in for none: see [`audit_file`].
#[must_use]
pub fn is_bare(listing: &Listing) -> bool {
    listing.says_nothing() && listing.package.is_empty() && claimed_store(listing).is_empty()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_of_its_client_whatever_it_says() {
        let mut listing = Listing { store: "huawei".into(), package: "cn.a".into(), ..Listing::default() };
        let sent = as_sent(&listing, "backend");
        assert_eq!((sent.store.as_str(), claimed_store(&sent)), ("file:backend", "huawei"));
        listing.store.clear();
        listing.more.insert(CLAIMED.into(), "xiaomi".into());
        assert_eq!(claimed_store(&as_sent(&listing, "backend")), "", "a remark is ours to make");
        assert_eq!(
            (client_of("file:backend"), client_of("file"), client_of("filer")),
            (Some("backend"), Some(""), None)
        );
        assert_eq!(client_of("huawei"), None);
    }

    #[test]
    fn two_clients_wish_for_two_things() {
        let wish =
            |client: &str| Wish::File { sha256: "a".into(), name: "b".into(), listing: None, client: client.into() };
        assert_ne!(wish("a").scope().unwrap(), wish("b").scope().unwrap());
        assert_eq!(wish("a").scope().unwrap(), wish("a").scope().unwrap());
    }
}
