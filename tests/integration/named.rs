//! One named app, now: reports that destroy nothing and say nothing that is not so.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{project, report, stderr, stdout, xunjian};

fn apk(name: &str) -> PathBuf {
    project(&format!("tests/fixtures/apks/{name}.apk"))
}

fn audit(args: &[&str]) -> Output {
    let mut all = vec!["audit"];
    all.extend(args);
    xunjian(&all)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn limits(audit: &Value) -> Vec<String> {
    let limits = audit["coverage"]["limits"].as_array().unwrap();
    limits.iter().map(|limit| limit["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_report_never_takes_the_place_of_an_input() {
    let dir = tempfile::tempdir().unwrap();
    let (package, link, hard) = (dir.path().join("me.apk"), dir.path().join("link.apk"), dir.path().join("hard.html"));
    std::fs::copy(apk("photosearch"), &package).unwrap();
    std::os::unix::fs::symlink(&package, &link).unwrap();
    std::fs::hard_link(&package, &hard).unwrap();
    let before = std::fs::read(&package).unwrap();
    for out in [&package, &link, &hard] {
        let refused = audit(&[&text(&package), "--out", &text(out)]);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("one of the inputs"), "{}", stderr(&refused));
    }
    // A file of the folder that is audited is an input too.
    let refused = audit(&[&text(dir.path()), "--out", &text(&package)]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert_eq!(std::fs::read(&package).unwrap(), before);
}

#[test]
fn a_kill_leaves_the_old_report_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("report.json");
    let done = audit(&[&text(&apk("cleanedu")), "--format", "json", "--out", &text(&out)]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let old = std::fs::read(&out).unwrap();
    let folder = text(&project("tests/fixtures/apks"));
    for step in 0..10_u64 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xunjian"))
            .args(["audit", &folder, "--format", "json", "--out", &text(&out)])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(step * 60));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        let now = std::fs::read(&out).unwrap();
        assert!(now == old || serde_json::from_slice::<Value>(&now).is_ok(), "{} bytes after kill {step}", now.len());
    }
    let full = audit(&[&text(&apk("cleanedu")), "--out", "/dev/full"]);
    assert_eq!(full.status.code(), Some(1), "a device is written as it is: {}", stderr(&full));
}

fn registers(dir: &Path, kind: &str, rows: &str) {
    let table = dir.join(format!("{kind}.csv"));
    std::fs::write(&table, rows).unwrap();
    let imported = xunjian(&["register", "import", kind, &text(&table), "--registers", &text(dir)]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
}

fn findings<'a>(audit: &'a Value, sign: &str) -> Vec<&'a Value> {
    audit["findings"].as_array().unwrap().iter().filter(|finding| finding["sign"] == sign).collect()
}

fn said_by_register(finding: &Value) -> String {
    let evidence = finding["evidence"].as_array().unwrap();
    let told: Vec<&str> =
        evidence.iter().filter(|e| e["kind"] == "register").map(|e| e["why"]["zh"].as_str().unwrap()).collect();
    told.join(" ")
}

#[test]
fn a_provider_that_nobody_knows_is_not_called_unlicensed() {
    let dir = tempfile::tempdir().unwrap();
    registers(dir.path(), "licence", "机构名称,许可证号,有效期至\n示例（北京）教育科技有限公司,京1,2030-06-30\n");
    let output = audit(&[&text(&apk("subject")), "--registers", &text(dir.path()), "--format", "json"]);
    let told = report(&output);
    let audit_ = &told["audits"][0];
    assert_eq!(audit_["standings"]["licence"]["standing"], "not-checked");
    let found = findings(audit_, "subject-tutoring");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["standing"], "not-checked");
    assert_eq!(said_by_register(found[0]), "");
    let human = stdout(&audit(&[&text(&apk("subject")), "--registers", &text(dir.path())]));
    assert!(human.contains("许可名册：提供者名称不详，无法核对"), "{human}");
}

