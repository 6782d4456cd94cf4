//! One audit that is remembered as it was made, so that evidence can be handed out of it at once.

use std::path::Path;

use super::asked::Grounds;
use super::sweep::{self, SweepError, now};
use super::{judge, shown};
use crate::isolate::Opened;
use crate::model::fetch::{Answer, Ask, Outcome};
use crate::model::{Audit, Listing, Skipped};
use crate::store::{NewAudit, PackageFile, Seen, State, Vault};

/// An app by its package, its listing, or both.
#[derive(Clone, Copy, Default)]
pub struct Single<'a> {
    /// The package and the name that people have for it.
    pub file: Option<(&'a Path, &'a str)>,
    /// Its listing.
    pub listing: Option<&'a Listing>,
    /// The request and the answer that the listing was read from.
    pub page: Option<&'a (Ask, Answer)>,
    /// Those that the package came in, without the package.
    pub package: Option<&'a (Ask, Answer)>,
}

/// The requests for the pictures that a store shows of an app, where they are read before it is judged.
#[must_use]
pub fn pictures(grounds: &Grounds, listing: &Listing) -> Vec<Ask> {
    let are_wanted = shown::are_wanted(&grounds.auditor, listing);
    sweep::picture_asks(listing).filter(|_| are_wanted).map(|(_, ask)| ask).collect()
}

/// Keeps a picture that a store shows, and reads it.
///
/// # Errors
/// When it cannot be remembered.
pub async fn keep_picture<S: State, V: Vault>(
    places: (&S, &V),
    grounds: &Grounds,
    picture: &(Ask, Answer),
) -> Result<(), SweepError> {
    let body = keep_answer(places, picture).await?.1;
    shown::read(places, &grounds.auditor, &body, grounds.timeout).await
}

/// Keeps an answer with its body: its number, and the body's name in the vault.
async fn keep_answer<S: State, V: Vault>(
    (state, vault): (&S, &V),
    (ask, answer): &(Ask, Answer),
) -> Result<(i64, String), SweepError> {
    let body = vault.put(&answer.body).await?;
    let fetch = sweep::kept(ask, Outcome::Ok, answer, &body, answer.body.len() as u64)?;
    Ok((state.fetched(&fetch).await?, body))
}

/// What came of it.
#[derive(Debug)]
pub struct Kept {
    /// Number of the audit in the state.
    pub audit: Option<i64>,
    /// The audit.
    pub told: Audit,
    /// Why the package could not be read.
    pub skipped: Option<Skipped>,
}

/// Audits an app and remembers it with all that it rests on.
///
/// # Errors
/// When it cannot be remembered.
pub async fn audit<S: State, V: Vault>(
    (state, vault): (&S, &V),
    grounds: &Grounds,
    run: i64,
    single: Single<'_>,
) -> Result<Kept, SweepError> {
    let mut file = None;
    if let Some((path, name)) = single.file {
        file = Some((put(vault, &grounds.incoming, path).await?, plain(name)));
    }
    let named = file.as_ref().map(|(sha256, name)| (sha256.as_str(), name.clone()));
    let places = (state, vault);
    let judged = judge::judge_as(places, &grounds.auditor, single.listing.cloned(), named, grounds.timeout).await?;
    let reason = judged.unread.clone();
    let skipped = reason.zip(single.file).map(|(reason, (_, name))| Skipped {
        target: name.into(),
        stage: "unpack".into(),
        code: judge::unread_code(&reason).into(),
        reason,
    });
    if skipped.is_some() && single.listing.is_none() {
        return Ok(Kept { audit: None, told: judged.audit, skipped });
    }
    let bare = Listing { id: name_of(&judged.audit), ..Listing::default() };
    let listing = single.listing.unwrap_or(&bare);
    let page = match single.page {
        Some(page) => Some(keep_answer(places, page).await?.0),
        None => None,
    };
    let sight = state.see(Seen { run, listing, key: None, fetch: page, at: now() }).await?;
    let mut facts = String::new();
    let sha256 = file.as_ref().map(|(sha256, _)| sha256.as_str()).filter(|_| judged.unread.is_none());
    if let (Some(sha256), Some((_, name)), Some(artifact)) = (sha256, &file, judged.audit.artifacts.first()) {
        let app = &judged.audit.app;
        let bytes = vault.size(sha256).await?.unwrap_or_default();
        let fetch = match single.package {
            Some((ask, answer)) => {
                let fetch = sweep::kept(ask, Outcome::Ok, answer, sha256, bytes)?;
                Some(state.fetched(&fetch).await?)
            }
            None => None,
        };
        let package = PackageFile {
            app: sight.app,
            offer: sha256,
            sha256,
            bytes,
            kind: Some(artifact.kind),
            certificates: &artifact.certificates,
            identity: (&app.package, &app.version_name, app.version_code),
            fetch,
            at: now(),
        };
        state.package(package).await?;
        facts = judge::keep(places, sha256, name, &judged, now()).await?;
    }
    let audit = NewAudit {
        run,
        app: sight.app,
        // What stands in for a listing was none to judge by.
        listing: single.listing.map(|_| sight.listing),
        artifact: sha256,
        audit: &judged.audit,
        made_by: &grounds.auditor.made_by(),
        as_of: &grounds.as_of,
        registers: &grounds.registers,
        facts: &facts,
        controls: &[],
        at: now(),
    };
    state.remember(audit).await?;
    let latest = state.history(sight.app, 1).await?;
    Ok(Kept { audit: latest.first().map(|row| row.id), told: judged.audit, skipped })
}

/// Copies a file into the vault; its name there.
async fn put(vault: &impl Vault, incoming: &Path, path: &Path) -> Result<String, SweepError> {
    let (path, incoming) = (path.to_owned(), incoming.to_owned());
    let copied = move || -> std::io::Result<_> {
        std::fs::create_dir_all(&incoming)?;
        let copy = tempfile::NamedTempFile::new_in(&incoming)?.into_temp_path();
        std::fs::copy(&path, &copy)?;
        let sha256 = Opened::new(&copy)?.sha256()?;
        Ok((copy, sha256))
    };
    let (copy, sha256) = tokio::task::spawn_blocking(copied).await?.map_err(crate::store::StoreError::from)?;
    vault.adopt(&copy, &sha256).await?;
    Ok(sha256)
}

/// Longest name kept of a file.
const NAME_MAX: usize = 120;

/// The last part of a name, as a name in a bag may be.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain: String = last.chars().filter(|c| !c.is_control() && *c != ':').take(NAME_MAX).collect();
    match plain.trim_start_matches('.') {
        "" => "app.apk".into(),
        plain => plain.to_owned(),
    }
}

/// What an app is called that came without a listing.
fn name_of(audit: &Audit) -> String {
    let app = &audit.app;
    let file = audit.artifacts.first().map(|artifact| &artifact.name);
    [Some(&app.package), Some(&app.title), file]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .map_or_else(|| "?".to_owned(), Clone::clone)
}
