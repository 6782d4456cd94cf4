//! Files of one app make one audit, wherever they lie; what is missing is said.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{project, report, xunjian};
use serde_json::Value;

fn audits(words: &[&str]) -> Vec<Value> {
    let report = report(&xunjian(&[&["audit"], words, &["--format", "json"]].concat()));
    report["audits"].as_array().unwrap().clone()
}

/// Package and names of the files of an audit.
fn files(audit: &Value) -> (String, BTreeSet<String>) {
    let name = |a: &Value| a["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    (
        audit["app"]["package"].as_str().unwrap().to_owned(),
        audit["artifacts"].as_array().unwrap().iter().map(name).collect(),
    )
}

fn limits(audit: &Value) -> Vec<&str> {
    audit["coverage"]["limits"].as_array().unwrap().iter().map(|l| l["code"].as_str().unwrap()).collect()
}

fn copy(from: &str, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(project("tests/fixtures/apks").join(from), to).unwrap();
}

#[test]
fn files_are_put_together_by_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    // Two apps in one folder, and one of them in two folders.
    copy("splits/base.apk", &dir.path().join("a/1.apk"));
    copy("cleanedu.apk", &dir.path().join("a/2.apk"));
    copy("splits/config.zh.apk", &dir.path().join("a/3.apk"));
    copy("splits/config.arm64_v8a.apk", &dir.path().join("b/4.apk"));
    let found = audits(&[dir.path().to_str().unwrap()]);
    let all: Vec<_> = found.iter().map(files).collect();
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all.contains(&("cn.example.zhiliao".into(), names(&["1.apk", "3.apk", "4.apk"]))), "{all:?}");
    assert!(all.iter().any(|(_, files)| *files == names(&["2.apk"])), "{all:?}");
    let set = found.iter().find(|a| a["app"]["package"] == "cn.example.zhiliao").unwrap();
    assert_eq!(limits(set), ["no-listing"]);
}

#[test]
fn a_base_without_its_splits_answers_for_nothing() {
    let base = project("tests/fixtures/apks/splits/base.apk");
    let found = audits(&[base.to_str().unwrap()]);
    assert!(limits(&found[0]).contains(&"missing-split"));
    assert_eq!(found[0]["coverage"]["level"], "partial");
    // Its words lie in the split: no sign that words could show is said not to be there.
    let checks = found[0]["checks"].as_array().unwrap();
    let outcome = |sign: &str| checks.iter().find(|c| c["sign"] == sign).unwrap()["outcome"].as_str().unwrap();
    for sign in ["photo-search", "live-tutoring", "game-link", "advertising"] {
        assert_eq!(outcome(sign), "not-assessable", "{sign}");
    }
    let because: Vec<&Value> = checks.iter().filter_map(|c| c.get("because")).collect();
    assert!(because.iter().any(|b| b.to_string().contains("missing-split")), "{because:?}");
    // What a person is told to do about it, in either language.
    for (lang, step) in [("zh", "分包"), ("en", "split")] {
        let output = xunjian(&["audit", base.to_str().unwrap(), "--lang", lang]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(step), "{text}");
    }
}
