//! Signing in by another server, a real one over loopback: who was added here comes in, nobody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::support::desk::{Server, add_person};
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What the server says in its next token beside what is right.
#[derive(Clone)]
struct Issuer {
    url: String,
    key: Arc<EcdsaKeyPair>,
    said: Arc<Mutex<Said>>,
}

#[derive(Default)]
struct Said {
    /// Of the request that led there.
    nonce: String,
    challenge: String,
    /// Claims in place of the right ones.
    wrong: BTreeMap<&'static str, Value>,
    /// The signature is of something else.
    is_forged: bool,
    /// Questions that were asked: for its description, for its keys.
    asked: [usize; 2],
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

async fn discovery(State(issuer): State<Issuer>) -> Json<Value> {
    let url = &issuer.url;
    issuer.said.lock().unwrap().asked[0] += 1;
    Json(json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn jwks(State(issuer): State<Issuer>) -> Json<Value> {
    issuer.said.lock().unwrap().asked[1] += 1;
    let point = issuer.key.public_key().as_ref();
    let part = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
    Json(json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k",
        "x": part(1), "y": part(33) }] }))
}

async fn token(State(issuer): State<Issuer>, body: String) -> Json<Value> {
    let said = issuer.said.lock().unwrap();
    let fields: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let proven = URL_SAFE_NO_PAD.encode(Sha256::digest(&fields["code_verifier"]));
    assert_eq!(proven, said.challenge, "who exchanges the code is who went to get it");
    let now = chrono::Utc::now().timestamp();
    let mut claims = json!({ "iss": issuer.url, "aud": "xunjian", "sub": "1", "preferred_username": "王小明",
        "iat": now, "exp": now + 300, "nonce": said.nonce });
    for (name, value) in &said.wrong {
        claims[*name] = value.clone();
    }
    let head = encoded(&json!({ "alg": "ES256", "kid": "k", "typ": "JWT" }));
    let signed = format!("{head}.{}", encoded(&claims));
    let what = if said.is_forged { "something else" } else { &signed };
    let signature = issuer.key.sign(&SystemRandom::new(), what.as_bytes()).unwrap();
    let id_token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    Json(json!({ "access_token": "a", "token_type": "Bearer", "id_token": id_token }))
}

