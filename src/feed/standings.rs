//! Standings back from the case backend: its white, grey and black lists, as registers.
//!
//! Asked for with `GET` and an `ETag`, or pushed to us with a signature. The contract is
//! `docs/feed/openapi.yaml` and `docs/feed/standings.schema.json`.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{RegisterKind, Row, hex};
use crate::register::{FolderError, Register, checked, keep};
use crate::store::{State, StoreError};

/// Longest list of lists, in bytes.
pub const BYTES_MAX: usize = 64 << 20;
/// Name of what is told.
const SCHEMA: &str = "xunjian/standings/1";
/// Where the state keeps what was last taken.
const NOTES: &str = "standings";

/// What the case backend says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    schema: String,
    /// The moment it speaks of.
    as_of: DateTime<Utc>,
    white: Option<Vec<Entry>>,
    grey: Option<Vec<Entry>>,
    black: Option<Vec<Entry>>,
}

/// An app or a provider on a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    provider: String,
    credit_code: String,
    app: String,
    package: String,
    number: String,
    /// Day to mend by.
    until: String,
}

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The list.
    pub list: &'static str,
    /// Its place there, from 1.
    pub entry: usize,
    /// Why.
    pub reason: String,
}

/// What was taken of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Entries kept, by list. A list that was not told stays as it was.
    pub kept: Vec<(&'static str, usize)>,
    /// Entries left out.
    pub left_out: Vec<LeftOut>,
}

/// Why standings were not taken.
#[derive(Debug, thiserror::Error)]
pub enum StandingsError {
    /// Not what the contract says.
    #[error("no standings: {0}")]
    Format(String),
    /// Older than what is known.
    #[error("they are as of {told}, and those of {known} are known already")]
    Older {
        /// Of the message.
        told: String,
        /// What is known.
        known: String,
    },
    /// The registers.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The state.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes standings: each list told replaces the register of its kind as a whole.
///
/// # Errors
/// When they are none, older than those known, or cannot be kept.
pub async fn take(state: &impl State, folder: &Path, bytes: &[u8]) -> Result<Taken, StandingsError> {
    let told: Told = serde_json::from_slice(bytes).map_err(|error| StandingsError::Format(error.to_string()))?;
    if told.schema != SCHEMA {
        return Err(StandingsError::Format(format!("schema is {:?}, not {SCHEMA}", told.schema)));
    }
    let as_of = told.as_of.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    if let Some(known) = state.noted(NOTES, "as_of").await?
        && as_of < known
    {
        return Err(StandingsError::Older { told: as_of, known });
    }
    let sha256 = hex(&Sha256::digest(bytes));
    let mut taken = Taken::default();
    for (kind, entries) in
        [(RegisterKind::White, told.white), (RegisterKind::Grey, told.grey), (RegisterKind::Black, told.black)]
    {
        let Some(entries) = entries else { continue };
        let rows = rows(kind, entries, &mut taken.left_out);
        taken.kept.push((kind.id(), rows.len()));
        keep(folder, &Register { kind, sha256: sha256.clone(), rows })?;
    }
    state.note(NOTES, "as_of", &as_of).await?;
    Ok(taken)
}

fn rows(kind: RegisterKind, entries: Vec<Entry>, left_out: &mut Vec<LeftOut>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let row = Row {
            row: index + 1,
            provider: entry.provider,
            credit_code: entry.credit_code,
            app: entry.app,
            package: entry.package,
            number: entry.number,
            until: entry.until,
        };
        match checked(row) {
            Ok(row) => rows.push(row),
            Err(reason) => left_out.push(LeftOut { list: kind.id(), entry: index + 1, reason }),
        }
    }
    rows
}

/// Where standings are asked for.
#[derive(Debug, Clone)]
pub struct Source {
    /// Address.
    pub from: url::Url,
    /// Folder of registers.
    pub folder: std::path::PathBuf,
}

/// What asking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Nothing changed since the last time.
    Unchanged,
    /// New ones.
    Taken(Taken),
    /// No standings came; why.
    Refused(String),
}

impl super::Feed {
    /// Asks the case backend for standings, with the `ETag` of those it gave last.
    ///
    /// # Errors
    /// When they cannot be kept, or are none.
    pub async fn ask_for_standings(&self, source: &Source, now: i64) -> Result<Asked, StandingsError> {
        let state = &self.home.state;
        let mut request = self.signed(self.client.get(source.from.clone()), "standings", b"", now);
        if let Some(etag) = state.noted(NOTES, "etag").await? {
            request = request.header("if-none-match", etag);
        }
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Ok(Asked::Refused(error.without_url().to_string())),
        };
        match answer.status().as_u16() {
            304 => return Ok(Asked::Unchanged),
            200 => {}
            status => return Ok(Asked::Refused(format!("status {status}"))),
        }
        let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let mut bytes = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= BYTES_MAX => bytes.extend_from_slice(&chunk),
                Ok(Some(_)) => return Ok(Asked::Refused(format!("more than {BYTES_MAX} bytes"))),
                Ok(None) => break,
                Err(error) => return Ok(Asked::Refused(error.without_url().to_string())),
            }
        }
        let taken = take(state, &source.folder, &bytes).await?;
        if let Some(etag) = etag {
            state.note(NOTES, "etag", &etag).await?;
        }
        Ok(Asked::Taken(taken))
    }
}
