//! Requests and answers as WARC 1.1 (ISO 28500:2017), a gzip member a record.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{sha256, timestamp};
use crate::model::fetch::text_octets;

/// One question and its answer.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// Method.
    pub method: String,
    /// Address asked.
    pub url: String,
    /// Headers of the request, as sent; values hold octets as [`crate::model::fetch::octets_text`] has them.
    pub sent: Vec<(String, String)>,
    /// Body of the request, as the same.
    pub sent_body: String,
    /// Status of the answer.
    pub status: u16,
    /// Headers of the answer, as the same.
    pub headers: Vec<(String, String)>,
    /// Body of the answer, decoded.
    pub body: Vec<u8>,
    /// The body went on, and was not kept to its end.
    pub is_cut: bool,
    /// Address connected to, where known.
    pub peer: Option<String>,
    /// When, in milliseconds since 1970 UTC.
    pub at: i64,
}

/// A WARC file being written.
#[derive(Debug, Default)]
pub struct Warc {
    out: Vec<u8>,
}

/// Headers that speak of the transfer, not of the body at hand; kept under the name that web
/// archives use for it.
const TRANSFER: &[&str] = &["transfer-encoding", "content-encoding", "content-length"];

impl Warc {
    /// A file that says what wrote it.
    ///
    /// # Errors
    /// When compression fails.
    pub fn new(software: &str, at: i64) -> io::Result<Self> {
        let mut warc = Self::default();
        let block = format!("software: {software}\r\nformat: WARC File Format 1.1\r\n");
        let fields = [("Content-Type", "application/warc-fields".to_owned())];
        warc.record("warcinfo", at, &id(&["warcinfo", software]), &fields, block.as_bytes())?;
        Ok(warc)
    }

    /// Adds a request and its response.
    ///
    /// # Errors
    /// When compression fails.
    pub fn add(&mut self, exchange: &Exchange) -> io::Result<()> {
        let body_hash = sha256(&exchange.body);
        let response_id = id(&["response", &exchange.url, &exchange.at.to_string(), &body_hash]);
        let request_id = id(&["request", &exchange.url, &exchange.at.to_string(), &body_hash]);
        let http = |kind: &str| format!("application/http;msgtype={kind}");
        let mut fields = vec![
            ("WARC-Target-URI", exchange.url.clone()),
            ("Content-Type", http("response")),
            ("WARC-Payload-Digest", format!("sha256:{body_hash}")),
        ];
        if let Some(peer) = &exchange.peer {
            fields.push(("WARC-IP-Address", address(peer)));
        }
        if exchange.is_cut {
            fields.push(("WARC-Truncated", "length".to_owned()));
        }
        self.record("response", exchange.at, &response_id, &fields, &response(exchange))?;
        let fields = [
            ("WARC-Target-URI", exchange.url.clone()),
            ("Content-Type", http("request")),
            ("WARC-Payload-Digest", format!("sha256:{}", sha256(&text_octets(&exchange.sent_body)))),
            ("WARC-Concurrent-To", format!("<{response_id}>")),
        ];
        self.record("request", exchange.at, &request_id, &fields, &request(exchange))
    }

    fn record(&mut self, kind: &str, at: i64, id: &str, fields: &[(&str, String)], block: &[u8]) -> io::Result<()> {
        let mut member = GzEncoder::new(&mut self.out, Compression::default());
        write!(member, "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <{id}>\r\n")?;
        write!(member, "WARC-Date: {}\r\n", timestamp(at.div_euclid(1000)))?;
        for (name, value) in fields {
            write!(member, "{name}: {}\r\n", one_line(value))?;
        }
        write!(member, "WARC-Block-Digest: sha256:{}\r\nContent-Length: {}\r\n\r\n", sha256(block), block.len())?;
        member.write_all(block)?;
        member.write_all(b"\r\n\r\n")?;
        member.finish().map(|_| ())
    }

    /// The file.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

fn request(exchange: &Exchange) -> Vec<u8> {
    let (target, host) = target(&exchange.url);
    let mut out = format!("{} {target} HTTP/1.1\r\nhost: {host}\r\n", exchange.method);
    for (name, value) in &exchange.sent {
        out.push_str(&format!("{}: {}\r\n", one_line(name), one_line(value)));
    }
    let body = text_octets(&exchange.sent_body);
    if !body.is_empty() {
        out.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    let mut out = text_octets(&out);
    out.extend_from_slice(&body);
    out
}

fn response(exchange: &Exchange) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {} \r\n", exchange.status);
    for (name, value) in &exchange.headers {
        let prefix = if TRANSFER.contains(&name.as_str()) { "x-archive-orig-" } else { "" };
        out.push_str(&format!("{prefix}{}: {}\r\n", one_line(name), one_line(value)));
    }
    out.push_str(&format!("content-length: {}\r\n\r\n", exchange.body.len()));
    let mut out = text_octets(&out);
    out.extend_from_slice(&exchange.body);
    out
}

/// Path with query, and host, of an address.
fn target(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or(rest);
    match rest.find(['/', '?']) {
        Some(at) => (&rest[at..], &rest[..at]),
        None => ("/", rest),
    }
}

/// The address without its port.
fn address(peer: &str) -> String {
    peer.parse::<std::net::SocketAddr>().map_or_else(|_| peer.to_owned(), |peer| peer.ip().to_string())
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// A name for a record that follows from what it holds, so that an export can be repeated. In
/// the form of a UUID of version 8 (RFC 9562).
fn id(parts: &[&str]) -> String {
    let hash = sha256(parts.join("\n").as_bytes());
    format!("urn:uuid:{}-{}-8{}-a{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[15..18], &hash[18..30])
}
