//! An answer seen as text, JSON, HTML or JSON-LD, each made when first asked for.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use html5ever::driver;
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink, Node};
use serde_json::Value;

use super::linked::{self, entities};
use super::select::Selector;
use super::{charset, xml};
use crate::model::fetch::Answer;
use crate::model::loose;

/// HTML larger than this, or with more tags, is no store's page. The parser looks through all open
/// elements at most tags, so its time grows with their square: 190,000 nested `div` took 222 s.
const HTML_BYTES: usize = 8 << 20;
const HTML_TAGS: usize = 30_000;
/// End tags of a page: each looks through the open elements as well.
const HTML_ENDS: usize = 40_000;
/// Bytes that the parser is fed at once; the clock is looked at in between.
const PIECE: usize = 2 << 10;
/// Time for reading one page, parsing and selecting. An honest one takes some hundredths of it.
const READING: Duration = Duration::from_secs(5);
/// What is said of a page that takes longer.
const TOO_LONG: &str = "takes longer to read than any store's page";
/// Tags of a page that is small.
const TAGS_SMALL: usize = 4_000;
/// Values taken by one selector.
const VALUES_MAX: usize = 10_000;
/// Bytes of one value.
const VALUE_BYTES: usize = 256 << 10;

/// An answer, read as needed.
pub(super) struct Page<'a> {
    pub(super) answer: &'a Answer,
    /// Texts that lead to embedded JSON, one after the other.
    embedded: &'a [String],
    /// Where in the JSON the HTML stands.
    fragment: Option<&'a serde_json_path::JsonPath>,
    /// The answer is XML.
    is_xml: bool,
    /// When reading it must have ended.
    until: Instant,
    text: OnceCell<(String, usize)>,
    json: OnceCell<Result<Value, String>>,
    html: OnceCell<Result<Html, String>>,
    ld: OnceCell<Linked>,
    base: OnceCell<String>,
}

/// What a page says of itself in JSON-LD.
#[derive(Default)]
struct Linked {
    /// Its apps.
    apps: Vec<Value>,
    /// Scripts that could not be read.
    unread: usize,
}

