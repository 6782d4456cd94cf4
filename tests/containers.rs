//! Packages of other forms than the APK: the same words lead to the same findings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use std::sync::Arc;

use support::containers::{self, App};

use xunjian::model::{ArtifactKind, Audit, Budget, Facts, Kind, LimitCode};
use xunjian::pipeline::{Auditor, sha256};
use xunjian::signature::{Pack, Source};

fn auditor() -> Auditor {
    let pack = Pack::load(&Source::embedded()).expect("the pack loads");
    let policy = pack.policies.values().next().expect("a policy").clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
}

fn audit(name: &str, bytes: &[u8]) -> Audit {
    let auditor = auditor();
    let reading = auditor.read(name, &sha256(bytes), &bytes).expect("a package");
    auditor.conclude(None, vec![reading])
}

fn codes(audit: &Audit) -> Vec<LimitCode> {
    audit.coverage.limits.iter().map(|l| l.code).filter(|code| *code != LimitCode::NoListing).collect()
}

fn has(facts: &Facts, kind: Kind, text: &str) -> bool {
    facts.of(kind).any(|found| found == text)
}

/// The words that the fixture shares with the APK are found as they are there.
fn assert_tutors(audit: &Audit) {
    let finding = audit.findings.iter().find(|f| f.sign.id() == "subject-tutoring");
    let evidence = &finding.unwrap_or_else(|| panic!("no subject tutoring: {:#?}", audit.findings)).evidence;
    assert!(evidence.iter().any(|e| e.text.contains("同步辅导") || e.text.contains("中考")), "{evidence:#?}");
    assert_eq!(audit.app.package, "cn.example.youketang");
    assert_eq!(audit.app.title, "优课堂同步学");
    assert_eq!(audit.app.version_name, "5.1.2");
}

#[test]
fn an_app_bundle_says_what_the_apk_says() {
    let apk = std::fs::read(support::project("tests/fixtures/apks/subject.apk")).unwrap();
    assert_tutors(&audit("subject.apk", &apk));
    let bundle = audit("subject.aab", &containers::aab(&App::subject()));
    assert_tutors(&bundle);
    assert_eq!(bundle.app.version_code, 512);
    assert_eq!(bundle.artifacts[0].kind, ArtifactKind::Aab);
    assert_eq!(codes(&bundle), []);
}
