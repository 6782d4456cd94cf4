//! A ZIP of several apps is several audits: a clean app is not accused of what another one does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::support::package::{Member, Package};
use crate::support::{project, report, stderr, xunjian};
use xunjian::audit::{Auditor, Named, sha256};
use xunjian::model::{Budget, Listing};
use xunjian::signature::{Pack, Source};

fn apk(name: &str) -> Vec<u8> {
    std::fs::read(project(&format!("tests/fixtures/apks/{name}.apk"))).unwrap()
}

/// An archive of these files.
fn archive(dir: &Path, name: &str, files: &[(&str, Vec<u8>, bool)]) -> PathBuf {
    let members = files.iter().map(|(name, bytes, deflate)| Member::new(name, bytes, *deflate)).collect();
    let path = dir.join(name);
    std::fs::write(&path, Package { members, ..Package::default() }.write()).unwrap();
    path
}

fn auditor() -> Auditor {
    let pack = Pack::load(&Source::embedded()).unwrap();
    let policy = pack.policies.values().next().unwrap().clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
}

fn audits(path: &Path) -> Vec<Value> {
    let output = xunjian(&["audit", &path.display().to_string(), "--format", "json"]);
    let told = report(&output);
    assert_eq!(told["skipped"], serde_json::json!([]), "{}", stderr(&output));
    told["audits"].as_array().unwrap().clone()
}

fn named(audit: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&audit["app"]["package"]), text(&audit["artifacts"][0]["name"]))
}

fn signs(audit: &Value) -> BTreeSet<String> {
    let all = audit["findings"].as_array().unwrap().iter();
    all.map(|finding| finding["sign"].as_str().unwrap().to_owned()).collect()
}

/// What the audit of the same file by itself comes to.
fn alone(dir: &Path, name: &str) -> BTreeSet<String> {
    let path = dir.join(format!("{name}.apk"));
    std::fs::write(&path, apk(name)).unwrap();
    signs(&audits(&path)[0])
}

#[test]
fn each_app_of_an_archive_is_judged_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    for deflate in [false, true] {
        let files = [
            ("甲/cleanedu.apk", apk("cleanedu"), deflate),
            ("preschool.APK", apk("preschool"), deflate),
            ("说明.txt", "拍照搜题".as_bytes().to_vec(), true),
        ];
        let path = archive(dir.path(), "two.zip", &files);
        let found = audits(&path);
        let at = |file: &str| format!("{}!{file}", path.display());
        let expected = [
            ("cn.example.jiaxiao".to_owned(), at("甲/cleanedu.apk")),
            ("cn.example.douya".to_owned(), at("preschool.APK")),
        ];
        assert_eq!(found.iter().map(named).collect::<Vec<_>>(), expected);
        for (audit, name) in found.iter().zip(["cleanedu", "preschool"]) {
            assert_eq!(signs(audit), alone(dir.path(), name), "{name}");
        }
    }
}

#[test]
fn archives_within_archives_and_sets_keep_apart() {
    let dir = tempfile::tempdir().unwrap();
    let split = |name: &str| std::fs::read(project(&format!("tests/fixtures/apks/splits/{name}.apk"))).unwrap();
    let inner = archive(
        dir.path(),
        "inner.apks",
        &[("preschool.apk", apk("preschool"), false), ("photosearch.apk", apk("photosearch"), false)],
    );
    let path = archive(
        dir.path(),
        "all.zip",
        &[
            ("set/base.apk", split("base"), true),
            ("clean.apk", apk("cleanedu"), true),
            ("set/config.zh.apk", split("config.zh"), true),
            ("set/config.arm64_v8a.apk", split("config.arm64_v8a"), true),
            ("inner.apks", std::fs::read(inner).unwrap(), true),
        ],
    );
    let found = audits(&path);
    let packages: Vec<String> = found.iter().map(|audit| named(audit).0).collect();
    assert_eq!(packages, ["cn.example.zhiliao", "cn.example.jiaxiao", "cn.example.douya", "cn.example.tishan"]);
    assert_eq!(found[0]["artifacts"].as_array().unwrap().len(), 3, "the set stays together");
    assert!(!found[0]["coverage"].to_string().contains("missing-split"), "{}", found[0]["coverage"]);
    assert!(named(&found[2]).1.ends_with("all.zip!inner.apks!preschool.apk"), "{:?}", named(&found[2]));
}

#[test]
fn one_name_by_two_signers_is_two_apps() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = Package::read(&apk("cleanedu"));
    // The same words without the signature: anybody could have written them.
    other.pairs.clear();
    other.members.retain(|member| !member.name().starts_with("META-INF/"));
    other.members.push(Member::new("assets/a.txt", "幼小衔接课程，零基础学拼音".as_bytes(), true));
    let path = archive(dir.path(), "two.zip", &[("a.apk", apk("cleanedu"), false), ("b.apk", other.write(), false)]);
    let found = audits(&path);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(signs(&found[0]), alone(dir.path(), "cleanedu"));
    // Beside each other in a folder they are no set either.
    std::fs::write(dir.path().join("b.apk"), other.write()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(audits(dir.path()).len(), 2);
}

