//! What every page shares: language, who is signed in, where one is, and words.

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::failure::Failure;
use super::role::{Right, Role};
use super::session::{Visitor, cookie};
use crate::report::words::{Lang, said};

/// Cookie that keeps the language.
const LANG: &str = "xunjian-lang";

/// The frame of a page.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) lang: Lang,
    /// Which entry of the menu it is.
    pub(super) here: &'static str,
    /// Who is signed in; empty: nobody.
    pub(super) who: String,
    pub(super) role: Role,
    /// What forms carry.
    pub(super) csrf: String,
    /// What was just done.
    pub(super) did: String,
}

impl Page {
    /// For somebody who is not signed in.
    pub(super) const fn stranger(lang: Lang, here: &'static str) -> Self {
        Self { lang, here, who: String::new(), role: Role::Viewer, csrf: String::new(), did: String::new() }
    }

    /// For a visitor; `did` is what a form before it came to.
    pub(super) fn new(visitor: &Visitor, here: &'static str, did: &Did) -> Self {
        let mut page = Self {
            lang: visitor.lang,
            here,
            who: visitor.name.clone(),
            role: visitor.role,
            csrf: visitor.csrf.clone(),
            did: String::new(),
        };
        page.did = did.told(&page);
        page
    }

    /// Words under `page`.
    pub(super) fn t(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// Words of an id in a section.
    pub(super) fn of(&self, section: &str, id: impl AsRef<str>) -> String {
        self.t(&format!("{section}.{}", id.as_ref()))
    }

    /// Words with their `%{…}` filled in.
    pub(super) fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        said(&format!("page.{key}"), values).get(self.lang).to_owned()
    }

    /// Words with one number or name.
    pub(super) fn n(&self, key: &str, name: &str, value: impl ToString) -> String {
        self.with(key, &[(name, &value.to_string())])
    }

    /// The report's own name of an id.
    pub(super) fn named(&self, section: &str, id: &str) -> String {
        crate::report::words::find(&format!("{section}.{id}"))
            .map_or_else(|| crate::report::clean(id, 160), |phrase| phrase.get(self.lang).to_owned())
    }

    pub(super) fn is_zh(&self) -> bool {
        self.lang == Lang::Zh
    }

    pub(super) fn may_decide(&self) -> bool {
        self.role.may(Right::Decide)
    }

    pub(super) fn may_assign(&self) -> bool {
        self.role.may(Right::Assign)
    }

    pub(super) fn may_govern(&self) -> bool {
        self.role.may(Right::Govern)
    }

    /// Address of a file whose name changes with its bytes.
    pub(super) fn asset(&self, name: &str) -> String {
        super::assets::address(name)
    }
}

/// What a form came to, told by the page after it: `?did=decided&n=3&moved=1`.
#[derive(Debug, Clone, Default)]
pub(super) struct Did {
    key: String,
    n: String,
    moved: String,
}

impl Did {
    /// Read from an address.
    pub(super) fn of(query: &str) -> Self {
        let mut did = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "did" => did.key = value.into_owned(),
                "n" => did.n = value.chars().filter(char::is_ascii_digit).take(9).collect(),
                "moved" => did.moved = value.chars().filter(char::is_ascii_digit).take(9).collect(),
                _ => {}
            }
        }
        did
    }

    fn told(&self, page: &Page) -> String {
        const KNOWN: [&str; 11] = [
            "decided",
            "undone",
            "assigned",
            "moved",
            "password",
            "person",
            "view",
            "queued",
            "replayed",
            "tried",
            "tried-some",
        ];
        if !KNOWN.contains(&self.key.as_str()) {
            return String::new();
        }
        page.with(&format!("did.{}", self.key), &[("n", &self.n), ("moved", &self.moved)])
    }
}

/// The language that a browser asks for: its cookie, else what it prefers, else Chinese.
pub(super) fn lang_of(headers: &HeaderMap) -> Lang {
    match cookie(headers, LANG).as_deref() {
        Some("en") => return Lang::En,
        Some("zh") => return Lang::Zh,
        _ => {}
    }
    let prefers = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if prefers.to_ascii_lowercase().starts_with("en") { Lang::En } else { Lang::Zh }
}

/// `GET /lang/en`: keeps the language, and back.
pub(super) async fn switch(Path(lang): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    let lang = match lang.as_str() {
        "zh" => "zh",
        "en" => "en",
        _ => return Err(Failure::NotFound),
    };
    let cookie = format!("{LANG}={lang}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly");
    Ok((StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, back(&headers))]).into_response())
}

/// The path of the page before, on this server; else the inbox.
fn back(headers: &HeaderMap) -> String {
    let from = headers.get(header::REFERER).and_then(|v| v.to_str().ok()).and_then(|from| url::Url::parse(from).ok());
    let Some(from) = from else { return "/".into() };
    let path = from.path();
    // `//host` would be another server, and browsers read `\` as `/`.
    let is_ours = matches!(from.scheme(), "http" | "https") && path.starts_with('/') && !path.starts_with("//");
    if !is_ours || path.contains(['\\', '\r', '\n']) || path.starts_with("/lang/") {
        return "/".into();
    }
    from.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// A template as an answer.
pub(super) fn html(template: &impl Template) -> Result<Response, Failure> {
    Ok(Html(template.render()?).into_response())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_on_this_server() {
        let to = |from: &str| {
            let value = header::HeaderValue::from_bytes(from.as_bytes()).unwrap();
            back(&HeaderMap::from_iter([(header::REFERER, value)]))
        };
        assert_eq!(to("http://x/app/1?a=b"), "/app/1?a=b");
        for hostile in [
            "foo:/\\evil.example/",
            "foo:////evil.example",
            "foo:/.//evil.example/x",
            "http://x//evil.example/",
            "http://x/\\evil.example",
            "http://x/.//evil.example",
            "http:\\\\x\\\\evil.example",
            "data:text/html,x",
            "",
        ] {
            let to = to(hostile);
            assert!(to.starts_with('/') && !to[1..].starts_with(['/', '\\']), "{hostile}: {to}");
        }
    }
}
