//! Markup that is safe to put into the page: the only way round the escaping of the
//! templates, and it escapes on its own.

use std::fmt::{self, Write};

use askama::filters::{Html as Escaper, HtmlSafe, escape};

use crate::report::clean::Marked;
use crate::report::words::Phrase;

/// Markup whose texts are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Markup(String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

fn escaped(text: &str) -> String {
    match escape(text, Escaper) {
        Ok(safe) => safe.to_string(),
        // The error type has no values.
        Err(never) => match never {},
    }
}

impl Markup {
    /// Both languages, of which the page shows one; what is the same in both is data,
    /// kept apart from the direction of the text around it.
    pub(super) fn phrase(phrase: &Phrase) -> Self {
        if phrase.zh == phrase.en {
            return Self::data(&phrase.zh);
        }
        Self(format!(
            "<span lang=\"zh\">{}</span><span lang=\"en\">{}</span>",
            escaped(&phrase.zh),
            escaped(&phrase.en)
        ))
    }

    /// Text of an app or a store, already harmless.
    pub(super) fn data(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Self(format!("<bdi>{}</bdi>", escaped(text))) }
    }

    /// Words in their surroundings.
    pub(super) fn marked(text: &Marked) -> Self {
        let mut out = String::from("<bdi>");
        out.push_str(&escaped(&text.before));
        if !text.marked.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(out, "<mark>{}</mark>{}", escaped(&text.marked), escaped(&text.after));
        }
        out.push_str("</bdi>");
        Self(out)
    }

    /// Nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_in_escapes() {
        let hostile = "<script>'\"&";
        let marked = Marked { before: hostile.into(), marked: hostile.into(), after: hostile.into() };
        for markup in [
            Markup::data(hostile),
            Markup::phrase(&Phrase::make(|lang| format!("{hostile}{}", lang.code()))),
            Markup::marked(&marked),
        ] {
            assert!(!markup.to_string().contains("<script") && !markup.to_string().contains("'\""), "{markup}");
        }
    }
}
