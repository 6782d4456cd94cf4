//! What every package under `../shared/data/apks` comes to: facts only, kept in
//! `tests/golden/`. Each skip and each flagged file was read once and judged
//! (`tests/golden/README.md`).
//!
//! Runs when the data is there and says so when it is not. After a change that is meant,
//! `UPDATE=1 cargo test --test data_golden` writes the files again; look at the diff.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{project, report, shared, stderr, xunjian};
use serde_json::{Value, json};

fn ids(values: &Value, key: &str) -> BTreeSet<String> {
    let all = values.as_array().into_iter().flatten();
    all.filter_map(|value| value[key].as_str()).map(str::to_owned).collect()
}

fn file_name(path: &Value) -> String {
    path.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// One app by the name of its first file.
fn facts(audit: &Value) -> (String, Value) {
    let artifacts = audit["artifacts"].as_array().unwrap();
    let given: BTreeSet<String> = artifacts
        .iter()
        .filter(|a| !a["name"].as_str().unwrap().contains("!/"))
        .map(|a| file_name(&a["name"]))
        .collect();
    let certificates: BTreeSet<&str> = artifacts
        .iter()
        .flat_map(|a| a["certificates"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()))
        .collect();
    let mut limits = ids(&audit["coverage"]["limits"], "code");
    limits.remove("no-listing");
    let facts = json!({
        "files": given,
        "package": audit["app"]["package"],
        "version_code": audit["app"]["version_code"],
        "level": audit["coverage"]["level"],
        "limits": limits,
        "certificates": certificates.len(),
        "findings": ids(&audit["findings"], "sign"),
        "out_of_scope": ids(&audit["out_of_scope"], "sign"),
    });
    (file_name(&artifacts[0]["name"]), facts)
}

/// What a folder of data comes to.
fn outcome(dir: &str) -> BTreeMap<String, Value> {
    let output = xunjian(&["audit", dir, "--format", "json"]);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", stderr(&output));
    let report = report(&output);
    let mut found: BTreeMap<String, Value> = report["audits"].as_array().unwrap().iter().map(facts).collect();
    for skip in report["skipped"].as_array().unwrap() {
        found.insert(file_name(&skip["target"]), json!({"skipped": skip["stage"], "reason": skip["reason"]}));
    }
    found
}

fn check(part: &str) {
    let data = shared(&format!("apks/{part}"));
    let found = outcome(data.to_str().unwrap());
    let path = project(&format!("tests/golden/{part}.json"));
    if std::env::var_os("UPDATE").is_some() {
        let lines: Vec<String> = found.iter().map(|(name, facts)| format!("{}:{facts}", json!(name))).collect();
        std::fs::write(&path, format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
        return;
    }
    let golden: BTreeMap<String, Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let names: BTreeSet<&String> = golden.keys().chain(found.keys()).collect();
    let differ: Vec<String> = names
        .into_iter()
        .filter(|name| golden.get(*name) != found.get(*name))
        .map(|name| format!("{name}\n  was {:?}\n  is  {:?}", golden.get(name), found.get(name)))
        .collect();
    assert!(differ.is_empty(), "{} differ; UPDATE=1 if this is meant:\n{}", differ.len(), differ.join("\n"));
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_real_apps() {
    check("real");
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_hostile_packages() {
    check("hostile");
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_containers() {
    check("containers");
}
