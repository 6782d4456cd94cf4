//! Terms of ASCII alone, looked for without an automaton.
//!
//! Nearly all text of a package is ASCII, and nearly all of it names code. A term of ASCII
//! must stand at the border of a word, so most positions are passed over 64 at a time, and a
//! table of the first three bytes of all terms settles most others with one load (the idea of Wu and Manber, 1994, without their
//! shift: short terms leave nothing to shift by).

use super::term::Pattern;

/// Bits of a key's hash: a table of that many bits stays in the first-level cache.
const HASH_BITS: u32 = 16;
/// Knuth's multiplier, 2³² over the golden ratio.
const SPREAD: u32 = 2_654_435_761;

/// The compiled terms.
#[derive(Debug, Clone)]
pub(super) struct Latin {
    /// A bit for each hash that some term begins with.
    begins: Vec<u64>,
    /// Where the terms of a hash begin in `terms`; one more than there are hashes.
    offsets: Vec<u32>,
    /// The terms, by hash.
    terms: Vec<Term>,
}

/// A term under one of its hashes, with enough of its text to tell it from its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Term {
    number: u32,
    /// First bytes, and which of them count.
    head: u64,
    mask: u64,
}

impl Term {
    fn new(number: u32, text: &[u8]) -> Self {
        let length = text.len().min(8);
        let mut head = [0; 8];
        head[..length].copy_from_slice(&text[..length]);
        let mask = u64::MAX >> (64 - 8 * length);
        Self { number, head: u64::from_le_bytes(head), mask }
    }
}

/// The eight bytes at a place, zeros past the end.
fn eight(bytes: &[u8], at: usize) -> u64 {
    let rest = &bytes[at..];
    match rest.first_chunk::<8>() {
        Some(head) => u64::from_le_bytes(*head),
        None => rest.iter().rev().fold(0, |all, &b| all << 8 | u64::from(b)),
    }
}

/// Places looked at together.
const BLOCK: usize = 64;

/// A bit for each letter or digit of a block.
fn letters(block: &[u8; BLOCK]) -> u64 {
    bits(block.map(|b| u8::from((b | 0x20).wrapping_sub(b'a') < 26) | u8::from(b.wrapping_sub(b'0') < 10)))
}

/// A bit for each byte, of which each is 0 or 1.
fn bits(bytes: [u8; BLOCK]) -> u64 {
    // The factor brings the lowest bit of each of eight bytes to the top byte, in order.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let eights = bytes.as_chunks::<8>().0.iter().rev();
    eights.fold(0, |bits, eight| bits << 8 | u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56)
}

/// A bit for each byte of a block that is ASCII: no term begins with another.
fn ascii(block: &[u8; BLOCK]) -> u64 {
    bits(block.map(|b| u8::from(b.is_ascii())))
}

const fn hash(key: [u8; 3]) -> usize {
    let key = u32::from_le_bytes([key[0], key[1], key[2], 0]);
    (key.wrapping_mul(SPREAD) >> (32 - HASH_BITS)) as usize
}

/// Keys that a term may begin with in a text: one for three bytes and more, and for two
/// bytes one for each byte that may follow.
fn keys(term: &[u8]) -> Vec<[u8; 3]> {
    match *term {
        [a, b, c, ..] => vec![[a, b, c]],
        [a, b] => (0..=u8::MAX).map(|c| [a, b, c]).collect(),
        _ => Vec::new(),
    }
}

impl Latin {
    /// Compiles the patterns with these numbers. A term of one letter is refused: it would
    /// be met everywhere and mean nothing.
    pub(super) fn new(patterns: &[Pattern], numbers: impl Iterator<Item = u32>) -> Result<Self, String> {
        let mut entries: Vec<(usize, Term)> = Vec::new();
        for number in numbers {
            let text = &patterns[number as usize].text;
            let mut hashes: Vec<usize> = keys(text.as_bytes()).into_iter().map(hash).collect();
            if hashes.is_empty() {
                return Err(format!("the term `{text}` is too short: a term of Latin letters needs two at least"));
            }
            hashes.sort_unstable();
            hashes.dedup();
            let term = Term::new(number, text.as_bytes());
            entries.extend(hashes.into_iter().map(|hash| (hash, term)));
        }
        entries.sort_unstable();
        let mut begins = vec![0_u64; 1 << (HASH_BITS - 6)];
        let mut offsets = vec![0_u32; (1 << HASH_BITS) + 1];
        for &(hash, _) in &entries {
            begins[hash >> 6] |= 1 << (hash & 63);
            offsets[hash + 1] += 1;
        }
        for at in 1..offsets.len() {
            offsets[at] += offsets[at - 1];
        }
        Ok(Self { begins, offsets, terms: entries.into_iter().map(|(_, term)| term).collect() })
    }

