//! An F-Droid repository swept by its address: the layout is the real one, the apps are our
//! fixtures.

use crate::support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::server::{Reply, Server};
use crate::support::{project, stderr, xunjian};
use serde_json::{Value, json};
use xunjian::audit::sha256;

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
    assert!(matches!(swept.status.code(), Some(0 | 3 | 4)), "{said}");
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

/// The repository of the fixtures, signed as real ones are; once `is_other` is set, by another.
fn signed(is_other: &Arc<AtomicBool>) -> Server {
    let is_other = Arc::clone(is_other);
    Server::new(move |request| {
        let name = request.path.strip_prefix("/repo/")?;
        let folder = if name.ends_with(".apk") { "apks" } else { "fdroid" };
        let is_ec = name == "entry.jar" && is_other.load(Ordering::SeqCst);
        let name = if is_ec { "entry-ec.jar" } else { name };
        let bytes = std::fs::read(project("tests/fixtures").join(folder).join(name)).ok()?;
        let etag = format!("\"{}\"", &sha256(&bytes)[..16]);
        if request.header("if-none-match") == etag {
            return Some(Reply::status(304).with("etag", &etag));
        }
        Some(Reply::file(bytes).with("etag", &etag))
    })
}

#[test]
fn a_signed_repository_is_swept_end_to_end_and_never_by_another_signer() {
    let fingerprint = std::fs::read_to_string(project("tests/fixtures/fdroid/fingerprint.txt")).unwrap();
    let fingerprint = fingerprint.trim();
    let is_other = Arc::new(AtomicBool::new(false));
    let server = signed(&is_other);
    let dir = tempfile::tempdir().unwrap();
    let store = format!("fdroid+{}/repo?fingerprint={fingerprint}", server.base);
    let (said, audits) = sweep(dir.path(), &store);
    assert!(said.contains("apps seen 2, new 2, changed 0, audited 2, left out by reason 0"), "{said}");
    assert!(audits.iter().all(|audit| audit["artifacts"][0]["sha256"].as_str().is_some()), "{audits:?}");
    let paths = server.paths();
    assert!(paths.contains(&"/repo/entry.jar".into()) && !paths.contains(&"/repo/entry.json".into()), "{paths:?}");
    let (said, audits) = sweep(dir.path(), &store);
    assert!(said.contains("apps seen 2, new 0, changed 0, audited 0, left out by reason 0"), "{said}");
    assert!(audits.is_empty());

    // The same repository without a fingerprint: the signer met first is the one that holds.
    let met = tempfile::tempdir().unwrap();
    let address = format!("fdroid+{}/repo", server.base);
    assert!(sweep(met.path(), &address).0.contains("audited 2,"));
    is_other.store(true, Ordering::SeqCst);
    for (home, store) in [(met.path(), &address), (dir.path(), &store)] {
        let (said, audits) = sweep(home, store);
        assert!(audits.is_empty() && said.contains("apps seen 0,"), "{said}");
        assert!(said.contains("left out by reason adapter-broken 1,"), "{said}");
    }
}

/// Indexes of real repositories, swept by address: signed (the older format) and not. Their
/// packages are not here, which every sweep has to say.
#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_real_indexes_are_swept_with_and_without_signature() {
    let dir = support::shared("fdroid");
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    let unsigned = BTreeMap::from([
        ("/repo/entry.json", read("fdroidserver-entry.json")),
        ("/repo/index-v2.json", read("fdroidserver-index-v2.json")),
    ]);
    let older = BTreeMap::from([("/repo/index-v1.json", read("fdroidserver-index-v1.json"))]);
    let signed = BTreeMap::from([("/repo/index-v1.jar", read("testy.at.or.at_index-v1.jar"))]);
    let mut swept = Vec::new();
    for (files, most_asked) in
        [(unsigned, "/repo/index-v2.json"), (older, "/repo/index-v1.json"), (signed, "/repo/index-v1.jar")]
    {
        let server = Server::new(move |request| Some(Reply::file(files.get(request.path.as_str())?.clone())));
        let folder = tempfile::tempdir().unwrap();
        let (said, audits) = sweep(folder.path(), &format!("fdroid+{}/repo", server.base));
        assert!(server.paths().contains(&most_asked.to_owned()), "{:?}", server.paths());
        assert!(said.contains("not-found ") && !said.contains("adapter-broken"), "{said}");
        assert!(!audits.is_empty() && audits.iter().all(|a| a["app"]["package"] != ""), "{said}");
        swept.push(audits.len());
    }
    assert_eq!(swept[0], swept[1], "both formats of one repository name the same apps");
}

