//! Signing in by another server: OpenID Connect Core 1.0, authorization code flow with PKCE
//! (RFC 7636). The other server says who somebody is; what they may do is said here, by
//! `people add`, so nobody comes in who was not added.
//!
//! Who somebody is, is issuer and subject, as section 5.7 asks for: what else a token says, people
//! can change. The first who comes by a name that was added is bound to it, and nobody after them.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Redirect, Response};
use openidconnect::core::{CoreAuthenticationFlow, CoreIdTokenClaims, CoreIdTokenVerifier};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse,
};

use super::failure::{Failure, Tongue};
use super::other::{Known, Other, send, theirs};
use super::page::Page;
use super::seal::{Sealed, Way};
use super::session::{admit, cookie, entry, secure};
use super::{Shared, time};
use crate::report::clean;
use crate::store::{Identity, People, Person};

/// Cookie that ties the way back to the browser that went.
const COOKIE: &str = "xunjian-oidc";
/// Seconds in which somebody must come back: ten minutes.
pub(super) const PATIENCE: i64 = 600;

/// Which server says who somebody is.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// Its issuer, as its discovery document says it.
    pub issuer: IssuerUrl,
    /// What we are called there.
    pub client: ClientId,
    /// What we prove it with; never shown.
    pub secret: Option<ClientSecret>,
    /// Where it sends people back to: this page's own address and `/sign-in/back`.
    pub back: RedirectUrl,
}

impl Oidc {
    /// A server by its issuer's address; `page` is the address people reach this page by.
    ///
    /// # Errors
    /// When an address is none.
    pub fn new(issuer: &str, client: &str, secret: Option<String>, page: &str) -> Result<Self, String> {
        let back = format!("{}/sign-in/back", page.trim_end_matches('/'));
        Ok(Self {
            issuer: IssuerUrl::new(issuer.to_owned()).map_err(|error| format!("{issuer}: {error}"))?,
            client: ClientId::new(client.to_owned()),
            secret: secret.map(|secret| ClientSecret::new(secret.trim().to_owned())),
            back: RedirectUrl::new(back.clone()).map_err(|error| format!("{back}: {error}"))?,
        })
    }
}

/// `GET /sign-in/other`: off to the other server.
pub(super) async fn go(State(site): State<Shared>) -> Result<Response, Failure> {
    let other = site.other.as_ref().ok_or(Failure::NotFound)?;
    let known = other.known().await?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (url, state, nonce) = known
        .client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("profile".into()))
        .set_pkce_challenge(challenge)
        .url();
    let at = time::now().div_euclid(1_000);
    let way = Way { state: state.into_secret(), nonce: nonce.secret().clone(), verifier: verifier.into_secret(), at };
    // Lax: it must come back with a request that the other server leads to. It holds everything there
    // is to remember, so that strangers who set out fill nothing here.
    let sealed = site.seal.close(&way)?;
    let kept = format!("{COOKIE}={sealed}; Path=/sign-in; Max-Age={PATIENCE}; HttpOnly; SameSite=Lax{}", secure(&site));
    Ok(([(header::SET_COOKIE, kept)], Redirect::to(url.as_str())).into_response())
}

#[derive(Template)]
#[template(path = "review/signed_in.html")]
struct SignedIn {
    page: Page,
}

/// `GET /sign-in/back`: who the other server says it is comes in, if they were added here.
pub(super) async fn back(
    State(site): State<Shared>,
    Tongue(lang): Tongue,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let other = site.other.as_ref().ok_or(Failure::NotFound)?;
    let query = query.unwrap_or_default();
    let field = |name: &str| {
        let mut all = url::form_urlencoded::parse(query.as_bytes());
        all.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (state, code) = (field("state"), field("code"));
    let sealed = Sealed(cookie(&headers, COOKIE).unwrap_or_default());
    let way = site.seal.open(&sealed, &state, time::now().div_euclid(1_000)).ok_or(Failure::Csrf)?;
    let said = said_by(other, code, way).await?;
    let person = person_of(&site, said).await?;
    let session = admit(&site, person, "oidc").await?;
    let done = format!("{COOKIE}=; Path=/sign-in; Max-Age=0; HttpOnly; SameSite=Lax{}", secure(&site));
    // A page of ours leads on: the session's cookie does not travel with requests that began elsewhere.
    let html = SignedIn { page: Page::stranger(lang, "") }.render()?;
    let cookies = [session, done].map(|cookie| (header::SET_COOKIE, cookie));
    Ok((StatusCode::OK, AppendHeaders(cookies), Html(html)).into_response())
}

/// What the other server vouches for.
struct Said {
    issuer: String,
    /// Its own name of somebody; it never passes to another.
    subject: String,
    /// What they are called: they may be able to change it.
    name: String,
}

/// The person that somebody is here: who was bound to them, else, once, who was added by their name.
async fn person_of(site: &Shared, said: Said) -> Result<Person, Failure> {
    let state = &site.home.state;
    if let Some(person) = state.identity(&said.issuer, &said.subject).await? {
        return if person.is_active { Ok(person) } else { Err(Failure::NotAdded) };
    }
    let person = state.person(&said.name).await?.filter(|person| person.is_active).ok_or(Failure::NotAdded)?;
    let identity =
        Identity { issuer: said.issuer, subject: said.subject, person: person.name.clone(), bound_at: time::now() };
    let entry = entry(&person.name, "bound", &clean(&identity.subject, 80));
    if !state.bind(&identity, &entry).await? {
        tracing::warn!(name = clean(&person.name, 40), "another account of the sign-in server asked for a bound name");
        return Err(Failure::Bound);
    }
    Ok(person)
}

/// What the other server says: signature, issuer, audience, time and nonce are checked.
async fn said_by(other: &Other, code: String, way: Way) -> Result<Said, Failure> {
    let known = other.known().await?;
    let _place = other.place().await?;
    let http = other.http();
    let ask = |request| send(http.clone(), request);
    let request = known.client.exchange_code(AuthorizationCode::new(code)).map_err(|error| theirs(&error))?;
    let request = request.set_pkce_verifier(PkceCodeVerifier::new(way.verifier));
    let token = request.request_async(&ask).await.map_err(|error| theirs(&error))?;
    let id = token.id_token().ok_or(Failure::OtherServer)?;
    let nonce = Nonce::new(way.nonce);
    let said = |known: &Known| {
        let verifier: CoreIdTokenVerifier<'_> = known.client.id_token_verifier();
        id.claims(&verifier, &nonce).map(said_in).map_err(|error| theirs(&error))
    };
    match said(&known) {
        Ok(said) => Ok(said),
        // It may have changed its keys since they were asked for.
        Err(failure) => match other.known_anew(&known).await? {
            Some(known) => said(&known),
            None => Err(failure),
        },
    }
}

fn said_in(claims: &CoreIdTokenClaims) -> Said {
    let subject = claims.subject().as_str();
    let name = claims.preferred_username().map_or(subject, |name| name.as_str());
    Said { issuer: claims.issuer().as_str().to_owned(), subject: subject.to_owned(), name: name.to_owned() }
}