impl Issuer {
    async fn start() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Self { url, key: Arc::new(key), said: Arc::default() };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    fn says(&self, wrong: &[(&'static str, Value)], is_forged: bool) {
        let mut said = self.said.lock().unwrap();
        (said.wrong, said.is_forged) = (wrong.iter().cloned().collect(), is_forged);
    }
}

/// Goes to the other server and comes back: status, and the cookie of a session if there is one.
async fn sign_in(server: &Server, issuer: &Issuer) -> (u16, Option<String>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let gone = http.get(format!("{}/sign-in/other", server.url)).send().await.unwrap();
    assert_eq!(gone.status(), 303);
    let cookie = gone.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let to = url::Url::parse(gone.headers()["location"].to_str().unwrap()).unwrap();
    let asked: BTreeMap<String, String> = to.query_pairs().into_owned().collect();
    assert_eq!((asked["client_id"].as_str(), asked["code_challenge_method"].as_str()), ("xunjian", "S256"));
    assert!(asked["redirect_uri"].ends_with("/sign-in/back"));
    {
        let mut said = issuer.said.lock().unwrap();
        (said.nonce, said.challenge) = (asked["nonce"].clone(), asked["code_challenge"].clone());
    }
    let back = format!("{}/sign-in/back?code=c&state={}", server.url, asked["state"]);
    let stranger = http.get(&back).send().await.unwrap();
    assert_eq!(stranger.status(), 403, "another browser cannot come back in its place");
    let answer = http.get(&back).header("cookie", &cookie).send().await.unwrap();
    let status = answer.status().as_u16();
    let session = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    let again = http.get(&back).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(again.status(), 403, "once");
    (status, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_added_comes_in_by_the_other_server() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::start().await;
    let args = ["--oidc", &issuer.url, "--oidc-client", "xunjian", "--page", "http://127.0.0.1:8700"];
    let server = Server::start_with(dir.path(), &args);
    assert_eq!(sign_in(&server, &issuer).await, (403, None), "known there, not added here");
    add_person(dir.path(), "王小明", "reviewer");
    let (status, session) = sign_in(&server, &issuer).await;
    let session = session.expect("a session");
    assert!(status == 200 && session.contains("HttpOnly") && session.contains("SameSite=Strict"), "{session}");
    let inbox = reqwest::Client::new().get(&server.url).header("cookie", session.split(';').next().unwrap());
    let inbox = inbox.send().await.unwrap().text().await.unwrap();
    assert!(inbox.contains("王小明"), "signed in");

    let late = chrono::Utc::now().timestamp() - 10;
    for (wrong, is_forged) in [
        (vec![("nonce", json!("another"))], false),
        (vec![("aud", json!("another"))], false),
        (vec![("iss", json!("https://elsewhere.example"))], false),
        (vec![("exp", json!(late))], false),
        (vec![], true),
    ] {
        issuer.says(&wrong, is_forged);
        assert_eq!(sign_in(&server, &issuer).await, (502, None), "{wrong:?} {is_forged}");
    }
    issuer.says(&[("sub", json!("2")), ("preferred_username", json!("<script>"))], false);
    assert_eq!(sign_in(&server, &issuer).await, (403, None));
}

/// Who is signed in with a session's cookie.
async fn who(server: &Server, session: &str) -> String {
    let page =
        reqwest::Client::new().get(format!("{}/me", server.url)).header("cookie", session.split(';').next().unwrap());
    let page = page.send().await.unwrap().text().await.unwrap();
    ["mallory", "lead"].into_iter().find(|name| page.contains(&format!(">{name}"))).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_somebody_is_does_not_hang_on_what_they_can_change() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::start().await;
    let args = ["--oidc", &issuer.url, "--oidc-client", "xunjian", "--page", "http://127.0.0.1:8700"];
    let server = Server::start_with(dir.path(), &args);
    add_person(dir.path(), "lead", "lead");
    add_person(dir.path(), "mallory", "viewer");
    let says = |subject: &str, name: &str| {
        issuer.says(&[("sub", json!(subject)), ("preferred_username", json!(name))], false);
    };
    for (subject, name, comes_in_as) in [
        ("m", "mallory", Some("mallory")),
        // The same account, renamed: still the same person.
        ("m", "lead", Some("mallory")),
        ("m", "nobody", Some("mallory")),
        ("l", "lead", Some("lead")),
        // Other accounts under names that are bound.
        ("m2", "lead", None),
        ("m2", "mallory", None),
        ("l", "mallory", Some("lead")),
    ] {
        says(subject, name);
        let (status, session) = sign_in(&server, &issuer).await;
        match comes_in_as {
            Some(person) => assert_eq!(who(&server, &session.unwrap()).await, person, "{subject} {name}"),
            None => assert_eq!((status, session), (403, None), "{subject} {name}"),
        }
    }
    // An account that was replaced: unbound by whoever has the program at hand.
    let unbind = std::process::Command::new(env!("CARGO_BIN_EXE_xunjian"));
    let unbind = { unbind }.args(["people", "unbind", "lead", "--home"]).arg(dir.path()).status().unwrap();
    assert!(unbind.success());
    says("l2", "lead");
    assert_eq!(sign_in(&server, &issuer).await.0, 200);
    says("l", "lead");
    assert_eq!(sign_in(&server, &issuer).await.0, 403, "the old account is nobody now");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_sets_out_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::start().await;
    let args = ["--oidc", &issuer.url, "--oidc-client", "xunjian", "--page", "http://127.0.0.1:8700"];
    let server = Server::start_with(dir.path(), &args);
    add_person(dir.path(), "王小明", "reviewer");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for n in 0..1_100 {
        let gone = http.get(format!("{}/sign-in/other", server.url)).send().await.unwrap();
        assert_eq!(gone.status(), 303, "{n}");
        let forged = format!("{}/sign-in/back?code=c&state=s", server.url);
        let cookie = format!("xunjian-oidc={}", "A".repeat(n));
        assert_eq!(http.get(forged).header("cookie", cookie).send().await.unwrap().status(), 403);
    }
    assert_eq!(issuer.said.lock().unwrap().asked, [1, 1], "one question served all of them");
    assert_eq!(sign_in(&server, &issuer).await.0, 200, "and an honest one comes in");
}

#[test]
fn a_sign_in_server_is_reached_over_https() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xunjian"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--oidc", "http://id.example", "--oidc-client", "x"]);
    let output = command.args(["--page", "http://127.0.0.1:1", "--home"]).arg(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("https only"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_another_server_there_is_no_way_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let _ = rustls::crypto::ring::default_provider().install_default();
    for path in ["/sign-in/other", "/sign-in/back?state=a&code=b"] {
        assert_eq!(reqwest::get(format!("{}{path}", server.url)).await.unwrap().status(), 404, "{path}");
    }
    let page = reqwest::get(format!("{}/sign-in", server.url)).await.unwrap().text().await.unwrap();
    assert!(!page.contains("/sign-in/other"));
}
