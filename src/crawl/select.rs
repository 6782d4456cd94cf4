//! Selectors: where in an answer a value stands.
//!
//! Written as `form:rest`; without a form that of the step holds.
//!
//! | form | rest |
//! |---|---|
//! | `json` | JSONPath (RFC 9535) into the answer, or into the embedded JSON of the step |
//! | `css` | CSS selector, then `@attribute` for an attribute instead of the text |
//! | `ld` | JSONPath into the schema.org app of the page's JSON-LD |
//! | `meta` | `property`, `name` or `itemprop` of a `<meta>` |
//! | `re` | regular expression over the whole text, its first group taken |
//! | `url` | regular expression over the address that answered |
//! | `value` | template filled with what is known by then |

use regex::Regex;
use scraper::Selector as Css;
use serde_json_path::JsonPath;

/// A compiled selector.
#[derive(Debug, Clone)]
pub(super) enum Selector {
    Json(JsonPath),
    Css(Option<Css>, Option<String>),
    Ld(JsonPath),
    Meta(String),
    Re(Regex),
    Url(Regex),
    Value(String),
}

/// Form of a step's answer; that of selectors which name none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    #[default]
    Json,
    Html,
    /// XML, in which the same paths are followed as in JSON.
    Xml,
    Sitemap,
}

const REGEX_SIZE: usize = 1 << 20;

impl Selector {
    /// Compiles a selector.
    pub(super) fn new(text: &str, form: Form) -> Result<Self, String> {
        let text = text.trim();
        let (kind, rest) = match text.split_once(':') {
            Some((kind @ ("json" | "css" | "ld" | "meta" | "re" | "url" | "value"), rest)) => (kind, rest.trim()),
            _ if matches!(form, Form::Json | Form::Xml) => ("json", text),
            _ => ("css", text),
        };
        let path = || JsonPath::parse(rest).map_err(|e| format!("`{rest}` is no JSONPath: {e}"));
        Ok(match kind {
            "json" => Self::Json(path()?),
            "ld" => Self::Ld(path()?),
            "meta" => Self::Meta(rest.to_owned()),
            "re" => Self::Re(regex(rest)?),
            "url" => Self::Url(regex(rest)?),
            "value" => Self::Value(rest.to_owned()),
            _ => css(rest)?,
        })
    }
}

/// Compiles a regular expression with a cap on its size.
pub(super) fn regex(text: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(text).size_limit(REGEX_SIZE).build().map_err(|e| format!("`{text}`: {e}"))
}

fn css(text: &str) -> Result<Selector, String> {
    // An `@` inside brackets or quotes belongs to the selector.
    let at = text.rfind('@').filter(|at| !text[*at..].contains([']', '"', '\'']));
    let (path, attribute) = at.map_or((text, None), |at| (&text[..at], Some(text[at + 1..].trim().to_owned())));
    let path = path.trim();
    if path.is_empty() {
        return Ok(Selector::Css(None, attribute));
    }
    let compiled = Css::parse(path).map_err(|e| format!("`{path}` is no CSS selector: {e}"))?;
    Ok(Selector::Css(Some(compiled), attribute))
}
