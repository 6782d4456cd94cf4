//! An F-Droid repository swept by its address: the layout is the real one, the apps are our
//! fixtures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use support::server::{Reply, Server};
use support::{project, stderr, xunjian};
use xunjian::pipeline::sha256;

/// Names of the fixtures and the apps they stand for.
const APPS: &[(&str, &str)] =
    &[("photosearch", "cn.example.photo"), ("cleanedu", "cn.example.clean"), ("gamebox", "cn.example.games")];

/// A repository's files by path: entry, index, packages.
fn repository() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut packages = serde_json::Map::new();
    for (fixture, package) in APPS {
        let bytes = std::fs::read(project(&format!("tests/fixtures/apks/{fixture}.apk"))).unwrap();
        let name = format!("/{package}_1.apk");
        let file = json!({ "name": name, "sha256": sha256(&bytes), "size": bytes.len() });
        let manifest = json!({ "versionName": "1.0", "versionCode": 1 });
        let version = json!({ "added": 1, "file": file, "manifest": manifest });
        packages.insert(
            (*package).into(),
            json!({
                "metadata": { "added": 1, "lastUpdated": 1, "name": { "zh-CN": fixture }, "summary": { "zh-CN": "示例" },
                    "description": { "zh-CN": "用于测试的应用" }, "authorName": "示例公司", "categories": ["Education"] },
                "versions": { sha256(&bytes): version },
            }),
        );
        files.insert(format!("/repo{name}"), bytes);
    }
    let repo = json!({ "name": { "en-US": "ours" }, "address": "http://example.invalid/repo", "timestamp": 1000 });
    let index = json!({ "repo": repo, "packages": packages }).to_string().into_bytes();
    let entry = json!({ "timestamp": 1000, "version": 20002, "diffs": {}, "index": { "name": "/index-v2.json",
        "sha256": sha256(&index), "size": index.len(), "numPackages": APPS.len() } });
    files.insert("/repo/entry.json".into(), entry.to_string().into_bytes());
    files.insert("/repo/index-v2.json".into(), index);
    files
}

fn sweep(dir: &Path, store: &str) -> (String, Vec<Value>) {
    let path = |name: &str| dir.join(name).display().to_string();
    let (home, out, config) = (path("home"), path("out.jsonl"), path("config.toml"));
    std::fs::write(&config, "[host.\"127.0.0.1\"]\nevery = 0.0\n").unwrap();
    let swept = xunjian(&[
        "sweep",
        store,
        "--home",
        &home,
        "--config",
        &config,
        "--allow-private",
        "--format",
        "jsonl",
        "--out",
        &out,
        "--lang",
        "en",
    ]);
    let said = stderr(&swept);
    assert!(matches!(swept.status.code(), Some(0 | 3)), "{said}");
    let text = std::fs::read_to_string(&out).unwrap();
    (said, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn a_repository_is_swept_and_the_second_time_only_asked() {
    let files = repository();
    let server = Server::new(move |request| {
        let bytes = files.get(&request.path)?;
        let etag = format!("\"{}\"", &sha256(bytes)[..16]);
        if request.header("if-none-match") == etag {
            return Some(Reply::status(304).with("etag", &etag));
        }
        Some(Reply::file(bytes.clone()).with("etag", &etag))
    });
    let dir = tempfile::tempdir().unwrap();
    let store = format!("fdroid+{}/repo", server.base);
    let (said, audits) = sweep(dir.path(), &store);
    assert!(said.contains("apps seen 3, new 3, changed 0, audited 3, left out by reason 0"), "{said}");
    assert!(audits.iter().all(|audit| audit["artifacts"][0]["sha256"].as_str().is_some()), "{audits:?}");
    let found = |title: &str| {
        let audit = audits.iter().find(|audit| audit["app"]["title"] == title).unwrap();
        audit["findings"].as_array().unwrap().iter().map(|f| f["sign"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(found("photosearch").contains(&"photo-search".into()), "{:?}", found("photosearch"));
    let first = server.log().len();
    let (said, audits) = sweep(dir.path(), &store);
    assert!(said.contains("apps seen 3, new 0, changed 0, audited 0,"), "{said}");
    assert!(audits.is_empty());
    let paths: Vec<String> = server.log().into_iter().skip(first).map(|request| request.path).collect();
    assert!(paths.iter().all(|path| !path.ends_with(".apk")), "no package is fetched again: {paths:?}");
}
