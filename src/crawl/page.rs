//! An answer seen as text, JSON, HTML or JSON-LD, each made when first asked for.

use std::cell::OnceCell;

use scraper::{ElementRef, Html, Node};
use serde_json::Value;

use super::select::Selector;
use crate::model::fetch::Answer;

/// HTML larger than this, or with more tags, is no store's page. The parser looks through all open
/// elements at most tags, so its time grows with their square: 190,000 nested `div` took 222 s.
const HTML_BYTES: usize = 8 << 20;
const HTML_TAGS: usize = 30_000;
/// Values taken by one selector.
const VALUES_MAX: usize = 10_000;
/// Bytes of one value.
const VALUE_BYTES: usize = 256 << 10;
/// Types of schema.org that are apps.
const APP_TYPES: &[&str] = &["SoftwareApplication", "MobileApplication", "WebApplication", "VideoGame"];
/// JSON-LD objects looked at.
const LD_MAX: usize = 10_000;

/// An answer, read as needed.
pub(super) struct Page<'a> {
    pub(super) answer: &'a Answer,
    /// Texts that lead to embedded JSON, one after the other.
    embedded: &'a [String],
    /// Where in the JSON the HTML stands.
    fragment: Option<&'a serde_json_path::JsonPath>,
    text: OnceCell<String>,
    json: OnceCell<Result<Value, String>>,
    html: OnceCell<Result<Html, String>>,
    ld: OnceCell<Vec<Value>>,
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
            text: OnceCell::new(),
            json: OnceCell::new(),
            html: OnceCell::new(),
            ld: OnceCell::new(),
        }
    }

    /// The body as text, by the charset that header or page names.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| decode(self.answer))
    }

    pub(super) fn json(&self) -> Result<&Value, &str> {
        let read = || {
            if self.embedded.is_empty() {
                return serde_json::from_str(self.text().trim_start_matches('\u{feff}')).map_err(|e| e.to_string());
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
            let opens = |at: &usize| text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_alphabetic);
            let tags = memchr::memchr_iter(b'<', text.as_bytes()).filter(opens).take(HTML_TAGS + 1).count();
            if text.len() > HTML_BYTES || tags > HTML_TAGS {
                return Err(format!("{} bytes and {tags} tags or more: no store's page", text.len()));
            }
            Ok(Html::parse_document(text))
        };
        self.html.get_or_init(read).as_ref().map_err(String::as_str)
    }

    /// schema.org apps in the page's JSON-LD.
    fn ld(&self) -> &[Value] {
        self.ld.get_or_init(|| {
            let (Ok(html), Ok(selector)) =
                (self.html(), scraper::Selector::parse("script[type='application/ld+json']"))
            else {
                return Vec::new();
            };
            let texts = html.select(&selector).map(|script| script.text().collect::<String>());
            texts.filter_map(|text| serde_json::from_str(&text).ok()).flat_map(|value| apps_in(&value)).collect()
        })
    }

    /// Items of a list.
    pub(super) fn items<'p>(&'p self, selector: &'p Selector) -> Result<Vec<Item<'p>>, String> {
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
        match (selector, item) {
            (Selector::Json(path), None) => json_values(path, self.json()?, &mut found),
            (Selector::Json(path), Some(Item::Json(value))) => json_values(path, value, &mut found),
            (Selector::Json(_), Some(Item::Html(_))) => {}
            (Selector::Css(css, attribute), item) => {
                self.css_values(css.as_ref(), attribute.as_deref(), item, &mut found)?
            }
            (Selector::Ld(path), _) => self.ld().iter().for_each(|app| json_values(path, app, &mut found)),
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

    fn meta(&self, name: &str, found: &mut Vec<String>) -> Result<(), String> {
        let selector = scraper::Selector::parse("meta[content]").map_err(|e| e.to_string())?;
        for meta in self.html()?.select(&selector).take(VALUES_MAX) {
            let is_it = ["property", "name", "itemprop"].iter().any(|key| meta.value().attr(key) == Some(name));
            if is_it && let Some(content) = meta.value().attr("content") {
                found.push(content.to_owned());
            }
        }
        Ok(())
    }
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

fn decode(answer: &Answer) -> String {
    let body = &answer.body;
    let named = answer.header("content-type").and_then(|kind| {
        let at = kind.to_ascii_lowercase().find("charset=")?;
        Some(kind[at + 8..].split(';').next().unwrap_or("").trim_matches(['"', ' ']).to_owned())
    });
    let in_page = || {
        let head = String::from_utf8_lossy(&body[..body.len().min(2048)]).to_ascii_lowercase();
        let at = head.find("charset=")? + 8;
        let label = head[at..].trim_start_matches(['"', '\'']);
        Some(label.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).next()?.to_owned())
    };
    let label = named.or_else(|| if body.starts_with(b"{") { None } else { in_page() });
    let encoding = label.and_then(|l| encoding_rs::Encoding::for_label(l.as_bytes())).unwrap_or(encoding_rs::UTF_8);
    encoding.decode(body).0.into_owned()
}

/// One JSON value behind the given texts, each looked for after the one before.
fn embedded(text: &str, after: &[String]) -> Result<Value, String> {
    let mut rest = text;
    for mark in after {
        let at = rest.find(mark.as_str()).ok_or_else(|| format!("the page does not hold `{mark}`"))?;
        rest = &rest[at + mark.len()..];
    }
    let start = rest.find(['{', '[']).ok_or("no JSON follows")?;
    let mut values = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<Value>();
    values.next().ok_or("no JSON follows")?.map_err(|e| format!("what follows is no JSON: {e}"))
}

fn apps_in(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut queue = vec![value];
    let mut seen = 0;
    while let Some(value) = queue.pop() {
        seen += 1;
        if seen > LD_MAX {
            break;
        }
        match value {
            Value::Array(all) => queue.extend(all.iter().rev()),
            Value::Object(object) => {
                let is_app = object.get("@type").is_some_and(|kind| match kind {
                    Value::String(kind) => APP_TYPES.contains(&kind.as_str()),
                    Value::Array(kinds) => kinds.iter().any(|k| k.as_str().is_some_and(|k| APP_TYPES.contains(&k))),
                    _ => false,
                });
                if is_app {
                    found.push(value.clone());
                } else {
                    queue.extend(object.values().rev().filter(|v| v.is_object() || v.is_array()));
                }
            }
            _ => {}
        }
    }
    found
}
