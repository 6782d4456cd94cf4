//! Evidence bags: whole, checked by others' tools, and with one byte changed anywhere.

use crate::support;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::fake_store::swept;
use crate::support::{stdout, xunjian};
use xunjian::preserve;

fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A swept store, and a bag of the first finding of an app with a package.
fn bag(dir: &Path) -> PathBuf {
    let (home, id) = swept(dir);
    let bag = dir.join("bag");
    let exported = xunjian(&["evidence", "export", &id, "--out", bag.to_str().unwrap(), "--home", &home]);
    assert!(exported.status.success(), "{}", support::stderr(&exported));
    let again = xunjian(&["evidence", "export", &id, "--out", bag.to_str().unwrap(), "--home", &home]);
    assert!(!again.status.success(), "nothing is overwritten");
    let none = dir.join("none");
    let unknown = xunjian(&["evidence", "export", "0000", "--out", none.to_str().unwrap(), "--home", &home]);
    assert_eq!(unknown.status.code(), Some(2));
    bag
}

/// The tools that an expert of a court would use.
#[test]
#[ignore = "needs bagit and warcio of PyPI"]
fn public_tools_find_a_bag_whole() {
    let dir = tempfile::tempdir().unwrap();
    let bag = bag(dir.path());
    let bagit = Command::new("python3").args(["-m", "bagit", "--validate"]).arg(&bag).output().unwrap();
    assert!(bagit.status.success(), "{}", String::from_utf8_lossy(&bagit.stderr));
    let warc = bag.join(preserve::name::FETCHED);
    let check = Command::new("python3").args(["-m", "warcio.cli", "check", "-v"]).arg(&warc).output().unwrap();
    let said = String::from_utf8_lossy(&check.stdout);
    assert!(check.status.success(), "{said}");
    assert!(said.contains("digest pass") && !said.contains("failed"), "{said}");
}

#[test]
fn a_bag_stands_by_itself_and_one_byte_breaks_it() {
    let dir = tempfile::tempdir().unwrap();
    let bag = bag(dir.path());
    // Nothing but the bag.
    std::fs::remove_dir_all(dir.path().join("home")).unwrap();
    let verified = xunjian(&["evidence", "verify", bag.to_str().unwrap(), "--lang", "en"]);
    assert!(verified.status.success(), "{}", stdout(&verified));
    assert!(stdout(&verified).contains("byte for byte"));
    assert!(stdout(&verified).contains("no timestamp"), "a bag that proves no time says so");
    let custody = std::fs::read_to_string(bag.join(preserve::name::CUSTODY)).unwrap();
    for did in ["fetched", "read", "audited", "exported"] {
        assert!(custody.contains(&format!("\"did\":\"{did}\"")), "{custody}");
    }

    let case: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bag.join(preserve::name::CASE)).unwrap()).unwrap();
    assert_eq!(case["screenshots"][0]["file"], "data/screenshots/01.png", "{case}");
    assert!(std::fs::read(bag.join("data/screenshots/01.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(case["screenshots"][1]["url"].as_str().unwrap().ends_with("/gone.png"), "{case}");
    assert!(case["screenshots"][1]["file"].is_null(), "one that the store did not have is said to be missing");
    assert!(custody.contains("\"what\":\"screenshot\""), "{custody}");

    let all = files(&bag);
    assert!(all.len() > 50, "the bag holds the signatures: {}", all.len());
    for path in &all {
        let name = path.strip_prefix(&bag).unwrap().display().to_string();
        let whole = std::fs::read(path).unwrap();
        // Of what says what a bag holds every byte, of what it holds some.
        let is_tag = !name.contains('/') && name != "manifest-sha256.txt";
        let places: Vec<usize> = match is_tag {
            true => (0..whole.len()).collect(),
            false => [0, 1, 2, 4].map(|n| (whole.len() - 1) * n / 4).into(),
        };
        for at in places {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(path, &changed).unwrap();
            let told = preserve::verify(&bag);
            assert!(told.iter().any(|d| d.file == name), "{name}, byte {at}: {told:?}");
        }
        std::fs::write(path, &whole).unwrap();
    }
    assert_eq!(preserve::verify(&bag), []);
}

#[test]
fn a_forger_who_writes_the_manifests_anew_is_found_by_judging_again() {
    let dir = tempfile::tempdir().unwrap();
    let bag = bag(dir.path());
    let report = bag.join(preserve::name::REPORT);
    let text = std::fs::read_to_string(&report).unwrap();
    std::fs::write(&report, text.replacen("\"probability\":0.", "\"probability\":0.1", 1)).unwrap();
    for manifest in ["manifest-sha256.txt", "tagmanifest-sha256.txt"] {
        let path = bag.join(manifest);
        let lines: Vec<String> = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| {
                let name = line.split_once("  ").unwrap().1;
                format!("{}  {name}\n", xunjian::audit::sha256(&std::fs::read(bag.join(name)).unwrap()))
            })
            .collect();
        std::fs::write(&path, lines.concat()).unwrap();
    }
    assert_eq!(preserve::verify(&bag), [], "every hash fits");
    let verified = xunjian(&["evidence", "verify", bag.to_str().unwrap(), "--lang", "en"]);
    assert_eq!(verified.status.code(), Some(3));
    let said = stdout(&verified);
    assert!(said.contains("data/report.json") && said.contains("/probability"), "{said}");
}

#[test]
fn what_is_hostile_in_a_bag_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    std::fs::create_dir_all(root.join("data")).unwrap();
    assert!(!preserve::verify(root).is_empty(), "an empty folder is no bag");
    let hash = "0".repeat(64);
    for name in ["../../etc/passwd", "/etc/passwd", "data/../../x", "data\\x", "c:x", "data//x"] {
        std::fs::write(root.join("manifest-sha256.txt"), format!("{hash}  {name}\n")).unwrap();
        let told = preserve::verify(root);
        assert!(told.iter().any(|d| d.what.contains("not a hash and a name")), "{name}: {told:?}");
    }
    assert_eq!(xunjian(&["evidence", "verify", root.to_str().unwrap()]).status.code(), Some(3));
}
