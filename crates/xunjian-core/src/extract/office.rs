//! Words between tags: documents of Office, OpenDocument, EPUB and pages.
//!
//! XLSX, DOCX, PPTX, ODF and EPUB are ZIP archives whose parts are XML or HTML (ECMA-376,
//! <https://www.w3.org/TR/epub-33/>). Formatting tears words apart there
//! (`<w:t>拍照</w:t></w:r><w:r><w:t>搜题</w:t>`), so a part is read by paragraph. An
//! ordinary page is read by line as any text, and a paragraph is a fact of its own where
//! tags split its words.

use super::bytes::Words;
use super::unescape::unescape;
use super::{Input, tags};
use crate::model::Kind;
use crate::signature::is_han;

/// Bytes at the start of a part that name its vocabulary.
const HEAD: usize = 8 << 10;
/// Text of one paragraph beyond this starts another.
const PARAGRAPH_MAX: usize = 8 << 10;

/// What a part of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Text or slides: paragraphs.
    Document,
    /// The strings that the cells of a workbook share.
    SharedStrings,
    /// Cells of a sheet; only those with text of their own say something.
    Sheet,
    /// HTML, XHTML or any other markup.
    Page,
}

/// Elements of whole pages, and of mini-programs, that stand on lines of their own besides.
const PAGE: &[&str] = &[
    "address", "article", "aside", "body", "button", "caption", "footer", "form", "head", "header", "html", "main",
    "nav", "option", "script", "section", "select", "style", "textarea", "title", "view",
];

impl Part {
    /// Tells markup by its first bytes; `None` for text that is none.
    pub(super) fn of(text: &str) -> Option<Self> {
        if !text.trim_start().starts_with('<') {
            return None;
        }
        let head = &text.as_bytes()[..text.len().min(HEAD)];
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        Some(if has("spreadsheetml") && has("<sst") {
            Self::SharedStrings
        } else if has("spreadsheetml") && has("<worksheet") {
            Self::Sheet
        } else if has("wordprocessingml") || has("presentationml") || has("opendocument:xmlns") {
            Self::Document
        } else {
            Self::Page
        })
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::Document => "paragraph",
            Self::SharedStrings => "string",
            Self::Sheet => "cell",
            Self::Page => "text from line",
        }
    }

    /// Whether a tag, by its name without prefix, ends a paragraph.
    fn breaks(self, tag: &str) -> bool {
        match self {
            Self::Document => matches!(tag, "p" | "h" | "br" | "tab"),
            Self::SharedStrings => tag == "si",
            Self::Sheet => tag == "c",
            Self::Page => tags::begins_line(tag) || tags::is_one_of(PAGE, tag),
        }
    }
}

/// Takes the paragraphs of a part. Of a page, only those that tags split.
pub(super) fn paragraphs<'a>(part: Part, text: &str, input: Input<'a>) -> Words<'a> {
    let words = Words::new(Kind::Asset, input.place, part.unit(), text.len(), input.meter);
    let mut reader = Reader::new(part, words);
    let mut rest = text;
    while !rest.is_empty() && input.meter.step() {
        let (before, tag) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        reader.text(before);
        let (inside, after) = tag_at(tag);
        reader.tag(inside);
        // Scripts and styles are read by line; they are no part of a paragraph.
        let skipped = ["script", "style"].into_iter().find(|name| part == Part::Page && is_tag(inside, name));
        let (unread, after) = after.split_at(skipped.map_or(0, |name| closing(after, name)));
        reader.line += lines(unread);
        rest = after;
    }
    reader.end();
    reader.words
}

fn lines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

/// The inside of the tag or comment at the start, and what follows it.
fn tag_at(text: &str) -> (&str, &str) {
    let (open, close) = if text.starts_with("<!--") { (4, "-->") } else { (1, ">") };
    let body = text.get(open..).unwrap_or("");
    match body.find(close) {
        Some(end) => (&text[..open + end], &body[end + close.len()..]),
        None => (text, ""),
    }
}

/// Name of a tag without its prefix and slash.
fn name_of(inside: &str) -> &str {
    let name = inside.trim_start_matches(['<', '/']);
    let name = &name[..name.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(name.len())];
    name.rsplit(':').next().unwrap_or(name)
}

fn is_tag(inside: &str, name: &str) -> bool {
    !inside.starts_with("</") && name_of(inside).eq_ignore_ascii_case(name)
}

/// Where the closing tag of `name` begins; the end where there is none.
fn closing(text: &str, name: &str) -> usize {
    let mut tags = memchr::memmem::find_iter(text.as_bytes(), "</");
    let is_it = |at: &usize| text.get(at + 2..at + 2 + name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name));
    tags.find(is_it).unwrap_or(text.len())
}

/// A paragraph in the making.
struct Reader<'m> {
    part: Part,
    words: Words<'m>,
    paragraph: String,
    /// Pieces of text with Han in the paragraph; two and more were split by tags.
    pieces: usize,
    /// Paragraphs, strings or cells opened so far.
    opened: usize,
    line: usize,
    /// Line on which the paragraph's words begin.
    start: usize,
    cell: String,
}

impl<'m> Reader<'m> {
    fn new(part: Part, words: Words<'m>) -> Self {
        let (paragraph, cell) = (String::new(), String::new());
        Self { part, words, paragraph, pieces: 0, opened: 0, line: 1, start: 1, cell }
    }

    fn text(&mut self, text: &str) {
        let words = if self.part == Part::Page { text.trim_matches(['\n', '\r', '\t']) } else { text };
        if self.paragraph.is_empty() {
            self.start = self.line + lines(&text[..text.len() - text.trim_start().len()]);
        }
        let is_gap = self.paragraph.is_empty() && words.trim().is_empty();
        if !is_gap {
            self.pieces += usize::from(words.contains(is_han));
            self.paragraph.push_str(words);
        }
        self.line += lines(text);
        if self.paragraph.len() > PARAGRAPH_MAX {
            self.end();
        }
    }

    fn tag(&mut self, inside: &str) {
        self.line += lines(inside);
        let name = name_of(inside);
        if inside.starts_with("<!--") || !self.part.breaks(name) {
            return;
        }
        self.end();
        let is_open = !inside.starts_with("</");
        // A break within a paragraph begins no other.
        self.opened += usize::from(is_open && !matches!(name, "br" | "tab"));
        if self.part == Part::Sheet
            && let Some((_, rest)) = inside.split_once(" r=\"")
        {
            self.cell = rest.chars().take_while(char::is_ascii_alphanumeric).take(12).collect();
        }
    }

    fn end(&mut self) {
        let text = std::mem::take(&mut self.paragraph);
        let pieces = std::mem::take(&mut self.pieces);
        let text = unescape(text.trim());
        match self.part {
            Part::Page if pieces < 2 => {}
            Part::Page => self.words.push(self.start, &text),
            Part::Document => self.words.push(self.opened, &text),
            // Cells point at them by number from nought.
            Part::SharedStrings => self.words.push(self.opened.saturating_sub(1), &text),
            // Numbers of cells are values or point into the shared strings.
            Part::Sheet if text.chars().all(|c| c.is_ascii_digit() || c.is_ascii_punctuation()) => {}
            Part::Sheet => self.words.push_named(&format!("cell {}", self.cell), &text),
        }
    }
}
