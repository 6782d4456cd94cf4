//! The character n-grams of a text, hashed into buckets: what a text model reads.
//!
//! Only letters and digits count, so signs strewn between characters change nothing.
//! The value of an n-gram is `1 + ln(count)`, brought to length one over the text.

use std::sync::LazyLock;

use super::{is_letter, normalise};

/// Letters of a text that are read at most; the rest of a longer one is left out.
const MAX_LETTERS: usize = 20_000;

/// How a text is cut and hashed. Models of one shape share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    /// Shortest n-gram, in characters.
    pub min: usize,
    /// Longest n-gram, in characters.
    pub max: usize,
    /// There are `2^bits` buckets.
    pub bits: u32,
}

impl Shape {
    /// Longest n-gram of any shape.
    pub const MAX_LEN: usize = 5;
    /// Most bits of any shape.
    pub const MAX_BITS: u32 = 18;
    /// Fewest bits of any shape.
    pub const MIN_BITS: u32 = 4;

    /// Within bounds?
    #[must_use]
    pub const fn is_sound(self) -> bool {
        1 <= self.min
            && self.min <= self.max
            && self.max <= Self::MAX_LEN
            && Self::MIN_BITS <= self.bits
            && self.bits <= Self::MAX_BITS
    }

    /// Number of buckets.
    #[must_use]
    pub const fn buckets(self) -> usize {
        1 << self.bits
    }
}

/// One n-gram, or several that share a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gram {
    /// Its bucket.
    pub bucket: u32,
    /// Its value.
    pub value: f32,
    start: u32,
    len: u32,
}

/// The n-grams of one text, each bucket once, in order of first appearance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grams {
    letters: Vec<char>,
    /// The n-grams.
    pub list: Vec<Gram>,
}

impl Grams {
    /// Cuts a text in normal form. The shape must be sound.
    #[must_use]
    pub fn of(text: &str, shape: Shape) -> Self {
        let letters: Vec<char> = text.chars().filter(|&c| is_letter(c)).take(MAX_LETTERS).collect();
        let most = letters.len() * (shape.max - shape.min + 1);
        let mut counter = Counter::new(most);
        for start in 0..letters.len() {
            let mut hash = BASIS;
            for (index, &c) in letters[start..].iter().take(shape.max).enumerate() {
                hash = (hash ^ u64::from(u32::from(c))).wrapping_mul(PRIME);
                if index + 1 >= shape.min {
                    counter.add(bucket(hash, shape.bits), start as u32, index as u32 + 1);
                }
            }
        }
        Self { letters, list: counter.values() }
    }

    /// Letters read.
    #[must_use]
    pub fn letters(&self) -> usize {
        self.letters.len()
    }

    /// The characters of an n-gram of this text, where it stood first.
    #[must_use]
    pub fn chars(&self, gram: &Gram) -> &[char] {
        let start = gram.start as usize;
        self.letters.get(start..start + gram.len as usize).unwrap_or(&[])
    }
}

impl Gram {
    /// Length in characters.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Never: an n-gram has at least one character.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// What a model reads of a listing: its fields in normal form, one a line.
#[must_use]
pub fn pitch<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for field in fields {
        text.push_str(&normalise(field).text);
        text.push('\n');
    }
    text
}

// FNV-1a over code points, then a multiplication that spreads it to the top bits.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

const fn bucket(hash: u64, bits: u32) -> u32 {
    ((hash ^ (hash >> 32)).wrapping_mul(SPREAD) >> (64 - bits)) as u32
}

/// Counts buckets by open addressing; the table holds numbers into `list`, from 1.
struct Counter {
    table: Vec<u32>,
    list: Vec<Gram>,
}

impl Counter {
    fn new(most: usize) -> Self {
        Self { table: vec![0; (most * 2).next_power_of_two().max(2)], list: Vec::with_capacity(most) }
    }

    fn add(&mut self, bucket: u32, start: u32, len: u32) {
        let mask = self.table.len() - 1;
        let mut slot = bucket as usize & mask;
        loop {
            let number = self.table[slot];
            match self.list.get_mut((number as usize).wrapping_sub(1)) {
                None => {
                    self.list.push(Gram { bucket, value: 1.0, start, len });
                    self.table[slot] = self.list.len() as u32;
                    return;
                }
                Some(known) if known.bucket == bucket => {
                    known.value += 1.0;
                    return;
                }
                Some(_) => slot = (slot + 1) & mask,
            }
        }
    }

    /// Turns counts into values.
    fn values(mut self) -> Vec<Gram> {
        let mut square = 0.0;
        for gram in self.list.iter_mut() {
            if gram.value > 1.0 {
                gram.value = value_of(gram.value);
            }
            square += gram.value * gram.value;
        }
        let shrink = if square > 0.0 { square.sqrt().recip() } else { 0.0 };
        self.list.iter_mut().for_each(|gram| gram.value *= shrink);
        self.list
    }
}

/// The value of an n-gram that stands so often in a text. Small counts, which are nearly all, are kept.
fn value_of(count: f32) -> f32 {
    static SMALL: LazyLock<[f32; 64]> = LazyLock::new(|| std::array::from_fn(|count| 1.0 + (count as f32).ln()));
    SMALL.get(count as usize).copied().unwrap_or_else(|| 1.0 + count.ln())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHAPE: Shape = Shape { min: 1, max: 2, bits: 17 };

    #[test]
    fn signs_between_characters_change_nothing() {
        let plain: Vec<u32> = Grams::of("拍照搜题", SHAPE).list.iter().map(|g| g.bucket).collect();
        let strewn: Vec<u32> = Grams::of("拍@照#搜 题", SHAPE).list.iter().map(|g| g.bucket).collect();
        assert_eq!(plain, strewn);
        assert_eq!(plain.len(), 7);
    }

    #[test]
    fn a_gram_knows_its_characters_and_counts_grow_slowly() {
        let grams = Grams::of("数学数学", SHAPE);
        let pair = grams.list.iter().find(|g| g.len() == 2).unwrap();
        assert_eq!(grams.chars(pair), ['数', '学']);
        let once = grams.list.iter().find(|g| grams.chars(g) == ['学', '数']).unwrap();
        assert!((pair.value / once.value - (1.0 + 2_f32.ln())).abs() < 1e-4);
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(Grams::of("，。！", SHAPE).list.is_empty());
    }

    proptest! {
        #[test]
        fn length_is_one_and_buckets_are_in_range(text in "\\PC{1,80}", max in 1_usize..=5, bits in 4_u32..=18) {
            let grams = Grams::of(&text, Shape { min: 1, max, bits });
            let square: f32 = grams.list.iter().map(|g| g.value * g.value).sum();
            prop_assert!(grams.list.is_empty() || (square - 1.0).abs() < 1e-3);
            prop_assert!(grams.list.iter().all(|g| (g.bucket as usize) < (1 << bits)));
        }
    }
}