/// Repositories of the size of the largest real one, 4,000 apps and an index of 48 MB, most of it
/// words in languages that nobody asked for; and of 7,500 apps, near the cap. Each is swept from
/// its index, then from a diff to it, and in the older form.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "a measurement: `cargo test --test integration -- --ignored sweep_fdroid::measured --nocapture`"]
fn measured_a_large_index_stays_within_memory() {
    for apps in [4000, 7500] {
        let dir = tempfile::tempdir().unwrap();
        let (server, is_new) = large(apps);
        let first = peak_of_a_sweep(dir.path(), &server);
        is_new.store(true, Ordering::SeqCst);
        let second = peak_of_a_sweep(dir.path(), &server);
        assert!(server.paths().contains(&"/repo/diff/1000.json".to_owned()), "{:?}", server.paths());
        let older = older(apps);
        let third = peak_of_a_sweep(tempfile::tempdir().unwrap().path(), &older);
        eprintln!("{apps} apps: peak memory {first} MiB, by a diff {second} MiB, in the older form {third} MiB");
        assert!(first.max(second) < 120 && third < 300, "held whole again?");
    }
}

/// Apps, 12 kB each: what comes before a package's name, and after the words in five languages.
#[cfg(target_os = "linux")]
fn apps_of(apps: usize, one: impl Fn(usize, &str) -> String, word: impl Fn(&str, &str) -> String) -> String {
    let all = (0..apps).map(|n| {
        let words = format!("{n} {}", "words in a language of their own. ".repeat(70));
        one(n, &["de", "fr", "es", "ru", "pt"].map(|language| word(language, &words)).join(","))
    });
    all.collect::<Vec<_>>().join(",")
}

/// A repository of that many apps, and a switch: after it, with one app less, told as a diff.
#[cfg(target_os = "linux")]
fn large(apps: usize) -> (Server, Arc<AtomicBool>) {
    let one = |n: usize, words: &str| {
        format!(
            "\"cn.example.app{n}\":{{\"metadata\":{{\"name\":{{\"zh\":\"应用 {n}\"}},\
             \"description\":{{\"zh\":\"一些介绍\",{words}}}}},\"versions\":{{}}}}"
        )
    };
    let packages = apps_of(apps, one, |language, words| format!("\"{language}\":\"{words}\""));
    let index = format!("{{\"repo\":{{}},\"packages\":{{{packages}}}}}").into_bytes();
    eprintln!("index: {} bytes", index.len());
    let diff = b"{\"packages\":{\"cn.example.app0\":null}}".to_vec();
    let file = |name: &str, bytes: &[u8]| json!({ "name": name, "sha256": sha256(bytes), "size": bytes.len() });
    let entry = |at: u32, diffs: Value| json!({ "timestamp": at, "version": 20002, "diffs": diffs, "index": file("/index-v2.json", &index) });
    let entries = [entry(1000, json!({})), entry(2000, json!({ "1000": file("/diff/1000.json", &diff) }))];
    let is_new = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_new);
    let server = Server::new(move |request| match request.path.as_str() {
        "/repo/entry.json" => Some(Reply::json(&entries[usize::from(switch.load(Ordering::SeqCst))])),
        "/repo/index-v2.json" => Some(Reply::file(index.clone())),
        "/repo/diff/1000.json" => Some(Reply::file(diff.clone())),
        _ => None,
    });
    (server, is_new)
}

/// As much in the form of version 1.
#[cfg(target_os = "linux")]
fn older(apps: usize) -> Server {
    let one = |n: usize, words: &str| {
        format!("{{\"packageName\":\"cn.example.app{n}\",\"name\":\"应用 {n}\",\"localized\":{{{words}}}}}")
    };
    let all = apps_of(apps, one, |language, words| format!("\"{language}\":{{\"description\":\"{words}\"}}"));
    let index = format!("{{\"repo\":{{}},\"apps\":[{all}],\"packages\":{{}}}}").into_bytes();
    Server::new(move |request| (request.path == "/repo/index-v1.json").then(|| Reply::file(index.clone())))
}

/// MiB that the program held at most while it swept a repository.
#[cfg(target_os = "linux")]
fn peak_of_a_sweep(dir: &Path, server: &Server) -> u64 {
    let config = dir.join("config.toml");
    std::fs::write(&config, "[host.\"127.0.0.1\"]\nevery = 0.0\n").unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["sweep", &format!("fdroid+{}/repo", server.base), "--allow-private", "--config"])
        .arg(&config)
        .arg("--home")
        .arg(dir.join("home"))
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
        most = most.max(line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) >> 10);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    most
}
