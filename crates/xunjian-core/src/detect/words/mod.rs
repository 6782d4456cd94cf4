//! Where Chinese words end: a term that only comes about where two other words meet is not there.
//!
//! 助考 stands in 助考服务 and not in 帮助考生. The text around a match is split into its likeliest
//! words (the cheapest path, as jieba and others do it), once freely and once so that no word runs
//! across a border of the match; where the second costs clearly more, the match is an accident. A
//! longer word that holds the whole match (期末考试 over 考试) is none.

use crate::signature::is_han;

/// The table of words: see README.md beside it.
static TABLE: &[u8] = include_bytes!("words.bin");
/// Bits of a hash that say where a word stands.
const SLOT_BITS: u32 = 18;
/// Knuth's multiplier for 64 bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Units of cost to the nat.
const UNIT: u32 = 8;
/// Characters of a word in the table, at most.
const WORD: usize = 4;
/// Characters looked at on either side of a match.
const AROUND: usize = 6;
/// Characters of a match that is looked at; longer ones come about by no accident.
const LONGEST: usize = 10;
/// Cost of a character that the table does not know.
const UNKNOWN: u32 = 14 * UNIT;
/// A term is a word, and within its field a common one.
const COMMON: u32 = 9 * UNIT;
/// What binds the characters of a term that the table does not know as a word.
const BOND: u32 = 6 * UNIT;
/// By how much splitting at the borders of a match must be dearer: 1.8 nats, a likelihood ratio of six.
const CLEARLY: u32 = 14;
/// Places of the window, borders included.
const PLACES: usize = AROUND * 2 + LONGEST + 1;

/// Whether words that belong elsewhere run across a border of the match at these bytes.
pub(super) fn run_across(text: &str, start: usize, end: usize) -> bool {
    let Some(window) = Window::around(text, start, end) else { return false };
    if !window.is_crossed() {
        return false;
    }
    let whole = window.term_cost();
    window.cost(Some(whole), true) >= window.cost(Some(whole), false) + CLEARLY
}

/// The characters around a match, as far as they are Han without a break.
struct Window {
    chars: [u16; PLACES],
    len: usize,
    from: usize,
    to: usize,
}

impl Window {
    /// `None` where the match is long, is not all Han, or stands alone.
    fn around(text: &str, start: usize, end: usize) -> Option<Self> {
        let mut window = Self { chars: [0; PLACES], len: 0, from: 0, to: 0 };
        let mut before = [0; AROUND];
        for c in text[..start].chars().rev().take(AROUND) {
            let Some(unit) = unit(c) else { break };
            before[window.from] = unit;
            window.from += 1;
        }
        for &unit in before[..window.from].iter().rev() {
            window.push(unit);
        }
        for c in text[start..end].chars() {
            if window.len - window.from == LONGEST {
                return None;
            }
            window.push(unit(c)?);
        }
        window.to = window.len;
        for c in text[end..].chars().take(AROUND) {
            let Some(unit) = unit(c) else { break };
            window.push(unit);
        }
        (window.from > 0 || window.to < window.len).then_some(window)
    }

    fn push(&mut self, unit: u16) {
        self.chars[self.len] = unit;
        self.len += 1;
    }

    /// A word of the table begins on one side of a border and ends on the other, and does not hold
    /// the whole match.
    fn is_crossed(&self) -> bool {
        let crossed = |border: usize| {
            (border.saturating_sub(WORD - 1)..border).any(|at| {
                (border + 1..=(at + WORD).min(self.len))
                    .any(|end| self.crosses(at, end) && self.word(at, end).is_some())
            })
        };
        crossed(self.from) || crossed(self.to)
    }

    /// It overlaps the match without holding it or lying in it.
    const fn crosses(&self, at: usize, end: usize) -> bool {
        at < self.from && self.from < end && end < self.to || self.from < at && at < self.to && self.to < end
    }

    /// What the match costs as a word of its own.
    fn term_cost(&self) -> u32 {
        let term = Self::of(&self.chars[self.from..self.to]);
        match (term.len <= WORD).then(|| term.word(0, term.len)).flatten() {
            Some(cost) => cost.min(COMMON),
            None => term.cost(None, false).saturating_sub(BOND).max(COMMON),
        }
    }

