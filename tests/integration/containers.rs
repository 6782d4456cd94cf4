//! Packages of other forms than the APK: the same words lead to the same findings.

use crate::support;

use std::sync::Arc;

use crate::support::containers::{App, aab, hap, ipa};
use crate::support::package::{Member, Package};
use crate::support::shared;

use xunjian::audit::{Auditor, sha256};
use xunjian::extract;
use xunjian::model::{ArtifactKind, Audit, Budget, LimitCode};
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
    // The made bundle has no code: its components have no class.
    assert_eq!(codes(&bundle), [LimitCode::MissingSplit]);
}

#[test]
fn a_harmony_package_says_what_the_apk_says() {
    let package = audit("subject.hap", &hap::hap(&App::subject()));
    assert_tutors(&package);
    assert_eq!(package.app.version_code, 512);
    assert_eq!(package.artifacts[0].kind, ArtifactKind::Hap);
    assert_eq!(package.profile.framework, ["ArkTS"]);
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

/// The fixture set with the manifest of its container changed.
fn xapk(change: impl Fn(&mut Package)) -> Vec<u8> {
    let mut package = Package::read(&std::fs::read(support::project("tests/fixtures/apks/splits.xapk")).unwrap());
    change(&mut package);
    package.write()
}

fn assert_chinese_comes_from(audit: &Audit, split: &str) {
    let zh: Vec<&str> = audit
        .findings
        .iter()
        .chain(&audit.out_of_scope)
        .flat_map(|f| &f.evidence)
        .filter(|e| {
            e.text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) && e.place.contains("resources.arsc")
        })
        .map(|e| e.place.as_str())
        .collect();
    assert!(!zh.is_empty(), "{:#?}", audit.findings);
    assert!(zh.iter().all(|place| place.contains(split)), "{zh:?}");
}

#[test]
fn the_chinese_of_a_set_comes_from_its_split() {
    let set = audit("splits.xapk", &xapk(|_| ()));
    assert_chinese_comes_from(&set, "config.zh.apk!/resources.arsc");
    assert_eq!(set.app.package, "cn.example.zhiliao");
    assert_eq!(codes(&set), []);
    let kinds: Vec<ArtifactKind> = set.artifacts.iter().map(|a| a.kind).collect();
    assert_eq!(kinds, [ArtifactKind::Xapk, ArtifactKind::Apk, ArtifactKind::Split, ArtifactKind::Split]);
}

#[test]
fn a_set_without_a_split_that_it_names_says_so() {
    let set = audit("splits.xapk", &xapk(|p| p.members.retain(|m| m.name() != "config.zh.apk")));
    assert_eq!(codes(&set), [LimitCode::MissingSplit]);
    let limit = set.coverage.limits.iter().find(|l| l.code == LimitCode::MissingSplit).unwrap();
    assert!(limit.detail.contains("config.zh") && limit.place == "splits.xapk!/manifest.json", "{limit:?}");
    // Without the list of files, by the names of the splits.
    let set = audit(
        "splits.xapk",
        &xapk(|p| {
            let said = br#"{"package_name":"cn.example.zhiliao","split_configs":["config.zh","config.ja"]}"#;
            p.member("manifest.json").unwrap().set_data(said);
        }),
    );
    assert_eq!(codes(&set), [LimitCode::MissingSplit]);
}

#[test]
fn a_set_without_its_base_is_known_by_what_its_container_says() {
    let bytes = xapk(|p| p.members.retain(|m| !m.name().ends_with(".apk") || m.name() == "config.zh.apk"));
    let set = audit("splits.xapk", &bytes);
    assert_eq!((set.app.package.as_str(), set.app.version_code), ("cn.example.zhiliao", 19));
    let bytes = xapk(|p| {
        p.members.retain(|m| !m.name().ends_with(".apk"));
        p.members.push(Member::new("broken.apk", b"nothing", false));
    });
    let set = audit("splits.xapk", &bytes);
    assert_eq!((set.app.package.as_str(), set.app.title.as_str()), ("cn.example.zhiliao", "知了小学数学"));
    assert_eq!(set.app.version_name, "1.9.0");
}

