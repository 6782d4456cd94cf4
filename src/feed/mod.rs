//! Findings to the case backend: letters written with each decision, delivered until they are had;
//! and its lists back.
//!
//! At least once, each app's letters in order, each with a key by which the receiver keeps it once.
//! The contract is `docs/feed/openapi.yaml`: CloudEvents 1.0 in the structured JSON mode, signed as
//! the Standard Webhooks specification 1.0 says.

mod deliver;
mod event;
mod pull;
mod signing;
mod standings;
mod told;

pub use deliver::{Feed, FeedError, Round};
pub use event::event;
pub use pull::{Asked, Source};
pub use signing::{CLOCK_MAX, Secret, SecretError, is_signed, signature};
pub use standings::{BYTES_MAX, Came, StandingsError, Taken, came, take};
pub use told::LeftOut;

/// Whether what is sent there cannot be read on the way: it is encrypted, or does not leave this machine.
#[must_use]
pub fn is_safe(url: &url::Url) -> bool {
    url.scheme() == "https"
        || url.scheme() == "http"
            && match url.host() {
                Some(url::Host::Domain(name)) => name == "localhost",
                Some(url::Host::Ipv4(address)) => address.is_loopback(),
                Some(url::Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
}