    /// Calls `found` with pattern number, start and end of every occurrence, by start.
    pub(super) fn find(&self, patterns: &[Pattern], text: &str, mut found: impl FnMut(u32, usize, usize)) {
        let bytes = text.as_bytes();
        let mut after_letter = false;
        for from in (0..bytes.len()).step_by(BLOCK) {
            let mut block = [0; BLOCK];
            let there = bytes.len().min(from + BLOCK);
            block[..there - from].copy_from_slice(&bytes[from..there]);
            let letters = letters(&block);
            let mut borders = !(letters & (letters << 1 | u64::from(after_letter)));
            after_letter = letters >> (BLOCK - 1) == 1;
            if !block.is_ascii() {
                borders &= ascii(&block);
            }
            while borders != 0 {
                self.probe(patterns, bytes, from + borders.trailing_zeros() as usize, &mut found);
                borders &= borders - 1;
            }
        }
    }

    /// Looks at one place at which a term may begin.
    fn probe(&self, patterns: &[Pattern], bytes: &[u8], at: usize, found: &mut impl FnMut(u32, usize, usize)) {
        let key = match bytes.get(at..) {
            Some(&[a, b, c, ..]) => [a, b, c],
            Some(&[a, b]) => [a, b, 0],
            _ => return,
        };
        let hash = hash(key);
        if self.begins[hash >> 6] >> (hash & 63) & 1 == 1 {
            self.check(hash, patterns, bytes, at, found);
        }
    }

    fn check(
        &self,
        hash: usize,
        patterns: &[Pattern],
        bytes: &[u8],
        at: usize,
        found: &mut impl FnMut(u32, usize, usize),
    ) {
        let is_letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
        let there = eight(bytes, at);
        for term in &self.terms[self.offsets[hash] as usize..self.offsets[hash + 1] as usize] {
            if there & term.mask != term.head {
                continue;
            }
            let pattern = &patterns[term.number as usize];
            let end = at + pattern.text.len();
            if bytes[at..].starts_with(pattern.text.as_bytes()) && !(pattern.bound_end && is_letter(end)) {
                found(term.number, at, end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::term::{Role, TermsBuilder};

    /// What a search for one term after the other finds.
    fn plainly(terms: &[String], text: &str) -> Vec<(usize, usize)> {
        let is_word =
            |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_alphanumeric);
        let mut found: Vec<(usize, usize)> = terms
            .iter()
            .flat_map(|term| {
                let starts =
                    (0..text.len()).filter(|&at| text.is_char_boundary(at) && text[at..].starts_with(term.as_str()));
                starts.map(|at| (at, at + term.len()))
            })
            .filter(|&(start, end)| {
                let inner = |at: usize| is_word(Some(at));
                !(inner(start) && is_word(start.checked_sub(1)) || inner(end - 1) && is_word(Some(end)))
            })
            .collect();
        found.sort_by_key(|&(start, end)| (end, start));
        found
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            terms in proptest::collection::btree_set("[a-c]{2,3}|[ab.-]{2,12}|a?[学中]{1,2}b?", 1..12),
            text in "[abc. \u{0}学中-]{0,60}",
        ) {
            let terms: Vec<String> = terms.into_iter().collect();
            let mut builder = TermsBuilder::default();
            terms.iter().for_each(|term| builder.add(term, Role::NegatesNext));
            let compiled = builder.build(&[]).unwrap();
            let found: Vec<(usize, usize)> = compiled.find(&text).into_iter().map(|(_, start, end)| (start, end)).collect();
            prop_assert_eq!(found, plainly(&terms, &text));
        }
    }
}
