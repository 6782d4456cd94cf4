//! Text of PDF files: papers, worksheets, terms.
//!
//! Written against ISO 32000-1 (<https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/PDF32000_2008.pdf>):
//! objects, object streams, `FlateDecode` and the two ASCII filters, the operators that
//! show text, ToUnicode maps and the predefined CMaps of Chinese. What has no text to be
//! had (pictures, glyph numbers, encryption) is said.

mod content;
mod font;
mod object;

use std::collections::HashSet;

use self::content::Named;
use self::font::Fonts;
use self::object::{Objects, reference, value_after};
use super::bytes::Words;
use super::{Extracted, Input};
use crate::model::{Kind, Limit, LimitCode};

/// How a file begins.
pub(super) const MAGIC: &[u8] = b"%PDF-";
/// Pages read.
const PAGES_MAX: usize = 5_000;
/// Dictionaries looked up for what a page inherits.
const PARENTS_MAX: usize = 16;

/// Takes the lines of all pages, named by page and line.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    if memchr::memmem::rfind(bytes, b"/Encrypt").is_some_and(|at| is_trailer(bytes, at)) {
        let detail = "an encrypted PDF: its text was not read";
        out.limits.push(Limit::new(LimitCode::EncryptedEntry, place, detail));
        return;
    }
    let mut objects = Objects::find(bytes, input.meter);
    let pages = pages(&objects);
    let mut fonts = Fonts::new();
    let mut words = Words::new(Kind::Asset, place, "object", bytes.len().saturating_mul(16), input.meter);
    let mut unknown = 0_usize;
    for (index, &page) in pages.iter().enumerate().take(PAGES_MAX) {
        let named = fonts_of(&mut objects, page, &mut fonts);
        let mut content = Vec::new();
        for part in contents(&objects, page) {
            content.extend_from_slice(&objects.stream(part));
            content.push(b'\n');
        }
        let shown = content::show(&content, &named);
        unknown += shown.unknown;
        for (line, text) in shown.lines.iter().enumerate() {
            words.push_named(&format!("page {} line {}", index + 1, line + 1), text);
        }
        if !objects.spend(content.len()) {
            let detail =
                format!("a PDF whose pages share more than it holds: {} of {} were read", index + 1, pages.len());
            out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
            break;
        }
        if words.is_full() {
            break;
        }
    }
    let is_empty = words.is_empty();
    for number in objects.numbers() {
        let Some(object) = objects.get(number) else { continue };
        if words.is_full() || !input.meter.scan(object.dict.len()) {
            break;
        }
        for text in content::strings(&object.dict) {
            words.push(number as usize, &text);
        }
    }
    let mut bad = |detail: String| out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
    if unknown > 0 {
        bad(format!("{unknown} strings of the PDF are numbers of glyphs that nothing explains"));
    } else if pages.is_empty() {
        bad("a PDF in which no page was found".into());
    } else if is_empty {
        bad(format!("a PDF without text: {} pages of pictures", pages.len()));
    }
    if pages.len() > PAGES_MAX {
        out.limits.push(Limit::new(
            LimitCode::OverBudget,
            place,
            format!("{} pages, the first {PAGES_MAX} were read", pages.len()),
        ));
    }
    words.finish(out);
}

/// `/Encrypt` counts in a trailer, not in the text of a stream: a reference or a
/// dictionary follows it.
fn is_trailer(bytes: &[u8], at: usize) -> bool {
    let value = bytes.get(at + 8..).unwrap_or(&[]).trim_ascii_start();
    value.starts_with(b"<<") || reference(&value[..value.len().min(32)]).is_some()
}