    fn of(chars: &[u16]) -> Self {
        let mut window = Self { chars: [0; PLACES], len: 0, from: 0, to: 0 };
        chars.iter().for_each(|&unit| window.push(unit));
        window
    }

    /// The cheapest way to split the window into words, the match being one for `whole`; `bound`: no
    /// word crosses its borders.
    fn cost(&self, whole: Option<u32>, bound: bool) -> u32 {
        let mut best = [u32::MAX; PLACES + 1];
        best[0] = 0;
        for at in 0..self.len {
            let so_far = best[at];
            if so_far == u32::MAX {
                continue;
            }
            let ends = (at + 1..).zip(&mut best[at + 1..=(at + WORD).min(self.len)]);
            for (end, least) in ends.filter(|(end, _)| !(bound && self.crosses(at, *end))) {
                if let Some(cost) = self.word(at, end).or_else(|| (end == at + 1).then_some(UNKNOWN)) {
                    *least = (*least).min(so_far + cost);
                }
            }
            if let Some(cost) = whole.filter(|_| at == self.from) {
                best[self.to] = best[self.to].min(so_far + cost);
            }
        }
        best[self.len]
    }

    /// Cost of these characters as a word of the table.
    fn word(&self, at: usize, end: usize) -> Option<u32> {
        look_up(&self.chars[at..end])
    }
}

/// A Han character of the table's range.
fn unit(c: char) -> Option<u16> {
    u16::try_from(u32::from(c)).ok().filter(|_| is_han(c))
}

fn look_up(chars: &[u16]) -> Option<u32> {
    let key = chars.iter().fold(0_u64, |key, &unit| key << 16 | u64::from(unit));
    let mut mixed = key.wrapping_mul(SPREAD);
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(SPREAD);
    let mark = (mixed >> 8) as u32 & 0x00ff_ffff;
    let (places, _) = TABLE.as_chunks::<4>();
    let mut slot = (mixed >> (64 - SLOT_BITS)) as usize;
    // The table is less than half full, so that an empty place is near.
    loop {
        let place = u32::from_le_bytes(*places.get(slot)?);
        if place == 0 {
            return None;
        }
        if place >> 8 == mark {
            return Some(place & 0xff);
        }
        slot = (slot + 1) % places.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accident(text: &str, term: &str) -> bool {
        let start = text.find(term).unwrap();
        run_across(text, start, start + term.len())
    }

    #[test]
    fn terms_that_come_about_where_words_meet() {
        for (text, term) in [
            ("帮助考生了解自己", "助考"),
            ("辅助考试", "助考"),
            ("请先进行测试", "行测"),
            ("由学校统一建立", "一建"),
            ("早教资源", "教资"),
            ("中国考古", "国考"),
            ("垂直播放", "直播"),
            ("货物理赔", "物理"),
            ("本周春游戏曲节", "游戏"),
            ("拍照搜题材", "拍照搜题"),
            // A term of its own in the lexicon.
            ("拍照搜题目", "拍照搜题"),
            ("提高考试分数", "高考"),
            ("提高一下音量", "高一"),
            ("从游戏中学习", "中学"),
            ("医学考试", "学考"),
            ("问题库存", "题库"),
            ("期中考试", "中考"),
            ("儿童学习汉字", "童学"),
            ("住家教师", "家教"),
            ("学习机器人", "学习机"),
            ("共同学习", "同学"),
            ("文化学院", "化学"),
            ("国家长治久安", "家长"),
        ] {
            assert!(is_accident(text, term), "{term} in {text}");
        }
    }

    #[test]
    fn terms_that_stand_as_words() {
        for (text, term) in [
            ("专业助考服务", "助考"),
            ("行测申论题库", "行测"),
            ("海量题库", "题库"),
            ("真人替考", "替考"),
            ("在线直播课", "直播"),
            ("初二物理", "物理"),
            ("拍照搜题神器", "拍照搜题"),
            ("高一下册数学", "高一"),
            ("小升初中考", "中考"),
            ("中考试题", "中考"),
            ("高中生物", "生物"),
            ("小学生数学", "学生"),
            ("期末考试", "考试"),
            ("七年级上", "七年级"),
            ("助考", "助考"),
        ] {
            assert!(!is_accident(text, term), "{term} in {text}");
        }
    }
}
