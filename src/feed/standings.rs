//! Standings back from the case backend: its white, grey and black lists, as registers.
//!
//! Asked for with `GET` and an `ETag`, or pushed to us with a signature. The contract is
//! `docs/feed/openapi.yaml` and `docs/feed/standings.schema.json`.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::signing::CLOCK_MAX;
use super::told::{KINDS, LeftOut, Told};
use crate::model::{RegisterKind, Row, hex};
use crate::register::{FolderError, Register, keep, read_all};
use crate::store::{State, StoreError};

/// Longest list of lists, in bytes.
pub const BYTES_MAX: usize = 64 << 20;
/// Where the state keeps what was last taken.
pub(super) const NOTES: &str = "standings";
/// Looks for whoever else takes lists to end.
const LOOKS: u32 = 600;
/// Time between them.
const LOOK: Duration = Duration::from_millis(50);

/// What was taken of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Entries kept, by list. A list that was not told stays as it was.
    pub kept: Vec<(&'static str, usize)>,
    /// Entries left out, the first thousand.
    pub left_out: Vec<LeftOut>,
    /// All entries left out.
    pub left_out_count: usize,
    /// Names beside those of the contract: nothing was done with them.
    pub unknown: Vec<String>,
}

/// Why standings were not taken.
#[derive(Debug, thiserror::Error)]
pub enum StandingsError {
    /// Not what the contract says.
    #[error("no standings: {0}")]
    Format(String),
    /// No entry of a list can be kept: the register stays as it is.
    #[error("{list}: none of {entries} entries can be kept, so the list stays as it is; the first: {why}")]
    Nothing {
        /// The list.
        list: &'static str,
        /// Its entries.
        entries: usize,
        /// What is wrong with the first.
        why: String,
    },
    /// Of a moment that has not come.
    #[error("they are as of {told}, and here it is {now}: check the clock of the case backend")]
    Future {
        /// Of the message.
        told: String,
        /// Our clock.
        now: String,
    },
    /// Older than what is known.
    #[error("{list}: they are as of {told}, and those of {known} are known already")]
    Older {
        /// The list.
        list: &'static str,
        /// Of the message.
        told: String,
        /// What is known.
        known: String,
    },
    /// Of the same moment as what is known, and something else.
    #[error("{list}: another list as of {as_of} is known already; tell a correction with a later moment")]
    Conflict {
        /// The list.
        list: &'static str,
        /// The moment.
        as_of: String,
    },
    /// Somebody else takes lists and does not end.
    #[error("another process keeps the registers busy")]
    Busy,
    /// The registers.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The folder of registers.
    #[error("the folder of registers: {0}")]
    Io(#[from] std::io::Error),
    /// The state.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StandingsError {
    /// Its name in problems and reports; `None` where it is no fault of the message.
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Format(_) => Some("standings-format"),
            Self::Nothing { .. } => Some("standings-nothing"),
            Self::Future { .. } => Some("standings-future"),
            Self::Older { .. } => Some("standings-older"),
            Self::Conflict { .. } => Some("standings-conflict"),
            Self::Busy | Self::Folder(_) | Self::Io(_) | Self::Store(_) => None,
        }
    }
}

/// What the lead is shown of the lists that came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Came {
    /// When, in milliseconds since 1970 UTC.
    pub at: i64,
    /// What the message says of its moment; empty where it cannot be read.
    pub as_of: String,
    /// `KIND: n` of each list kept; empty where none was taken.
    pub kept: String,
    /// Entries left out.
    pub left_out: usize,
    /// The first of them, or why nothing was taken.
    pub why: Vec<String>,
}

/// The lists that came last, and those that were refused last: `None` where there were none.
///
/// # Errors
/// When the state cannot be read.
pub async fn came(state: &impl State) -> Result<[Option<Came>; 2], StoreError> {
    let read = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    Ok([read(state.noted(NOTES, "taken").await?), read(state.noted(NOTES, "refused").await?)])
}

/// `2026-11-24T10:33:00.000Z`
fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn moment(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).map_or_else(String::new, written)
}

