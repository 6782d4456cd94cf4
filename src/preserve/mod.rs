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

/// Seconds since 1970 UTC as `2026-01-31T08:00:00Z`, by Hinnant's algorithm for the proleptic
/// Gregorian calendar.
#[must_use]
pub fn timestamp(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
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
