//! Markup that is safe to put into the page: the only way round the escaping of the
//! templates, and it escapes on its own.

use std::fmt::{self, Write};

use askama::Template;
use askama::filters::{Html as Escaper, HtmlSafe, escape};

use crate::report::clean::{Marked, clean};
use crate::report::words::Phrase;

/// Places marked in one text at most: what a hostile one may cost.
const MARKS: usize = 200;

/// Markup whose texts are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markup(String);

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

    /// What a template that escapes came to.
    ///
    /// # Errors
    /// When the template fails.
    pub fn rendered(template: &impl Template) -> askama::Result<Self> {
        template.render().map(Self)
    }

    /// Text of an app or a store in full, with every place marked where one of `words` stands.
    #[must_use]
    pub fn highlighted(text: &str, longest: usize, words: &[&str]) -> Self {
        let text = clean(text, longest);
        let mut out = String::from("<bdi>");
        let mut rest = text.as_str();
        for _ in 0..MARKS {
            let Some((at, word)) = first_of(rest, words) else { break };
            out.push_str(&escaped(&rest[..at]));
            // Writing to a string cannot fail.
            let _ = write!(out, "<mark>{}</mark>", escaped(word));
            rest = &rest[at + word.len()..];
        }
        out.push_str(&escaped(rest));
        out.push_str("</bdi>");
        Self(out)
    }

    /// Nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The first place of any of the words, and of those that begin there the longest.
fn first_of<'w>(text: &str, words: &[&'w str]) -> Option<(usize, &'w str)> {
    let places = words.iter().filter(|word| !word.is_empty()).filter_map(|word| Some((text.find(word)?, *word)));
    places.min_by_key(|(at, word)| (*at, std::cmp::Reverse(word.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_marked_where_they_stand() {
        let shown = Markup::highlighted("<b>拍照搜题，搜题", 50, &["搜题", "拍照搜题", ""]);
        assert_eq!(shown.to_string(), "<bdi>&#60;b&#62;<mark>拍照搜题</mark>，<mark>搜题</mark></bdi>");
    }

    #[test]
    fn every_way_in_escapes() {
        let hostile = "<script>'\"&";
        let marked = Marked { before: hostile.into(), marked: hostile.into(), after: hostile.into() };
        for markup in [
            Markup::data(hostile),
            Markup::phrase(&Phrase::make(|lang| format!("{hostile}{}", lang.code()))),
            Markup::marked(&marked),
            Markup::highlighted(hostile, 50, &[hostile, "script"]),
        ] {
            assert!(!markup.to_string().contains("<script") && !markup.to_string().contains("'\""), "{markup}");
        }
    }
}
