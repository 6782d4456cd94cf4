//! Signing in by another server, a real one over loopback: who was added here comes in, nobody else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

#[path = "support/desk.rs"]
mod desk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use desk::{Server, add_person};
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
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

async fn discovery(State(issuer): State<Issuer>) -> Json<Value> {
    let url = &issuer.url;
    Json(json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn jwks(State(issuer): State<Issuer>) -> Json<Value> {
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
    issuer.says(&[("preferred_username", json!("<script>"))], false);
    assert_eq!(sign_in(&server, &issuer).await, (403, None));
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
