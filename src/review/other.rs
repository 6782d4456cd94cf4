//! The server that people may sign in by, as it was last asked: one question serves everybody for a
//! while, so that strangers who set out to sign in make us ask it nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{CoreClient, CoreProviderMetadata};
use openidconnect::{EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use super::failure::Failure;
use super::oidc::Oidc;

/// Longest answer of the other server, in bytes.
const ANSWER_MAX: usize = 1 << 20;
/// Longest that one answer of it may take.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// How long what it says of itself holds.
const FRESH: Duration = Duration::from_secs(600);
/// Least time between two questions: after a failure, and for keys that may have changed.
const REST: Duration = Duration::from_secs(5);
/// Tokens asked for at once.
const AT_ONCE: usize = 8;

pub(super) type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The other server as it described itself.
pub(super) struct Known {
    pub(super) client: Client,
    at: Instant,
}

/// What was last heard: the server, or when it last failed to answer.
enum Heard {
    Nothing,
    Failed(Instant),
    Known(Arc<Known>),
}

/// The way to the other server.
pub(super) struct Other {
    oidc: Oidc,
    http: reqwest::Client,
    heard: Mutex<Heard>,
    places: Semaphore,
}

impl Other {
    /// # Errors
    /// When no HTTP client can be made.
    pub(super) fn new(oidc: Oidc) -> Result<Self, reqwest::Error> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Names, codes and our secret go to the server that was named, and through nobody's proxy that
        // only the environment names.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_TIME)
            .build()?;
        Ok(Self { oidc, http, heard: Mutex::new(Heard::Nothing), places: Semaphore::new(AT_ONCE) })
    }

    /// The other server, asked at most once in a while.
    pub(super) async fn known(&self) -> Result<Arc<Known>, Failure> {
        let mut heard = self.heard.lock().await;
        match &*heard {
            Heard::Known(known) if known.at.elapsed() < FRESH => return Ok(Arc::clone(known)),
            Heard::Failed(at) if at.elapsed() < REST => return Err(Failure::OtherServer),
            _ => {}
        }
        self.hear(&mut heard).await
    }

    /// The other server asked again, if what is known of it is not of this moment.
    pub(super) async fn known_anew(&self, old: &Arc<Known>) -> Result<Option<Arc<Known>>, Failure> {
        let mut heard = self.heard.lock().await;
        match &*heard {
            Heard::Known(known) if !Arc::ptr_eq(known, old) => Ok(Some(Arc::clone(known))),
            Heard::Known(known) if known.at.elapsed() < REST => Ok(None),
            Heard::Failed(at) if at.elapsed() < REST => Ok(None),
            _ => self.hear(&mut heard).await.map(Some),
        }
    }

    async fn hear(&self, heard: &mut Heard) -> Result<Arc<Known>, Failure> {
        let http = self.http();
        let ask = |request| send(http.clone(), request);
        match CoreProviderMetadata::discover_async(self.oidc.issuer.clone(), &ask).await {
            Ok(metadata) => {
                let (id, secret) = (self.oidc.client.clone(), self.oidc.secret.clone());
                let client = CoreClient::from_provider_metadata(metadata, id, secret);
                let client = client.set_redirect_uri(self.oidc.back.clone());
                let known = Arc::new(Known { client, at: Instant::now() });
                *heard = Heard::Known(Arc::clone(&known));
                Ok(known)
            }
            Err(error) => {
                *heard = Heard::Failed(Instant::now());
                Err(theirs(&error))
            }
        }
    }

    /// A place among those who ask for a token.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>, Failure> {
        tokio::time::timeout(ANSWER_TIME, self.places.acquire()).await.ok().and_then(Result::ok).ok_or(Failure::Busy)
    }

    /// What asks it.
    pub(super) fn http(&self) -> reqwest::Client {
        self.http.clone()
    }
}

/// One request to the other server, which leads nowhere else.
pub(super) async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let request = reqwest::Request::try_from(request)?;
    // Its own description names further addresses: they are held to the same.
    if !crate::feed::is_safe(request.url()) {
        return Err(HttpError::Plain);
    }
    let mut answer = http.execute(request).await?;
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

/// Why the other server could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Shape(#[from] axum::http::Error),
    #[error("an answer of more than {ANSWER_MAX} bytes")]
    Long,
    #[error("an address that is not https: nothing leaves this machine unencrypted")]
    Plain,
}

/// What went wrong with the other server; goes to the log.
pub(super) fn theirs(error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut told = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        told = format!("{told}: {error}");
        behind = error.source();
    }
    tracing::warn!(error = told, "the sign-in server did not answer as it should");
    Failure::OtherServer
}
