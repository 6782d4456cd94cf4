//! Packages of other forms than the APK: the same words lead to the same findings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use std::sync::Arc;

use support::containers::{App, aab, hap, ipa};

use xunjian::model::{ArtifactKind, Audit, Budget, LimitCode};
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
    let bundle = audit("subject.aab", &aab::aab(&App::subject()));
    assert_tutors(&bundle);
    assert_eq!(bundle.app.version_code, 512);
    assert_eq!(bundle.artifacts[0].kind, ArtifactKind::Aab);
    assert_eq!(codes(&bundle), []);
}

#[test]
fn a_harmony_package_says_what_the_apk_says() {
    let package = audit("subject.hap", &hap::hap(&App::subject()));
    assert_tutors(&package);
    assert_eq!(package.app.version_code, 512);
    assert_eq!(package.artifacts[0].kind, ArtifactKind::Hap);
    assert_eq!(codes(&package), []);
    assert_eq!(package.coverage.read.classes, 1);
}

#[test]
fn a_harmony_app_is_one_audit_of_its_modules() {
    let app = App::subject();
    let feature = support::containers::archive(vec![
        ("module.json", hap::module(&app, "quiz", "feature").into_bytes()),
        ("resources.index", hap::second(&hap::resources(&app))),
    ]);
    let modules = [("quiz-default.hap", feature.clone()), ("entry-default.hap", hap::hap(&app))];
    let whole = audit("subject.app", &hap::app(&app, &["entry-default", "quiz-default"], &modules));
    assert_tutors(&whole);
    assert_eq!(whole.artifacts.len(), 3);
    assert_eq!(codes(&whole), []);
    // Without its entry the feature still says whose it is, and what is missing is said.
    let part = audit("subject.app", &hap::app(&app, &["entry-default", "quiz-default"], &modules[..1]));
    assert_tutors(&part);
    assert_eq!(codes(&part), [LimitCode::MissingSplit]);
}

#[test]
fn an_ios_package_says_what_the_apk_says() {
    for is_binary in [true, false] {
        let package = audit("subject.ipa", &ipa::ipa(&App::subject(), is_binary));
        assert_tutors(&package);
        assert_eq!(package.app.version_code, 512);
        assert_eq!(package.artifacts[0].kind, ArtifactKind::Ipa);
        assert_eq!(codes(&package), []);
    }
}

#[test]
fn files_of_one_app_are_told_by_what_they_say() {
    let app = App::subject();
    let auditor = auditor();
    let identify = |bytes: &[u8]| auditor.identify(&bytes).map(|id| (id.package, id.version_code, id.splits));
    let entry = identify(&hap::hap(&app)).unwrap();
    assert_eq!(entry, ("cn.example.youketang".into(), 512, vec![String::new()]));
    assert_eq!(identify(&aab::aab(&app)).unwrap(), entry);
    assert_eq!(identify(&ipa::ipa(&app, true)).unwrap(), entry);
    let feature =
        support::containers::archive(vec![("module.json", hap::module(&app, "quiz", "feature").into_bytes())]);
    assert_eq!(identify(&feature).unwrap().2, ["quiz"]);
    assert_eq!(identify(&support::containers::archive(vec![("config.json", b"{}".to_vec())])), None);
}
