//! Why something could not be remembered.

/// A failure of the engine behind a trait.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or broke.
    #[error("the state cannot be used: {}", with_advice(.0))]
    Database(sqlx::Error),
    /// An engine that does not answer, refuses, or whose file is no longer whole: which, why, what to do.
    #[error("{place}: {cause}; {advice}")]
    Unusable {
        /// Host and database, file, or bucket; never a password.
        place: String,
        /// In the engine's words.
        cause: String,
        /// What to do.
        advice: &'static str,
    },
    /// An address that no engine can have. It is not repeated: it may hold a password.
    #[error("an address cannot be used: {0}")]
    Address(String),
    /// The database is of a schema this version does not know.
    #[error("the state is of another version of xunjian: {0}; use that version, or another --home")]
    Schema(sqlx::migrate::MigrateError),
    /// The vault or its disk.
    #[error("the vault cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// The server that hands out work.
    #[error("work cannot be handed out: {0}")]
    Stream(String),
    /// The vault's object store.
    #[cfg(feature = "cluster")]
    #[error("the vault cannot be used: {}", innermost(.0))]
    Bucket(object_store::Error),
    /// An engine that this build of the program has not.
    #[error("this build has no {0}; build it with `--features cluster`")]
    Absent(&'static str),
    /// A name that is no SHA-256 in lower-case hex.
    #[error("{0:?} is no SHA-256 in lower-case hex")]
    Name(String),
    /// Bytes in the vault are not those their name says.
    #[error("the vault holds other bytes under {0}: they hash to {1}; the disk or a person changed them")]
    Damaged(String, String),
    /// Something remembered does not read back.
    #[error("what was remembered does not read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// What to do about a database whose bytes were changed.
pub(super) const RESTORE: &str =
    "look at it with `xunjian check`, and restore a copy made by `xunjian backup` with `xunjian restore`";

impl From<sqlx::Error> for StoreError {
    /// Its sources are not passed on: the words repeat them.
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Schema(error)
    }
}

/// Whether SQLite says that its file is damaged (`SQLITE_CORRUPT`) or none of its own (`SQLITE_NOTADB`).
pub(super) fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|told| told.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

fn with_advice(error: &sqlx::Error) -> String {
    if is_damage(error) { format!("{error}; {RESTORE}") } else { error.to_string() }
}

#[cfg(feature = "cluster")]
impl From<object_store::Error> for StoreError {
    /// Its sources are not passed on: each repeats the one below it, answer and all.
    fn from(error: object_store::Error) -> Self {
        Self::Bucket(error)
    }
}

/// What an error of an object store comes from, in a line that says what to do where we know.
#[cfg(feature = "cluster")]
pub(super) fn innermost(error: &object_store::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let text = inner.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    if text.contains("NoSuchBucket") { format!("its bucket is not there; make it first ({text})") } else { text }
}

impl StoreError {
    /// Whether the engine may answer again: it was restarted, cut off or busy. What was under way
    /// did not happen, and may be tried anew.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(told)) => told.code().is_some_and(|code| is_passing(&code)),
            Self::Database(error) => matches!(
                error,
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut
            ),
            #[cfg(feature = "cluster")]
            Self::Bucket(error) => !matches!(
                error,
                object_store::Error::NotFound { .. }
                    | object_store::Error::PermissionDenied { .. }
                    | object_store::Error::Unauthenticated { .. }
                    | object_store::Error::InvalidPath { .. }
            ),
            _ => false,
        }
    }
}

/// Classes 08 (connection), 40 (rolled back), 53 (resources) and 57 (operator) of PostgreSQL's
/// error codes (its manual, appendix A).
fn is_passing(code: &str) -> bool {
    code.len() == 5 && ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
}
