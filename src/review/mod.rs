//! The reviewers' page: findings in, decisions out.
//!
//! Server-rendered, in Chinese and English, with one small script for keys; it asks no other
//! server for anything. Everything shown is hostile text: templates escape, and
//! [`report::clean`](crate::report::clean) takes away what changes how a text reads.

mod again;
mod api;
mod app;
mod assets;
mod bag;
mod body;
mod changes;
mod dead;
mod decide;
mod dossier;
mod draft;
mod export;
mod failure;
mod guard;
mod inbox;
mod letters;
pub(crate) mod listen;
mod listing;
mod lists;
mod me;
mod mending;
mod oidc;
mod other;
mod page;
mod password;
mod people;
mod query;
mod reasons;
mod results;
mod role;
mod seal;
mod session;
mod shots;
mod stores;
mod tries;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

pub use self::api::{RIGHTS as API_RIGHTS, new_token, token_hash};
pub use self::oidc::Oidc;
pub use self::password::{PASSWORD_MIN, hash as hash_password};
pub use self::role::Role;
pub use self::session::is_name;

use crate::runs::evidence::Stamping;
use crate::store::Home;
use crate::time;

/// Longest that one page may take.
const PAGE_TIME: Duration = Duration::from_secs(60);
/// Passwords checked at once: argon2id takes 19 MiB for each, and anybody may ask.
const PASSWORDS_AT_ONCE: usize = 2;
/// And beside them, of those who signed in from there before: strangers do not make them wait.
const KNOWN_AT_ONCE: usize = 1;
/// Packages that are sent to us at once.
const UPLOADS_AT_ONCE: usize = 4;
/// Connections in all. Each costs a descriptor, of which a process often has 1,024.
const CONNECTIONS: usize = 512;
/// Connections of one address, where no proxy stands before them all.
const CONNECTIONS_EACH: usize = 384;
/// Longest form.
const FORM_MAX: usize = 256 << 10;

/// How the page is served.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Ids of stores whose apps can be audited on demand.
    pub stores: BTreeSet<String>,
    /// Bytes of a package that programs may send.
    pub package_bytes: u64,
    /// Bytes of the disk that stay free when they do.
    pub free_bytes: u64,
    /// Folder of registers, where the case backend's lists are kept.
    pub registers: Option<std::path::PathBuf>,
    /// What the case backend signs its lists with; `None`: none are taken.
    pub secret: Option<crate::feed::Secret>,
    /// Host names it answers to beside addresses and `localhost`: any other name is a stranger's
    /// that was made to point here (DNS rebinding).
    pub names: BTreeSet<String>,
    /// Name of this installation in events.
    pub source: String,
    /// Address that people reach the page by, for links in events; may be empty.
    pub page: String,
    /// Another server that says who somebody is.
    pub oidc: Option<Oidc>,
    /// A proxy in front speaks TLS: cookies go over nothing else.
    pub is_behind_tls: bool,
    /// Whether bags of evidence are stamped.
    pub stamping: Stamping,
}

/// What every page is made from.
struct Site {
    home: Home,
    options: Options,
    passwords: Semaphore,
    known_passwords: Semaphore,
    uploads: Semaphore,
    pushes: api::Pushes,
    lists: Arc<lists::Lists>,
    seal: seal::Seal,
    other: Option<other::Other>,
    /// A hash that no password has: checked for names that nobody has, so that both take as long.
    nobody: String,
}

type Shared = Arc<Site>;

/// Serves the page until `stop` comes.
///
/// # Errors
/// When this machine has no random numbers.
pub async fn serve(
    listener: TcpListener,
    home: Home,
    options: Options,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let nobody = hash_password(&session::random().map_err(std::io::Error::other)?).map_err(std::io::Error::other)?;
    let other = options.oidc.clone().map(other::Other::new).transpose().map_err(std::io::Error::other)?;
    let each = if options.is_behind_tls { CONNECTIONS } else { CONNECTIONS_EACH };
    let site = Arc::new(Site {
        home,
        options,
        passwords: Semaphore::new(PASSWORDS_AT_ONCE),
        known_passwords: Semaphore::new(KNOWN_AT_ONCE),
        uploads: Semaphore::new(UPLOADS_AT_ONCE),
        pushes: api::Pushes::default(),
        lists: Arc::default(),
        seal: seal::Seal::new().map_err(std::io::Error::other)?,
        other,
        nobody,
    });
    listen::serve(listener, router(site), listen::Caps { all: CONNECTIONS, each }, stop).await;
    Ok(())
}

fn router(site: Shared) -> Router {
    let (api, uploads) = api::routers(site.options.package_bytes);
    Router::new()
        .route("/", get(inbox::show).post(decide::several))
        .route("/views", post(inbox::keep_view))
        .route("/app/{app}", get(app::show))
        .route("/app/{app}/dossier", get(dossier::show))
        .route("/app/{app}/assign", post(decide::assign))
        .route("/app/{app}/screenshot/{number}", get(shots::show))
        .route("/app/{app}/again", post(again::show))
        .route("/finding/{finding}/bag", get(bag::show))
        .route("/finding/{finding}", get(app::of_finding).post(decide::one))
        .route("/mending", get(mending::show))
        .route("/results", get(results::show))
        .route("/stores", get(stores::show))
        .route("/export/{format}", get(export::all))
        .route("/app/{app}/export/{format}", get(export::one))
        .route("/letters", get(letters::show))
        .route("/letters/{letter}/replay", post(letters::replay))
        .route("/dead", get(dead::show).post(dead::all))
        .route("/dead/{job}/again", post(dead::one))
        .route("/people", get(people::show).post(people::keep))
        .route("/people/unbind", post(people::unbind))
        .route("/log", get(people::log))
        .route("/me", get(me::show).post(me::change_password))
        .route("/sign-in", get(session::show).post(session::sign_in))
        .route("/sign-in/other", get(oidc::go))
        .route("/sign-in/back", get(oidc::back))
        .route("/sign-out", post(session::sign_out))
        .route("/lang/{lang}", get(page::switch))
        .route("/static/{name}", get(assets::get))
        .route("/health", get(|| async { "ok" }))
        .merge(api)
        .layer(axum::extract::DefaultBodyLimit::max(FORM_MAX))
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::SERVICE_UNAVAILABLE, PAGE_TIME))
        .merge(uploads)
        .fallback(failure::nowhere)
        .layer(CatchPanicLayer::new())
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&site), guard::guard))
        .with_state(site)
}
