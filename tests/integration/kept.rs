//! Facts kept beside a package: another pack judges them as if it had read the package.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use xunjian::audit::{Auditor, Kept, Reading, sha256};
use xunjian::model::{Audit, Budget, Listing};
use xunjian::signature::{Pack, Source};

fn auditor(source: &Source) -> Auditor {
    let pack = Pack::load(source).unwrap();
    let policy = pack.policies["bj-2022-02-draft"].clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
}

/// The built-in signatures and one that another reviewer added.
fn corrected() -> Source {
    let mut source = Source::embedded();
    source.files.insert(
        "photo-search/added.toml".into(),
        r#"
title = { zh = "应用", en = "app" }

[[clue]]
id = "app"
in = ["inside"]
any = ["android", "测试", "demo", "kotlin"]
weight = 7
why = { zh = "写明", en = "says so" }
"#
        .into(),
    );
    source
}

fn packages(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(packages(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn json(audit: &Audit) -> String {
    serde_json::to_string(audit).unwrap()
}

#[test]
fn a_rescore_and_a_child_process_write_the_bytes_of_an_audit() {
    let (today, tomorrow) = (auditor(&Source::embedded()), auditor(&corrected()));
    let listing =
        Listing { title: "甲".into(), description: "拍照搜题，一拍即得".into(), ..Listing::default() };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/apks");
    let (mut compared, mut moved) = (0, 0);
    for path in packages(&folder) {
        let bytes = std::fs::read(&path).unwrap();
        let name = path.display().to_string();
        let Ok(mut reading) = today.read_keeping(&name, &sha256(&bytes), &bytes) else { continue };
        let kept = reading.keep().unwrap().expect("asked to keep");
        let first = json(&today.conclude(Some(&listing), vec![reading]));
        let plain = today.read(&name, &sha256(&bytes), &bytes).unwrap();
        assert_eq!(first, json(&today.conclude(Some(&listing), vec![plain])), "{name}: keeping changes nothing");
        let sent = today.read(&name, &sha256(&bytes), &bytes).unwrap().to_wire().unwrap();
        let came = Reading::from_wire(&sent).unwrap();
        assert_eq!(first, json(&today.conclude(Some(&listing), vec![came])), "{name}: from a process of its own");
        let again = today.reread(&kept).unwrap();
        assert_eq!(first, json(&today.conclude(Some(&listing), vec![again])), "{name}: the same pack");
        let rescored = json(&tomorrow.conclude(Some(&listing), vec![tomorrow.reread(&kept).unwrap()]));
        let read = tomorrow.read(&name, &sha256(&bytes), &bytes).unwrap();
        assert_eq!(rescored, json(&tomorrow.conclude(Some(&listing), vec![read])), "{name}: another pack");
        moved += usize::from(rescored != first);
        compared += 1;
    }
    assert!(compared >= 14, "all fixture packages were compared: {compared}");
    assert!(moved > 0, "the other pack finds something else");
}

#[test]
fn damaged_facts_are_refused() {
    let auditor = auditor(&Source::embedded());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/apks/photosearch.apk");
    let bytes = std::fs::read(path).unwrap();
    let kept = auditor.read_keeping("a.apk", &sha256(&bytes), &bytes).unwrap().keep().unwrap().unwrap();
    for at in (0..kept.0.len()).step_by(kept.0.len() / 40 + 1) {
        let mut damaged = kept.clone();
        damaged.0[at] ^= 0x40;
        assert!(auditor.reread(&damaged).is_err(), "byte {at} flipped goes unnoticed");
        assert!(auditor.reread(&Kept(kept.0[..at].to_vec())).is_err(), "cut at {at} goes unnoticed");
    }
    let lying = r#"{"kind":"code","place":"a","unit":"string","spots":[1,2],"texts":["x"]}"#;
    assert!(serde_json::from_str::<xunjian::model::Block>(lying).is_err());
}
