//! Who asks: signing in and out, the cookie, and forms that only our own pages can send.

use std::time::Duration;

use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

use super::failure::{Failure, Tongue};
use super::page::{Page, html, lang_of};
use super::role::{Right, Role};
use super::tries::{self, Peer};
use super::{FORM_MAX, Shared, body, time};
use crate::model::hex;
use crate::report::words::Lang;
use crate::store::{AuditLogEntry, People, Person, Session};

/// Cookie that keeps the token.
const COOKIE: &str = "xunjian";
/// A session ends after this long without a request, in milliseconds: eight hours.
const IDLE: i64 = 8 * 3_600_000;
/// And at the latest after this: a day.
const LONGEST: i64 = 24 * 3_600_000;
/// Longest form of somebody who is not signed in, in bytes.
const STRANGER_MAX: usize = 16 << 10;
/// Longest that a form may take to come.
const FORM_TIME: Duration = Duration::from_secs(15);

/// 32 random bytes in hex.
///
/// # Errors
/// When the machine has none.
pub(super) fn random() -> Result<String, &'static str> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "no random numbers on this machine")?;
    Ok(hex(&bytes))
}

/// What is kept of a token: who reads the database cannot sign in with it.
pub(super) fn kept(token: &str) -> String {
    hex(&Sha256::digest(token))
}

/// A name to sign in and sign decisions with.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=40).contains(&name.chars().count()) && name.chars().all(is_plain) && name != "-"
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) csrf: String,
    pub(super) lang: Lang,
    /// Their password was given to them: they choose one before anything else.
    pub(super) must_choose: bool,
    pub(super) token: String,
}

impl Visitor {
    /// Fails unless the role has the right.
    pub(super) const fn must(&self, right: Right) -> Result<(), Failure> {
        if self.role.may(right) { Ok(()) } else { Err(Failure::Forbidden) }
    }

    async fn of(headers: &HeaderMap, site: &Shared) -> Result<Self, Failure> {
        let token = cookie(headers, COOKIE).filter(|token| token.len() == 64).ok_or(Failure::SignIn)?;
        let (token, now) = (kept(&token), time::now());
        let session = site.home.state.session(&token, now - LONGEST, now - IDLE, now).await?.ok_or(Failure::SignIn)?;
        let role = Role::from_id(&session.person.role).ok_or(Failure::SignIn)?;
        let must_choose = session.how.is_empty() && !session.person.set_by.is_empty();
        Ok(Self { name: session.person.name, role, csrf: session.csrf, lang: lang_of(headers), must_choose, token })
    }

    /// Fails where somebody has to choose a password first, but for the pages that serve that.
    fn settled(self, path: &str) -> Result<Self, Failure> {
        let is_open = matches!(path, "/me" | "/sign-out");
        if self.must_choose && !is_open { Err(Failure::ChoosePassword) } else { Ok(self) }
    }
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Failure> {
        Self::of(&parts.headers, site).await?.settled(parts.uri.path())
    }
}

/// The fields of a form, in order.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    async fn of(request: Request, most: usize) -> Result<Self, Failure> {
        let body = body::read(request, most, FORM_TIME).await?;
        Ok(Self(url::form_urlencoded::parse(&body).into_owned().collect()))
    }

    /// The first field of a name, trimmed; empty without one.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default().trim()
    }

    /// Every field of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A form that one of our own pages sent for the person signed in.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) visitor: Visitor,
    pub(super) fields: Fields,
}

impl FromRequest<Shared> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, site: &Shared) -> Result<Self, Failure> {
        let visitor = Visitor::of(request.headers(), site).await?.settled(request.uri().path())?;
        let fields = Fields::of(request, FORM_MAX).await?;
        // Both are hashed before they are compared: how long that takes tells nothing.
        if kept(fields.get("csrf")) != kept(&visitor.csrf) {
            return Err(Failure::Csrf);
        }
        Ok(Self { visitor, fields })
    }
}

