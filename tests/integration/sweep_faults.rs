//! A whole sweep through a store where everything goes wrong at once: each app ends as an audit or
//! as a skip with its reason, and none spoils the run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use crate::support::project;
use crate::support::server::{Reply, Request, Server};
use serde_json::{Value, json};

/// Path, right-to-left override and markup in a name.
const HOSTILE: [&str; 2] = ["..%2f..%2fetc%2fpasswd", "cn.example.\u{202e}gpj"];

const APPS: [&str; 14] = [
    "good", "slow", "cut", "loop", "html", "bomb", "busy", "gone", "apk-cut", "apk-lies", "apk-html", "apk-gone",
    "apk-bomb", "long",
];

fn adapter(base: &str) -> String {
    format!(
        r#"
title = {{ zh = "故障商店", en = "broken store" }}
seen = "2026"
[hosts]
main = "{base}"
[pace]
every = 0.0
at-once = 4
[start]
catalogue = "list"
package = "app"
[steps.list]
url = "{{main}}/list?page={{page}}"
items = "$.apps[*]"
then = "app"
paging = {{ last = "$.last" }}
[steps.list.fields]
package = {{ from = "$.package", required = true }}
[steps.app]
url = "{{main}}/app?name={{package}}"
[steps.app.fields]
package = {{ from = "$.package", required = true }}
title = {{ from = "$.title", required = true }}
description = "$.description"
download_url = "$.download"
"#
    )
}

/// A body that grows a thousandfold.
fn bomb() -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        gzip.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    gzip.finish().unwrap()
}

fn answer(request: &Request, apk: &[u8]) -> Option<Reply> {
    if request.path.starts_with("/list") {
        // Every page is the first one again, and there are ever more: duplicates without end.
        let names = APPS.iter().chain(&HOSTILE).map(|name| json!({ "package": name }));
        return Some(Reply::json(&json!({ "apps": names.collect::<Vec<_>>(), "last": 10_000_000 })));
    }
    let url = url::Url::parse(&format!("http://x{}", request.path)).unwrap();
    if let Some(name) = request.path.strip_prefix("/apk/") {
        return Some(match name {
            "apk-cut" => Reply { cut_after: Some(1_000), ..Reply::file(apk) },
            "apk-lies" => Reply { lies_length: Some(apk.len() + 5_000), ..Reply::file(apk) },
            "apk-html" => Reply::html("<p>please log in"),
            "apk-gone" => Reply::status(404),
            "apk-bomb" => Reply::file(bomb()).with("content-encoding", "gzip"),
            _ => Reply::file(apk),
        });
    }
    let (_, name) = url.query_pairs().find(|(key, _)| key == "name")?;
    let host = request.header("host");
    let title = if name == "long" { "拍照搜题".repeat(90_000) } else { format!("<script>{name}") };
    let page = Reply::json(&json!({ "package": name, "title": title, "description": "拍照搜题，秒出答案",
        "download": format!("http://{host}/apk/{name}") }));
    Some(match &*name {
        "slow" => Reply { wait: Duration::from_millis(400), ..page },
        "cut" => Reply { cut_after: Some(10), ..page },
        "loop" => Reply::redirect(&request.path),
        "html" => Reply::html("<html>under construction"),
        "bomb" => Reply::new(200, "application/json", bomb()).with("content-encoding", "gzip"),
        "busy" => Reply::status(503),
        "gone" => Reply::status(404),
        _ => page,
    })
}

#[test]
fn everything_that_goes_wrong_is_told_and_nothing_else_suffers() {
    let dir = tempfile::tempdir().unwrap();
    let apk = std::fs::read(project("tests/fixtures/apks/photosearch.apk")).unwrap();
    let server = Server::new(move |request| answer(request, &apk));
    std::fs::create_dir(dir.path().join("stores")).unwrap();
    std::fs::write(dir.path().join("stores/broken.toml"), adapter(&server.base)).unwrap();
    let config = "[network]\nbackoff = 0.01\nretries = 1\nbreaker-after = 1000\npage-timeout = 5.0\nidle-timeout = 2.0\n[caps]\npages = 3\n";
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let run = || {
        let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
            .args(["sweep", "broken", "--stores", "stores", "--config", "config.toml", "--allow-private"])
            .args(["--home", "home", "--format", "json"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "something is missing, and nothing broke: {said}");
        serde_json::from_slice::<Value>(&output.stdout).expect("a report")
    };
    let report = run();
    let name_of = |target: &str| target.split_once(':').map_or(target, |(_, name)| name).to_owned();
    let mut codes: BTreeMap<String, String> = BTreeMap::new();
    for skip in report["skipped"].as_array().unwrap() {
        let (target, code) = (skip["target"].as_str().unwrap(), skip["code"].as_str().unwrap());
        assert!(!skip["reason"].as_str().unwrap().is_empty(), "{skip}");
        codes.insert(name_of(target), code.to_owned());
    }
    let audits = report["audits"].as_array().unwrap();
    let titles: Vec<&str> = audits.iter().map(|audit| audit["app"]["title"].as_str().unwrap()).collect();
    let audited = |name: &str| titles.iter().filter(|title| **title == format!("<script>{name}")).count();
    for name in ["good", "slow", "apk-cut", "apk-lies", "apk-html", "apk-gone", "apk-bomb"] {
        assert_eq!(audited(name), 1, "{name}: once, however often it is listed: {titles:.80?} {codes:?}");
    }
    assert_eq!(audited("cn.example.gpj"), 1, "a name loses what turns it round");
    assert!(server.paths().iter().all(|path| !path.contains("passwd")), "a path is no name, and is not asked for");
    assert!(codes.keys().any(|target| target.contains("/list?page=0")), "and the page it stood on is told: {codes:?}");
    assert!(titles.iter().any(|title| title.starts_with("拍照搜题拍照搜题")), "a title without end is one too");
    let packages = |name: &str| {
        let audit = audits.iter().find(|audit| audit["app"]["title"] == format!("<script>{name}")).unwrap();
        audit["artifacts"].as_array().unwrap().len()
    };
    assert_eq!((packages("good"), packages("slow")), (1, 1), "neighbours are read whole");
    let expected = [
        ("cut", "network"),
        ("loop", "adapter-broken"),
        ("html", "adapter-broken"),
        ("bomb", "adapter-broken"),
        ("busy", "network"),
        ("gone", "not-found"),
        ("apk-cut", "network"),
        ("apk-lies", "network"),
        ("apk-html", "adapter-broken"),
        ("apk-gone", "not-found"),
        ("apk-bomb", "adapter-broken"),
    ];
    let told: BTreeMap<&str, &str> = codes.iter().map(|(name, code)| (name.as_str(), code.as_str())).collect();
    for (name, code) in expected {
        assert_eq!(told.get(name), Some(&code), "{name}: {told:?}");
    }
    assert!(server.paths().iter().filter(|path| path.starts_with("/list")).count() <= 4, "paging ends");
    // Nothing was written where a name pointed.
    let outside: BTreeSet<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(outside, ["config.toml", "home", "stores"].map(Into::into).into(), "{outside:?}");
}