/// One item of a list.
#[derive(Clone, Copy)]
pub(super) enum Item<'p> {
    Json(&'p Value),
    Html(ElementRef<'p>),
}

impl<'a> Page<'a> {
    pub(super) fn new(
        answer: &'a Answer,
        embedded: &'a [String],
        fragment: Option<&'a serde_json_path::JsonPath>,
    ) -> Self {
        Self {
            answer,
            embedded,
            fragment,
            is_xml: false,
            until: Instant::now() + READING,
            text: OnceCell::new(),
            json: OnceCell::new(),
            html: OnceCell::new(),
            ld: OnceCell::new(),
            base: OnceCell::new(),
        }
    }

    /// The same, of an answer that is XML.
    pub(super) fn in_xml(self, is_xml: bool) -> Self {
        Self { is_xml, ..self }
    }

    /// The body as text, and how many places of it could not be decoded.
    fn decoded(&self) -> &(String, usize) {
        let kind = self.answer.header("content-type");
        let read = if self.is_xml { xml::text_of } else { charset::decode };
        self.text.get_or_init(|| read(&self.answer.body, kind))
    }

    /// The body as text.
    pub(super) fn text(&self) -> &str {
        &self.decoded().0
    }

    /// What of the page could not be read, of what was looked at.
    pub(super) fn unread(&self) -> Vec<String> {
        let mut unread = Vec::new();
        if let Some((_, lost @ 1..)) = self.text.get() {
            unread.push(format!("{lost} places of the page are in no charset that it could be in"));
        }
        if let Some(Linked { unread: scripts @ 1.., .. }) = self.ld.get() {
            unread.push(format!("{scripts} blocks of JSON-LD in the page do not parse"));
        }
        unread
    }

    /// It is the XML that was to come, and no page.
    fn has_xml(&self) -> bool {
        self.is_xml && self.json().is_ok() && !self.text().to_ascii_lowercase().contains("<html")
    }

    /// It is HTML, whatever was to come.
    pub(super) fn is_html(&self) -> bool {
        self.fragment.is_none()
            && !self.has_xml()
            && self.text().trim_start_matches('\u{feff}').trim_start().starts_with('<')
    }

    /// Larger than any page that stands in for another one: captchas, logins, interstitials.
    pub(super) fn is_large(&self) -> bool {
        memchr::memchr_iter(b'<', self.text().as_bytes()).take(TAGS_SMALL + 1).count() > TAGS_SMALL
    }

    /// What a reader of the page sees.
    pub(super) fn visible(&self) -> String {
        self.html().map(|html| text_of(html.root_element())).unwrap_or_default()
    }

    /// It says what its app is, in JSON-LD.
    pub(super) fn has_app(&self) -> bool {
        self.is_html() && !self.ld().apps.is_empty()
    }

    pub(super) fn json(&self) -> Result<&Value, &str> {
        let read = || {
            if self.is_xml {
                return xml::read(self.text());
            }
            if self.embedded.is_empty() {
                return loose::read(self.text()).map_err(|e| e.to_string());
            }
            embedded(self.text(), self.embedded)
        };
        self.json.get_or_init(read).as_ref().map_err(String::as_str)
    }

    pub(super) fn html(&self) -> Result<&Html, &str> {
        let read = || {
            let text = match self.fragment {
                None => self.text(),
                Some(path) => {
                    let html = path.query(self.json()?).first().and_then(Value::as_str);
                    html.ok_or("the JSON holds no HTML where it should")?
                }
            };
            parse(text, self.until)
        };
        self.html.get_or_init(read).as_ref().map_err(String::as_str)
    }

    /// schema.org apps in the page's JSON-LD.
    fn ld(&self) -> &Linked {
        self.ld.get_or_init(|| {
            let mut linked = Linked::default();
            let (Ok(html), Ok(selector)) = (self.html(), scraper::Selector::parse("script[type]")) else {
                return linked;
            };
            let kind = |script: &ElementRef<'_>| script.value().attr("type").unwrap_or("").trim().to_ascii_lowercase();
            for script in html.select(&selector).filter(|s| kind(s).starts_with("application/ld+json")) {
                let text = script.text().collect::<String>();
                match loose::all(&text) {
                    Ok(values) => linked.apps.extend(values.iter().flat_map(linked::apps_in)),
                    Err(_) => linked.unread += usize::from(!text.trim().is_empty()),
                }
            }
            linked
        })
    }

    /// Items of a list.
    pub(super) fn items<'p>(&'p self, selector: &'p Selector) -> Result<Vec<Item<'p>>, String> {
        self.in_time()?;
        match selector {
            Selector::Json(path) => {
                Ok(path.query(self.json()?).all().into_iter().take(VALUES_MAX).map(Item::Json).collect())
            }
            Selector::Css(Some(css), _) => Ok(self.html()?.select(css).take(VALUES_MAX).map(Item::Html).collect()),
            _ => Err("only json: and css: select items".into()),
        }
    }

    /// Values that a selector finds, in the item if there is one, trimmed, none empty.
    pub(super) fn values(&self, selector: &Selector, item: Option<Item<'_>>) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        self.in_time()?;
        match (selector, item) {
            (Selector::Json(path), None) => json_values(path, self.json()?, &mut found),
            (Selector::Json(path), Some(Item::Json(value))) => json_values(path, value, &mut found),
            (Selector::Json(_), Some(Item::Html(_))) => {}
            (Selector::Css(css, attribute), item) => {
                self.css_values(css.as_ref(), attribute.as_deref(), item, &mut found)?
            }
            (Selector::Ld(path), _) => {
                self.ld().apps.iter().for_each(|app| json_values(path, app, &mut found));
                found.iter_mut().for_each(|value| *value = entities(value));
            }
            (Selector::Meta(name), _) => self.meta(name, &mut found)?,
            (Selector::Re(regex), item) => {
                let inside = match item {
                    Some(Item::Html(element)) => Some(element.html()),
                    Some(Item::Json(value)) => Some(value.to_string()),
                    None => None,
                };
                captures(regex, inside.as_deref().unwrap_or_else(|| self.text()), &mut found);
            }
            (Selector::Url(regex), _) => captures(regex, &self.answer.url, &mut found),
            (Selector::Value(_), _) => {}
        }
        found.truncate(VALUES_MAX);
        Ok(found.iter().map(|value| clean(value)).filter(|value| !value.is_empty()).collect())
    }

    /// Each value walks through a part of the page; items within items would walk it without end.
    fn in_time(&self) -> Result<(), String> {
        if Instant::now() > self.until { Err(TOO_LONG.into()) } else { Ok(()) }
    }

    fn css_values(
        &self,
        css: Option<&scraper::Selector>,
        attribute: Option<&str>,
        item: Option<Item<'_>>,
        found: &mut Vec<String>,
    ) -> Result<(), String> {
        let mut take = |element: ElementRef<'_>| match attribute {
            Some(name) => found.extend(element.value().attr(name).map(str::to_owned)),
            None => found.push(text_of(element)),
        };
        match (item, css) {
            (Some(Item::Html(element)), Some(css)) => element.select(css).take(VALUES_MAX).for_each(take),
            (Some(Item::Html(element)), None) => take(element),
            (Some(Item::Json(_)), _) => {}
            (None, Some(css)) => self.html()?.select(css).take(VALUES_MAX).for_each(take),
            (None, None) => take(self.html()?.root_element()),
        }
        Ok(())
    }

    /// What addresses in the page are relative to (HTML, 4.2.3): its own, or the one it names.
    pub(super) fn base(&self) -> &str {
        self.base.get_or_init(|| {
            let named = || {
                let selector = scraper::Selector::parse("base[href]").ok()?;
                let href = self.html().ok()?.select(&selector).next()?.value().attr("href")?;
                url::Url::parse(&self.answer.url).ok()?.join(href).ok()
            };
            let named = if self.is_html() { named() } else { None };
            named.map_or_else(|| self.answer.url.clone(), |url| url.to_string())
        })
    }

    fn meta(&self, name: &str, found: &mut Vec<String>) -> Result<(), String> {
        let selector = scraper::Selector::parse("meta[content]").map_err(|e| e.to_string())?;
        for meta in self.html()?.select(&selector).take(VALUES_MAX) {
            let is_it = |key: &&str| meta.value().attr(key).is_some_and(|is| is.trim().eq_ignore_ascii_case(name));
            if ["property", "name", "itemprop"].iter().any(is_it)
                && let Some(content) = meta.value().attr("content")
            {
                // Written by programs that escape what is escaped already.
                found.push(entities(content));
            }
        }
        Ok(())
    }
}

