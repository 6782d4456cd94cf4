//! `--format csv|xlsx|sarif`: the same findings as the JSON report, in forms that other
//! tools open, harmless whatever an app calls itself.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::PathBuf;
use std::process::Output;

use crate::support::{project, report, stderr, stdout, xunjian};
use calamine::{Data, Reader, Xlsx};
use serde_json::{Value, json};

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
    let id = heading.iter().position(|column| column == "线索编号").unwrap();
    let ids: BTreeSet<String> =
        rows.iter().map(|row| row.get(id).unwrap().to_owned()).filter(|id| !id.is_empty()).collect();
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
        for (_, column, cell) in sheet.used_cells() {
            // A probability is a number, which sorts; all else is text.
            let is_share = matches!(cell, Data::Float(share) if (0.01..=0.99).contains(share)) && column == 9;
            assert!(is_share || matches!(cell, Data::String(_)), "{name}: {cell:?}");
            cells += 1;
        }
        assert!(book.worksheet_formula(&name).unwrap().used_cells().next().is_none(), "{name} holds a formula");
    }
    assert!(cells > 100);
    let all = book.worksheet_range("全部").unwrap();
    assert!(all.used_cells().any(|(_, _, cell)| *cell == Data::String(FORMULA.into())), "text stays as it stood");
}

/// Words wrap, and paper is A4 across: headings on every page, findings over three pages side by side.
#[test]
fn xlsx_is_set_up_for_print() {
    let (_folder, targets) = targets();
    let mut book = zip::ZipArchive::new(Cursor::new(audit(&targets, "xlsx").stdout)).unwrap();
    let mut part = |name: &str| std::io::read_to_string(book.by_name(name).unwrap()).unwrap();
    let (first, styles, workbook) = (part("xl/worksheets/sheet1.xml"), part("xl/styles.xml"), part("xl/workbook.xml"));
    for set in [r#"orientation="landscape""#, r#"paperSize="9""#, r#"fitToWidth="3""#, "&amp;P / &amp;N"] {
        assert!(first.contains(set), "{set}: {}", &first[first.len().saturating_sub(900)..]);
    }
    assert!(styles.contains(r#"wrapText="1""#), "{styles}");
    assert!(workbook.contains("_xlnm.Print_Titles"), "{workbook}");
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
    assert_eq!(rules.len(), xunjian::model::Sign::ALL.len());
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
        assert!(!uri.contains(':') && !uri.starts_with("//"), "no scheme and no host: {uri}");
    }
}

/// One fixture under two policies: each form names the policies that every finding stands under, its clause and all its
/// grounds, as the JSON report has them.
#[test]
fn every_form_says_which_policies_a_finding_stands_under() {
    let folder = tempfile::tempdir().unwrap();
    let package = project("tests/fixtures/apks/photosearch.apk").display().to_string();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let made = |more: &[&str]| {
        let policies = ["audit", &package, "--policy", "bj-in-force", "--policy", "cn", "--lang", "zh"];
        xunjian(&[&policies[..], more].concat())
    };
    let json: Value = serde_json::from_str(&stdout(&made(&["--format", "json"]))).unwrap();
    let findings = json["audits"][0]["findings"].as_array().unwrap().clone();
    assert!(findings.iter().any(|finding| finding["policies"] == json!(["bj-in-force", "cn"])), "{json}");
    let clauses = |finding: &Value| -> Vec<String> {
        let grounds = finding["grounds"].as_array().unwrap();
        grounds.iter().map(|ground| ground["clause"].as_str().unwrap().to_owned()).collect()
    };
    let (sarif, bags, sheet) = (stdout(&made(&["--format", "sarif"])), path("bags"), path("a.xlsx"));
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    made(&["--out", &sheet]);
    made(&["--evidence", &bags]);
    let csv = stdout(&made(&["--format", "csv"]));
    let mut reader = csv::ReaderBuilder::new().from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let heading: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    let column = |name: &str| heading.iter().position(|known| known == name).unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook(&sheet).unwrap();
    let ranges: Vec<_> = book.worksheets();
    let cells = |row: &[Data]| row.iter().map(ToString::to_string).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = ranges.iter().flat_map(|(_, range)| range.rows().map(cells)).collect();
    for finding in &findings {
        let id = finding["id"].as_str().unwrap();
        let row = rows.iter().find(|row| row.iter().any(|cell| cell == id)).unwrap();
        assert_eq!(row[column("条款")], finding["clause"].as_str().unwrap(), "{id}");
        let line = lines.iter().find(|line| line.iter().any(|cell| cell == id)).unwrap().join("\n");
        for policy in finding["policies"].as_array().unwrap() {
            let title = if policy == "cn" { "全国性规定" } else { "北京现行规定" };
            assert!(row[column("所依规定")].contains(title) && line.contains(title), "{id} {policy}: {line}");
        }
        for clause in clauses(finding) {
            assert!(row[column("全部依据")].contains(&clause) && line.contains(&clause), "{id} {clause}");
        }
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let result = results.iter().find(|result| result["ruleId"] == finding["sign"]).unwrap();
        assert_eq!(result["properties"]["policies"], finding["policies"], "{id}");
        assert_eq!(result["properties"]["grounds"], finding["grounds"], "{id}");
        let kept = std::fs::read(folder.path().join("bags").join(id).join("data/report.json")).unwrap();
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        let kept = kept["audits"][0]["findings"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
        assert_eq!((&kept["policies"], &kept["grounds"]), (&finding["policies"], &finding["grounds"]), "{id}");
    }
}
