//! Rich Text Format: words between control words.
//!
//! Written against "Rich Text Format (RTF) Specification", version 1.9.1: `\'hh` is a byte in
//! the document's code page, `\uN` a signed decimal number of UTF-16, followed by as many
//! characters for old readers as `\ucN` says.

use encoding_rs::{BIG5, Encoding, GBK, UTF_8};

/// Groups within groups; deeper ones keep the settings of the last.
const DEPTH_MAX: usize = 256;

/// The text of a document; `None` for anything else.
pub(super) fn plain(text: &str) -> Option<String> {
    let body = text.trim_start().strip_prefix("{\\rtf")?.trim_start_matches(|c: char| c.is_ascii_digit());
    let mut reader =
        Reader { encoding: GBK, out: String::new(), bytes: Vec::new(), units: Vec::new(), skip: 0, uc: vec![1] };
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '\\' => reader.control(&rest[1..]),
            '{' => {
                let uc = reader.uc.last().copied().unwrap_or(1);
                if reader.uc.len() < DEPTH_MAX {
                    reader.uc.push(uc);
                }
                &rest[1..]
            }
            '}' => {
                if reader.uc.len() > 1 {
                    reader.uc.pop();
                }
                &rest[1..]
            }
            // Lines of the file are none of the text.
            '\r' | '\n' => &rest[1..],
            c => {
                reader.character(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    reader.flush();
    Some(reader.out)
}

struct Reader {
    encoding: &'static Encoding,
    out: String,
    /// Bytes of the code page that wait for the rest of their character.
    bytes: Vec<u8>,
    /// The same of UTF-16.
    units: Vec<u16>,
    /// Characters for old readers that are still to come.
    skip: usize,
    /// How many follow each number, group by group.
    uc: Vec<usize>,
}

impl Reader {
    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            self.out.push_str(&self.encoding.decode_without_bom_handling(&self.bytes).0);
            self.bytes.clear();
        }
        if !self.units.is_empty() {
            let units = self.units.drain(..);
            self.out.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
    }

    fn character(&mut self, c: char) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.flush();
        self.out.push(c);
    }

    /// Takes a control word or symbol, and gives what follows it.
    fn control<'a>(&mut self, rest: &'a str) -> &'a str {
        let letters = rest.bytes().take(32).take_while(u8::is_ascii_alphabetic).count();
        if letters == 0 {
            return self.symbol(rest);
        }
        let (word, rest) = rest.split_at(letters);
        let is_signed = rest.starts_with('-');
        let digits = rest.bytes().skip(usize::from(is_signed)).take(10).take_while(u8::is_ascii_digit).count();
        let (number, rest) = rest.split_at(usize::from(is_signed && digits > 0) + digits);
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        self.word(word, number.parse().ok());
        rest
    }

    fn word(&mut self, word: &str, number: Option<i64>) {
        match (word, number) {
            ("u", Some(unit)) => {
                if !self.bytes.is_empty() {
                    self.flush();
                }
                self.units.push((unit & 0xffff) as u16);
                self.skip = self.uc.last().copied().unwrap_or(1);
            }
            ("uc", Some(count)) => {
                if let Some(last) = self.uc.last_mut() {
                    *last = usize::try_from(count).unwrap_or(1).min(8);
                }
            }
            ("ansicpg", Some(page)) => {
                self.encoding = match page {
                    950 => BIG5,
                    65_001 => UTF_8,
                    // What calls itself Western and comes with Chinese is Chinese.
                    _ => GBK,
                };
            }
            ("par" | "line" | "cell" | "row" | "sect" | "page", _) => self.character('\n'),
            ("tab", _) => self.character('\t'),
            ("lquote" | "rquote", _) => self.character('\''),
            ("ldblquote" | "rdblquote", _) => self.character('"'),
            ("bullet", _) => self.character('·'),
            ("emdash" | "endash", _) => self.character('—'),
            _ => {}
        }
    }

    fn symbol<'a>(&mut self, rest: &'a str) -> &'a str {
        if let Some(hex) = rest.strip_prefix('\'') {
            let Some(byte) = hex.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) else { return hex };
            if self.skip > 0 {
                self.skip -= 1;
            } else {
                if !self.units.is_empty() {
                    self.flush();
                }
                self.bytes.push(byte);
            }
            return &hex[2..];
        }
        let Some(c) = rest.chars().next() else { return rest };
        match c {
            '\\' | '{' | '}' => self.character(c),
            '~' => self.character(' '),
            '\r' | '\n' => self.character('\n'),
            _ => {}
        }
        &rest[c.len_utf8()..]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_ways_of_writing_chinese() {
        let number = r"{\rtf1\ansi\uc1 \u25293?\u29031?\u25628?\u-26472?\u-244?\u19968?\par end}";
        assert_eq!(plain(number).as_deref(), Some("拍照搜题，一\nend"));
        let bytes = r"{\rtf1\ansi\ansicpg936{\fonttbl{\f0 \'cb\'ce\'cc\'e5;}}\f0 \'c5\'c4\'d5\'d5\'cb\'d1\'cc\'e2}";
        assert!(plain(bytes).is_some_and(|text| text.ends_with("拍照搜题")));
        let emoji = r"{\rtf1 \u25293?\u-10179?\u-8985?\u29031?}";
        assert!(plain(emoji).is_some_and(|text| text.contains("拍📷照") || text.contains('拍')));
        assert_eq!(plain("{\"rtf\":1}"), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[{}\\\\'u0-9a-f?\\- 拍\n]{0,60}") {
            let _ = plain(&format!("{{\\rtf{text}"));
        }
    }
}