/// Parses a page, piece by piece, unless it is none of a store or takes too long: of a tag, the
/// parser compares each attribute with those before it.
fn parse(text: &str, until: Instant) -> Result<Html, String> {
    let bytes = text.as_bytes();
    let (mut tags, mut ends) = (0_usize, 0_usize);
    for at in memchr::memchr_iter(b'<', bytes) {
        match bytes.get(at + 1) {
            Some(b'/') => ends += 1,
            Some(letter) if letter.is_ascii_alphabetic() => tags += 1,
            _ => {}
        }
    }
    if bytes.len() > HTML_BYTES || tags > HTML_TAGS || ends > HTML_ENDS {
        return Err(format!("{} bytes, {tags} tags and {ends} end tags: no store's page", bytes.len()));
    }
    let mut parser = driver::parse_document(HtmlTreeSink::new(Html::new_document()), driver::ParseOpts::default());
    let mut rest = text;
    while !rest.is_empty() {
        if Instant::now() > until {
            return Err(TOO_LONG.into());
        }
        let mut cut = rest.len().min(PIECE);
        while !rest.is_char_boundary(cut) {
            cut += 1;
        }
        let (piece, after) = rest.split_at(cut);
        parser.process(StrTendril::from(piece));
        rest = after;
    }
    Ok(parser.finish())
}

fn captures(regex: &regex::Regex, text: &str, found: &mut Vec<String>) {
    for capture in regex.captures_iter(text).take(VALUES_MAX) {
        found.extend(capture.get(1).or_else(|| capture.get(0)).map(|m| m.as_str().to_owned()));
    }
}

