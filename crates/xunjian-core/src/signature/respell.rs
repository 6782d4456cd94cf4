//! Other ways to write a term that get past a filter: pinyin, initials, homophones.

use std::collections::BTreeSet;

use pinyin::ToPinyin;

use super::is_han;

/// Characters that writers swap in for those of sensitive terms, because they sound
/// alike. Curated from the ways vendors dodge filters; one family a line: the
/// character, then its stand-ins.
const HOMOPHONES: &[(char, &str)] = &[
    ('搜', "溲嗖馊艘叟捜"),
    ('题', "提踢蹄堤"),
    ('拍', "啪派"),
    ('照', "兆召罩曌"),
    ('学', "斈雪孝"),
    ('数', "薯竖"),
    ('语', "雨宇羽"),
    ('课', "棵刻颗"),
    ('播', "波菠"),
    ('直', "值植"),
    ('教', "敎叫"),
    ('辅', "铺甫"),
    ('导', "道岛"),
    ('作', "做"),
    ('业', "叶"),
    ('答', "达搭"),
    ('案', "按"),
    ('幼', "呦"),
    ('儿', "ㄦ而"),
    ('早', "旱枣"),
    ('启', "起"),
    ('蒙', "萌朦"),
    ('小', "晓"),
    ('初', "厨"),
    ('识', "炽"),
    ('广', "厂"),
    ('告', "吿"),
];

/// Terms longer than this get no mixed spellings: their number grows as 3ⁿ.
const MIXED_MAX: usize = 5;

/// Spellings of a term of Han characters, without the term itself.
pub(super) fn spellings(term: &str) -> BTreeSet<String> {
    let chars: Vec<char> = term.chars().collect();
    let mut out = BTreeSet::new();
    if chars.len() < 3 || !chars.iter().all(|&c| is_han(c)) {
        return out;
    }
    let Some(syllables) =
        chars.iter().map(|c| c.to_pinyin().map(|p| p.plain().replace('ü', "v"))).collect::<Option<Vec<_>>>()
    else {
        return out;
    };
    out.insert(syllables.concat());
    out.insert(syllables.join(" "));
    if chars.len() >= 4 {
        out.insert(syllables.iter().filter_map(|s| s.chars().next()).collect());
    }
    if chars.len() <= MIXED_MAX {
        mixed(&chars, &syllables, &mut out);
    }
    homophones(&chars, &mut out);
    out.remove(term);
    out
}

/// Each character as itself, as its syllable or as its initial, with at least half of
/// the characters left as they were, so that the term can still be read.
fn mixed(chars: &[char], syllables: &[String], out: &mut BTreeSet<String>) {
    let total = 3_usize.pow(chars.len() as u32);
    for choice in 0..total {
        let (mut rest, mut kept, mut text) = (choice, 0, String::new());
        for (c, syllable) in chars.iter().zip(syllables) {
            match rest % 3 {
                0 => {
                    kept += 1;
                    text.push(*c);
                }
                1 => text.push_str(syllable),
                _ => text.extend(syllable.chars().next()),
            }
            rest /= 3;
        }
        if kept * 2 >= chars.len() && kept < chars.len() {
            out.insert(text);
        }
    }
}

/// One or two characters swapped for a homophone.
fn homophones(chars: &[char], out: &mut BTreeSet<String>) {
    let swaps = |c: char| HOMOPHONES.iter().find(|(from, _)| *from == c).map_or("", |(_, to)| to);
    for (i, &c) in chars.iter().enumerate() {
        for stand_in in swaps(c).chars() {
            let mut once = chars.to_vec();
            once[i] = stand_in;
            out.insert(once.iter().collect());
            for (j, &d) in chars.iter().enumerate().skip(i + 1) {
                for second in swaps(d).chars() {
                    let mut twice = once.clone();
                    twice[j] = second;
                    out.insert(twice.iter().collect());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::spellings;

    #[test]
    fn covers_the_usual_dodges() {
        let all = spellings("拍照搜题");
        for dodge in ["paizhaosouti", "pai zhao sou ti", "pzst", "p照搜t", "拍照溲题", "拍zhao搜题"] {
            assert!(all.contains(dodge), "{dodge}");
        }
        assert!(!all.contains("拍照搜题"));
        assert!(spellings("小学").is_empty(), "two characters have too many innocent homophones");
    }
}
