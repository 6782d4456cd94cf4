//! What the caller got wrong, as a type: it ends the run with exit code 2, whatever its words are.

use std::fmt::Display;

use anyhow::Context;

/// The caller's words, files or configuration cannot be used. The text names the option, where there is one,
/// and says what to do instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

/// An error that says what the caller got wrong, from the arguments of `format!`.
macro_rules! usage {
    ($($told:tt)*) => {
        anyhow::Error::new($crate::cli::usage::UsageError(format!($($told)*)))
    };
}

/// Returns with an error of usage unless the condition holds.
macro_rules! ensure_usage {
    ($held:expr, $($told:tt)*) => {
        if !$held {
            return Err($crate::cli::usage::usage!($($told)*));
        }
    };
}

pub(super) use {ensure_usage, usage};

/// Takes what failed, or is missing, for an error of usage, and keeps the cause.
pub(super) trait OrUsage<T> {
    /// The value.
    ///
    /// # Errors
    /// A [`UsageError`] with these words where there is no value.
    fn or_usage<S: Display>(self, told: impl FnOnce() -> S) -> anyhow::Result<T>;
}

impl<T, E> OrUsage<T> for Result<T, E>
where
    Self: Context<T, E>,
{
    fn or_usage<S: Display>(self, told: impl FnOnce() -> S) -> anyhow::Result<T> {
        self.with_context(|| UsageError(told().to_string()))
    }
}

impl<T> OrUsage<T> for Option<T> {
    fn or_usage<S: Display>(self, told: impl FnOnce() -> S) -> anyhow::Result<T> {
        self.with_context(|| UsageError(told().to_string()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;
    use crate::cli::{Exit, exit_of};

    #[test]
    fn the_type_says_whose_fault_it_is_and_not_the_words() {
        let ours = anyhow::anyhow!("--home: a message that begins like an option");
        assert_eq!(exit_of(&ours), Exit::Failure);
        let theirs = usage!("NAME {:?}: not like that", "a b");
        assert_eq!(exit_of(&theirs), Exit::Usage);
        assert_eq!(theirs.to_string(), "NAME \"a b\": not like that");
    }

    #[test]
    fn the_cause_is_kept_and_what_is_said_around_it_changes_nothing() {
        let missing = std::fs::read("/no/such/file").or_usage(|| "--labels").unwrap_err();
        assert!(format!("{missing:#}").starts_with("--labels: "), "{missing:#}");
        assert!(missing.is::<std::io::Error>());
        assert_eq!(exit_of(&missing.context("the run broke off")), Exit::Usage);
        assert_eq!(exit_of(&None::<u8>.or_usage(|| "--to is missing").unwrap_err()), Exit::Usage);
    }
}