#[derive(Template)]
#[template(path = "review/sign_in.html")]
struct SignInPage {
    page: Page,
    is_wrong: bool,
    name: String,
    /// People may sign in by another server.
    has_other: bool,
}

/// `GET /sign-in`
pub(super) async fn show(State(site): State<Shared>, Tongue(lang): Tongue) -> Result<Response, Failure> {
    let (page, has_other) = (Page::stranger(lang, "sign_in"), site.options.oidc.is_some());
    html(&SignInPage { page, is_wrong: false, name: String::new(), has_other })
}

/// `POST /sign-in`
pub(super) async fn sign_in(
    State(site): State<Shared>,
    Tongue(lang): Tongue,
    peer: Peer,
    request: Request,
) -> Result<Response, Failure> {
    let device = cookie(request.headers(), tries::DEVICE);
    let fields = Fields::of(request, STRANGER_MAX).await?;
    let name: String = fields.get("name").chars().take(40).collect();
    let secret = fields.all("password").next().unwrap_or_default().to_owned();
    let Some(person) = tries::is_let_in(&site, &name, secret, &peer, device.as_deref()).await? else {
        let (page, has_other) = (Page::stranger(lang, "sign_in"), site.options.oidc.is_some());
        let told = SignInPage { page, is_wrong: true, name, has_other };
        let answer = html(&told)?;
        return Ok((StatusCode::UNAUTHORIZED, answer).into_response());
    };
    let session = admit(&site, person, "").await?;
    let device = tries::known_device(&site, &name, device).await?;
    let cookies = [session, device].map(|cookie| (header::SET_COOKIE, cookie));
    Ok((StatusCode::SEE_OTHER, AppendHeaders(cookies), [(header::LOCATION, "/")]).into_response())
}

/// Begins a session: the cookie that keeps it.
pub(super) async fn admit(site: &Shared, person: Person, how: &str) -> Result<String, Failure> {
    let (token, csrf, now) = (random_or_ours()?, random_or_ours()?, time::now());
    let name = person.name.clone();
    let session = Session { person, csrf, how: how.into(), begun: now, seen: now };
    site.home.state.sign_in(&kept(&token), &session, now - LONGEST, now - IDLE).await?;
    note(site, &name, "signed-in", how).await?;
    Ok(format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{}", secure(site)))
}

/// What a cookie says besides, where TLS is spoken in front.
pub(super) fn secure(site: &Shared) -> &'static str {
    if site.options.is_behind_tls { "; Secure" } else { "" }
}

pub(super) fn random_or_ours() -> Result<String, Failure> {
    random().map_err(|error| Failure::Ours(error.into()))
}

/// `POST /sign-out`
pub(super) async fn sign_out(State(site): State<Shared>, form: Form) -> Result<Response, Failure> {
    site.home.state.sign_out(&form.visitor.token).await?;
    note(&site, &form.visitor.name, "signed-out", "").await?;
    let cookie = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    Ok((StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, "/sign-in".into())]).into_response())
}

/// An entry of the audit log, of now.
pub(super) fn entry(who: &str, what: &str, about: &str) -> AuditLogEntry {
    AuditLogEntry::new(who, what, about, time::now())
}

/// Keeps in the audit log what somebody did that changed nothing kept here.
pub(super) async fn note(site: &Shared, who: &str, what: &str, about: &str) -> Result<(), Failure> {
    Ok(site.home.state.log_action(&entry(who, what, about)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert!(is_name("王小明") && is_name("a.b_c-1"));
        for name in ["", "-", "a b", "a<b", "a\u{202e}b", &"x".repeat(41)] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn one_cookie_is_found_among_others() {
        let headers = HeaderMap::from_iter([(header::COOKIE, header::HeaderValue::from_static("a=1; xunjian=2;b=3"))]);
        assert_eq!(cookie(&headers, "xunjian").as_deref(), Some("2"));
        assert_eq!(cookie(&headers, "c"), None);
    }
}
