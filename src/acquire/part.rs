//! A file on its way: how much of it is here, and what may be put behind that.
//!
//! Pieces belong together when each says that it begins where the last one ended, that the whole is as long as
//! the first answer said, and that it is the same version (RFC 9110, 13.1.5 and 15.3.7). A server that answers
//! a condition it was asked with is not believed to have looked at it.

use sha2::{Digest, Sha256};
use tokio::io::AsyncSeekExt;

use crate::model::fetch::Answer;

/// A file being written.
pub(super) struct Part {
    pub(super) file: tokio::fs::File,
    pub(super) written: u64,
    pub(super) hash: Sha256,
    /// Its length, once an answer told.
    pub(super) total: Option<u64>,
    /// What tells its version from others: a strong `ETag`, or `Last-Modified`.
    pub(super) tie: Option<Tie>,
    /// A hash is known that the whole is checked against.
    pub(super) is_known: bool,
    /// How often it was begun anew.
    pub(super) restarts: u32,
}

/// What ties answers to one version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tie {
    Tag(String),
    Date(String),
}

/// Where a piece lies in the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) total: u64,
}

impl Part {
    pub(super) fn new(file: tokio::fs::File, is_known: bool) -> Self {
        Self { file, written: 0, hash: Sha256::new(), total: None, tie: None, is_known, restarts: 0 }
    }

    /// Forgets what is here.
    pub(super) async fn restart(&mut self) -> std::io::Result<()> {
        self.file.set_len(0).await?;
        self.file.rewind().await?;
        (self.written, self.hash, self.total, self.tie) = (0, Sha256::new(), None, None);
        self.restarts += 1;
        Ok(())
    }

    /// More may be put behind what is here: something tells whether it is of the same file.
    pub(super) fn may_resume(&self) -> bool {
        self.written > 0 && (self.tie.is_some() || self.is_known)
    }

    /// The piece that an answer of status 206 is, where it goes on where we stand, in the same file.
    pub(super) fn piece(&self, answer: &Answer) -> Option<Range> {
        let range = Range::of(answer)?;
        let is_same_version = match &self.tie {
            Some(Tie::Tag(tag)) => answer.header("etag") == Some(tag),
            Some(Tie::Date(date)) => answer.header("last-modified") == Some(date),
            None => self.written == 0 || self.is_known,
        };
        let is_same_length = self.total.is_none_or(|total| total == range.total);
        (range.start == self.written && is_same_length && is_same_version).then_some(range)
    }

    /// Nothing is missing, as far as anybody said how long it is.
    pub(super) fn is_whole(&self) -> bool {
        self.total.is_none_or(|total| total == self.written)
    }
}

impl Range {
    /// `Content-Range: bytes START-END/TOTAL` (RFC 9110, 14.4); nothing where a part is missing or they
    /// contradict one another.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let value = answer.header("content-range")?.trim();
        let (unit, rest) = value.split_once(' ')?;
        let (range, total) = rest.trim().split_once('/')?;
        let (start, end) = range.split_once('-')?;
        let number = |text: &str| {
            let text = text.trim();
            text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten()
        };
        let range = Self { start: number(start)?, end: number(end)?, total: number(total)? };
        let fits = unit.eq_ignore_ascii_case("bytes") && range.start <= range.end && range.end < range.total;
        fits.then_some(range)
    }

    /// Octets of the piece.
    pub(super) fn length(self) -> u64 {
        self.end - self.start + 1
    }
}

impl Tie {
    /// What an answer can be tied by. A weak `ETag` does not promise the same octets; nor does a date that is
    /// not earlier than the answer (RFC 9110, 8.8.2.2 and 13.1.5).
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let tag = answer.header("etag").filter(|tag| tag.starts_with('"'));
        if let Some(tag) = tag {
            return Some(Self::Tag(tag.to_owned()));
        }
        let modified = answer.header("last-modified")?;
        let date = |text: &str| httpdate::parse_http_date(text).ok();
        let is_old = match (date(modified), answer.header("date").and_then(date)) {
            (Some(modified), Some(answered)) => modified < answered,
            (modified, _) => modified.is_some(),
        };
        is_old.then(|| Self::Date(modified.to_owned()))
    }

    /// As `If-Range` takes it.
    pub(super) fn value(&self) -> String {
        match self {
            Self::Tag(value) | Self::Date(value) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, value: &str) -> Answer {
        Answer { headers: vec![(name.into(), value.into())], ..Answer::default() }
    }

    #[test]
    fn ranges_say_all_three_numbers_or_nothing() {
        let of = |value: &str| Range::of(&answer("content-range", value));
        assert_eq!(of("bytes 10-19/40"), Some(Range { start: 10, end: 19, total: 40 }));
        assert_eq!(of("BYTES  10 - 19 / 40"), Some(Range { start: 10, end: 19, total: 40 }));
        for odd in [
            "bytes 10-19/*",
            "bytes */40",
            "bytes 19-10/40",
            "bytes 10-40/40",
            "10-19/40",
            "items 10-19/40",
            "bytes -19/40",
            "bytes 10-19",
            "bytes 10-99999999999999999999/999999999999999999999",
        ] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }

    #[test]
    fn ties_are_strong() {
        assert_eq!(Tie::of(&answer("etag", "\"a\"")), Some(Tie::Tag("\"a\"".into())));
        assert_eq!(Tie::of(&answer("etag", "W/\"a\"")), None);
        assert_eq!(Tie::of(&answer("etag", "a")), None);
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        assert_eq!(Tie::of(&answer("last-modified", date)), Some(Tie::Date(date.into())));
        assert_eq!(Tie::of(&answer("last-modified", "yesterday")), None);
        let mut just = answer("last-modified", date);
        just.headers.push(("date".into(), date.into()));
        assert_eq!(Tie::of(&just), None);
    }
}