#[test]
fn expansion_files_are_artifacts_and_are_read() {
    let obb = "Android/obb/cn.example.zhiliao/main.19.cn.example.zhiliao.obb";
    let said =
        format!(r#"{{"package_name":"cn.example.zhiliao","expansions":[{{"file":"{obb}"}},{{"file":"patch.obb"}}]}}"#);
    let inner = support::containers::archive(vec![("bank.txt", "拍照搜题：对准题目拍一张，一秒出答案".into())]);
    let bytes = xapk(|p| {
        p.member("manifest.json").unwrap().set_data(said.as_bytes());
        p.members.retain(|m| m.name() != "config.zh.apk");
        p.members.push(Member::new(obb, &inner, false));
    });
    let set = audit("splits.xapk", &bytes);
    let artifact = set.artifacts.iter().find(|a| a.kind == ArtifactKind::Obb).unwrap();
    assert_eq!(artifact.name, format!("splits.xapk!/{obb}"));
    assert_eq!((artifact.bytes, artifact.sha256.clone()), (inner.len() as u64, sha256(&inner)));
    let words = set.findings.iter().flat_map(|f| &f.evidence);
    assert!(words.into_iter().any(|e| e.place.contains("obb!/bank.txt")), "{:#?}", set.findings);
    assert_eq!(codes(&set), [LimitCode::MissingSplit], "the patch is named and not here");
}

#[test]
fn an_archive_of_apkmirror_says_who_it_is() {
    let said = r#"{"apkm_version":5,"pname":"cn.example.zhiliao","app_name":"知了","versioncode":"19","release_version":"1.9.0"}"#;
    let bytes = xapk(|p| {
        p.members.retain(|m| m.name() != "manifest.json");
        p.members.push(Member::new("info.json", said.as_bytes(), true));
    });
    let set = audit("splits.apkm", &bytes);
    assert_eq!(set.artifacts[0].kind, ArtifactKind::Apks);
    assert_eq!(set.app.package, "cn.example.zhiliao");
    assert_eq!(codes(&set), []);
}

#[test]
fn sets_know_their_splits() {
    let auditor = auditor();
    for name in ["splits.xapk", "splits.apks"] {
        let bytes = std::fs::read(support::project("tests/fixtures/apks").join(name)).unwrap();
        let found = auditor.identify(&bytes).unwrap();
        let mut splits = found.splits.clone();
        splits.sort();
        assert_eq!((found.package.as_str(), found.version_code), ("cn.example.zhiliao", 19), "{name}");
        assert_eq!(splits, ["", "config.arm64_v8a", "config.zh"], "{name}");
    }
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_the_chinese_of_a_real_set_comes_from_its_split() {
    let dir = shared("apks/containers");
    let bytes = std::fs::read(dir.join("test_files__android_xapk.xapk")).unwrap();
    let found = audit("real.xapk", &bytes);
    assert_eq!(found.app.package, "com.tfg.samples.dynamicfeatures.ondemand");
    let share = |audit: &xunjian::model::Audit| audit.profile.languages.get("zh").copied().unwrap_or(0);
    let whole = share(&found);
    let mut package = Package::read(&bytes);
    package.members.retain(|m| m.name() != "config.zh.apk");
    let found = audit("real.xapk", &package.write());
    // What is left are words of the Japanese split that are all in Han characters.
    assert!(whole > 1 && share(&found) <= 1, "{whole} and {:?}", found.profile.languages);
    assert!(found.coverage.limits.iter().any(|l| l.code == LimitCode::MissingSplit && l.detail.contains("config.zh")));
}

#[test]
fn stored_packages_within_cost_no_memory() {
    // A set larger than what one entry may be: nothing is cut off, for nothing is copied.
    let package = xapk(|_| ());
    let mut small = auditor();
    small.budget.entry_bytes = 6_000;
    let reading = small.read("splits.xapk", &sha256(&package), &package).unwrap();
    let set = small.conclude(None, vec![reading]);
    assert_chinese_comes_from(&set, "config.zh.apk!/resources.arsc");
    // Named as a picture, cut off, or lying about its local header: said as of any entry.
    let bytes = xapk(|p| {
        let inner = p.members[1].data();
        p.members.push(Member::new("assets/a.png", &inner, false));
        p.members[1].local.name = b"other.apk".to_vec();
    });
    let said = codes(&audit("splits.xapk", &bytes));
    assert_eq!(said, [LimitCode::TamperedArchive, LimitCode::LyingName]);
}

/// Numbers without a pattern, the same in every run.
fn noise() -> impl FnMut(usize) -> usize {
    let mut state = 1_u64;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    }
}

fn corrupted(bytes: &[u8], pick: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=pick(12) {
        let at = if pick(2) == 0 { pick(out.len()) } else { pick(out.len().min(400)) };
        out[at] = pick(256) as u8;
    }
    if pick(4) == 0 {
        out.truncate(pick(out.len()));
    }
    out
}

#[test]
fn corrupted_packages_never_panic() {
    let app = App::subject();
    let auditor = auditor();
    let mut pick = noise();
    let forms = [aab::aab(&app), hap::hap(&app), ipa::ipa(&app, true), ipa::ipa(&app, false), xapk(|_| ())];
    for whole in forms {
        for _ in 0..100 {
            let bytes = corrupted(&whole, &mut pick);
            let _ = auditor.identify(&bytes);
            if let Ok(reading) = auditor.read("a", "", &bytes) {
                let _ = auditor.conclude(None, vec![reading]);
            }
        }
        // Headers kept, contents corrupted.
        let package = Package::read(&whole);
        for _ in 0..100 {
            let mut package = package.clone();
            let index = pick(package.members.len());
            let data = corrupted(&package.members[index].data(), &mut pick);
            package.members[index].set_data(&data);
            let _ = auditor.read("a", "", &package.write());
        }
    }
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_real_parts_that_lie_never_panic() {
    let dir = shared("apks/containers");
    let parts = [
        ("bundletool__install-time-permanent-modules.aab", "base/manifest/AndroidManifest.xml"),
        ("bundletool__install-time-permanent-modules.aab", "base/resources.pb"),
        ("ArkAnalyzer-HapRay__test.hap", "resources.index"),
        ("ArkAnalyzer-HapRay__test.hap", "ets/modules.abc"),
        ("ArkAnalyzer-HapRay__test.hap", "module.json"),
        ("test_files__ios.ipa", "Payload/helloworld.app/Info.plist"),
    ];
    let budget = Budget::default();
    let mut pick = noise();
    for (file, name) in parts {
        let data = Package::read(&std::fs::read(dir.join(file)).unwrap()).member(name).unwrap().data();
        for _ in 0..if data.len() > 1 << 18 { 10 } else { 200 } {
            let bytes = corrupted(&data, &mut pick);
            let (resources, _) = extract::Resources::read(&bytes, name, &budget);
            let _ = extract::manifest(&bytes, name, &resources, &budget);
            let _ = extract::harmony::module(&bytes, name, &resources, &Budget::default());
            let _ = extract::ios::info(&bytes, name, Vec::new());
            let _ = extract::entry(name, name, &bytes, &budget);
        }
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

/// One protobuf field: a number, or bytes behind their length.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut length = bytes.len();
    let mut out = vec![number << 3 | 2];
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    [out, bytes.to_vec()].concat()
}

/// A variant of one module: its number, and (split, file) of its packages.
fn variant(number: u8, apks: &[(&str, &str)]) -> Vec<u8> {
    let module = field(1, &[field(1, b"base"), vec![6 << 3, 1]].concat());
    let apks = apks.iter().map(|(split, file)| {
        let split = field(3, &field(1, split.as_bytes()));
        field(2, &[field(2, file.as_bytes()), split].concat())
    });
    let set = field(2, &[module, apks.collect::<Vec<_>>().concat()].concat());
    field(1, &[set, vec![3 << 3, number]].concat())
}

const BASE: (&str, &str) = ("", "splits/base-master.apk");
const ZH: (&str, &str) = ("config.zh", "splits/base-zh.apk");
const ARM: (&str, &str) = ("config.arm64_v8a", "splits/base-arm64_v8a.apk");
const STANDALONE: (&str, &str) = ("", "standalones/standalone.apk");

/// The fixture set of `bundletool` with another table.
fn apks(toc: &[u8], change: impl Fn(&mut Package)) -> Audit {
    let mut package = Package::read(&std::fs::read(support::project("tests/fixtures/apks/splits.apks")).unwrap());
    package.member("toc.pb").unwrap().set_data(toc);
    change(&mut package);
    audit("splits.apks", &package.write())
}

/// The base once more, as the package of old devices: with its Chinese, and one more page.
fn with_standalone(package: &mut Package) {
    let mut base = Package::read(&package.member(BASE.1).unwrap().data());
    let table = Package::read(&package.member(ZH.1).unwrap().data()).member("resources.arsc").unwrap().data();
    base.member("resources.arsc").unwrap().set_data(&table);
    base.members.push(Member::new("assets/old.html", "<p>拍照搜题</p>".as_bytes(), true));
    package.members.insert(0, Member::new(STANDALONE.1, &base.write(), false));
}

#[test]
fn a_set_says_which_of_its_packages_are_missing() {
    let toc =
        [variant(1, &[BASE, ZH, ARM, ("config.xxhdpi", "splits/base-xxhdpi.apk")]), field(4, b"cn.example.zhiliao")];
    let set = apks(&toc.concat(), |_| ());
    let limits: Vec<&str> = set.coverage.limits.iter().map(|l| l.detail.as_str()).collect();
    assert!(limits.contains(&"the split config.xxhdpi is named and not here"), "{limits:?}");
    let set = apks(&variant(1, &[BASE, ZH, ARM]), |_| ());
    assert_eq!(codes(&set), []);
    assert_chinese_comes_from(&set, "base-zh.apk!/resources.arsc");
    // Without its base the table still says whose set it is.
    let toc = [variant(1, &[BASE, ZH, ARM]), field(4, b"cn.example.zhiliao")].concat();
    let set = apks(&toc, |p| p.members.retain(|m| m.name() != BASE.1));
    assert_eq!(set.app.package, "cn.example.zhiliao");
    assert!(codes(&set).contains(&LimitCode::MissingSplit));
}

#[test]
fn variants_of_an_app_are_not_counted_twice() {
    let one = apks(&variant(2, &[BASE, ZH, ARM]), |_| ());
    let toc = [variant(0, &[STANDALONE]), variant(2, &[BASE, ZH, ARM])].concat();
    let two = apks(&toc, with_standalone);
    assert_eq!(two.coverage.read.classes, one.coverage.read.classes, "the same code is read once");
    assert_eq!(two.artifacts.len(), one.artifacts.len() + 1);
    assert_eq!(codes(&two), []);
    assert_eq!((&two.profile.stages, &two.profile.subjects), (&one.profile.stages, &one.profile.subjects));
    // What only the old variant has is seen as well.
    let all = two.findings.iter().chain(&two.out_of_scope).flat_map(|f| &f.evidence);
    assert!(all.clone().any(|e| e.place.contains("standalone.apk!/assets/old.html")), "{:#?}", two.findings);
    // Devices take the newer variant: what both hold is shown with the place it has there.
    let shared: Vec<&str> = all.map(|e| e.place.as_str()).filter(|p| p.contains("classes.dex")).collect();
    assert!(shared.iter().all(|place| place.contains("base-master.apk")), "{shared:?}");
    // A table that names one variant of two leaves nothing out.
    let more = apks(&variant(2, &[BASE, ZH, ARM]), with_standalone);
    assert_eq!(more.coverage.read.classes, 2 * one.coverage.read.classes);
}

#[test]
fn a_table_of_packages_that_does_not_decode_is_said() {
    let set = apks(&[0x0a, 0xff, 0xff], |_| ());
    assert_eq!(codes(&set), [LimitCode::BadFormat]);
    let set = apks(&vec![0; 5 << 20], |_| ());
    assert_eq!(codes(&set), [LimitCode::OverBudget]);
}
