//! `signatures test`: one file tried while it is written.

use crate::support;

use std::path::PathBuf;
use std::process::Output;

use crate::support::{stderr, stdout, xunjian};
use serde_json::Value;

const DRAFT: &str = r#"title = { zh = "晒难题", en = "Sun an exercise" }

[[clue]]
id = "says-so"
in = ["text"]
any = ["晒难题"]
near = { any = ["解析"], within = 6 }
unless = { before = ["老师"], after = [], within = 3 }
weight = 25
why = { zh = "说晒难题", en = "says so" }

[[clue]]
id = "page"
in = ["component"]
any = ["sun question"]
weight = 12
why = { zh = "有此页面", en = "has the page" }

[[clue]]
id = "both"
all = ["says-so", "page"]
weight = 5
why = { zh = "两者并存", en = "both" }

[[match]]
clues = ["says-so"]
description = "晒难题看解析"

[[no-match]]
description = "晒难题"
"#;

/// A signature file under a folder named for its sign, and nowhere in the pack.
fn draft(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("photo-search");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("sun.toml");
    std::fs::write(&file, text).unwrap();
    (dir, file)
}

fn test(file: &std::path::Path, more: &[&str]) -> Output {
    let mut args = vec!["signatures", "test", file.to_str().unwrap()];
    args.extend(more);
    xunjian(&args)
}

/// The only trial of a JSON answer, its clues by name.
fn trial(file: &std::path::Path, more: &[&str]) -> Value {
    let output = test(file, &[more, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let trials: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(trials.len(), 1);
    trials.into_iter().next().unwrap()
}

fn clue<'a>(trial: &'a Value, name: &str) -> &'a Value {
    trial["clues"].as_array().unwrap().iter().find(|clue| clue["clue"] == name).unwrap()
}

#[test]
fn a_text_shows_the_match_and_the_sum() {
    let (_dir, file) = draft(DRAFT);
    let output = test(&file, &["--on", "打开就能晒 难 题，看 解析"]);
    let page = stdout(&output);
    assert!(page.contains("打开就能【晒 难 题】，看 解析"), "the hit is highlighted: {page}");
    assert!(page.contains("+25 → +24"), "strewing costs: {page}");
    assert!(page.contains("−20 基准 + 24 [1] 晒 难 题 = 4 → 72 %"), "{page}");
    assert!(page.contains("没有可查的内容：只看"), "no component to look at: {page}");
    assert!(page.contains("还须命中：page"), "{page}");
    let english = stdout(&test(&file, &["--on", "晒难题看解析", "--lang", "en"]));
    assert!(english.contains("−20 base rate + 25 [1] 晒难题看解析 = 5 → 76 %"), "{english}");
    assert!(!page.contains('⟦') && !english.contains('⟦'));
}

#[test]
fn what_undid_a_clue_is_said() {
    let (_dir, file) = draft(DRAFT);
    for (text, cause, by) in [
        ("晒难题", "not-near", ""),
        ("老师晒难题看解析", "unless", "老师"),
        ("不提供晒难题看解析", "negated", "不提供"),
    ] {
        let trial = trial(&file, &["--on", text]);
        let clue = clue(&trial, "says-so");
        assert_eq!((&clue["holds"], &clue["near_misses"][0]["cause"]), (&false.into(), &cause.into()), "{text}");
        assert_eq!(clue["near_misses"][0]["by"], by, "{text}");
        assert_eq!(trial["alone"]["sum"].as_array().unwrap().len(), 1, "only the base rate: {text}");
    }
}

#[test]
fn a_package_a_listing_and_a_class_name() {
    let ours = support::project("signatures/photo-search/names.toml");
    let found = trial(&ours, &["--on", "tests/fixtures/apks/photosearch.apk"]);
    assert_eq!(clue(&found, "page")["holds"], true);
    assert!(clue(&found, "page")["sightings"][0]["place"].as_str().unwrap().contains("AndroidManifest.xml"));
    let (dir, file) = draft(DRAFT);
    let page = trial(&file, &["--on", "cn.example.SunQuestionActivity", "--kind", "component"]);
    assert_eq!(clue(&page, "page")["holds"], true);
    let listings = dir.path().join("two.jsonl");
    std::fs::write(&listings, "{\"title\":\"晒难题解析\"}\n{\"title\":\"天气\"}\n").unwrap();
    let output = test(&file, &["--on", listings.to_str().unwrap(), "--format", "json"]);
    let trials: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let held: Vec<&Value> = trials.iter().map(|trial| &clue(trial, "says-so")["holds"]).collect();
    assert_eq!(held, [true, false]);
}

#[test]
fn faults_name_the_file_as_given_with_line_and_column() {
    let (_dir, file) = draft(&DRAFT.replace("weight = 25", "weight = \"x\""));
    let output = test(&file, &["--on", "晒难题"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(&format!("{}:9:10: ", file.display())), "{}", stderr(&output));
    let (_dir, file) = draft(DRAFT);
    let output = test(&file, &[]);
    assert_eq!(output.status.code(), Some(2), "two clues lack examples");
    assert!(stderr(&output).contains(&format!("{}:13:6: no [[match]] names clue `page`", file.display())));
    let output = test(&file, &["--on", "missing.apk"]);
    assert_eq!(output.status.code(), Some(2), "a file that is not there is no text");
    let output = test(&support::project("Cargo.toml"), &["--on", "晒难题"]);
    assert!(stderr(&output).contains("--sign"), "{}", stderr(&output));
}

#[test]
fn what_an_app_wrote_cannot_steer_the_terminal() {
    let (_dir, file) = draft(DRAFT);
    let page = stdout(&test(&file, &["--on", "\u{1b}[31m晒难题看解析\u{202e}"]));
    assert!(page.contains("晒难题") && !page.contains('\u{1b}') && !page.contains('\u{202e}'), "{page:?}");
}
