//! The API, served by the real program over loopback.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::desk::{Browser, Server, Sweeper, add_person, listing};
use crate::support::fake_store::FakeStore;
use crate::support::project;
use serde_json::{Value, json};

const SEARCH: &str = "拍照搜题，秒出答案。支持小学初中高中数学语文英语作业辅导，拍一拍就有解析。";

/// A program with a token.
struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    fn new(server: &Server, home: &Path, name: &str, rights: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
        command.args(["client", "add", name, "--home"]).arg(home);
        for right in rights {
            command.args(["--may", right]);
        }
        let output = command.output().expect("the program starts");
        assert!(output.status.success());
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        assert!(token.starts_with("xunjian_") && token.len() > 60, "{token}");
        Self { http: reqwest::Client::new(), url: format!("{}/api/v1", server.url), token }
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(reqwest::Method::GET, path)).await
    }

    async fn ask(&self, target: &str) -> (u16, Value) {
        let body = json!({ "target": target }).to_string();
        read(self.request(reqwest::Method::POST, "/audits").header("content-type", "application/json").body(body)).await
    }

    /// Sends a package, by hand: a boundary and two parts.
    async fn send(&self, name: &str, package: &[u8], listing: Option<&str>) -> (u16, Value) {
        let mut body = Vec::new();
        let head = format!("--cut\r\ncontent-disposition: form-data; name=\"package\"; filename=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(package);
        if let Some(listing) = listing {
            let part = format!("\r\n--cut\r\ncontent-disposition: form-data; name=\"listing\"\r\n\r\n{listing}");
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(b"\r\n--cut--\r\n");
        let kind = "multipart/form-data; boundary=cut";
        read(self.request(reqwest::Method::POST, "/audits").header("content-type", kind).body(body)).await
    }

    /// Looks until an audit is done.
    async fn done(&self, asked: &Value) -> Value {
        let begun = Instant::now();
        loop {
            let (status, answer) = self.get(&format!("/audits/{}", asked["id"])).await;
            assert_eq!(status, 200, "{answer}");
            if answer["state"] == "done" {
                return answer;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "not done: {answer}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let expected = if status < 400 { "application/json" } else { "application/problem+json" };
    let text = answer.text().await.unwrap();
    assert_eq!(kind, expected, "{status} {text}");
    (status, serde_json::from_str(&text).unwrap())
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(project(&format!("tests/fixtures/apks/{name}.apk"))).unwrap()
}

fn signs(audit: &Value) -> Vec<&str> {
    audit["findings"].as_array().unwrap().iter().map(|finding| finding["sign"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_sent_along_is_audited_and_lands_in_the_inbox_with_its_bag() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let client = Client::new(&server, dir.path(), "backend", &["read", "audit"]);
    let (status, asked) = client.send("../../etc/\u{202e}kpa.apk", &fixture("photosearch"), None).await;
    assert_eq!((status, &asked["state"]), (202, &json!("open")), "{asked}");
    let done = client.done(&asked).await;
    assert_eq!(done["skipped"], json!([]));
    assert!(signs(&done["audits"][0]).contains(&"photo-search"), "{done}");
    let (_, page) = client.get("/apps?tray=waiting").await;
    assert_eq!(page["items"][0]["store"], "file:backend", "{page}");
    assert_eq!(page["items"][0]["app"], done["apps"][0]);
    let findings = page["items"][0]["findings"].as_array().unwrap();
    let id = findings.iter().find(|f| f["sign"] == "photo-search").unwrap()["id"].as_str().unwrap();
    let (_, finding) = client.get(&format!("/findings/{id}")).await;
    assert_eq!((&finding["finding"]["state"], &finding["decisions"]), (&json!("new"), &json!([])), "{finding}");
    assert!(finding["report"]["evidence"].as_array().is_some_and(|evidence| !evidence.is_empty()));
    let (_, app) = client.get(&format!("/apps/{}", done["apps"][0])).await;
    assert_eq!(app["audit"]["app"]["package"], page["items"][0]["package"]);

    let bag = client.request(reqwest::Method::GET, &format!("/findings/{id}/bag")).send().await.unwrap();
    assert_eq!((bag.status().as_u16(), bag.headers()["content-type"].to_str().unwrap()), (200, "application/zip"));
    let bytes = bag.bytes().await.unwrap().to_vec();
    let out = dir.path().join("taken");
    zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap().extract(&out).unwrap();
    let bag = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    let verified = Command::new(env!("CARGO_BIN_EXE_xunjian")).args(["evidence", "verify"]).arg(&bag).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));

    // Where there is to be a timestamp and none is had, there is no bag.
    let config = dir.path().join("stamped.toml");
    std::fs::write(&config, "[evidence]\ntimestamp-authority = \"http://127.0.0.1:1/\"\n").unwrap();
    let stamped = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()]);
    let url = format!("{}/api/v1/findings/{id}/bag", stamped.url);
    let (status, problem) = read(client.http.get(url).bearer_auth(&client.token)).await;
    assert_eq!((status, &problem["type"]), (502, &json!("urn:xunjian:problem:no-timestamp")), "{problem}");
    drop(stamped);

    // Whatever its listing says, it is an app of the client's own; what is no package is said to be none.
    let line = serde_json::to_string(&listing("cn.example.sent", "作业拍拍搜题", SEARCH)).unwrap();
    let (status, asked) = client.send("a.apk", b"no package", Some(&line)).await;
    assert_eq!(status, 202);
    let done = client.done(&asked).await;
    assert_eq!((&done["skipped"][0]["code"], &done["skipped"][0]["target"]), (&json!("no-package"), &json!("a.apk")));
    assert_eq!(done["audits"][0]["app"]["store"], "file:backend", "{done}");
    assert!(signs(&done["audits"][0]).contains(&"photo-search"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_a_store_is_fetched_and_audited_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let store = FakeStore::serve(100, Duration::ZERO);
    store.adapter(&dir.path().join("stores"), 0.0, 4);
    std::fs::write(dir.path().join("config.toml"), "[network]\nbackoff = 0.01\nretries = 0\n").unwrap();
    let (stores, config) = (dir.path().join("stores"), dir.path().join("config.toml"));
    let (stores, config) = (stores.to_str().unwrap(), config.to_str().unwrap());
    let server = Server::start_with(&home, &["--stores", stores, "--config", config, "--allow-private"]);
    let client = Client::new(&server, &home, "backend", &["read", "audit"]);
    let (status, asked) = client.ask("fake:cn.example.app80").await;
    assert_eq!(status, 202, "{asked}");
    let followed = client.request(reqwest::Method::GET, &format!("/audits/{}/progress", asked["id"])).send().await;
    let followed = followed.unwrap().text().await.unwrap();
    assert!(followed.trim_end().lines().rev().nth(1).is_some_and(|line| line == "event: done"), "{followed}");
    let done = client.done(&asked).await;
    assert_eq!(done["audits"].as_array().unwrap().len(), 1, "{done}");
    assert_eq!(done["audits"][0]["app"]["title"], "测试应用 80", "{done}");
    assert_eq!(done["audits"][0]["artifacts"].as_array().unwrap().len(), 1, "the package was fetched: {done}");

    let (_, gone) = client.ask("fake:cn.example.nobody").await;
    let done = client.done(&gone).await;
    assert_eq!((&done["audits"], done["skipped"].as_array().unwrap().len()), (&json!([]), 1), "{done}");

    // A reviewer asks from the page.
    add_person(&home, "reviewer", "reviewer");
    add_person(&home, "viewer", "viewer");
    let app = format!("/app/{}", client.done(&asked).await["apps"][0]);
    let reviewer = Browser::sign_in(&server, "reviewer").await;
    let (_, _, page) = reviewer.get(&app).await;
    assert!(page.contains(&format!("action=\"{app}/again\"")), "{page}");
    let before = store.take_asked().len();
    assert!(before > 0);
    let (status, to, _) = reviewer.post(&format!("{app}/again"), &[("from", "")]).await;
    assert_eq!((status, to), (303, format!("{app}?from=&did=queued")));
    let begun = Instant::now();
    loop {
        let (_, _, page) = reviewer.get(&app).await;
        if page.contains("已完成") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{page}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!store.take_asked().is_empty(), "the store was asked again");
    let viewer = Browser::sign_in(&server, "viewer").await;
    assert_eq!(viewer.post(&format!("{app}/again"), &[]).await.0, 403);
}

/// What a sweep could not do is seen on the page after its end, and an operator has it tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_is_shown_after_its_run_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let store = FakeStore::serve(6, Duration::ZERO);
    store.adapter(&dir.path().join("stores"), 0.0, 4);
    std::fs::write(dir.path().join("config.toml"), "[network]\nbackoff = 0.01\nretries = 0\n").unwrap();
    let (stores, config) = (dir.path().join("stores"), dir.path().join("config.toml"));
    let (stores, config) = (stores.to_str().unwrap(), config.to_str().unwrap());
    let options = ["--stores", stores, "--config", config, "--allow-private"];
    for app in ["app3", "app5"] {
        store.fail_once(&format!("/app/cn.example.{app}"), 404);
    }
    let swept = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["sweep", "fake", "--home"])
        .arg(&home)
        .args(options)
        .output()
        .unwrap();
    assert_eq!(swept.status.code(), Some(3), "{}", String::from_utf8_lossy(&swept.stderr));
    let server = Server::start_with(&home, &options);
    let client = Client::new(&server, &home, "backend", &["read"]);
    let (_, first) = client.get("/dead?limit=1").await;
    let (_, second) = client.get(&format!("/dead?limit=1&cursor={}", first["next"].as_str().unwrap())).await;
    let targets: BTreeSet<&str> =
        [&first, &second].into_iter().map(|page| page["items"][0]["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["fake:cn.example.app3", "fake:cn.example.app5"].into());
    let item = &first["items"][0];
    assert_eq!(
        (&item["code"], &item["attempts"], &item["is_run_open"]),
        (&json!("not-found"), &json!(1), &json!(false))
    );
    assert_eq!(client.get("/dead?code=network").await.1["items"], json!([]));
    assert_eq!(client.get("/dead?cursor=x").await.0, 422);

    for role in ["reviewer", "operator"] {
        add_person(&home, role, role);
    }
    let reviewer = Browser::sign_in(&server, "reviewer").await;
    let again = format!("/dead/{}/again", item["id"]);
    assert_eq!(reviewer.get("/dead").await.0, 403, "a reviewer has no part in it");
    assert_eq!(reviewer.post(&again, &[]).await.0, 403);
    let operator = Browser::sign_in(&server, "operator").await;
    let (_, _, page) = operator.get("/dead").await;
    for told in ["fake:cn.example.app3", "fake:cn.example.app5", "商店中没有", "巡检 fake", "已结束", "1 次"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains('⟦'));
    let english = operator.raw().get(format!("{}/dead", server.url)).header("cookie", operator.cookie_in("en"));
    let english = english.send().await.unwrap().text().await.unwrap();
    assert!(english.contains("the store does not have it") && !english.contains('⟦'), "{english}");
    assert!(!operator.get("/dead?code=network").await.2.contains("cn.example.app3"), "filtered");

    let (status, to, _) = operator.post(&again, &[("query", "code=not-found")]).await;
    assert_eq!((status, to.as_str()), (303, "/dead?code=not-found&did=tried&n=1"));
    assert_eq!(operator.post(&again, &[]).await.0, 410, "it is tried already");
    let (_, to, _) = operator.post("/dead", &[("query", "code=not-found")]).await;
    assert_eq!(to, "/dead?code=not-found&did=tried&n=1&moved=0");
    let begun = Instant::now();
    loop {
        let (_, runs) = client.get("/runs").await;
        let runs = runs["items"].as_array().unwrap().clone();
        let audited = |run: &&Value| run["kind"] == "asked" && run["counts"]["audited"] == 1;
        if runs.iter().filter(audited).count() == 2 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "not audited: {runs:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(client.get("/dead").await.1["items"], json!([]));
    let (_, _, log) = operator.get("/log").await;
    assert!(log.contains("重试失败任务") && log.contains("1  not-found"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_walk_every_app_once_though_decisions_fall_between() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let all: Vec<_> = (0..25).map(|n| listing(&format!("cn.example.p{n}"), "作业拍拍搜题", SEARCH)).collect();
    let apps: BTreeSet<i64> = sweeper.sweep(&all).await.into_iter().collect();
    let server = Server::start(dir.path());
    let client = Client::new(&server, dir.path(), "reader", &["read"]);
    let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), String::new(), 0);
    loop {
        let (status, page) = client.get(&format!("/apps?limit=10&cursor={cursor}")).await;
        assert_eq!(status, 200, "{page}");
        pages += 1;
        for item in page["items"].as_array().unwrap() {
            assert!(seen.insert(item["app"].as_i64().unwrap()), "twice");
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!((seen, pages), (apps, 3));
    let (_, some) = client.get("/apps?sign=photo-search&search=p24").await;
    assert_eq!(some["items"].as_array().unwrap().len(), 1);
    let (_, runs) = client.get("/runs?limit=1").await;
    assert_eq!(runs["items"][0]["kind"], "sweep");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_a_problem_that_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let reader = Client::new(&server, dir.path(), "reader", &["read"]);
    let auditor = Client::new(&server, dir.path(), "auditor", &["audit"]);
    let stranger = Client { token: "xunjian_0".into(), ..Client::new(&server, dir.path(), "x", &["read"]) };
    for (client, path, status, kind) in [
        (&stranger, "/apps", 401, "token"),
        (&auditor, "/apps", 403, "forbidden"),
        (&reader, "/audits/1", 404, "not-found"),
        (&reader, "/nowhere", 404, "not-found"),
        (&reader, "/apps/1", 404, "not-found"),
        (&reader, "/apps/x", 400, "bad-request"),
        (&reader, "/apps?cursor=x", 422, "bad"),
        (&reader, "/apps?limit=0", 422, "bad"),
        (&reader, "/apps?tray=x", 422, "bad"),
        (&reader, "/apps?what=x", 400, "bad-request"),
        (&reader, "/findings/x", 404, "not-found"),
        (&reader, "/findings/x/bag", 404, "not-found"),
        (&auditor, "/audits/999", 404, "not-found"),
        (&auditor, "/audits/999/progress", 404, "not-found"),
    ] {
        let (got, problem) = client.get(path).await;
        assert_eq!((got, &problem["status"]), (status, &json!(status)), "{path} {problem}");
        assert_eq!(problem["type"], format!("urn:xunjian:problem:{kind}"), "{path} {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && !detail.contains("i64") && !detail.contains("parse"), "{path} {problem}");
        if kind == "bad" {
            assert!(path.contains(problem["field"].as_str().unwrap()), "which it is: {problem}");
        }
    }
    for target in ["", "x", "nowhere:cn.example.a", "huawei:", "huawei:a b"] {
        assert_eq!(auditor.ask(target).await.0, 422, "{target:?}");
    }
    assert_eq!(reader.ask("huawei:a").await.0, 403);
    assert_eq!(read(auditor.request(reqwest::Method::POST, "/audits").body("x")).await.0, 415);
    assert_eq!(read(reader.request(reqwest::Method::DELETE, "/apps")).await.0, 405);
    assert_eq!(auditor.send("a.apk", b"", None).await.0, 422, "an empty package");
    assert_eq!(auditor.send("a.apk", b"x", Some("[]")).await.0, 422, "a listing that is none");
    let stopped = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["client", "stop", "reader", "--home"])
        .arg(dir.path())
        .status()
        .unwrap();
    assert!(stopped.success());
    assert_eq!(reader.get("/apps").await.0, 401, "a stopped client is a stranger");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_kept_in_the_repository_is_the_one_served() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let served = reqwest::get(format!("{}/api/v1/openapi.json", server.url)).await.unwrap().text().await.unwrap();
    let document: Value = serde_json::from_str(&served).unwrap();
    assert_eq!(document["openapi"].as_str().unwrap().split('.').take(2).collect::<Vec<_>>(), ["3", "1"]);
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    let path = project("docs/api/openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).expect("docs/api/openapi.json is there");
    assert!(kept == text, "docs/api/openapi.json is behind: UPDATE=1 cargo test --test integration api::");
}

/// Requests made up from the document: none may end in a failure of ours or break the document.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis"]
async fn made_up_requests_find_no_failure_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    sweeper.sweep(&[listing("cn.example.photo", "作业拍拍搜题", SEARCH)]).await;
    // The document's own example names a store that is not known, so that no store is ever asked.
    let server = Server::start(dir.path());
    let client = Client::new(&server, dir.path(), "made-up", &["read", "audit"]);
    let output = Command::new("schemathesis")
        .args(["run", &format!("{}/api/v1/openapi.json", server.url)])
        .args(["--header", &format!("Authorization: Bearer {}", client.token)])
        .args(["--max-examples", "40", "--seed", "7", "--workers", "1", "--exclude-path-regex", "/progress$"])
        .args([
            "--checks",
            "not_a_server_error,content_type_conformance,response_schema_conformance,status_code_conformance",
        ])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