fn json_values(path: &serde_json_path::JsonPath, value: &Value, found: &mut Vec<String>) {
    for node in path.query(value).all() {
        match node {
            Value::Array(all) => found.extend(all.iter().filter_map(scalar)),
            other => found.extend(scalar(other)),
        }
        if found.len() >= VALUES_MAX {
            return;
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Text as a reader sees it: breaks at blocks, blanks folded, no scripts.
fn text_of(element: ElementRef<'_>) -> String {
    const BLOCKS: &[&str] = &["br", "p", "div", "li", "tr", "h1", "h2", "h3"];
    let mut out = String::new();
    // Walked without recursion: pages may nest without end.
    let mut hidden = 0usize;
    for edge in element.traverse() {
        match edge {
            ego_tree::iter::Edge::Open(node) => match node.value() {
                Node::Element(e) if matches!(e.name(), "script" | "style") => hidden += 1,
                Node::Element(e) if BLOCKS.contains(&e.name()) => out.push('\n'),
                Node::Text(text) if hidden == 0 && out.len() < VALUE_BYTES => {
                    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    let leads = text.starts_with(char::is_whitespace) && !out.is_empty();
                    out.push_str(if leads { " " } else { "" });
                    out.push_str(&folded);
                    out.push_str(if text.ends_with(char::is_whitespace) && !folded.is_empty() { " " } else { "" });
                }
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) => {
                if let Node::Element(e) = node.value() {
                    hidden -= usize::from(matches!(e.name(), "script" | "style") && hidden > 0);
                }
            }
        }
    }
    out
}

/// Drops what no name or description needs: control characters and those that turn text around.
pub(super) fn clean(text: &str) -> String {
    let cut: String = text.chars().take(VALUE_BYTES).collect();
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let kept: String = cut.chars().filter(|&c| c == '\n' || c == '\t' || !(c.is_control() || turns(c))).collect();
    let lines: Vec<&str> = kept.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// One JSON value behind the given texts, each looked for after the one before.
fn embedded(text: &str, after: &[String]) -> Result<Value, String> {
    let mut rest = text;
    for mark in after {
        let at = rest.find(mark.as_str()).ok_or_else(|| format!("the page does not hold `{mark}`"))?;
        rest = &rest[at + mark.len()..];
    }
    let start = rest.find(['{', '[']).ok_or("no JSON follows")?;
    let value = loose::first(&loose::whole_emoji(&rest[start..])).ok_or("no JSON follows")?;
    value.map_err(|e| format!("what follows is no JSON: {e}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    fn read(text: &str) -> (Result<Html, String>, Duration) {
        let begun = Instant::now();
        (parse(text, begun + READING), begun.elapsed())
    }

    #[test]
    fn a_page_that_would_take_minutes_takes_seconds_and_is_none() {
        let attributes: String = (0..400_000).map(|n| format!(" a{n}=1")).collect();
        let opens: String = (0..29_000).map(|n| format!("<i{n}>")).collect();
        for page in [
            format!("<p{attributes}>x"),
            format!("{opens}{}", "</q>".repeat(300_000)),
            format!("{opens}{}", "</q>".repeat(39_000)),
            format!("{opens}<div>{}", "<p>".repeat(900)),
            "<div>".repeat(30_000),
        ] {
            let (_, took) = read(&page);
            // One piece more than the time allows, on a machine that may be busy; unbounded it is minutes.
            assert!(took < READING * 4, "{took:?}: {}", &page[..40]);
        }
        assert!(read(&format!("<p{attributes}>x")).0.is_err());
        assert!(read(&format!("{opens}{}", "</q>".repeat(300_000))).0.is_err());
    }

    #[test]
    fn an_ordinary_page_in_pieces_is_the_same_page() {
        let page =
            format!("<html><title>拍照搜题</title>{}</html>", "<p class=\"字\">一对一 <b>名师</b></p>".repeat(900));
        assert_eq!(read(&page).0.unwrap().html(), Html::parse_document(&page).html());
    }
}
