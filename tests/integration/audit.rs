//! The report of real runs over our fixture apps: contract, places, determinism.

use crate::support;

use crate::support::{report, stderr, xunjian};
use serde_json::Value;

fn audit(name: &str) -> Value {
    let apk = format!("tests/fixtures/apks/{name}.apk");
    let listing = format!("tests/fixtures/listings/{name}.json");
    let output = xunjian(&["audit", &apk, "--listing", &listing, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    report(&output)["audits"][0].clone()
}

fn finding<'a>(audit: &'a Value, sign: &str) -> &'a Value {
    let findings = audit["findings"].as_array().unwrap();
    findings.iter().find(|f| f["sign"] == sign).unwrap_or_else(|| panic!("no {sign}"))
}

#[test]
fn keys_of_the_contract() {
    let output = xunjian(&["audit", "tests/fixtures/apks/photosearch.apk", "--format", "json"]);
    let report = report(&output);
    assert_eq!(report["schema"], "xunjian/report/1");
    for key in ["version", "pack_sha256", "policy"] {
        assert!(report["made_by"][key].as_str().is_some_and(|v| !v.is_empty()), "made_by.{key}");
    }
    let audit = &report["audits"][0];
    for path in [
        "/app/store",
        "/app/package",
        "/app/title",
        "/app/developer",
        "/app/version_name",
        "/app/version_code",
        "/app/url",
        "/artifacts/0/name",
        "/artifacts/0/sha256",
        "/artifacts/0/bytes",
        "/artifacts/0/kind",
        "/artifacts/0/certificates/0",
        "/profile/education/verdict",
        "/profile/education/probability",
        "/profile/kind",
        "/profile/stages",
        "/profile/subjects",
        "/profile/languages",
        "/profile/framework",
        "/profile/libraries",
        "/profile/filing_numbers",
        "/coverage/level",
        "/coverage/limits/0/code",
        "/coverage/limits/0/detail",
        "/coverage/limits/0/where",
        "/coverage/read/entries",
        "/coverage/read/bytes",
        "/coverage/read/strings",
        "/coverage/read/classes",
        "/checks/0/sign",
        "/checks/0/outcome",
        "/checks/0/probability",
        "/checks/0/searched",
        "/findings/0/id",
        "/findings/0/sign",
        "/findings/0/clause",
        "/findings/0/clause_text",
        "/findings/0/severity",
        "/findings/0/confidence",
        "/findings/0/probability",
        "/findings/0/standing",
        "/findings/0/evidence/0/signature",
        "/findings/0/evidence/0/clue",
        "/findings/0/evidence/0/kind",
        "/findings/0/evidence/0/weight",
        "/findings/0/evidence/0/text",
        "/findings/0/evidence/0/where",
    ] {
        assert!(audit.pointer(path).is_some(), "{path} is missing");
    }
    assert_eq!(audit["checks"].as_array().unwrap().len(), 13);
}

#[test]
fn sums_can_be_recomputed_by_hand() {
    for name in ["photosearch", "subject", "adstudy", "preschool"] {
        for finding in audit(name)["findings"].as_array().unwrap() {
            let sum: i64 = finding["sum"].as_array().unwrap().iter().map(|line| line["weight"].as_i64().unwrap()).sum();
            let odds = 10_f64.powf(sum as f64 / 10.0);
            let probability = finding["probability"].as_f64().unwrap();
            assert!((odds / (1.0 + odds) - probability).abs() < 1e-4, "{name} {}", finding["sign"]);
            let mut counted: Vec<i64> = finding["evidence"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|e| e["counted"] == true)
                .map(|e| e["weight"].as_i64().unwrap())
                .collect();
            let mut lines: Vec<i64> =
                finding["sum"].as_array().unwrap().iter().skip(1).map(|l| l["weight"].as_i64().unwrap()).collect();
            counted.sort_unstable();
            lines.sort_unstable();
            assert_eq!(counted, lines, "{name} {}: the counted evidence is the sum", finding["sign"]);
        }
    }
}

#[test]
fn the_photo_search_app_names_places_in_listing_and_package() {
    let audit = audit("photosearch");
    let evidence = finding(&audit, "photo-search")["evidence"].as_array().unwrap();
    let places: Vec<&str> = evidence.iter().map(|e| e["where"].as_str().unwrap()).collect();
    assert!(places.iter().any(|p| p.contains("listing")), "{places:?}");
    assert!(places.iter().any(|p| p.contains("photosearch.apk!/")), "{places:?}");
}

