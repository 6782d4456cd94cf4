//! The log on stderr: a line an event, whatever names and texts of apps stand in it.

use std::fmt::Write as _;
use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Stderr, to which each event is written as one line.
pub(super) struct Stderr;

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

/// Writes an event.
pub(super) struct Line;

impl Write for Line {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // The subscriber hands over an event whole.
        io::stderr().lock().write_all(plain(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// An event without what would make it look like several, or read in another order. Colours stay: the
/// subscriber takes them away from what it is told. Written as JSON writes it, which is one form of the log.
fn plain(event: &str) -> String {
    let (text, end) = event.strip_suffix('\n').map_or((event, ""), |text| (text, "\n"));
    let mut out = String::with_capacity(event.len());
    for c in text.chars() {
        if is_harmless(c) {
            out.push(c);
        } else {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
    out.push_str(end);
    out
}

/// Neither a control character but tab and escape, nor a mark of direction or a separator of lines.
fn is_harmless(c: char) -> bool {
    let is_mark = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !is_mark && (!c.is_control() || matches!(c, '\t' | '\u{1b}'))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn an_event_is_one_line_and_reads_as_it_stands() {
        let event = "WARN xunjian: a\r\nWARN xunjian: forged\u{202e}kpa\u{2066}\u{85}\u{2028}.apk: unreadable\n";
        let shown = plain(event);
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(
            shown.contains("a\\u000d\\u000aWARN") && shown.contains("\\u202ekpa\\u2066\\u0085\\u2028.apk"),
            "{shown}"
        );
        assert_eq!(plain("\u{1b}[33mWARN\u{1b}[0m 巡检\n"), "\u{1b}[33mWARN\u{1b}[0m 巡检\n");
    }
}
