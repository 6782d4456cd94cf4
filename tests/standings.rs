//! Lists come back from the case backend: asked for or pushed, kept as registers, shown on the page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

#[path = "support/desk.rs"]
mod desk;

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::{Browser, Server, Sweeper, add_person, listing};
use serde_json::{Value, json};
use xunjian::feed::{Secret, is_signed, signature};

const SECRET: &str = "a secret that both sides of the tests share";
const SEARCH: &str = "拍照搜题，秒出答案。支持小学初中高中数学语文英语作业辅导，拍一拍就有解析。";

/// What the case backend gives, with its mark; and what it was asked.
#[derive(Clone, Default)]
struct Backend(Arc<Mutex<(String, Vec<u16>)>>);

async fn give(State(backend): State<Backend>, headers: HeaderMap) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secret = Secret::parse(SECRET).unwrap();
    let message = (text("webhook-id"), text("webhook-timestamp").parse().unwrap(), &b""[..]);
    assert!(is_signed(&secret, message, text("webhook-signature"), chrono::Utc::now().timestamp()));
    let mut kept = backend.0.lock().unwrap();
    let etag = format!("\"{}\"", kept.0.len());
    let status = if text("if-none-match") == etag { 304 } else { 200 };
    kept.1.push(status);
    let body = if status == 200 { kept.0.clone() } else { String::new() };
    (StatusCode::from_u16(status).unwrap(), [("etag", etag)], body).into_response()
}

fn standings(as_of: &str, grey: Value) -> String {
    json!({ "schema": "xunjian/standings/1", "as_of": as_of, "grey": grey }).to_string()
}

fn register(home: &Path) -> Option<Value> {
    let text = std::fs::read(home.join("registers/grey.json")).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

fn ask(home: &Path, from: &str) -> Option<i32> {
    Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["feed", "--once", "--to", "http://127.0.0.1:9/", "--standings", from, "--home"])
        .arg(home)
        .env("XUNJIAN_FEED_SECRET", SECRET)
        .env("XUNJIAN_HOME", home)
        .status()
        .unwrap()
        .code()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_asked_for_once_and_again_when_they_change() {
    let dir = tempfile::tempdir().unwrap();
    let backend = Backend::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let from = format!("http://{}/standings", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/standings", get(give)).with_state(backend.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let told = |as_of, grey| backend.0.lock().unwrap().0 = standings(as_of, grey);

    told(
        "2026-11-01T00:00:00Z",
        json!([{ "package": "cn.example.photo", "until": "2026年12月1日" }, { "until": "never" }]),
    );
    assert_eq!(ask(dir.path(), &from), Some(0));
    let rows = register(dir.path()).unwrap()["rows"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1, "the entry that names nobody is left out: {rows}");
    assert_eq!((&rows[0]["package"], &rows[0]["until"]), (&json!("cn.example.photo"), &json!("2026-12-01")));
    assert_eq!(ask(dir.path(), &from), Some(0));
    assert_eq!(backend.0.lock().unwrap().1, [200, 304]);

    told("2026-11-02T00:00:00Z", json!([]));
    assert_eq!(ask(dir.path(), &from), Some(0));
    assert_eq!(register(dir.path()).unwrap()["rows"], json!([]));
    assert!(std::fs::read_dir(dir.path().join("registers/history")).unwrap().count() > 0, "the one before is kept");

    // Older ones, and what is none, change nothing and are told.
    told("2026-10-01T00:00:00Z", json!([{ "package": "cn.example.old" }]));
    assert_eq!(ask(dir.path(), &from), Some(3));
    backend.0.lock().unwrap().0 = "{}".into();
    assert_eq!(ask(dir.path(), &from), Some(3));
    assert_eq!(register(dir.path()).unwrap()["rows"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_lists_are_taken_if_signed_and_show_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let secret_file = dir.path().join("secret");
    std::fs::write(&secret_file, SECRET).unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let app = sweeper.sweep(&[listing("cn.example.photo", "作业拍拍搜题", SEARCH)]).await[0];
    add_person(dir.path(), "viewer", "viewer");
    let registers = dir.path().join("registers");
    let more = ["--secret-file", secret_file.to_str().unwrap(), "--registers", registers.to_str().unwrap()];
    std::fs::create_dir_all(&registers).unwrap();
    let server = Server::start_with(dir.path(), &more);
    let viewer = Browser::sign_in(&server, "viewer").await;
    let path = format!("/app/{app}");
    assert!(!viewer.get(&path).await.2.contains("灰名单"));

    let body = standings("2026-11-01T00:00:00Z", json!([{ "package": "cn.example.photo", "until": "2026-12-01" }]));
    let now = chrono::Utc::now().timestamp();
    let push = async |body: &str, secret: &str, at: i64| {
        let signed = signature(&Secret::parse(secret).unwrap(), "msg_1", at, body.as_bytes());
        let request = viewer.raw().post(format!("{}/api/v1/standings", server.url)).header("webhook-id", "msg_1");
        let request = request.header("webhook-timestamp", at).header("webhook-signature", signed);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(push(&body, "another secret that is long enough to be one", now).await.0, 401);
    assert_eq!(push(&body, SECRET, now - 3_600).await.0, 401, "an old message is not taken again");
    assert_eq!(register(dir.path()), None);
    let (status, taken) = push(&body, SECRET, now).await;
    assert_eq!((status, taken.as_str()), (200, r#"{"kept":[{"list":"grey","entries":1}],"left_out":[]}"#));
    let (_, _, page) = viewer.get(&path).await;
    assert!(page.contains("灰名单（整改期限 2026-12-01）"), "{page}");

    assert_eq!(push(&standings("2026-10-01T00:00:00Z", json!([])), SECRET, now).await.0, 409, "older ones");
    assert_eq!(push("{}", SECRET, now).await.0, 422);
    assert_eq!(push(&standings("2026-11-03T00:00:00Z", json!([])), SECRET, now).await.0, 200);
    assert!(!viewer.get(&path).await.2.contains("灰名单"), "taken off the list, and off the page");
}

#[test]
fn the_contract_is_valid_and_holds_for_what_is_taken() {
    let path = format!("{}/docs/feed/standings.schema.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let told: Value = serde_json::from_str(&standings("2026-11-01T00:00:00Z", json!([{ "package": "a" }]))).unwrap();
    assert!(validator.is_valid(&told));
    assert!(!validator.is_valid(&json!({ "schema": "xunjian/standings/1" })), "as_of is missing");
}
