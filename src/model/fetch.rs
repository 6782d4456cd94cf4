//! What crawling asks for and what fetching brings back.
//!
//! `crawl` makes [`Ask`]s and reads [`Answer`]s, `acquire` turns one into the other. Neither
//! knows the other; both know these nouns.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Listing;

/// How a request came out. Told apart, stored and counted: a store that is throttling must
/// never read as an app that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Found and read.
    Ok,
    /// The store does not know the app.
    NotFound,
    /// The store knew the app and took it down.
    Delisted,
    /// The store told us to slow down (429, 503 with `Retry-After`, 403, a captcha page).
    /// Retried later, never reported as absent.
    Throttled,
    /// Not for this country or region.
    RegionLocked,
    /// `robots.txt` asks us not to, or could not be had.
    BlockedByRobots,
    /// The answer does not fit the adapter any more, or leads where nothing is fetched (a private
    /// address, a circle); the page is kept. Trying again gains nothing.
    AdapterBroken,
    /// No usable answer: names, connections, timeouts, 5xx, a wrong hash.
    Network,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &[Self] = &[
        Self::Ok,
        Self::NotFound,
        Self::Delisted,
        Self::Throttled,
        Self::RegionLocked,
        Self::BlockedByRobots,
        Self::AdapterBroken,
        Self::Network,
    ];

    /// The stable id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotFound => "not-found",
            Self::Delisted => "delisted",
            Self::Throttled => "throttled",
            Self::RegionLocked => "region-locked",
            Self::BlockedByRobots => "blocked-by-robots",
            Self::AdapterBroken => "adapter-broken",
            Self::Network => "network",
        }
    }

    /// Worth another try later without a person mending anything.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Throttled | Self::Network)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// Method of a request. Stores need no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET.
    #[default]
    Get,
    /// POST; only for interfaces that read.
    Post,
}

impl Method {
    /// As it stands in a request line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What a request is for; decides which cap on bytes holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A page or an interface's answer.
    #[default]
    Page,
    /// A sitemap, or whatever else lists a whole store.
    Index,
    /// Index of a repository, which a sweep keeps as a file and reads bit by bit.
    Repository,
    /// A package.
    Package,
    /// A screenshot or icon.
    Picture,
    /// A question to a service that whoever runs this configured. It is no crawling, so robots.txt
    /// (RFC 9309) has no say in it; everything else holds.
    Service,
}

/// One request, not yet sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Method.
    #[serde(default)]
    pub method: Method,
    /// Absolute address, `http` or `https`.
    pub url: String,
    /// Headers the adapter wants, besides those that every request carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Body of a POST; text wherever it is written down.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "text")]
    pub body: Vec<u8>,
    /// What for.
    #[serde(default)]
    pub purpose: Purpose,
    /// What the caller holds already: makes the request conditional, and 304 an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validators: Option<Validators>,
    /// Texts that mean a captcha or a plea to slow down when they stand in the answer's body
    /// or final address, whatever its status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captcha: Vec<String>,
}

/// Bytes that are text, as a string.
mod text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(std::str::from_utf8(bytes).map_err(serde::ser::Error::custom)?)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from).map(String::into_bytes)
    }
}

impl Ask {
    /// A plain GET.
    #[must_use]
    pub fn get(url: impl Into<String>, purpose: Purpose) -> Self {
        Self { url: url.into(), purpose, ..Self::default() }
    }

    /// The body as text, which that of every question to a store is.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// What makes a request conditional (RFC 9110, 13).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// `ETag` as it was sent.
    #[serde(default)]
    pub etag: Option<String>,
    /// `Last-Modified` as it was sent.
    #[serde(default)]
    pub last_modified: Option<String>,
}

/// An answer, read to its end and decoded (no `Content-Encoding` is left).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers as sent, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Body; empty for a download, whose bytes are in a file.
    pub body: Vec<u8>,
    /// Where the body lies instead, for the index of a repository.
    pub file: Option<PathBuf>,
    /// Address that answered, after redirects.
    pub url: String,
    /// Addresses that redirected, in order.
    pub hops: Vec<String>,
    /// Headers of the request that was answered, as sent: evidence needs them.
    pub sent: Vec<(String, String)>,
    /// Address connected to, where known.
    pub peer: Option<std::net::SocketAddr>,
}

impl Answer {
    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The caller's copy is still good.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.status == 304
    }

    /// What to ask with next time; nothing where the server named neither.
    #[must_use]
    pub fn validators(&self) -> Option<Validators> {
        let (etag, last_modified) = (self.header("etag"), self.header("last-modified"));
        (etag.is_some() || last_modified.is_some())
            .then(|| Validators { etag: etag.map(Into::into), last_modified: last_modified.map(Into::into) })
    }
}

/// Why there is no usable answer, or why an answer could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{outcome}: {detail}")]
pub struct Fault {
    /// Which sort of failure; never [`Outcome::Ok`].
    pub outcome: Outcome,
    /// Plain facts in English: address, status, selector, what to do.
    pub detail: String,
    /// Seconds to wait before the next try, where the server said or a limit of ours knows.
    pub retry_after: Option<u64>,
    /// The page that did not fit, kept for whoever mends the adapter.
    pub page: Option<Box<Answer>>,
}

impl Fault {
    /// A fault without a page.
    #[must_use]
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into(), retry_after: None, page: None }
    }

    /// A fault that keeps its page.
    #[must_use]
    pub fn with_page(outcome: Outcome, detail: impl Into<String>, page: &Answer) -> Self {
        Self { page: Some(Box::new(page.clone())), ..Self::new(outcome, detail) }
    }
}

/// What the store says of a file before it is fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// SHA-256 in lower-case hex.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Length in bytes.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// A package worth fetching.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The request.
    pub ask: Ask,
    /// What its bytes must be.
    pub expected: Expected,
}

/// An app found in a store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// What the store says; `store` is filled in.
    pub listing: Listing,
    /// Its package; nothing where the store hands out none.
    pub package: Option<Wanted>,
}

/// A file that was fetched whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// Where it lies; the caller owns and moves it.
    pub path: PathBuf,
    /// SHA-256 of its bytes in lower-case hex.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
    /// The answer without its body.
    pub answer: Answer,
    /// How often it broke off and was resumed.
    pub resumed: u32,
}
