//! Lists come back from the case backend: asked for or pushed, kept as registers, shown on the page.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::support::desk::{Browser, Server, Sweeper, add_person, listing};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
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
    let expected = r#"{"kept":[{"list":"grey","entries":1}],"left_out":[],"left_out_count":0}"#;
    assert_eq!((status, taken.as_str()), (200, expected));
    let (_, _, page) = viewer.get(&path).await;
    assert!(page.contains("限期整改名单（灰名单）（整改期限 2026-12-01）"), "{page}");
    assert!(page.contains("导入的名单"), "of which day the list is: {page}");

    let refused = async |as_of: &str, grey: Value| {
        let (status, told) = push(&standings(as_of, grey), SECRET, chrono::Utc::now().timestamp()).await;
        let told: Value = serde_json::from_str(&told).unwrap();
        (status, told["type"].as_str().unwrap_or_default().trim_start_matches("urn:xunjian:problem:").to_owned(), told)
    };
    let (status, kind, _) = refused("2026-10-01T00:00:00Z", json!([])).await;
    assert_eq!((status, kind.as_str()), (409, "standings-older"));
    // Of the same moment: the same is taken again, another one is not.
    assert_eq!(push(&body, SECRET, now).await.0, 200, "told twice");
    let (status, kind, _) = refused("2026-11-01T00:00:00Z", json!([])).await;
    assert_eq!((status, kind.as_str()), (409, "standings-conflict"));
    // Of a moment that has not come: refused, and in the way of nothing.
    let (status, kind, _) = refused("9999-12-31T23:59:59Z", json!([])).await;
    assert_eq!((status, kind.as_str()), (422, "standings-future"));
    let ahead = (chrono::Utc::now() + chrono::Duration::seconds(400)).to_rfc3339();
    assert_eq!(refused(&ahead, json!([])).await.1, "standings-future");
    let (status, kind, told) = refused("2026-11-02T00:00:00Z", json!([{ "until": "never" }, { "x": 1 }])).await;
    assert_eq!((status, kind.as_str()), (422, "standings-nothing"), "{told}");
    let (status, told) = push("{}", SECRET, now).await;
    assert!(status == 422 && told.contains("standings-format") && told.contains("schema"), "{told}");
    assert!(viewer.get(&path).await.2.contains("灰名单"), "none of these changed anything");
    add_person(dir.path(), "lead", "lead");
    let letters = Browser::sign_in(&server, "lead").await.get("/letters").await.2;
    assert!(letters.contains("最近一次拒收") && letters.contains("最近一次收到"), "{letters}");
    // One entry that is wrong costs itself.
    let mixed = json!([{ "package": "cn.example.photo" }, { "package": "cn.example.b", "colour": "red" }, null]);
    let (status, told) = push(&standings("2026-11-02T00:00:00Z", mixed), SECRET, now).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, &told["kept"][0]["entries"], &told["left_out_count"]), (200, &json!(1), &json!(2)), "{told}");
    assert!(told["left_out"][0]["reason"].as_str().unwrap().contains("colour"), "{told}");
    assert_eq!(push(&standings("2026-11-03T00:00:00Z", json!([])), SECRET, now).await.0, 200);
    assert!(!viewer.get(&path).await.2.contains("灰名单"), "taken off the list, and off the page");
}

/// A backend that counts what it is asked, and keeps what it is told of its lists.
#[derive(Clone, Default)]
struct Listening {
    asked: Arc<Mutex<Vec<bool>>>,
    told: Arc<Mutex<Vec<Value>>>,
    given: Arc<Mutex<String>>,
}

async fn listen(State(backend): State<Listening>, headers: HeaderMap, body: axum::body::Bytes) -> StatusCode {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let message = (text("webhook-id"), text("webhook-timestamp").parse().unwrap(), &body[..]);
    assert!(is_signed(
        &Secret::parse(SECRET).unwrap(),
        message,
        text("webhook-signature"),
        chrono::Utc::now().timestamp()
    ));
    backend.told.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    StatusCode::NO_CONTENT
}

async fn give_marked(State(backend): State<Listening>, headers: HeaderMap) -> Response {
    let is_known = headers.get("if-none-match").is_some_and(|etag| etag == "\"1\"");
    backend.asked.lock().unwrap().push(is_known);
    let (status, body) = if is_known {
        (StatusCode::NOT_MODIFIED, String::new())
    } else {
        (StatusCode::OK, backend.given.lock().unwrap().clone())
    };
    (status, [("etag", "\"1\"")], body).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_lost_come_back_and_the_backend_is_told_what_became_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let backend = Listening::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let from = format!("http://{}/standings", listener.local_addr().unwrap());
    let routes = get(give_marked).post(listen);
    let router = axum::Router::new().route("/standings", routes).with_state(backend.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mixed = json!([{ "package": "cn.example.a" }, { "package": "cn.example.b", "colour": "red" }]);
    *backend.given.lock().unwrap() = standings("2026-11-01T00:00:00Z", mixed);
    assert_eq!(ask(dir.path(), &from), Some(0));
    assert_eq!(ask(dir.path(), &from), Some(0));
    assert_eq!(*backend.asked.lock().unwrap(), [false, true], "not asked for twice");
    {
        let told = backend.told.lock().unwrap();
        assert_eq!(told.len(), 1, "told once: {told:?}");
        assert_eq!((&told[0]["taken"], &told[0]["kept"]["grey"]), (&json!(true), &json!(1)), "{told:?}");
        assert_eq!((&told[0]["left_out"][0]["list"], &told[0]["left_out"][0]["entry"]), (&json!("grey"), &json!(2)));
    }
    std::fs::remove_file(dir.path().join("registers/grey.json")).unwrap();
    assert_eq!(ask(dir.path(), &from), Some(0));
    assert!(register(dir.path()).is_some(), "a register that was deleted comes back though the mark holds");
    assert_eq!(*backend.asked.lock().unwrap(), [false, true, false]);
    // What is refused is told as well.
    std::fs::remove_file(dir.path().join("registers/grey.json")).unwrap();
    *backend.given.lock().unwrap() = standings("2099-01-01T00:00:00Z", json!([]));
    assert_eq!(ask(dir.path(), &from), Some(3));
    let told = backend.told.lock().unwrap().pop().unwrap();
    assert_eq!((&told["taken"], &told["refused"]["code"]), (&json!(false), &json!("standings-future")), "{told}");
}

/// Versions before took any moment: lists known as of one that has not come stand in nobody's way.
#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_has_not_come_is_forgotten() {
    use xunjian::store::{Home, State as _};
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).await.unwrap();
    home.state.note("standings", "as_of", "9999-12-31T23:59:59.000Z").await.unwrap();
    let now = chrono::Utc::now().timestamp_millis();
    let told = standings("2026-11-01T00:00:00Z", json!([{ "package": "a" }]));
    let taken = xunjian::feed::take(&home.state, &dir.path().join("registers"), told.as_bytes(), now).await.unwrap();
    assert_eq!(taken.kept, [("grey", 1)]);
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
