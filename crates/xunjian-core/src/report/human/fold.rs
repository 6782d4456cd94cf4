//! Lines folded to the columns of a terminal, so that what goes on stays under what it belongs to.

use std::io::{self, Write};

/// Fewer columns are none that a report could be read in.
const LEAST: usize = 32;
/// Deepest indent that lines go on under.
const INDENT_MAX: usize = 12;
/// Marks that do not begin a line (GB/T 15834-2011, 5.1).
const CLOSING: &str = "，。、；：！？）】》」』”’％%,.;:!?)]}…";
/// Marks that do not end one.
const OPENING: &str = "（【《「『“‘([{";

/// Folds lines on their way out.
pub(super) struct Folded {
    out: Box<dyn Write + Send>,
    width: usize,
    /// A line that has not ended.
    open: Vec<u8>,
}

impl Folded {
    pub(super) fn new(out: Box<dyn Write + Send>, width: usize) -> Self {
        Self { out, width: width.max(LEAST), open: Vec::new() }
    }
}

impl Write for Folded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open.extend_from_slice(bytes);
        if let Some(end) = self.open.iter().rposition(|byte| *byte == b'\n') {
            let rest = self.open.split_off(end + 1);
            let whole = std::mem::replace(&mut self.open, rest);
            let folded: String =
                String::from_utf8_lossy(&whole).lines().map(|line| fold(line, self.width) + "\n").collect();
            self.out.write_all(folded.as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.open);
        self.out.write_all(fold(&String::from_utf8_lossy(&rest), self.width).as_bytes())?;
        self.out.flush()
    }
}

/// One line as several; those that follow stand two columns deeper than it begins.
fn fold(line: &str, width: usize) -> String {
    let chars: Vec<char> = line.chars().collect();
    let indent = chars.iter().take_while(|c| **c == ' ').count().min(INDENT_MAX) + 2;
    let mut out = String::new();
    let mut from = 0;
    loop {
        let deep = if from == 0 { 0 } else { indent };
        let Some(to) = end_of(&chars[from..], width.saturating_sub(deep)).map(|to| from + to) else {
            out.push_str(&" ".repeat(deep));
            out.extend(&chars[from..]);
            return out;
        };
        out.push_str(&" ".repeat(deep));
        out.push_str(chars[from..to].iter().collect::<String>().trim_end());
        out.push('\n');
        from = to + chars[to..].iter().take_while(|c| **c == ' ').count();
    }
}

/// Where a line of so many columns ends; `None` where all of it fits.
fn end_of(chars: &[char], width: usize) -> Option<usize> {
    let (mut columns, mut best, mut is_escape) = (0, 0, false);
    for (at, c) in chars.iter().enumerate() {
        // A colour takes no column: `ESC [ … m` (ECMA-48, 8.3.117).
        if is_escape || *c == '\u{1b}' {
            is_escape = *c != 'm';
            continue;
        }
        if at > 0 && may_break(chars[at - 1], *c) {
            best = at;
        }
        columns += columns_of(*c);
        if columns > width {
            // A word longer than a line is cut where the line ends.
            let is_blank = chars[..best].iter().all(|c| *c == ' ');
            return Some(if is_blank { at.max(1) } else { best });
        }
    }
    None
}

fn may_break(before: char, after: char) -> bool {
    if CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    (before == ' ' && after != ' ') || columns_of(before) == 2 || columns_of(after) == 2
}

/// Columns of a character, by the blocks that are wide (UAX #11) in what reports hold.
fn columns_of(c: char) -> usize {
    match u32::from(c) {
        0x200b..=0x200f | 0xfe00..=0xfe0f | 0x300..=0x36f => 0,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe4f | 0xff01..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fold_between_words_and_signs_and_stay_under_their_beginning() {
        let line = "    证据：拍照搜题，一拍出答案（小学、初中全科）。";
        let folded = fold(line, 32);
        for part in folded.lines() {
            let columns: usize = part.chars().map(columns_of).sum();
            assert!(columns <= 32, "{columns}: {part}");
            assert!(!part.trim_start().starts_with(['，', '。', '）', '、']), "{part}");
        }
        assert!(folded.lines().skip(1).all(|part| part.starts_with("      ")), "{folded}");
        let joined: String = folded.lines().map(str::trim).collect();
        assert_eq!(joined, line.trim());
        assert_eq!(fold("aaa bbb", 7), "aaa bbb");
        assert_eq!(fold("aaaa bbbb", 7), "aaaa\n  bbbb");
        assert_eq!(fold("\u{1b}[1maaaa bbb\u{1b}[0m", 8), "\u{1b}[1maaaa bbb\u{1b}[0m", "colour takes no column");
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut_and_nothing_is_lost() {
        let line = format!("  {}", "x".repeat(100));
        let joined: String = fold(&line, 40).lines().map(str::trim).collect();
        assert_eq!(joined, line.trim());
    }
}
