//! Packages that programs send: whose they are, what they can change, who reads what came of them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::desk::{Server, Sweeper, listing};
use crate::support::package::{Member, Package};
use crate::support::project;
use serde_json::{Value, json};
use xunjian::store::{Desk, Review, State};

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
        Self { http: reqwest::Client::new(), url: format!("{}/api/v1", server.url), token }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token)).await
    }

    /// Sends a form by hand: parts with a name, perhaps a file's name, and bytes.
    async fn send(&self, parts: &[(&str, &str, &[u8])]) -> (u16, Value) {
        let mut body = Vec::new();
        for (name, file, bytes) in parts {
            let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
            body.extend_from_slice(
                format!("--cut\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--cut--\r\n");
        let request = self.http.post(format!("{}/audits", self.url)).bearer_auth(&self.token);
        read(request.header("content-type", "multipart/form-data; boundary=cut").body(body)).await
    }

    async fn ask(&self, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/audits", self.url)).bearer_auth(&self.token);
        read(request.header("content-type", "application/json").body(body.to_string())).await
    }

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

    async fn sent(&self, package: &[u8], listing: &Value) -> Value {
        let listing = listing.to_string();
        let (status, asked) = self.send(&[("package", "a.apk", package), ("listing", "", listing.as_bytes())]).await;
        assert_eq!(status, 202, "{asked}");
        self.done(&asked).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(project(&format!("tests/fixtures/apks/{name}.apk"))).unwrap()
}

fn files(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_several_apps_becomes_as_many_apps() {
    let dir = tempfile::tempdir().unwrap();
    let _sweeper = Sweeper::new(dir.path()).await;
    let server = Server::start(dir.path());
    let client = Client::new(&server, dir.path(), "sender", &["audit"]);
    let members =
        ["cleanedu", "preschool"].map(|name| Member::new(&format!("{name}.apk"), &fixture(name), name == "cleanedu"));
    let archive = Package { members: members.to_vec(), ..Package::default() }.write();
    let (status, asked) = client.send(&[("package", "two.zip", &archive)]).await;
    assert_eq!(status, 202, "{asked}");
    let done = client.done(&asked).await;
    let audits = done["audits"].as_array().unwrap();
    let packages: Vec<&str> = audits.iter().map(|audit| audit["app"]["package"].as_str().unwrap()).collect();
    assert_eq!(packages, ["cn.example.jiaxiao", "cn.example.douya"], "{done}");
    assert!(!audits[0]["findings"].to_string().contains("preschool-training"), "{done}");
    assert!(audits[1]["findings"].to_string().contains("preschool-training"), "{done}");
    assert_eq!(done["skipped"], json!([]), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_changes_nothing_about_a_stores_app() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let app = sweeper.sweep(&[listing("cn.example.victim", "作业拍拍搜题", SEARCH)]).await[0];
    let state = &sweeper.home.state;
    let row = state.desk_row(app).await.unwrap().unwrap();
    let finding = row.findings.iter().find(|finding| finding.sign == "photo-search").unwrap();
    let review = Review {
        finding: finding.id.clone(),
        audit: finding.last_audit,
        evidence: finding.evidence.clone(),
        who: "lead".into(),
        verdict: "confirmed".into(),
        mend_by: "2099-01-01".into(),
        at: 1,
        ..Review::default()
    };
    state.review(&review).await.unwrap();
    let before = state.desk_row(app).await.unwrap().unwrap();

    let server = Server::start(dir.path());
    let client = Client::new(&server, dir.path(), "forger", &["audit"]);
    let reader = Client::new(&server, dir.path(), "reader", &["read"]);
    // Clears what was confirmed.
    let clean = json!({ "store": "our-store", "package": "cn.example.victim", "title": "某应用", "description": "课程表",
        "claimed_store": "elsewhere" });
    let done = client.sent(&fixture("cleanedu"), &clean).await;
    assert_eq!(done["audits"][0]["app"]["store"], "file:forger", "{done}");
    assert_eq!(done["claimed"], json!({ "store": "our-store", "package": "cn.example.victim" }), "{done}");
    assert_ne!(done["apps"][0], app);
    assert_eq!(state.desk_row(app).await.unwrap().unwrap(), before, "confirmed as it was");
    // Accuses whom nobody looked at.
    let accused =
        json!({ "store": "xiaomi", "package": "cn.example.innocent", "title": "无辜应用", "description": SEARCH });
    let done = client.sent(&fixture("photosearch"), &accused).await;
    assert!(!done["audits"][0]["findings"].as_array().unwrap().is_empty());
    assert_ne!(done["audits"][0]["app"]["package"], "cn.example.innocent", "the package says what it is");
    let (_, page) = reader.get("/apps").await;
    let stores: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|item| item["store"].as_str().unwrap()).collect();
    assert_eq!(stores, ["our-store", "file:forger"], "{page}");
    // A store of files is none that can be named.
    for store in ["file:other", "file", "file:forger"] {
        let mut listing = accused.clone();
        listing["store"] = json!(store);
        let done = client.sent(&fixture("photosearch"), &listing).await;
        assert_eq!(done["audits"][0]["app"]["store"], "file:forger", "{store}");
        assert_eq!(client.ask(json!({ "store": store, "package": "cn.example.innocent" })).await.0, 422, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_have_two_apps_and_read_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let client = |name: &str, rights: &[&str]| Client::new(&server, dir.path(), name, rights);
    let (one, other) = (client("one", &["audit"]), client("other", &["audit"]));
    let package = fixture("photosearch");
    let (_, asked) = one.send(&[("package", "a.apk", &package)]).await;
    let (_, also) = other.send(&[("package", "a.apk", &package)]).await;
    assert_ne!(asked["id"], also["id"], "not one audit of both");
    let (mine, theirs) = (one.done(&asked).await, other.done(&also).await);
    assert_ne!(mine["apps"], theirs["apps"]);
    let ids = |done: &Value| -> Vec<String> {
        let findings = done["audits"][0]["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!ids(&mine).is_empty() && ids(&mine).iter().all(|id| !ids(&theirs).contains(id)), "no finding is shared");
    assert_eq!(mine["audits"][0]["coverage"]["limits"], theirs["audits"][0]["coverage"]["limits"]);
    let limits = mine["audits"][0]["coverage"]["limits"].to_string();
    assert!(limits.contains("no-listing"), "what stands in for a listing is none: {limits}");

    let path = format!("/audits/{}", asked["id"]);
    for path in [path.clone(), format!("{path}/progress")] {
        assert_eq!(other.get(&path).await.0, 403, "{path}");
    }
    assert_eq!(client("reader", &["read"]).get(&path).await.0, 200, "who may read reads all");
    assert_eq!(client("both", &["read", "audit"]).get(&path).await.0, 200);
    assert_eq!(other.ask(json!({ "app": mine["apps"][0] })).await.0, 403, "nor by asking for it again");
    let (status, again) = one.ask(json!({ "app": mine["apps"][0] })).await;
    assert_eq!(status, 202, "{again}");
    assert_eq!(one.done(&again).await["apps"], mine["apps"], "the same app, looked at again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_refused_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let client = Client::new(&server, dir.path(), "backend", &["audit"]);
    let before = files(&dir.path().join("vault"));
    for n in 0..10_u8 {
        let package = vec![n; 100_000];
        let (status, _) = client.send(&[("package", "a.apk", &package), ("other", "", b"x")]).await;
        assert_eq!(status, 422);
        let (status, _) = client.send(&[("package", "a.apk", &package), ("listing", "", b"{")]).await;
        assert_eq!(status, 422);
    }
    assert_eq!(files(&dir.path().join("vault")), before);
    // Nor is one begun that the disk has no room for.
    std::fs::write(dir.path().join("full.toml"), "[caps]\nfree-bytes = 1000000000000000000\n").unwrap();
    let config = dir.path().join("full.toml");
    let full = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()]);
    let client = Client { url: format!("{}/api/v1", full.url), ..client };
    assert_eq!(client.send(&[("package", "a.apk", b"x")]).await.0, 507);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_asked_for_by_what_the_api_gives() {
    let dir = tempfile::tempdir().unwrap();
    let store = "fdroid+http://127.0.0.1:9/repo";
    let mut sweeper = Sweeper::new(dir.path()).await;
    let swept =
        xunjian::model::Listing { store: store.into(), ..listing("cn.example.photo", "作业拍拍搜题", SEARCH) };
    let app = sweeper.sweep(&[swept]).await[0];
    let server = Server::start(dir.path());
    let client = Client::new(&server, dir.path(), "backend", &["read", "audit"]);
    let (_, page) = client.get("/apps").await;
    let (item_store, package) =
        (page["items"][0]["store"].as_str().unwrap(), page["items"][0]["package"].as_str().unwrap());
    assert_eq!(item_store, store);
    let target = format!("{item_store}:{package}");
    let mut ids = Vec::new();
    for body in [json!({ "target": target }), json!({ "app": app }), json!({ "store": store, "package": package })] {
        let (status, asked) = client.ask(body).await;
        assert_eq!(status, 202, "{asked}");
        assert_eq!(asked["target"], target.as_str());
        ids.push(asked["id"].clone());
        client.done(&asked).await;
    }
    for body in [
        json!({ "target": "nowhere:cn.example.photo" }),
        json!({ "target": "fdroid+http://127.0.0.1:10/repo:cn.example.photo" }),
        json!({ "target": format!("{store}:cn.example.never-seen") }),
        json!({ "target": target, "app": app }),
        json!({ "target": "" }),
        json!({}),
    ] {
        assert_eq!(client.ask(body.clone()).await.0, 422, "{body}");
    }
    let (_, problem) = client.ask(json!({ "target": "nowhere:a" })).await;
    assert!(problem["detail"].as_str().unwrap().contains("fdroid"), "which there are: {problem}");
}

/// A backend that was restored from yesterday reads again what it was sent since.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_can_be_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let listings: Vec<_> = (0..5).map(|n| listing(&format!("cn.example.p{n}"), "作业拍拍搜题", SEARCH)).collect();
    for app in sweeper.sweep(&listings).await {
        let row = sweeper.home.state.desk_row(app).await.unwrap().unwrap();
        let finding = row.findings.iter().find(|finding| finding.sign == "photo-search").unwrap();
        let review = Review {
            finding: finding.id.clone(),
            audit: finding.last_audit,
            evidence: finding.evidence.clone(),
            who: "lead".into(),
            verdict: "confirmed".into(),
            mend_by: "2099-01-01".into(),
            at: app,
            ..Review::default()
        };
        sweeper.home.state.review(&review).await.unwrap();
    }
    let server = Server::start(dir.path());
    let client = Client::new(&server, dir.path(), "backend", &["read"]);
    let (mut after, mut packages) = (json!(0), Vec::new());
    loop {
        let (status, page) = client.get(&format!("/events?limit=2&after={after}")).await;
        assert_eq!(status, 200, "{page}");
        for event in page["items"].as_array().unwrap() {
            assert_eq!(event["type"], "xunjian.finding.confirmed");
            packages.push(event["data"]["app"]["package"].as_str().unwrap().to_owned());
        }
        if page["next"].is_null() {
            break;
        }
        after = page["next"].clone();
    }
    assert_eq!(packages, (0..5).map(|n| format!("cn.example.p{n}")).collect::<Vec<_>>());
    assert_eq!(client.get("/events?after=x").await.0, 400);
    assert_eq!(client.get("/events?limit=0").await.0, 422);
    assert_eq!(Client::new(&server, dir.path(), "other", &["audit"]).get("/events").await.0, 403);
}

/// A package of ours with one more file in it.
fn with(path: &str, bytes: &[u8]) -> Vec<u8> {
    let mut package = Package::read(&fixture("cleantool"));
    package.members.retain(|member| member.name() != path);
    package.members.push(Member::new(path, bytes, true));
    package.write()
}

/// Whatever is sent, the page answers and the next one is audited.
#[tokio::test(flavor = "multi_thread")]
async fn bombs_that_are_sent_stop_neither_the_page_nor_the_next_audit() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), &["--timeout", "5"]);
    let client = Client::new(&server, dir.path(), "backend", &["audit"]);
    let mut asked = Vec::new();
    for bomb in crate::support::bombs::all() {
        let (status, run) = client.send(&[("package", "bomb.apk", &with(bomb.path, &bomb.bytes))]).await;
        assert_eq!(status, 202, "{}: {run}", bomb.what);
        asked.push(run);
    }
    let (_, honest) = client.send(&[("package", "a.apk", &fixture("photosearch"))]).await;
    let begun = Instant::now();
    loop {
        let looked = Instant::now();
        let health = client.http.get(format!("{}/health", server.url)).send().await.unwrap();
        assert_eq!(health.status(), 200);
        assert!(looked.elapsed() < Duration::from_secs(1), "{:?} for an answer", looked.elapsed());
        let (_, answer) = client.get(&format!("/audits/{}", honest["id"])).await;
        if answer["state"] == "done" {
            assert!(!answer["audits"][0]["findings"].as_array().unwrap().is_empty(), "{answer}");
            break;
        }
        let most = Duration::from_secs(6 * asked.len() as u64 + 60);
        assert!(begun.elapsed() < most, "{:?} for {} bombs: {answer}", begun.elapsed(), asked.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