#[test]
fn what_expired_says_so_with_its_number_and_day_in_every_report() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "应用包名,备案号,有效期至\ncn.example.douya,教APP备1100001号,2025-12-31\n";
    registers(dir.path(), "filing", rows);
    let of = |format: &str, as_of: &str| {
        let output =
            audit(&[&text(&apk("preschool")), "--registers", &text(dir.path()), "--as-of", as_of, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    for format in ["human", "html", "csv"] {
        let told = of(format, "2026-12-01");
        assert!(
            told.contains("2025-12-31") && told.contains("教APP备1100001号") && told.contains("到期"),
            "{format}: {told}"
        );
    }
    let told: Value = serde_json::from_str(&of("json", "2026-12-01")).unwrap();
    let found = findings(&told["audits"][0], "filing-missing");
    assert!(said_by_register(found[0]).contains("已于 2025-12-31 到期（按 2026-12-01 判断）"), "{found:?}");
    let told: Value = serde_json::from_str(&of("json", "2025-12-31")).unwrap();
    assert!(findings(&told["audits"][0], "filing-missing").is_empty(), "its last day still counts");
}

#[test]
fn a_number_shown_and_not_found_is_told_in_one_sentence_with_the_size_of_the_register() {
    let dir = tempfile::tempdir().unwrap();
    registers(dir.path(), "filing", "应用包名,备案号\ncn.example.other,教APP备9999999号\n");
    for list in ["white", "grey", "black"] {
        registers(dir.path(), list, "应用包名,备案号\ncn.example.other,教APP备9999999号\n");
    }
    let told = report(&audit(&[&text(&apk("cleanedu")), "--registers", &text(dir.path()), "--format", "json"]));
    let found = findings(&told["audits"][0], "filing-missing");
    let said = said_by_register(found[0]);
    assert!(
        said.contains("应用所示备案号：") && said.contains("教APP备1100999号") && said.contains("仅 1 条"),
        "{said}"
    );
    for format in ["human", "html", "csv"] {
        let told = stdout(&audit(&[&text(&apk("cleanedu")), "--registers", &text(dir.path()), "--format", format]));
        for list in ["白名单", "灰名单", "黑名单"] {
            assert!(told.contains(list), "{format} does not tell of the {list}: {told}");
        }
        assert!(told.contains("名册仅 1 条"), "{format}: {told}");
    }
}

#[test]
fn a_day_that_is_none_and_a_time_of_zero_are_refused() {
    for day in ["昨天", "2026-13-40", "2025-6-1"] {
        let refused = audit(&[&text(&apk("cleanedu")), "--as-of", day]);
        assert_eq!(refused.status.code(), Some(2), "{day}: {}", stderr(&refused));
        assert!(stderr(&refused).contains("2026-01-31"), "{}", stderr(&refused));
    }
    let refused = audit(&[&text(&apk("cleanedu")), "--timeout", "0"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
}

#[test]
fn a_split_without_its_base_is_not_looked_through() {
    let split = project("tests/fixtures/apks/splits/config.zh.apk");
    let output = audit(&[&text(&split), "--format", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let told = report(&output);
    assert!(limits(&told["audits"][0]).contains(&"missing-split".to_owned()), "{told}");
    let checks = told["audits"][0]["checks"].as_array().unwrap();
    let not_found: Vec<&Value> = checks.iter().filter(|check| check["outcome"] == "not-found").collect();
    assert!(not_found.is_empty(), "{not_found:?}");
}

#[test]
fn another_version_than_the_listed_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let listing = dir.path().join("listing.json");
    let of = |version: &str| {
        let said = format!(r#"{{"title":"晨光家校通","package":"cn.example.jiaxiao","version_name":"{version}"}}"#);
        std::fs::write(&listing, said).unwrap();
        report(&audit(&[&text(&apk("cleanedu")), "--listing", &text(&listing), "--format", "json"]))
    };
    let other = of("99.9");
    let other_limits = &other["audits"][0]["coverage"]["limits"];
    assert!(limits(&other["audits"][0]).contains(&"other-version".to_owned()), "{other_limits}");
    assert!(other_limits.to_string().contains("99.9"), "{other_limits}");
    let own = other["audits"][0]["app"]["version_name"].as_str().unwrap().to_owned();
    assert!(!limits(&of(&format!("v{own}"))["audits"][0]).contains(&"other-version".to_owned()));
}

#[test]
fn a_quote_marks_all_that_carries_the_claim() {
    let dir = tempfile::tempdir().unwrap();
    let marked = |description: &str| -> Vec<String> {
        let list = dir.path().join("one.jsonl");
        std::fs::write(&list, serde_json::json!({ "title": "题山", "description": description }).to_string()).unwrap();
        let audit = report(&audit(&[&text(&list), "--format", "json"]))["audits"][0].take();
        let evidence = findings(&audit, "photo-search")[0]["evidence"].as_array().unwrap().clone();
        let words = |item: Value| {
            let at = |n: usize| item["mark"][n].as_u64().unwrap() as usize;
            item["text"].as_str().unwrap().chars().skip(at(0)).take(at(1) - at(0)).collect()
        };
        evidence.into_iter().filter(|item| item["clue"] == "described").map(words).collect()
    };
    // Photographing alone is no search: what comes of it belongs to the quote.
    let said = marked("大学生专用的题库搜索。期末重点，拍照或复制题目都能查到参考答案；高数习题也有过程。");
    assert_eq!(said, ["拍照或复制题目都能查到参考答案"]);
    let said = marked("中小学作业题库。参考答案在这里，不会的题拍照即可，小学数学全覆盖。");
    assert_eq!(said, ["参考答案在这里，不会的题拍照"]);
}
