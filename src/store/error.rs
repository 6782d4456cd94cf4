//! Why something could not be remembered.

/// A failure of the engine behind a trait.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or broke.
    #[error("the state cannot be used: {0}")]
    Database(#[from] sqlx::Error),
    /// An address that no database can have. It is not repeated: it may hold a password.
    #[error("the database's address cannot be used: {0}")]
    Address(String),
    /// The database is of a schema this version does not know.
    #[error("the state is of another version of xunjian: {0}; use that version, or another --home")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// The vault or its disk.
    #[error("the vault cannot be used: {0}")]
    Io(#[from] std::io::Error),
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