#[test]
fn the_core_reads_the_first_app_and_says_that_there_are_others() {
    let files = [("a.apk", apk("cleanedu")), ("b.apk", apk("preschool"))];
    let members = files.iter().map(|(name, bytes)| Member::new(name, bytes, false)).collect();
    let bytes = Package { members, ..Package::default() }.write();
    let auditor = auditor();
    let reading = auditor.read("two.zip", "", &bytes).unwrap();
    let audit = auditor.conclude(None, vec![reading]);
    assert_eq!(audit.app.package, "cn.example.jiaxiao");
    let limit = audit.coverage.limits.iter().find(|limit| limit.code.id() == "other-apps").unwrap();
    assert!(limit.detail.contains("cn.example.douya"), "{limit:?}");
    assert!(audit.findings.iter().all(|finding| finding.sign.id() != "preschool-training"), "{:?}", audit.findings);
}

/// What a store hands out for one app may hold another: it is not held against the app that is listed.
#[test]
fn of_an_archive_the_app_that_is_listed_is_read_and_no_other() {
    let files = [("a.apk", apk("cleanedu"), false), ("b.apk", apk("preschool"), true)];
    let members = files.iter().map(|(name, bytes, deflate)| Member::new(name, bytes, *deflate)).collect();
    let bytes = Package { members, ..Package::default() }.write();
    let auditor = auditor();
    let read = |wanted: Option<&str>| auditor.read_named(Named { name: "two.zip", sha256: "", wanted }, &bytes, false);
    for (wanted, other, file, is_preschool) in
        [("cn.example.jiaxiao", "cn.example.douya", 1, false), ("cn.example.douya", "cn.example.jiaxiao", 0, true)]
    {
        let listing = Listing { package: wanted.into(), title: "所查应用".into(), ..Listing::default() };
        let audit = auditor.conclude(Some(&listing), vec![read(listing.wanted()).unwrap()]);
        assert_eq!(audit.app.package, wanted);
        let found = audit.findings.iter().any(|finding| finding.sign.id() == "preschool-training");
        assert_eq!(found, is_preschool, "{wanted}: {:?}", audit.findings);
        let limit = audit.coverage.limits.iter().find(|limit| limit.code.id() == "other-apps").unwrap();
        let (name, bytes, _) = &files[file];
        let told = format!("{other} ({name}, SHA-256 {})", sha256(bytes));
        assert!(limit.detail.contains(&told), "{limit:?}");
        assert!(!audit.coverage.limits.iter().any(|limit| limit.code.id() == "other-package"), "{wanted}");
    }
    let unnamed = Listing { title: "所查应用".into(), ..Listing::default() };
    let stranger = Listing { package: "cn.example.other".into(), ..unnamed.clone() };
    for listing in [unnamed, stranger] {
        let Err(error) = read(listing.wanted()) else { panic!("{listing:?}") };
        let told = error.to_string();
        for (name, bytes, _) in &files {
            assert!(told.contains(name) && told.contains(&sha256(bytes)), "{told}");
        }
    }
}

/// Plug-ins that an app carries along are of that app, however many there are.
#[test]
fn packages_that_an_app_carries_are_all_read() {
    let inner = [("a.apk", apk("cleanedu")), ("b.apk", apk("preschool"))];
    let members = inner.iter().map(|(name, bytes)| Member::new(name, bytes, false)).collect();
    let carried = Package { members, ..Package::default() }.write();
    let mut host = Package::read(&apk("cleantool"));
    host.members.push(Member::new("assets/plugins.zip", &carried, true));
    let auditor = auditor();
    let audit = auditor.conclude(None, vec![auditor.read("host.apk", "", &host.write()).unwrap()]);
    let limits = &audit.coverage.limits;
    assert!(limits.iter().all(|limit| limit.code.id() != "other-apps"), "{limits:?}");
    let names: Vec<&str> = audit.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    assert!(names.iter().any(|name| name.ends_with("b.apk")), "{names:?}");
}

/// An archive whose entries all lie at the same place, each an archive of the same kind: what one look costs must not
/// be paid again at every level.
#[test]
fn archives_that_multiply_are_looked_at_within_one_budget() {
    let leaf = |n: usize| {
        let members = ["a", "b"].map(|name| Member::new(&format!("{name}{n}.txt"), b"x", false)).to_vec();
        Package { members, ..Package::default() }.write()
    };
    let mut bytes = leaf(0);
    for level in 0..4 {
        let first = Member::new("0.apks", &bytes, false);
        let mut members = vec![first];
        members.extend((1..120).map(|n| {
            let mut again = Member::new(&format!("{level}-{n}.apks"), &bytes, false);
            again.payload.clear();
            again.shares = Some(0);
            again
        }));
        bytes = Package { members, ..Package::default() }.write();
    }
    let begun = std::time::Instant::now();
    let _ = auditor().identify(&bytes);
    assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{:?}", begun.elapsed());
}
