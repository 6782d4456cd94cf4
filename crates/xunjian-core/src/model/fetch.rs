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
    /// The store shows it to those only who log in.
    LoginWanted,
    /// `robots.txt` asks us not to, or the server that answers will not tell it.
    BlockedByRobots,
    /// The answer does not fit the adapter any more, or leads where nothing is fetched (a circle);
    /// the page is kept. Trying again gains nothing.
    AdapterBroken,
    /// An address that is not on the public internet, which nothing lets through: `--allow-private`.
    PrivateAddress,
    /// No room on our own disk.
    DiskFull,
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
        Self::LoginWanted,
        Self::BlockedByRobots,
        Self::AdapterBroken,
        Self::PrivateAddress,
        Self::DiskFull,
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
            Self::LoginWanted => "login-wanted",
            Self::BlockedByRobots => "blocked-by-robots",
            Self::AdapterBroken => "adapter-broken",
            Self::PrivateAddress => "private-address",
            Self::DiskFull => "disk-full",
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
    /// Texts that mean a captcha or a plea to slow down when they stand in the answer's final address,
    /// or in what came instead of a file, whatever its status.
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

/// A redirect on the way to an answer, as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hop {
    /// Method it was asked with.
    pub method: String,
    /// Address that redirected.
    pub url: String,
    /// Headers of the request, as sent.
    pub sent: Vec<(String, String)>,
    /// Body of the request, as [`octets_text`].
    pub sent_body: String,
    /// Status.
    pub status: u16,
    /// Headers of the answer, values as [`octets_text`].
    pub headers: Vec<(String, String)>,
    /// Start of its body, as [`octets_text`].
    pub body: String,
    /// The body was longer.
    pub is_cut: bool,
    /// Address connected to, where known.
    pub peer: Option<String>,
}

/// Octets as text that [`text_octets`] turns back into the same octets: UTF-8 as it stands, each other octet
/// as a character of the last private plane. Header fields may hold any octets (RFC 9110, 5.5).
#[must_use]
pub fn octets_text(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    let escape = |out: &mut String, octets: &[u8]| {
        out.extend(octets.iter().filter_map(|octet| char::from_u32(ESCAPED + u32::from(*octet))));
    };
    for part in octets.utf8_chunks() {
        for c in part.valid().chars() {
            // What looks like an escape is escaped, so that the way back is one.
            if is_escape(c) { escape(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes()) } else { out.push(c) }
        }
        escape(&mut out, part.invalid());
    }
    out
}

/// The octets that [`octets_text`] was given.
#[must_use]
pub fn text_octets(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u8::try_from(u32::from(c).wrapping_sub(ESCAPED)) {
            Ok(octet) if is_escape(c) => out.push(octet),
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// First of 256 characters that stand for octets.
const ESCAPED: u32 = 0x10_ff00;

fn is_escape(c: char) -> bool {
    u32::from(c) >= ESCAPED
}

/// An answer, read to its end, its body decoded whatever `Content-Encoding` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers as sent, names in lower case, in order, values as [`octets_text`].
    pub headers: Vec<(String, String)>,
    /// Body; empty for a download, whose bytes are in a file.
    pub body: Vec<u8>,
    /// Where the body lies instead, for the index of a repository.
    pub file: Option<PathBuf>,
    /// Address that answered, after redirects.
    pub url: String,
    /// Redirects that led there, in order.
    pub hops: Vec<Hop>,
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
    /// What it was read from names the app itself, so that it is of no other.
    #[serde(default)]
    pub is_named: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_come_back_as_they_were() {
        let odd = "详情\u{10ff41}\u{10ffff}".as_bytes();
        for octets in [&b"plain"[..], b"/\xcf\xea\xc7\xe9", b"\xff\x00\xe6\x90", odd, &(0..=255).collect::<Vec<u8>>()] {
            assert_eq!(text_octets(&octets_text(octets)), octets);
        }
        assert_eq!(octets_text("详情".as_bytes()), "详情");
    }
}
