//! Colour, where the terminal has it; brackets where it has not.

use anstyle::{AnsiColor, Style};

use crate::model::Severity;
use crate::report::clean::Marked;

/// How emphasis is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) colour: bool,
}

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("{}{text}{}", style.render(), style.render_reset())
        } else {
            text.to_owned()
        }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// A heading in the colour of its severity; the words name it as well.
    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        let colour = match severity {
            Severity::High => AnsiColor::Red,
            Severity::Medium => AnsiColor::Yellow,
            Severity::Low => AnsiColor::Cyan,
        };
        self.with(colour.on_default().bold(), text)
    }

    /// The matched words in their surroundings.
    pub(super) fn marked(self, text: &Marked) -> String {
        if text.marked.is_empty() {
            return text.before.clone();
        }
        let marked = if self.colour {
            self.with(Style::new().bold().underline(), &text.marked)
        } else {
            format!("【{}】", text.marked)
        };
        format!("{}{marked}{}", text.before, text.after)
    }
}
