//! Exit codes.

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All done, nothing at or above `--fail-on`.
    Clean,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Something could not be audited, or not in full.
    Incomplete,
    /// A store as a whole could not be read: nothing of it was seen.
    StoreFailed,
    /// The caller's words or files are wrong.
    Usage,
    /// Our own failure.
    Failure,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::StoreFailed => 4,
            Self::Findings => 10,
        }
    }
}
