//! Details of coverage limits, put into Chinese.
//!
//! The readers write a detail in plain English with the numbers and names they saw, and the
//! JSON report keeps it so. For people, `locales/limit_details.tsv` pairs each sentence with
//! its Chinese; what the file does not know stays as it is, so that no fact is lost.

use std::sync::LazyLock;

use super::phrase::Phrase;

static TABLE: &str = include_str!("../../../../locales/limit_details.tsv");
/// A value may be a sentence of the table as well, and a value of that another.
const DEPTH: usize = 3;

/// One line of the table.
struct Sentence {
    /// English, split at its values.
    parts: Vec<&'static str>,
    zh: &'static str,
}

/// The most particular first: the one with the most letters of its own.
static SENTENCES: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('\t'));
    let mut all: Vec<Sentence> = pairs.map(|(en, zh)| Sentence { parts: en.split("{}").collect(), zh }).collect();
    all.sort_by_key(|sentence| std::cmp::Reverse(sentence.parts.iter().map(|part| part.len()).sum::<usize>()));
    all
});

/// A detail in both languages.
#[must_use]
pub fn detail(text: &str) -> Phrase {
    Phrase { zh: chinese(text, DEPTH).into(), en: text.to_owned().into() }
}

fn chinese(text: &str, depth: usize) -> String {
    let found = SENTENCES.iter().find_map(|sentence| Some((sentence, values(&sentence.parts, text)?)));
    let Some((sentence, values)) = found.filter(|_| depth > 0) else { return text.to_owned() };
    let mut out = sentence.zh;
    let mut said = String::new();
    while let Some((before, rest)) = out.split_once('{') {
        let (number, after) = rest.split_once('}').unwrap_or((rest, ""));
        let value = number.parse::<usize>().ok().and_then(|n| values.get(n.checked_sub(1)?));
        said.push_str(before);
        said.push_str(&chinese(value.copied().unwrap_or_default(), depth - 1));
        out = after;
    }
    said + out
}

/// What stands between the parts, if `text` is made of them.
fn values<'a>(parts: &[&str], text: &'a str) -> Option<Vec<&'a str>> {
    let (first, rest) = parts.split_first()?;
    let mut text = text.strip_prefix(first)?;
    let Some((last, middle)) = rest.split_last() else { return text.is_empty().then(Vec::new) };
    let mut found = Vec::new();
    for part in middle {
        let (value, after) = text.split_once(part)?;
        found.push(value);
        text = after;
    }
    found.push(text.strip_suffix(last)?);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_place_and_sentences_within_are_put_into_chinese() {
        for (en, zh) in [
            ("breaks off after 3 of 9 bytes", "应有 9 字节，只读到 3 字节"),
            ("named as media, and is a DEX file", "以媒体文件命名，实为程序文件（DEX）"),
            (
                "an encrypted script: XXTEA behind the signature \"abcd\"; what it says and does was not read",
                "加密脚本：XXTEA 加密，签名为 \"abcd\"；其文字和功能没有读取",
            ),
            ("360 加固; components without a class: 3/3", "360 加固；清单列出 3 个组件，安装包内缺 3 个的程序"),
            ("https://m.example.cn/", "https://m.example.cn/"),
            ("a sentence that nobody knows", "a sentence that nobody knows"),
        ] {
            let phrase = detail(en);
            assert_eq!((phrase.zh.as_ref(), phrase.en.as_ref()), (zh, en));
        }
    }

    #[test]
    fn the_table_is_sound() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (en, zh) = line.split_once('\t').unwrap_or_else(|| panic!("no tab: {line}"));
            let count = en.matches("{}").count();
            assert_eq!(zh.matches('{').count(), count, "{line}");
            assert!((1..=count).all(|n| zh.contains(&format!("{{{n}}}"))), "{line}");
        }
    }
}
