//! Around every request: whose name it asks for, where a form comes from, what the answer allows.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Shared;
use super::api;
use super::failure::Failure;
use super::page::lang_of;
use crate::report::words::Lang;

/// Nothing from elsewhere, no script or style within the page, no frame around it.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                   connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

/// Refuses strangers' names and strangers' forms, makes pages of failures, and sets the headers.
pub(super) async fn guard(State(site): State<Shared>, request: Request, next: Next) -> Response {
    let lang = lang_of(request.headers());
    let is_static = request.uri().path().starts_with("/static/");
    let is_api = api::is_api(request.uri().path());
    let as_asked = |failure: &Failure| if is_api { api::of_failure(failure, lang) } else { failure.page(lang) };
    let mut answer = match refused(&site, &request) {
        Some(failure) => as_asked(&failure),
        None => next.run(request).await,
    };
    if let Some(failure) = answer.extensions_mut().remove::<Arc<Failure>>() {
        answer = as_asked(&failure);
    } else if is_api && is_bare(&answer) {
        answer = plain(&answer, lang);
    }
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !is_static {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    if site.options.is_behind_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    answer
}

/// A failure that the framework answered with, in its own words.
fn is_bare(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let status = answer.status();
    (status.is_client_error() || status.is_server_error()) && kind.is_none_or(|kind| kind != "application/problem+json")
}

/// The same in ours: what the framework says is for whoever wrote this, not for whoever calls it.
fn plain(answer: &Response, lang: Lang) -> Response {
    let mut problem = api::of_status(answer.status(), lang);
    // Which methods there are.
    if let Some(allow) = answer.headers().get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allow.clone());
    }
    problem
}

fn refused(site: &Shared, request: &Request) -> Option<Failure> {
    let text = |name: HeaderName| request.headers().get(name).and_then(|v| v.to_str().ok());
    let host = text(header::HOST).or_else(|| request.uri().authority().map(|a| a.as_str())).unwrap_or_default();
    if !is_ours(host_of(host), site) {
        return Some(Failure::Host);
    }
    (request.method() == Method::POST && is_from_elsewhere(request.headers(), host)).then_some(Failure::Csrf)
}

/// Name without port, in lower case.
fn host_of(host: &str) -> String {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _)) => v6,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.to_ascii_lowercase()
}

fn is_ours(name: String, site: &Shared) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok() || site.options.names.contains(&name)
}

/// Another page sent the form. Browsers say so; a program that is none has no cookie to steal.
fn is_from_elsewhere(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let origin = text("origin").is_some_and(|origin| origin.split_once("://").is_none_or(|(_, from)| from != host));
    site || origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_port() {
        assert_eq!(host_of("127.0.0.1:80"), "127.0.0.1");
        assert_eq!(host_of("LocalHost"), "localhost");
        assert_eq!(host_of("[::1]:8700"), "::1");
    }

    #[test]
    fn browsers_tell_whose_form_it_is() {
        let headers = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
        };
        assert!(is_from_elsewhere(&headers("sec-fetch-site", "cross-site"), "a:1"));
        assert!(is_from_elsewhere(&headers("sec-fetch-site", "same-site"), "a:1"));
        assert!(is_from_elsewhere(&headers("origin", "http://a:2"), "a:1"));
        assert!(is_from_elsewhere(&headers("origin", "null"), "a:1"));
        assert!(!is_from_elsewhere(&headers("origin", "http://a:1"), "a:1"));
        assert!(!is_from_elsewhere(&HeaderMap::new(), "a:1"));
    }
}
