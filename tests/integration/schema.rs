//! The JSON schema of signature files: made from the code, committed, and true of every file.

use crate::support;

use crate::support::{stdout, xunjian};
use serde_json::Value;
use xunjian::model::About;
use xunjian::signature::{Source, schema};

/// `UPDATE=1 cargo test --test schema` writes the committed file anew.
#[test]
fn the_committed_file_is_what_the_program_prints() {
    let printed = stdout(&xunjian(&["signatures", "schema"]));
    let path = support::project("signatures/schema.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == printed, "signatures/schema.json is stale: UPDATE=1 cargo test --test schema");
}

fn value_of(toml: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Value>(toml).unwrap()).unwrap()
}

#[test]
fn every_signature_file_is_valid() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut files = 0;
    for (file, text) in &Source::embedded().files {
        let folder = file.split('/').next().unwrap();
        if About::from_id(folder).is_none() || !file.ends_with(".toml") {
            continue;
        }
        files += 1;
        let faults: Vec<String> =
            validator.iter_errors(&value_of(text)).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{file}: {faults:?}");
    }
    assert!(files > 50, "{files} files were looked at");
}

#[test]
fn mistakes_are_faults() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = "title = { zh = \"题\", en = \"t\" }\n[[clue]]\nid = \"a\"\nin = [\"pitch\"]\nany = [\"甲\"]\nweight = 5\nwhy = { zh = \"甲\", en = \"a\" }\n[[match]]\nclues = [\"a\"]\ntitle = \"甲\"\n";
    assert!(validator.is_valid(&value_of(good)));
    for (from, to) in [
        ("weight = 5\n", ""),
        ("weight = 5", "weight = \"5\""),
        ("weight = 5", "wieght = 5"),
        ("[\"pitch\"]", "[\"pich\"]"),
        ("any = [\"甲\"]\n", ""),
        ("any = [\"甲\"]", "library = \"adverts\""),
        ("zh = \"题\", ", ""),
        ("title = \"甲\"\n", "titel = \"甲\"\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(!validator.is_valid(&value_of(&bad)), "{from} -> {to}");
    }
}
