//! Bad input gives one clear line that names the file and the cure; the rest is still audited.

use crate::support;

use std::fs;

use crate::support::{report, stderr, stdout, xunjian};

const GOOD: &str = "tests/fixtures/apks/photosearch.apk";

/// Audits a bad file beside a good one; returns the reason of the one skip.
fn reason_beside_a_good_one(bad: &str) -> String {
    let output = xunjian(&["audit", bad, GOOD, "--format", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let report = report(&output);
    assert_eq!(report["audits"].as_array().unwrap().len(), 1, "the good one is audited");
    let skipped = report["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0]["target"].as_str().unwrap().starts_with(bad), "names the file");
    assert_eq!(stderr(&output).lines().count(), 1, "one line: {}", stderr(&output));
    skipped[0]["reason"].as_str().unwrap().to_owned()
}

fn with_file(name: &str, bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    reason_beside_a_good_one(path.to_str().unwrap())
}

#[test]
fn a_missing_file() {
    assert!(reason_beside_a_good_one("no/such.apk").contains("check the path"));
}

#[test]
fn a_store_address_is_told_from_a_missing_file() {
    let told = reason_beside_a_good_one("nosuchstore:cn.example.app");
    assert!(told.contains("no store `nosuchstore`; there are ") && told.contains("apple, "), "{told}");
    assert!(reason_beside_a_good_one("*:words").contains("takes words"));
}

#[test]
fn an_empty_folder() {
    let dir = tempfile::tempdir().unwrap();
    assert!(reason_beside_a_good_one(dir.path().to_str().unwrap()).contains("empty"));
}

#[test]
fn an_empty_file() {
    assert!(with_file("a.apk", b"").contains("empty"));
}

#[test]
fn something_that_is_no_package() {
    assert!(with_file("a.apk", b"GIF89a and so on").contains("not a package"));
    assert!(with_file("notes.txt", "只是文字".as_bytes()).contains("not a package"));
}

#[test]
fn a_listing_line_that_is_no_json() {
    assert!(with_file("a.jsonl", b"{\"title\": \"x\"").contains("not a listing"));
    assert!(with_file("b.jsonl", b"{\"id\": 1}").contains("title"));
    assert!(with_file("c.jsonl", b"\xff\xfe\xfa").contains("UTF-8"));
}

#[test]
fn the_line_number_of_a_bad_listing_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.jsonl");
    fs::write(&path, "{\"title\":\"甲\"}\nnonsense\n{\"title\":\"乙\"}\n").unwrap();
    let output = xunjian(&["audit", path.to_str().unwrap(), "--format", "json"]);
    let report = report(&output);
    assert_eq!(report["audits"].as_array().unwrap().len(), 2);
    assert!(report["skipped"][0]["target"].as_str().unwrap().ends_with("l.jsonl:2"));
}

#[test]
fn a_truncated_package_is_audited_as_far_as_it_goes() {
    let bytes = fs::read(support::project(GOOD)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.apk");
    fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let output = xunjian(&["audit", path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let report = report(&output);
    let codes: Vec<&str> = report["audits"][0]["coverage"]["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"damaged-archive"), "{codes:?}");
    assert_ne!(report["audits"][0]["coverage"]["level"], "full");
}

#[test]
fn a_malformed_signature_points_at_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    let sign = dir.path().join("photo-search");
    fs::create_dir(&sign).unwrap();
    let cases = [
        ("title = { zh = \"x\" en", "1:"),
        ("title = { zh = \"x\", en = \"x\" }\nnonsense = 1\n", "2:1: unknown field `nonsense`"),
        (
            "title = { zh = \"x\", en = \"x\" }\n[[clue]]\nid = \"a\"\nin = [\"dreams\"]\nany = [\"x\"]\nweight = 1\nwhy = { zh = \"x\", en = \"x\" }\n",
            "4:7: no fact kind `dreams`",
        ),
        (
            "title = { zh = \"x\", en = \"x\" }\n[[clue]]\nid = \"a\"\nall = [\"b\"]\nweight = 1\nwhy = { zh = \"x\", en = \"x\" }\n",
            "4:8: no clue `photo-search/bad#b`",
        ),
    ];
    for (text, expected) in cases {
        fs::write(sign.join("bad.toml"), text).unwrap();
        for command in [&["signatures", "check"][..], &["audit", GOOD]] {
            let output = xunjian(&[command, &["--signatures", dir.path().to_str().unwrap()]].concat());
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
            let said = stderr(&output);
            assert!(said.contains(&format!("photo-search/bad.toml:{expected}")), "{said}");
        }
    }
}

#[test]
fn usage_errors_exit_with_2() {
    for args in
        [&["audit"][..], &["audit", GOOD, "--policy", "none"], &["audit", GOOD, GOOD, "--listing", "x"], &["bogus"]]
    {
        assert_eq!(xunjian(args).status.code(), Some(2), "{args:?}");
    }
    assert_eq!(xunjian(&["--help"]).status.code(), Some(0));
    assert!(stdout(&xunjian(&["--version"])).starts_with("xunjian "));
}

#[test]
fn a_report_into_a_folder_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/report.html");
    let output = xunjian(&["audit", GOOD, "--format", "html", "--out", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("its folder is not there: make it"), "{}", stderr(&output));
    assert!(!dir.path().join("new").exists(), "none is made unasked");
}

#[test]
fn a_message_names_no_option_that_the_command_does_not_have() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    for (args, said) in [
        (&["client", "add", "a b", "--may", "read", "--home", home][..], "NAME \"a b\": a name is 1 to 40"),
        (&["client", "stop", "nobody", "--home", home], "there is no client \"nobody\"; see `xunjian client list`"),
        (&["people", "add", "a b", "--role", "lead", "--home", home], "NAME \"a b\": a name is 1 to 40"),
        (&["people", "stop", "nobody", "--home", home], "there is no \"nobody\"; see `xunjian people list`"),
        (&["evidence", "verify", "no/such/bag"], "no/such/bag: no such folder"),
    ] {
        let output = xunjian(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).starts_with(&format!("xunjian: {said}")), "{args:?}: {}", stderr(&output));
    }
}
