//! Evidence that stands without us: a BagIt 1.0 bag (RFC 8493) with the package, the pages as
//! they were fetched (WARC 1.1), facts, report, signatures and a hash-linked chain of custody.
//!
//! [`Bag`] writes one, [`verify()`] checks one and names what differs. Knows bytes and hashes;
//! re-running the audit, and asking an authority for a [`stamp`], are the pipeline's.

mod bag;
mod custody;
pub mod stamp;
mod verify;
mod warc;

pub use bag::{Bag, BagInfo};
pub use custody::{Custody, Entry};
pub use verify::{Difference, folder_of, open, stamped, verify};
pub use warc::{Exchange, Warc};

/// Names of what a bag of ours holds.
pub mod name {
    /// What covers the whole bag.
    pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
    /// What an authority was asked: a query of RFC 3161 over the tag manifest.
    pub const TIMESTAMP_QUERY: &str = "timestamp.tsq";
    /// What it answered.
    pub const TIMESTAMP_REPLY: &str = "timestamp.tsr";
    /// How the line of `bag-info.txt` begins that says whether there is a timestamp to be.
    pub const TIMESTAMP_INFO: &str = "Xunjian-Timestamp: ";
    /// How that line goes on where there is one; the authority's address follows.
    pub const TIMESTAMP_BY: &str = "by ";
    /// What was found, by what, and how to do it again.
    pub const CASE: &str = "data/case.json";
    /// The report, as the audit is to write it again.
    pub const REPORT: &str = "data/report.json";
    /// The report as a page for people.
    pub const PAGE: &str = "data/report.html";
    /// What the bag holds and how to check it, in Chinese and English.
    pub const README: &str = "data/说明.txt";
    /// The listing as it was read.
    pub const LISTING: &str = "data/listing.json";
    /// Requests and answers.
    pub const FETCHED: &str = "data/fetched.warc.gz";
    /// The chain of custody.
    pub const CUSTODY: &str = "data/custody.jsonl";
    /// Registers as they were judged by.
    pub const REGISTERS: &str = "data/registers.json";
    /// Facts of the package.
    pub const FACTS: &str = "data/facts.jsonl.zst";
    /// Folder of the package.
    pub const PACKAGES: &str = "data/packages";
    /// Folder of screenshots, in the listing's order.
    pub const SCREENSHOTS: &str = "data/screenshots";
    /// Folder of the parts of pictures that the finding's evidence shows, by the evidence's number.
    pub const CUT_OUTS: &str = "data/cut-outs";
    /// Folder of signatures and policies.
    pub const SIGNATURES: &str = "data/signatures";
}

/// Seconds since 1970 UTC as `2026-01-31T08:00:00Z`; those that no calendar has count as 0.
#[must_use]
pub fn timestamp(seconds: i64) -> String {
    let moment = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    crate::model::hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments_as_text() {
        assert_eq!(super::timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::timestamp(951_782_400 + 3_723), "2000-02-29T01:02:03Z");
    }
}