/// Takes standings: each list told replaces the register of its kind as a whole. `now` in milliseconds
/// since 1970 UTC.
///
/// # Errors
/// When they are none, of a moment before those known or after `now`, other ones than those known of
/// the same moment, or cannot be kept. All of a message is taken, or nothing.
pub async fn take(state: &impl State, folder: &Path, bytes: &[u8], now: i64) -> Result<Taken, StandingsError> {
    let told = Told::read(bytes);
    let as_of = told.as_ref().map(|told| written(told.as_of)).unwrap_or_default();
    let taken = match told {
        Ok(told) => keep_told(state, folder, told, &hex(&Sha256::digest(bytes)), now).await,
        Err(error) => Err(error),
    };
    let mut came = Came { at: now, as_of, ..Came::default() };
    match &taken {
        Ok(taken) => {
            came.kept = taken.kept.iter().map(|(list, n)| format!("{list}: {n}")).collect::<Vec<_>>().join(", ");
            came.left_out = taken.left_out_count;
            let first = taken.left_out.iter().take(5);
            came.why = first.map(|out| format!("{} {}: {}", out.list, out.entry, out.reason)).collect();
            state.note(NOTES, "taken", &serde_json::to_string(&came).map_err(StoreError::from)?).await?;
        }
        Err(error) if error.code().is_some() => {
            came.why = vec![error.to_string()];
            state.note(NOTES, "refused", &serde_json::to_string(&came).map_err(StoreError::from)?).await?;
        }
        Err(_) => {}
    }
    taken
}

async fn keep_told(
    state: &impl State,
    folder: &Path,
    told: Told,
    message: &str,
    now: i64,
) -> Result<Taken, StandingsError> {
    if told.as_of.timestamp_millis() > now + CLOCK_MAX * 1_000 {
        return Err(StandingsError::Future { told: written(told.as_of), now: moment(now) });
    }
    let _alone = alone(folder).await?;
    let mut hashes = Vec::new();
    for (kind, rows) in &told.lists {
        hashes.push(fits(state, *kind, rows, told.as_of, now).await?);
    }
    let mut kept = Vec::new();
    let as_of = written(told.as_of);
    for ((kind, rows), hash) in told.lists.into_iter().zip(hashes) {
        kept.push((kind.id(), rows.len()));
        keep(folder, &Register { kind, sha256: message.to_owned(), rows })?;
        for (what, value) in [("as_of", as_of.as_str()), ("rows", &hash), ("message", message)] {
            state.note(NOTES, &format!("{}.{what}", kind.id()), value).await?;
        }
    }
    Ok(Taken { kept, left_out: told.left_out, left_out_count: told.left_out_count, unknown: told.unknown })
}

/// Fails where a list must not replace the one known; the hash of its rows.
async fn fits(
    state: &impl State,
    kind: RegisterKind,
    rows: &[Row],
    as_of: DateTime<Utc>,
    now: i64,
) -> Result<String, StandingsError> {
    let hash = hex(&Sha256::digest(serde_json::to_vec(rows).map_err(StoreError::from)?));
    let noted = async |what: &str| state.noted(NOTES, &format!("{}.{what}", kind.id())).await;
    let known = match noted("as_of").await? {
        Some(known) => Some(known),
        // Versions before 0.2 kept one moment for all lists.
        None => state.noted(NOTES, "as_of").await?,
    };
    let known = known.and_then(|known| known.parse::<DateTime<Utc>>().ok());
    // Such versions took any moment: one that has not come was none, and stands in nobody's way.
    let Some(known) = known.filter(|known| known.timestamp_millis() <= now + CLOCK_MAX * 1_000) else {
        return Ok(hash);
    };
    if as_of < known {
        return Err(StandingsError::Older { list: kind.id(), told: written(as_of), known: written(known) });
    }
    if as_of == known && noted("rows").await?.is_some_and(|known| known != hash) {
        return Err(StandingsError::Conflict { list: kind.id(), as_of: written(as_of) });
    }
    Ok(hash)
}

/// Whether a folder holds the lists that were last taken, so that they need not be asked for again.
pub(super) async fn are_there(state: &impl State, folder: &Path) -> Result<bool, StandingsError> {
    let mut is_any = false;
    for kind in KINDS {
        let Some(message) = state.noted(NOTES, &format!("{}.message", kind.id())).await? else { continue };
        is_any = true;
        // One that cannot be read is not there.
        let held = read_all(folder, &[kind]).unwrap_or_default();
        if !held.iter().any(|register| register.sha256 == message) {
            return Ok(false);
        }
    }
    Ok(is_any)
}

/// Keeps others, in this process and in others, from taking lists into the same folder meanwhile.
async fn alone(folder: &Path) -> Result<File, StandingsError> {
    tokio::fs::create_dir_all(folder).await?;
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(".lock"))?;
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    Err(StandingsError::Busy)
}
