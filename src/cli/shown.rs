//! Pictures that a store shows of an app, fetched or beside its listing on disk, and read.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use super::network::Network;
use crate::audit::{Auditor, Reading};
use crate::isolate::{self, Asked, Opened};
use crate::model::fetch::{Answer, Ask, Purpose};
use crate::model::{Limit, LimitCode, Listing, Verdict};

/// Where the pictures that a listing names are to be had.
#[derive(Clone, Copy)]
pub(super) enum From<'a> {
    /// From its store; and what was had from there already.
    Store(&'a Network, Had<'a>),
    /// Beside the file that it stands in.
    Folder(&'a Path),
}

/// A request and its answer.
pub(super) type Exchange = (Ask, Answer);

/// What was asked of a store for an app: evidence of what it said.
#[derive(Clone, Copy, Default)]
pub(super) struct Had<'a> {
    /// The page that the listing was read from.
    pub(super) page: Option<&'a Exchange>,
    /// The answer that its package came in, without the package.
    pub(super) package: Option<&'a Exchange>,
}

/// Reads the words in what a store shows of an app, unless it is clear that the app teaches nothing.
pub(super) fn read(auditor: &Auditor, listing: &Listing, from: From<'_>, until: Option<Instant>) -> Vec<Reading> {
    let most = auditor.budget.screenshots;
    if most == 0 || listing.pictures(most).next().is_none() {
        return Vec::new();
    }
    let alone = auditor.conclude(Some(listing), Vec::new());
    if alone.profile.education.verdict == Verdict::No {
        return Vec::new();
    }
    listing.pictures(most).filter_map(|(place, address)| one(auditor, &place, address, from, until)).collect()
}

/// Reads one; `None` where it is not to be had from here at all.
fn one(auditor: &Auditor, place: &str, address: &str, from: From<'_>, until: Option<Instant>) -> Option<Reading> {
    let is_remote = address.contains("://");
    let opened = match from {
        From::Store(network, _) if is_remote => fetched(network, address),
        From::Folder(folder) if !is_remote => beside(folder, address),
        _ => return None,
    };
    let read = opened.and_then(|file| {
        let sha256 = file.sha256().map_err(|error| error.to_string())?;
        let asked = Asked { name: place, sha256: &sha256, wanted: None, keeps: false, until };
        Ok(isolate::read_picture(auditor, file, asked).0)
    });
    Some(read.unwrap_or_else(|why| Reading::unseen(Limit::new(LimitCode::UnreadPicture, place, why))))
}

fn fetched(network: &Network, address: &str) -> Result<Opened, String> {
    let ask = Ask::get(address.to_owned(), Purpose::Picture);
    let answer = network.fetch(&ask).map_err(|error| format!("{error:#}"))?.map_err(|fault| fault.to_string())?;
    let held = || -> std::io::Result<File> {
        let mut file = tempfile::tempfile()?;
        file.write_all(&answer.body)?;
        file.rewind()?;
        Ok(file)
    };
    held().and_then(Opened::from_file).map_err(|error| error.to_string())
}

/// A file below the folder of the listing, and no other: listings come from elsewhere.
fn beside(folder: &Path, name: &str) -> Result<Opened, String> {
    let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_below {
        return Err("it lies outside the folder of the listing".into());
    }
    let path: PathBuf = folder.join(name);
    let is_within = path.canonicalize().ok().zip(folder.canonicalize().ok()).is_some_and(|(p, f)| p.starts_with(f));
    if !is_within {
        return Err("it is not there".into());
    }
    Opened::new(&path).map_err(|error| error.to_string())
}
