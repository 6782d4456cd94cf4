//! Signing in by another server: OpenID Connect Core 1.0, authorization code flow with PKCE
//! (RFC 7636). The other server says who somebody is; what they may do is said here, by
//! `people add`, so nobody comes in who was not added.

use std::collections::HashMap;
use std::sync::Mutex;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};

use super::failure::{Failure, Tongue};
use super::page::Page;
use super::session::{admit, cookie, note};
use super::{Shared, time};
use crate::report::clean;
use crate::store::People;

/// Cookie that ties the way back to the browser that went.
const COOKIE: &str = "xunjian-oidc";
/// Milliseconds in which somebody must come back: ten minutes.
const PATIENCE: i64 = 10 * 60_000;
/// People on their way at once.
const UNDER_WAY: usize = 1_000;
/// Longest answer of the other server, in bytes.
const ANSWER_MAX: usize = 1 << 20;

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

/// People who went to sign in and have not come back.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashMap<String, Way>>);

struct Way {
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    at: i64,
}

impl UnderWay {
    fn begin(&self, state: &str, way: Way) -> Result<(), Failure> {
        let mut all = self.0.lock().map_err(|_| Failure::ours("a sign-in failed"))?;
        let now = way.at;
        all.retain(|_, way| now - way.at < PATIENCE);
        if all.len() >= UNDER_WAY {
            return Err(Failure::Busy);
        }
        all.insert(state.to_owned(), way);
        Ok(())
    }

    /// Once: who comes back a second time with the same is a stranger.
    fn end(&self, state: &str, now: i64) -> Option<Way> {
        self.0.lock().ok()?.remove(state).filter(|way| now - way.at < PATIENCE)
    }
}

/// What went wrong with the other server; goes to the log.
fn theirs(error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut told = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        told = format!("{told}: {error}");
        behind = error.source();
    }
    tracing::warn!(error = told, "the sign-in server did not answer as it should");
    Failure::OtherServer
}

#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Shape(#[from] axum::http::Error),
    #[error("an answer of more than {ANSWER_MAX} bytes")]
    Long,
}

/// One request to the other server, which leads nowhere else.
async fn send(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut answer = client.execute(reqwest::Request::try_from(request)?).await?;
    let mut shape = axum::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        shape = shape.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(HttpError::Long);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(shape.body(body)?)
}

fn http() -> Result<reqwest::Client, Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.timeout(std::time::Duration::from_secs(20)).build().map_err(Failure::ours)
}

type Known =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The other server as it is now: its keys may have changed since the last sign-in.
async fn discover(oidc: &Oidc, http: &reqwest::Client) -> Result<Known, Failure> {
    let ask = |request| send(http.clone(), request);
    let metadata = CoreProviderMetadata::discover_async(oidc.issuer.clone(), &ask).await;
    let metadata = metadata.map_err(|error| theirs(&error))?;
    let client = CoreClient::from_provider_metadata(metadata, oidc.client.clone(), oidc.secret.clone());
    Ok(client.set_redirect_uri(oidc.back.clone()))
}

/// `GET /sign-in/other`: off to the other server.
pub(super) async fn go(State(site): State<Shared>) -> Result<Response, Failure> {
    let oidc = site.options.oidc.as_ref().ok_or(Failure::NotFound)?;
    let client = discover(oidc, &http()?).await?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (url, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("profile".into()))
        .set_pkce_challenge(challenge)
        .url();
    site.under_way.begin(state.secret(), Way { nonce, verifier, at: time::now() })?;
    let secure = if site.options.is_behind_tls { "; Secure" } else { "" };
    // Lax: it must come back with a request that the other server leads to.
    let kept = format!("{COOKIE}={}; Path=/sign-in; Max-Age=600; HttpOnly; SameSite=Lax{secure}", state.secret());
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
    let oidc = site.options.oidc.as_ref().ok_or(Failure::NotFound)?;
    let query = query.unwrap_or_default();
    let field = |name: &str| {
        let mut all = url::form_urlencoded::parse(query.as_bytes());
        all.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (state, code) = (field("state"), field("code"));
    if state.is_empty() || cookie(&headers, COOKIE).as_ref() != Some(&state) {
        return Err(Failure::Csrf);
    }
    let way = site.under_way.end(&state, time::now()).ok_or(Failure::Csrf)?;
    let name = name_of(oidc, code, way).await?;
    let person = site.home.state.person(&name).await?.filter(|person| person.is_active);
    let Some(person) = person else {
        note(&site, &clean(&name, 40), "refused", "oidc").await?;
        return Err(Failure::NotAdded);
    };
    let session = admit(&site, &person.name, "oidc").await?;
    // A page of ours leads on: the session's cookie does not travel with requests that began elsewhere.
    let html = SignedIn { page: Page::stranger(lang, "") }.render()?;
    Ok((StatusCode::OK, [(header::SET_COOKIE, session)], Html(html)).into_response())
}

/// The name that the other server vouches for: signature, issuer, audience, time and nonce are checked.
async fn name_of(oidc: &Oidc, code: String, way: Way) -> Result<String, Failure> {
    let http = http()?;
    let client = discover(oidc, &http).await?;
    let ask = |request| send(http.clone(), request);
    let request = client.exchange_code(AuthorizationCode::new(code)).map_err(|error| theirs(&error))?;
    let token = request.set_pkce_verifier(way.verifier).request_async(&ask).await.map_err(|error| theirs(&error))?;
    let id = token.id_token().ok_or(Failure::OtherServer)?;
    let claims = id.claims(&client.id_token_verifier(), &way.nonce).map_err(|error| theirs(&error))?;
    let name = claims.preferred_username().map_or_else(|| claims.subject().as_str(), |name| name.as_str());
    Ok(name.to_owned())
}
