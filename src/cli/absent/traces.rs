//! Traces in a build without the feature `traces`: whoever asks for them is told.

use tracing_subscriber::Layer;
use tracing_subscriber::layer::Identity;
use tracing_subscriber::registry::LookupSpan;

use crate::cli::usage::ensure_usage;
use crate::model::config::Config;

/// Spans that ended, and those that a collector has: none.
pub(super) fn counts() -> (u64, u64) {
    (0, 0)
}

/// Never made in this build.
pub enum Traces {}

impl Traces {
    /// `None`, or an error where the configuration names a collector.
    pub(super) fn start(config: &Config) -> anyhow::Result<Option<Self>> {
        ensure_usage!(
            config.traces.endpoint.is_empty(),
            "--config: [traces] endpoint: this build makes no traces; build it with `--features traces`"
        );
        Ok(None)
    }

    /// Never asked for.
    pub(super) fn layer<S>(&self) -> impl Layer<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        match *self {}
        #[allow(unreachable_code, reason = "names the type that is never made")]
        Identity::new()
    }
}