#[test]
fn the_cordova_app_is_read_through_its_escapes() {
    let output = xunjian(&["audit", "tests/fixtures/apks/cordova.apk", "--format", "json"]);
    let audit = report(&output)["audits"][0].clone();
    let evidence = finding(&audit, "photo-search")["evidence"].clone();
    assert!(evidence.to_string().contains("assets/www/"), "{evidence}");
    assert!(audit["profile"]["framework"].to_string().contains("Cordova"));
}

#[test]
fn an_ad_free_claim_over_ad_libraries_is_a_contradiction() {
    let audit = audit("adstudy");
    let clues = finding(&audit, "advertising")["evidence"].to_string();
    assert!(clues.contains("无广告") || clues.contains("contradict"), "{clues}");
    let categories = audit["profile"]["libraries"].to_string();
    assert!(categories.contains("穿山甲"));
}

#[test]
fn the_profile_of_a_package_alone_does_not_contradict_its_findings() {
    let output = xunjian(&["audit", "tests/fixtures/apks/adstudy.apk", "--format", "json"]);
    let audit = report(&output)["audits"][0].clone();
    assert!(finding(&audit, "subject-tutoring")["probability"].as_f64().unwrap() > 0.9);
    assert_eq!(audit["profile"]["kind"], "subject");
    assert_eq!(audit["profile"]["subjects"], serde_json::json!(["english"]));
}

#[test]
fn out_of_scope_apps_keep_their_findings_apart() {
    let audit = audit("adultexam");
    assert_eq!(audit["profile"]["education"]["verdict"], "no");
    assert_eq!(audit["findings"].as_array().unwrap().len(), 0);
}

#[test]
fn a_clean_app_prints_its_filing_number() {
    let audit = audit("cleanedu");
    assert!(audit["profile"]["filing_numbers"].to_string().contains("ICP"), "{}", audit["profile"]["filing_numbers"]);
}

#[test]
fn absence_is_not_assessable_in_a_listing_alone() {
    let output = xunjian(&["audit", "corpora/listings/subjects.jsonl", "--format", "jsonl"]);
    let first: Value = serde_json::from_str(support::stdout(&output).lines().next().unwrap()).unwrap();
    for check in first["checks"].as_array().unwrap() {
        let is_absence = ["complaint-channel", "service-terms", "filing-missing", "minor-privacy"]
            .contains(&check["sign"].as_str().unwrap());
        if is_absence {
            assert_eq!(check["outcome"], "not-assessable", "{check}");
            assert!(check["because"].to_string().contains("no-package"));
        }
    }
}

#[test]
fn the_same_bytes_give_the_same_report() {
    let args = ["audit", "tests/fixtures/apks", "--format", "json"];
    assert_eq!(xunjian(&args).stdout, xunjian(&args).stdout);
}

#[test]
fn jsonl_keeps_the_order_of_the_input() {
    let output = xunjian(&["audit", "corpora/listings", "--format", "jsonl"]);
    let ids: Vec<String> = support::stdout(&output)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["app"]["id"].as_str().unwrap().to_owned())
        .collect();
    let mut expected = Vec::new();
    let mut files: Vec<_> =
        std::fs::read_dir(support::project("corpora/listings")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            expected.push(serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids, expected);
}

#[test]
fn a_register_answers_for_the_provider() {
    let dir = tempfile::tempdir().unwrap();
    let listing = std::fs::read_to_string(support::project("tests/fixtures/listings/subject.json")).unwrap();
    let listing: Value = serde_json::from_str(&listing).unwrap();
    let table = dir.path().join("licences.csv");
    let developer = listing["developer"].as_str().unwrap();
    std::fs::write(&table, format!("机构名称,许可证号,有效期至\n{developer},京教许1号,2026-12-31\n")).unwrap();
    let home = dir.path().join("registers");
    let (home, table) = (home.to_str().unwrap(), table.to_str().unwrap());
    assert!(xunjian(&["register", "import", "licence", table, "--registers", home]).status.success());
    let standing_on = |day: &str| {
        let output = xunjian(&[
            "audit",
            "tests/fixtures/apks/subject.apk",
            "--listing",
            "tests/fixtures/listings/subject.json",
            "--format",
            "json",
            "--registers",
            home,
            "--as-of",
            day,
        ]);
        let audit = report(&output)["audits"][0].clone();
        let found = finding(&audit, "subject-tutoring");
        (found["standing"].as_str().unwrap().to_owned(), found["severity"].as_str().unwrap().to_owned())
    };
    assert_eq!(standing_on("2026-06-01"), ("listed".into(), "low".into()), "a licence turns it into information");
    assert_eq!(standing_on("2027-06-01"), ("listed".into(), "high".into()), "an expired one does not");
    assert_eq!(finding(&audit("subject"), "subject-tutoring")["standing"], "not-checked");
}
