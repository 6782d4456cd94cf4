//! Style and script, embedded; their addresses change with their bytes, so that browsers may keep them.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::failure::Failure;
use crate::model::hex;
use crate::report::html::STYLE;

/// Name, type and bytes.
static ALL: LazyLock<[(&str, &str, String); 3]> = LazyLock::new(|| {
    [
        ("report.css", "text/css; charset=utf-8", STYLE.to_owned()),
        ("page.css", "text/css; charset=utf-8", include_str!("../../templates/review/page.css").to_owned()),
        ("keys.js", "text/javascript; charset=utf-8", include_str!("../../templates/review/keys.js").to_owned()),
    ]
});

/// `/static/page.css?8f3a…`
pub(super) fn address(name: &str) -> String {
    let hash = ALL.iter().find(|(n, ..)| *n == name).map(|(.., text)| hex(&Sha256::digest(text)[..6]));
    format!("/static/{name}?{}", hash.unwrap_or_default())
}

/// `GET /static/NAME`
pub(super) async fn get(Path(name): Path<String>) -> Result<Response, Failure> {
    let (_, kind, text) = ALL.iter().find(|(n, ..)| *n == name).ok_or(Failure::NotFound)?;
    let kept = "public, max-age=31536000, immutable";
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, kept)], text.as_str()).into_response())
}
