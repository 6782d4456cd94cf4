//! Passwords, guessed at: how often, from where, and what that costs whoever owns the name.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use crate::support::desk::{Browser, PASSWORD, Server, add_person};
use xunjian::store::{Home, People};

/// Somebody with an address and perhaps a cookie.
#[derive(Clone)]
struct Guesser {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

impl Guesser {
    fn at(server: &Server, last: u8) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)))
            .build()
            .unwrap();
        Self { http, url: server.url.clone(), cookie: String::new() }
    }

    /// Status, and the cookie of a browser that is known.
    async fn try_in(&self, name: &str, password: &str) -> (u16, Option<String>) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("name", name), ("password", password)])
            .finish();
        let request = self.http.post(format!("{}/sign-in", self.url)).header("cookie", &self.cookie).body(body);
        let answer = request.send().await.unwrap();
        let cookies = answer.headers().get_all("set-cookie").into_iter().filter_map(|cookie| cookie.to_str().ok());
        let device =
            cookies.filter_map(|cookie| cookie.split(';').next()).find(|cookie| cookie.starts_with("xunjian-device="));
        let device = device.map(str::to_owned);
        (answer.status().as_u16(), device)
    }
}

/// Lets every lock end, as a quarter of an hour would.
async fn time_passes(home: &Path) {
    let file = format!("sqlite:{}", home.join("state.sqlite").display());
    let pool = sqlx::SqlitePool::connect(&file).await.unwrap();
    sqlx::query("UPDATE tries SET until = 1 WHERE until > 0").execute(&pool).await.unwrap();
    pool.close().await;
}

