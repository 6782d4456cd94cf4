//! `--format csv|xlsx|sarif`: the same findings as the JSON report, in forms that other
//! tools open, harmless whatever an app calls itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::PathBuf;
use std::process::Output;

use calamine::{Data, Reader, Xlsx};
use serde_json::{Value, json};
use support::{report, stderr, xunjian};

/// What a hostile developer would like a spreadsheet to run.
const FORMULA: &str = "=HYPERLINK(\"http://a.example/\",\"拍照搜题\")";

/// A folder with a hostile listing, beside a fixture app and a file that is no package.
fn targets() -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let listing = json!({
        "id": "h1", "package": "+cmd|' /C calc'!A0", "title": FORMULA, "developer": "@SUM(1+1)*cmd\u{202e}\u{0}",
        "description": "小学数学拍照搜题，一拍出答案，名师讲解初中物理。", "url": "javascript:alert(1)",
    });
    std::fs::write(path("h.jsonl"), listing.to_string()).unwrap();
    std::fs::write(path("no.apk"), "nothing").unwrap();
    let named = |path: PathBuf| path.display().to_string();
    let targets = vec!["tests/fixtures/apks/adstudy.apk".into(), named(path("h.jsonl")), named(path("no.apk"))];
    (folder, targets)
}

fn audit(targets: &[String], format: &str) -> Output {
    let mut args = vec!["audit", "--format", format];
    args.extend(targets.iter().map(String::as_str));
    let output = xunjian(&args);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    output
}

/// Ids of findings, those out of scope included.
fn findings(report: &Value) -> BTreeSet<String> {
    let audits = report["audits"].as_array().unwrap();
    let all = audits.iter().flat_map(|audit| [&audit["findings"], &audit["out_of_scope"]]);
    all.filter_map(Value::as_array).flatten().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn csv_has_a_row_for_every_finding_and_skip_and_no_formula() {
    let (_folder, targets) = targets();
    let output = audit(&targets, "csv");
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.strip_prefix('\u{feff}').expect("a mark for spreadsheets");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heading = reader.headers().unwrap().clone();
    assert_eq!(heading.get(0), Some("结果"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let ids: BTreeSet<String> =
        rows.iter().map(|row| row.get(heading.len() - 1).unwrap().to_owned()).filter(|id| !id.is_empty()).collect();
    assert_eq!(ids, findings(&report(&audit(&targets, "json"))));
    assert!(rows.iter().any(|row| row.get(0) == Some("未检查") && row.get(1).unwrap().contains("no.apk")));
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a spreadsheet would run {cell:?}");
        assert!(!cell.contains(['\u{202e}', '\0']), "{cell:?}");
    }
    assert!(rows.iter().any(|row| row.get(1).unwrap() == format!("'{FORMULA}")));
}

#[test]
fn xlsx_has_a_sheet_a_sign_and_text_in_every_cell() {
    let (_folder, targets) = targets();
    let bytes = audit(&targets, "xlsx").stdout;
    assert_eq!(bytes, audit(&targets, "xlsx").stdout, "the same audits give the same bytes");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let names = book.sheet_names();
    for name in ["全部", "中小学学科培训", "拍照搜题", "广告", "读取情况", "未检查", "说明"] {
        assert!(names.iter().any(|n| n == name), "{name} of {names:?}");
    }
    let mut cells = 0;
    for name in names {
        let sheet = book.worksheet_range(&name).unwrap();
        for (_, _, cell) in sheet.used_cells() {
            assert!(matches!(cell, Data::String(_)), "{name}: {cell:?}");
            cells += 1;
        }
        assert!(book.worksheet_formula(&name).unwrap().used_cells().next().is_none(), "{name} holds a formula");
    }
    assert!(cells > 100);
    let all = book.worksheet_range("全部").unwrap();
    assert!(all.used_cells().any(|(_, _, cell)| *cell == Data::String(FORMULA.into())), "text stays as it stood");
}

#[test]
fn sarif_reads_back_with_every_finding_and_what_was_not_read() {
    let (_folder, targets) = targets();
    let output = audit(&targets, "sarif");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["version"], "2.1.0");
    let run = &value["runs"][0];
    let rules: BTreeSet<&str> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(rules.len(), 13);
    let results = run["results"].as_array().unwrap();
    // A result that is to be reviewed has no level (SARIF 3.27.10).
    assert!(results.iter().all(|result| result["kind"] == "review" && result["level"] == "none"));
    assert!(results.iter().all(|result| rules.contains(result["ruleId"].as_str().unwrap())));
    let ids: BTreeSet<String> =
        results.iter().map(|r| r["partialFingerprints"]["finding/v1"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, findings(&report(&audit(&targets, "json"))));
    let notes = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert!(notes.iter().any(|n| n["level"] == "error" && n["message"]["text"].as_str().unwrap().contains("no.apk")
        || n["descriptor"]["id"] == "skipped"));
    for result in results {
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.contains(':') && !uri.starts_with('/'), "{uri}");
    }
}
