//! What went wrong, as a page that says what to do.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::page::{Page, lang_of};
use crate::report::words::Lang;
use crate::store::StoreError;

/// Why a page is not shown or a form not taken.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody is signed in.
    SignIn,
    /// They were given a password and have to choose one first.
    ChoosePassword,
    /// It took too long to come.
    Slow,
    /// There is no such thing.
    NotFound,
    /// The role does not allow it.
    Forbidden,
    /// The form is not one of ours, or too old.
    Csrf,
    /// Something in a form is wrong: key under `page.bad`.
    Bad(&'static str),
    /// There is no such store; those that there are.
    NoStore(String),
    /// What was decided on has moved.
    Moved,
    /// The host name is not ours.
    Host,
    /// Too many sign in at once.
    Busy,
    /// Too much is sent at once.
    Crowded,
    /// What only programs are told, in words of its own.
    Said {
        /// Its status.
        status: StatusCode,
        /// Its name among problems.
        code: &'static str,
        /// What is wrong, for who reads a log.
        said: String,
    },
    /// A program's token does not allow it: the right that it lacks.
    Lacks(&'static str),
    /// A program without a token.
    Token,
    /// A message that nobody we know signed.
    Signature,
    /// The sign-in server did not answer as it should.
    OtherServer,
    /// The timestamp authority gave no valid timestamp.
    NoTimestamp,
    /// The sign-in server vouches for somebody who was not added here.
    NotAdded,
    /// The person of that name is bound to somebody else of the sign-in server.
    Bound,
    /// Neither of the forms a request may have.
    MediaType,
    /// More than is taken.
    TooLarge,
    /// Too many audits wait.
    Waiting,
    /// No room on the disk.
    Full,
    /// It was there, and is not kept any more.
    Gone,
    /// Our own fault; goes to the log.
    Ours(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Ours(error.to_string())
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::Ours(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Ours(error.to_string())
    }
}

impl Failure {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::SignIn | Self::ChoosePassword => StatusCode::SEE_OTHER,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::OtherServer | Self::NoTimestamp => StatusCode::BAD_GATEWAY,
            Self::Forbidden | Self::Lacks(_) | Self::Csrf | Self::NotAdded | Self::Bound => StatusCode::FORBIDDEN,
            Self::Bad(_) | Self::NoStore(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Moved => StatusCode::CONFLICT,
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Busy | Self::Crowded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Said { status, .. } => *status,
            Self::Token | Self::Signature => StatusCode::UNAUTHORIZED,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Waiting => StatusCode::TOO_MANY_REQUESTS,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Gone => StatusCode::GONE,
            Self::Ours(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) const fn key(&self) -> &'static str {
        match self {
            Self::SignIn | Self::ChoosePassword => "sign_in",
            Self::Slow => "e.slow",
            Self::NotFound => "e.not-found",
            Self::Forbidden => "e.forbidden",
            Self::Csrf => "e.csrf",
            Self::Bad(_) | Self::NoStore(_) => "e.bad",
            Self::Moved => "e.moved",
            Self::Host => "e.host",
            Self::Busy => "e.busy",
            Self::Crowded => "e.crowded",
            Self::Said { code, .. } => code,
            Self::Lacks(_) => "e.forbidden",
            Self::Token => "e.token",
            Self::Signature => "e.signature",
            Self::OtherServer => "e.other-server",
            Self::NoTimestamp => "e.no-timestamp",
            Self::NotAdded => "e.not-added",
            Self::Bound => "e.bound",
            Self::MediaType => "e.media-type",
            Self::TooLarge => "e.too-large",
            Self::Waiting => "e.waiting",
            Self::Full => "e.full",
            Self::Gone => "e.gone",
            Self::Ours(_) => "e.failed",
        }
    }

    /// A fault of ours, whatever it was.
    pub(super) fn ours(error: impl ToString) -> Self {
        Self::Ours(error.to_string())
    }

    /// Puts faults of ours into the log: people are told nothing of them.
    pub(super) fn log(&self) {
        if let Self::Ours(error) = self {
            tracing::error!(error, "a page failed");
        }
    }

    /// What went wrong and what to do, in a language.
    pub(super) fn told(&self, lang: Lang) -> String {
        let page = Page::stranger(lang, "");
        let what = match self {
            Self::Said { said, .. } => return said.clone(),
            Self::Bad(key) => page.t(&format!("bad.{key}")),
            Self::NoStore(stores) => page.with("bad.no-store", &[("stores", stores)]),
            Self::Lacks(right) => return page.with("e.lacks", &[("what", right)]),
            _ => String::new(),
        };
        page.with(self.key(), &[("what", &what)])
    }

    /// The page, in a language.
    pub(super) fn page(&self, lang: Lang) -> Response {
        match self {
            Self::SignIn => return Redirect::to("/sign-in").into_response(),
            Self::ChoosePassword => return Redirect::to("/me").into_response(),
            _ => {}
        }
        self.log();
        let (page, told) = (Page::stranger(lang, ""), self.told(lang));
        let html = FailurePage { page, told }.render().unwrap_or_default();
        (self.status(), Html(html)).into_response()
    }
}

#[derive(Template)]
#[template(path = "review/failure.html")]
struct FailurePage {
    page: Page,
    told: String,
}

// Most handlers fail with a bare reason: the guard around them knows the language and makes
// the page, see `guard`.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut answer = self.status().into_response();
        answer.extensions_mut().insert(std::sync::Arc::new(self));
        answer
    }
}

/// There is no such page.
pub(super) async fn nowhere() -> Failure {
    Failure::NotFound
}

/// The language of a request.
pub(super) struct Tongue(pub(super) Lang);

impl<S: Sync> FromRequestParts<S> for Tongue {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(lang_of(&parts.headers)))
    }
}