async fn rows(home: &Path, table: &str) -> i64 {
    let file = format!("sqlite:{}", home.join("state.sqlite").display());
    let pool = sqlx::SqlitePool::connect(&file).await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    let count = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
    pool.close().await;
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn of_300_tries_at_once_with_the_right_one_last_none_comes_in() {
    let dir = tempfile::tempdir().unwrap();
    add_person(dir.path(), "victim", "lead");
    add_person(dir.path(), "other", "viewer");
    let server = Server::start(dir.path());
    let guesser = Guesser::at(&server, 1);
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..300 {
        let guesser = guesser.clone();
        tries.spawn(async move {
            if n == 299 {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            let password = if n == 299 { PASSWORD.to_owned() } else { format!("wrong password {n}") };
            guesser.try_in("victim", &password).await.0
        });
    }
    let mut told = BTreeMap::new();
    for status in tries.join_all().await {
        *told.entry(status).or_insert(0) += 1;
    }
    assert_eq!(told, BTreeMap::from([(401, 300)]), "nobody came in, and nobody waited in vain");
    assert_eq!(guesser.try_in("victim", PASSWORD).await.0, 401, "before the lock ends");
    assert_eq!(guesser.try_in("other", PASSWORD).await.0, 303, "it is one name that was guessed at");
    time_passes(dir.path()).await;
    assert_eq!(guesser.try_in("victim", "wrong password").await.0, 401);
    assert_eq!(guesser.try_in("victim", PASSWORD).await.0, 303, "a lock that ended begins anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_keeps_nobody_out() {
    let dir = tempfile::tempdir().unwrap();
    add_person(dir.path(), "lead", "lead");
    let server = Server::start(dir.path());
    let (owner, stranger) = (Guesser::at(&server, 1), Guesser::at(&server, 2));
    for _ in 0..7 {
        assert_eq!(stranger.try_in("lead", "wrong password").await.0, 401);
    }
    assert_eq!(stranger.try_in("lead", PASSWORD).await.0, 401, "the stranger's address is locked");
    let (status, device) = owner.try_in("lead", PASSWORD).await;
    assert_eq!(status, 303, "the owner's is not");
    // Not even from the same address, once a browser is known; and not with another's cookie.
    let known = Guesser { cookie: device.expect("a known browser"), ..stranger.clone() };
    assert_eq!(known.try_in("lead", PASSWORD).await.0, 303);
    let forged = Guesser { cookie: format!("xunjian-device={}", "a".repeat(64)), ..stranger.clone() };
    assert_eq!(forged.try_in("lead", PASSWORD).await.0, 401);
    // A browser that is known is not trusted with guesses either.
    for _ in 0..5 {
        assert_eq!(known.try_in("lead", "wrong password").await.0, 401);
    }
    assert_eq!(known.try_in("lead", PASSWORD).await.0, 401);
    assert_eq!(owner.try_in("lead", PASSWORD).await.0, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_strangers_together_are_one() {
    let dir = tempfile::tempdir().unwrap();
    add_person(dir.path(), "lead", "lead");
    let server = Server::start(dir.path());
    let owner = Guesser::at(&server, 1);
    let (_, device) = owner.try_in("lead", PASSWORD).await;
    for last in 10..30 {
        let stranger = Guesser::at(&server, last);
        for _ in 0..4 {
            assert_eq!(stranger.try_in("lead", "wrong password").await.0, 401);
        }
    }
    assert_eq!(Guesser::at(&server, 99).try_in("lead", PASSWORD).await.0, 401, "from nowhere new, for a while");
    assert_eq!(owner.try_in("lead", PASSWORD).await.0, 303, "the owner's own place is known");
    let travelling = Guesser { cookie: device.unwrap(), ..Guesser::at(&server, 98) };
    assert_eq!(travelling.try_in("lead", PASSWORD).await.0, 303, "and so is the owner's browser");
    // One address that tries one name after the other.
    let sprayer = Guesser::at(&server, 200);
    for n in 0..40 {
        assert_eq!(sprayer.try_in(&format!("name{n}"), "wrong password").await.0, 401);
    }
    assert_eq!(sprayer.try_in("lead", PASSWORD).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_ones_own_password_are_counted_and_end_the_session() {
    let dir = tempfile::tempdir().unwrap();
    add_person(dir.path(), "viewer", "viewer");
    let server = Server::start(dir.path());
    let browser = Browser::sign_in(&server, "viewer").await;
    let guess = async || browser.post("/me", &[("old", "wrong password"), ("password", "another password")]).await;
    for _ in 0..4 {
        assert_eq!(guess().await.0, 422);
    }
    assert_eq!(guess().await.1, "/sign-in", "the fifth ends the session");
    assert_eq!(browser.get("/").await.1, "/sign-in");
    let again = Browser::sign_in(&server, "viewer").await;
    let right = [("old", PASSWORD), ("password", "another password")];
    assert_eq!(again.post("/me", &right).await.1, "/sign-in", "locked for a while, whatever the session");
    assert_eq!(Guesser::at(&server, 1).try_in("viewer", PASSWORD).await.0, 303, "the password is the old one");
    time_passes(dir.path()).await;
    let again = Browser::sign_in(&server, "viewer").await;
    assert_eq!(again.post("/me", &right).await.1, "/sign-in");
    assert_eq!(Guesser::at(&server, 1).try_in("viewer", "another password").await.0, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_write_no_log_and_sessions_that_ended_go() {
    let dir = tempfile::tempdir().unwrap();
    add_person(dir.path(), "lead", "lead");
    let server = Server::start(dir.path());
    let lead = Browser::sign_in(&server, "lead").await;
    let before = rows(dir.path(), "deeds").await;
    let stranger = Guesser::at(&server, 3);
    for n in 0..50 {
        let name = format!("\r\n\u{1b}[31mforged {n}{}", "A".repeat(5_000));
        assert_eq!(stranger.try_in(&name, "wrong password").await.0, 401);
    }
    assert_eq!(rows(dir.path(), "deeds").await, before, "who they were is not known, so it is nobody's deed");
    for _ in 0..20 {
        Guesser::at(&server, 4).try_in("lead", "wrong password").await;
    }
    assert_eq!(rows(dir.path(), "deeds").await, before + 1, "that a person was guessed at is told once a lock");
    assert!(lead.get("/log").await.2.contains("127.0.0.4"));

    let home = Home::open(dir.path()).await.unwrap();
    let person = home.state.person("lead").await.unwrap().unwrap();
    let old = xunjian::store::Session { person, csrf: String::new(), how: String::new(), begun: 1, seen: 1 };
    for n in 0..9 {
        home.state.sign_in(&format!("old {n}"), &old, 0, 0).await.unwrap();
    }
    let sessions = rows(dir.path(), "sessions").await;
    Guesser::at(&server, 1).try_in("lead", PASSWORD).await;
    assert_eq!(rows(dir.path(), "sessions").await, sessions - 9 + 1);
}

/// Who runs the program decides nothing, by no detour.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_becomes_nobody_who_decides() {
    let dir = tempfile::tempdir().unwrap();
    for (name, role) in [("op", "operator"), ("lead", "lead"), ("reviewer", "reviewer"), ("viewer", "viewer")] {
        add_person(dir.path(), name, role);
    }
    let server = Server::start(dir.path());
    let op = Browser::sign_in(&server, "op").await;
    let stolen = "a stolen password";
    for (name, role, password, stop, why) in [
        ("lead", "lead", stolen, "", "another's password"),
        ("lead", "viewer", "", "1", "a lead stopped"),
        ("lead", "operator", "", "", "a lead made something else"),
        ("reviewer", "reviewer", stolen, "", "a reviewer's password"),
        ("reviewer", "viewer", stolen, "", "and role"),
        ("viewer", "reviewer", "", "", "a viewer who decides"),
        ("new", "lead", stolen, "", "a new lead"),
        ("new", "reviewer", stolen, "", "a new reviewer"),
    ] {
        let fields = [("name", name), ("role", role), ("password", password), ("stop", stop)];
        assert_eq!(op.post("/people", &fields).await.0, 403, "{why}");
    }
    let guesser = Guesser::at(&server, 1);
    for name in ["lead", "reviewer"] {
        assert_eq!(guesser.try_in(name, stolen).await.0, 401, "{name}");
        assert_eq!(guesser.try_in(name, PASSWORD).await.0, 303, "{name}");
    }
    for (name, role, password, stop) in
        [("reviewer", "reviewer", "", "1"), ("viewer", "viewer", stolen, ""), ("new", "viewer", stolen, "")]
    {
        let fields = [("name", name), ("role", role), ("password", password), ("stop", stop)];
        assert_eq!(op.post("/people", &fields).await.0, 303, "{name}");
    }
    let page = op.get("/people").await.2;
    assert!(!page.contains("value=\"lead\">"), "a role that cannot be given is not offered: {page}");
}
