//! Who uses the page: people, their sessions, what they did, and the filters they named.

use std::future::Future;

use super::Result;

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What they sign in with.
    pub name: String,
    /// `viewer`, `reviewer`, `lead` or `operator`.
    pub role: String,
    /// argon2id, as a PHC string; empty: cannot sign in with a password.
    pub password: String,
    /// Who gave them this password, if it was not they: it is good for choosing another one only.
    pub set_by: String,
    /// May sign in.
    pub is_active: bool,
    /// When they were added.
    pub made_at: i64,
}

/// How wrong passwords are counted from one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Tries in a row, the last of which locks.
    pub most: u32,
    /// For how long, in milliseconds; and how long a wrong one counts.
    pub lock: i64,
}

/// What a try at a password came to before the password was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It may be looked at.
    Go,
    /// It may be looked at, and is the last one that is.
    Last,
    /// The source is locked.
    Locked,
}

/// Somebody as another server knows them, by OpenID Connect's issuer and subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The server.
    pub issuer: String,
    /// Its own name of somebody, which it never gives to another.
    pub subject: String,
    /// Who that is here.
    pub person: String,
    /// Since when.
    pub bound_at: i64,
}

/// Somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub person: Person,
    /// What their forms carry.
    pub csrf: String,
    /// How they signed in: empty by password, else `oidc`.
    pub how: String,
    /// Since when.
    pub begun: i64,
    /// Last seen.
    pub seen: i64,
}

/// An entry of the audit log: something that a person or a program did.
///
/// What changes who may do what, or what stands of a finding, takes its entries along: the change and its
/// entries are one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLogEntry {
    /// Its number; 0 for a new one.
    pub id: i64,
    /// Who.
    pub who: String,
    /// What, e.g. `signed-in`.
    pub what: String,
    /// To what; never a secret.
    pub about: String,
    /// When.
    pub at: i64,
}

impl AuditLogEntry {
    /// A new entry. `who` is `-` for somebody with the database at hand.
    #[must_use]
    pub fn new(who: &str, what: &str, about: &str, at: i64) -> Self {
        Self { id: 0, who: who.to_owned(), what: what.to_owned(), about: about.to_owned(), at }
    }
}

/// A program that may use the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiClient {
    /// What it is called in the log.
    pub name: String,
    /// Hash of its token.
    pub token: String,
    /// `read`, `audit`, with a space between.
    pub rights: String,
    /// May use it.
    pub is_active: bool,
    /// When it was added, or got its token.
    pub made_at: i64,
}

/// The memory of people. Every method is one step.
pub trait People: Send + Sync {
    /// Everybody, by name.
    fn people(&self) -> impl Future<Output = Result<Vec<Person>>> + Send;
    /// One person.
    fn person(&self, name: &str) -> impl Future<Output = Result<Option<Person>>> + Send;
    /// Adds a person, or changes role, password and whether they may sign in. Who may not, or has
    /// another password or role than before, is signed out everywhere.
    fn keep_person(&self, person: &Person, entries: &[AuditLogEntry]) -> impl Future<Output = Result<()>> + Send;

    /// Counts a try at a name's password from a source as wrong, before the password is looked at: of
    /// any number at once, [`Limit::most`] may go on and no more. A lock that ended begins anew.
    fn count(&self, name: &str, source: &str, limit: Limit, now: i64) -> impl Future<Output = Result<Counted>> + Send;
    /// Takes a try back that was right: of this source alone all that was counted is forgiven, where
    /// `is_own`, and it is known from then on.
    fn uncount(
        &self,
        name: &str,
        source: &str,
        limit: Limit,
        is_own: bool,
        now: i64,
    ) -> impl Future<Output = Result<()>> + Send;
    /// Whether a name's password was right from a source, later than `since`.
    fn was_right(&self, name: &str, source: &str, since: i64) -> impl Future<Output = Result<bool>> + Send;
    /// Whether tries at a name's password are refused from anywhere.
    fn is_locked(&self, name: &str, now: i64) -> impl Future<Output = Result<bool>> + Send;
    /// Forgets tries before `tried` from sources that were not right since `right`.
    fn forget_tries(&self, tried: i64, right: i64) -> impl Future<Output = Result<()>> + Send;

    /// Who another server's somebody is here.
    fn identity(&self, issuer: &str, subject: &str) -> impl Future<Output = Result<Option<Person>>> + Send;
    /// Keeps who another server's somebody is; `false`, and nothing kept, where that somebody or that
    /// person is bound already.
    fn bind(&self, identity: &Identity, entry: &AuditLogEntry) -> impl Future<Output = Result<bool>> + Send;
    /// Forgets whom a person is elsewhere; how many there were.
    fn unbind(&self, person: &str, entry: &AuditLogEntry) -> impl Future<Output = Result<u64>> + Send;
    /// Everybody who is bound.
    fn identities(&self) -> impl Future<Output = Result<Vec<Identity>>> + Send;

    /// Begins a session; `token` is the hash of what the browser keeps. Sessions that began before
    /// `begun_after` or were not seen after `seen_after` are forgotten.
    fn sign_in(
        &self,
        token: &str,
        session: &Session,
        begun_after: i64,
        seen_after: i64,
    ) -> impl Future<Output = Result<()>> + Send;
    /// The session of a token, if it began after `begun_after` and was seen after `seen_after`.
    fn session(
        &self,
        token: &str,
        begun_after: i64,
        seen_after: i64,
        now: i64,
    ) -> impl Future<Output = Result<Option<Session>>> + Send;
    /// Ends a session.
    fn sign_out(&self, token: &str) -> impl Future<Output = Result<()>> + Send;

    /// Every client of the API, by name.
    fn clients(&self) -> impl Future<Output = Result<Vec<ApiClient>>> + Send;
    /// The client of a token that may use it, by the token's hash.
    fn client(&self, token: &str) -> impl Future<Output = Result<Option<ApiClient>>> + Send;
    /// Adds a client, or changes its token, rights and whether it may use the API.
    fn keep_client(&self, client: &ApiClient, entry: &AuditLogEntry) -> impl Future<Output = Result<()>> + Send;

    /// Keeps that a client asked for an audit.
    fn asks(&self, run: i64, client: &str) -> impl Future<Output = Result<()>> + Send;
    /// Whether a client asked for an audit.
    fn has_asked(&self, run: i64, client: &str) -> impl Future<Output = Result<bool>> + Send;

    /// Writes an entry of something that is no change of this state.
    fn log_action(&self, deed: &AuditLogEntry) -> impl Future<Output = Result<()>> + Send;
    /// What was done before a deed (0: the latest), latest first.
    fn audit_log(&self, before: i64, most: u32) -> impl Future<Output = Result<Vec<AuditLogEntry>>> + Send;

    /// Names a filter of the inbox; an empty one forgets the name.
    fn keep_view(&self, person: &str, name: &str, query: &str) -> impl Future<Output = Result<()>> + Send;
    /// Filters a person named: name and query.
    fn views(&self, person: &str) -> impl Future<Output = Result<Vec<(String, String)>>> + Send;
}
