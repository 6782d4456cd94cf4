//! `store check` and `store test`: what a store answered is recorded, becomes a test, and is what its file is mended
//! by; how stores stand is remembered, and shown on the page.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::desk::{self, Browser, add_person};
use crate::support::server::{Reply, Request, Server};
use crate::support::{project, stderr, stdout, xunjian};
use serde_json::{Value, json};

const STORE: &str = r#"
title = { zh = "试", en = "try" }
seen = "2026"
known = ["cn.example.target"]
[hosts]
main = "BASE"
[start]
package = "page"
[steps.page]
url = "{main}/app/{package}"
form = "html"
[steps.page.fields]
package = { from = "body@data-pkg", required = true }
title = { from = "h1", required = true }
developer = ".dev"
description = { from = ".intro", required = true }
version_name = { from = ".facts li:nth-child(2)", match = "版本：(.+)" }
screenshots = "img.shot@src"
"#;

const PAGE: &str = "<html><head><title>题山</title><script>var user = {\"phone\":\"13812345678\"}</script></head>\
    <body class=\"wide\" data-pkg=\"cn.example.target\"><div class=menu><a href=/login>登录</a><a href=/>首页</a></div>\
    <h1 class=\"name big\">题山</h1><p class=dev>张某某（13912345678）</p><ul class=facts><li>大小：3 MB</li><li>版本：2.1</li></ul>\
    <p class=intro>一键拍照搜题，客服 zhangmoumou@mail.example，微信 abc</p><img class=shot src=/1.png><img class=shot src=/2.png>\
    <div class=others><h2>猜你喜欢</h2><p>别的应用</p></div></body></html>";

fn written(dir: &Path, name: &str, text: &str) -> String {
    std::fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
    std::fs::write(dir.join(name), text).unwrap();
    dir.join(name).display().to_string()
}

const CONFIG: &str = "[network]\nallow-private = true\nbackoff = 0.01\nretries = 1\n[pace]\nevery = 0.0\n[host.\"127.0.0.1\"]\nevery = 0.0\nat-once = 4\n";

/// The store at the server, its file in a folder of its own, and a configuration that lets it be asked.
fn place(dir: &Path, server: &Server) -> [String; 2] {
    written(dir, "stores/try.toml", &STORE.replace("BASE", &server.base));
    [dir.join("stores").display().to_string(), written(dir, "config.toml", CONFIG)]
}

#[test]
fn an_answer_is_recorded_cut_down_and_a_file_mended_by_it_without_the_store() {
    let is_new = Arc::new(AtomicBool::new(false));
    let shown = Arc::clone(&is_new);
    let server = Server::new(move |request: &Request| {
        let page = if shown.load(Ordering::SeqCst) { PAGE.replace("class=intro", "class=about") } else { PAGE.into() };
        (request.path == "/app/cn.example.target").then(|| Reply::html(page))
    });
    let dir = tempfile::tempdir().unwrap();
    let [stores, config] = place(dir.path(), &server);
    let record = dir.path().join("fixtures").display().to_string();
    let check = || xunjian(&["store", "check", "try", "--record", &record, "--stores", &stores, "--config", &config]);
    let test = || xunjian(&["store", "test", &record, "--stores", &stores, "--config", &config, "--lang", "en"]);
    let first = check();
    assert_eq!(first.status.code(), Some(0), "{}{}", stdout(&first), stderr(&first));
    let kept = std::fs::read_to_string(dir.path().join("fixtures/try-cn.example.target.json")).unwrap();
    let fixture: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(
        fixture["fields"],
        json!(["description", "developer", "package", "screenshots", "title", "version_name"])
    );
    // Nobody is named, and nothing is there that the file does not read.
    for gone in ["138", "139", "mail.example", "张", "题山", "登录", "猜你喜欢", "拍照搜题", "wide"] {
        assert!(!kept.contains(gone), "{gone}: {kept}");
    }
    for stays in ["cn.example.target", "2.1", "示例"] {
        assert!(kept.contains(stays), "{stays}: {kept}");
    }
    assert!(fixture["exchanges"][0]["body"].as_str().unwrap().len() < 260, "{kept}");
    let asked = server.log().len();
    assert_eq!(test().status.code(), Some(0), "{}", stdout(&test()));

    // The store changes: recorded whole, and the file is mended by that alone.
    is_new.store(true, Ordering::SeqCst);
    let broken = check();
    assert_eq!(broken.status.code(), Some(3));
    assert!(stdout(&broken).contains("adapter-broken"), "{}", stdout(&broken));
    let at_broken = server.log().len();
    assert!(at_broken > asked, "the store was asked");
    assert!(std::fs::read_to_string(dir.path().join("fixtures/try-cn.example.target.json")).unwrap().contains("about"));
    let told = test();
    assert_eq!(told.status.code(), Some(3), "{}", stdout(&told));
    assert!(stdout(&told).contains("required and not found: description"), "{}", stdout(&told));
    let mended = STORE.replace("BASE", &server.base).replace(".intro", ".about");
    written(dir.path(), "stores/try.toml", &mended);
    assert_eq!(test().status.code(), Some(0), "{}", stdout(&test()));
    assert_eq!(server.log().len(), at_broken, "nothing was asked for the mending");
    assert_eq!(check().status.code(), Some(0));
}

