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
    /// May sign in.
    pub is_active: bool,
    /// Wrong passwords in a row.
    pub failures: u32,
    /// Locked until then.
    pub locked_until: i64,
    /// When they were added.
    pub made_at: i64,
}

/// Somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub person: Person,
    /// What their forms carry.
    pub csrf: String,
    /// Since when.
    pub begun: i64,
    /// Last seen.
    pub seen: i64,
}

/// Something a person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
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
    fn keep_person(&self, person: &Person) -> impl Future<Output = Result<()>> + Send;
    /// Counts a wrong password; from `most` in a row on, the person is locked out.
    fn count_failure(&self, name: &str, most: u32, locked_until: i64) -> impl Future<Output = Result<()>> + Send;
    /// Forgets wrong passwords.
    fn forgive(&self, name: &str) -> impl Future<Output = Result<()>> + Send;

    /// Begins a session; `token` is the hash of what the browser keeps.
    fn sign_in(&self, token: &str, person: &str, csrf: &str, at: i64) -> impl Future<Output = Result<()>> + Send;
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
    fn keep_client(&self, client: &ApiClient) -> impl Future<Output = Result<()>> + Send;

    /// Keeps what somebody did.
    fn deed(&self, deed: &Deed) -> impl Future<Output = Result<()>> + Send;
    /// What was done before a deed (0: the latest), latest first.
    fn deeds(&self, before: i64, most: u32) -> impl Future<Output = Result<Vec<Deed>>> + Send;

    /// Names a filter of the inbox; an empty one forgets the name.
    fn keep_view(&self, person: &str, name: &str, query: &str) -> impl Future<Output = Result<()>> + Send;
    /// Filters a person named: name and query.
    fn views(&self, person: &str) -> impl Future<Output = Result<Vec<(String, String)>>> + Send;
}