/// Pages in reading order, by the tree; by number where there is none.
fn pages(objects: &Objects<'_>) -> Vec<u32> {
    let is = |number: u32, kind: &[u8]| {
        let dict = objects.get(number).map(|o| o.dict.as_ref()).unwrap_or_default();
        value_after(dict, b"/Type").is_some_and(|v| v.starts_with(kind) && !v[kind.len()..].starts_with(b"s"))
    };
    let numbers = objects.numbers();
    let catalog = numbers.iter().rev().find(|&&n| is(n, b"/Catalog")).and_then(|&n| objects.get(n));
    let root = catalog.and_then(|c| value_after(&c.dict, b"/Pages")).and_then(reference);
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut open: Vec<u32> = root.into_iter().collect();
    while let Some(number) = open.pop() {
        if !objects.meter.step() {
            break;
        }
        if !seen.insert(number) {
            continue;
        }
        if is(number, b"/Page") {
            found.push(number);
        } else if let Some(kids) = objects.get(number).and_then(|o| value_after(&o.dict, b"/Kids")) {
            let mut kids = references(kids);
            kids.reverse();
            open.append(&mut kids);
        }
    }
    if found.is_empty() {
        found = numbers.into_iter().filter(|&n| is(n, b"/Page")).collect();
    }
    found
}

/// References of an array, or the one that stands alone.
fn references(value: &[u8]) -> Vec<u32> {
    let Some(inside) = value.strip_prefix(b"[") else { return reference(value).into_iter().collect() };
    let inside = &inside[..memchr::memchr(b']', inside).unwrap_or(inside.len())];
    let words: Vec<&[u8]> = inside.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).collect();
    words.windows(3).filter(|w| w[2] == b"R").filter_map(|w| reference(&w.join(&b' '))).collect()
}

/// Content streams of a page; an array of them may be an object of its own.
fn contents(objects: &Objects<'_>, page: u32) -> Vec<u32> {
    let Some(value) = objects.get(page).and_then(|o| value_after(&o.dict, b"/Contents")) else { return Vec::new() };
    let found = references(value);
    match found.as_slice() {
        [one] => match objects.get(*one) {
            Some(array) if array.dict.trim_ascii_start().starts_with(b"[") => references(array.dict.trim_ascii_start()),
            _ => found,
        },
        _ => found,
    }
}

/// Fonts that a page may name, from its resources or those it inherits.
fn fonts_of(objects: &mut Objects<'_>, page: u32, fonts: &mut Fonts) -> Named {
    let mut number = page;
    let mut named = Vec::new();
    for _ in 0..PARENTS_MAX {
        let Some(object) = objects.get(number) else { break };
        let dict = &object.dict;
        let resources = match value_after(dict, b"/Resources") {
            Some(value) => reference(value).and_then(|n| objects.get(n)).map_or(value, |o| &o.dict),
            None => dict,
        };
        let cost = dict.len() + resources.len();
        let parent = value_after(dict, b"/Parent").and_then(reference);
        let list = value_after(resources, b"/Font");
        let list = list.map(|value| reference(value).and_then(|n| objects.get(n)).map_or(value, |o| &o.dict));
        if let Some(list) = list {
            named = font_names(list);
        }
        let is_done = list.is_some();
        match parent {
            Some(parent) if objects.spend(cost) && !is_done => number = parent,
            _ => break,
        }
    }
    named.into_iter().map(|(name, number)| (name, fonts.get(objects, number))).collect()
}

/// `/F1 5 0 R /F2 6 0 R` of a dictionary.
fn font_names(dict: &[u8]) -> Vec<(Vec<u8>, u32)> {
    let inside = dict.trim_ascii_start();
    let inside = inside.strip_prefix(b"<<").unwrap_or(inside);
    let end = memchr::memmem::find(inside, b">>").unwrap_or(inside.len());
    let entries = inside[..end].split(|&b| b == b'/').skip(1).take(256);
    let pair = |entry: &[u8]| {
        let (name, value) = entry.split_at(entry.iter().position(u8::is_ascii_whitespace)?);
        Some(([b"/", name].concat(), reference(value)?))
    };
    entries.filter_map(pair).collect()
}