#[test]
fn a_field_that_a_fixture_has_is_missed_where_it_is_found_no_more() {
    let server = Server::new(|request: &Request| request.path.starts_with("/app/").then(|| Reply::html(PAGE)));
    let dir = tempfile::tempdir().unwrap();
    let [stores, config] = place(dir.path(), &server);
    let record = dir.path().join("f").display().to_string();
    xunjian(&["store", "check", "try", "--record", &record, "--stores", &stores, "--config", &config]);
    written(dir.path(), "stores/try.toml", &STORE.replace("BASE", &server.base).replace("版本：(.+)", "版号：(.+)"));
    let told = xunjian(&["store", "test", &record, "--stores", &stores, "--config", &config, "--lang", "en"]);
    assert_eq!(told.status.code(), Some(3));
    assert!(stdout(&told).contains("found when it was recorded, and not now: version_name"), "{}", stdout(&told));
    // What is no fixture is named with its place.
    let wrong = written(dir.path(), "wrong.json", "{\"store\": \"try\",\n \"start\": 3}");
    let told = xunjian(&["store", "test", &wrong, "--stores", &stores, "--config", &config]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("wrong.json") && stderr(&told).contains("line 2"), "{}", stderr(&told));
}

/// The fixtures of this repository, each in the shape of a store: the shipped files read them.
#[test]
fn the_shipped_files_fit_the_shipped_fixtures() {
    let folder = project("tests/fixtures/stores").display().to_string();
    let told = xunjian(&["store", "test", &folder]);
    assert_eq!(told.status.code(), Some(0), "{}{}", stdout(&told), stderr(&told));
    assert!(stdout(&told).lines().count() >= 4, "{}", stdout(&told));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_fit_is_shown_in_red_with_the_day_it_last_did() {
    let is_new = Arc::new(AtomicBool::new(false));
    let shown = Arc::clone(&is_new);
    let server = Server::new(move |request: &Request| {
        let page = if shown.load(Ordering::SeqCst) { PAGE.replace("<h1", "<h3") } else { PAGE.into() };
        (request.path == "/app/cn.example.target").then(|| Reply::html(page))
    });
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let [stores, _] = place(dir.path(), &server);
    // Every other store is asked nowhere: nothing is looked up, and no proxy answers.
    let config = written(
        dir.path(),
        "config.toml",
        &format!("{CONFIG}[[watch]]\nwhen = \"0 2 * * *\"\nrun = \"check\"\nstores = [\"try\"]\njitter = 0.0\n"),
    );
    let home = home.display().to_string();
    let places = ["--stores", &stores, "--config", &config, "--home", &home];
    let watch = || xunjian(&[&["watch", "--once", "--lang", "en"][..], &places].concat());
    let first = watch();
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert!(stdout(&first).contains("try: fits ("), "{}", stdout(&first));
    let day = stdout(&first).split('(').nth(1).unwrap()[..10].to_owned();
    is_new.store(true, Ordering::SeqCst);
    let second = watch();
    assert!(stdout(&second).contains(&format!("last fitted: {day}; ")), "{}", stdout(&second));
    add_person(Path::new(&home), "viewer", "viewer");
    let page = desk::Server::start(Path::new(&home));
    let browser = Browser::sign_in(&page, "viewer").await;
    let (status, _, text) = browser.get("/stores").await;
    assert_eq!(status, 200);
    assert!(text.contains("<span class=\"fit broken\">") && text.contains(&format!("<td>{day}</td>")), "{text}");
    assert!(text.contains("必需的内容取不到：title"), "what is gone is named: {text}");
    let stranger = Browser::stranger(&page);
    assert_eq!(stranger.get("/stores").await.0, 303);
    // The run is none of those whose audits the page counts.
    assert!(!browser.get("/results").await.2.contains("#1<"), "check runs are not among the sweeps");
    // Mended, one store alone.
    is_new.store(false, Ordering::SeqCst);
    let third = xunjian(&[&["store", "check", "try", "--remember"][..], &places].concat());
    assert_eq!(third.status.code(), Some(0), "{}", stderr(&third));
    assert!(browser.get("/stores").await.2.contains("<span class=\"fit good\">"));
}
