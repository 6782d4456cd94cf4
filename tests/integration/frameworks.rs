//! Every framework that carries an app's words is named in `profile.framework`: by the
//! places its tools put files in each form of package, and by content when files are renamed.

use crate::support;

use std::sync::{Arc, LazyLock};

use crate::support::containers::{App, archive, hap, ipa};
use crate::support::package::{Member, Package};

use xunjian::audit::{Auditor, sha256};
use xunjian::model::{Budget, Kind};
use xunjian::signature::{Pack, Source};

static AUDITOR: LazyLock<Auditor> = LazyLock::new(|| {
    let pack = Pack::load(&Source::embedded()).expect("the pack loads");
    let policy = pack.policies.values().next().expect("a policy").clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
});

fn frameworks(bytes: &[u8]) -> Vec<String> {
    let reading = AUDITOR.read("a", &sha256(bytes), &bytes).expect("a package");
    AUDITOR.conclude(None, vec![reading]).profile.framework
}

/// An Android package with these entries; `cleanedu` has no framework.
fn apk(entries: &[(&str, &[u8])]) -> Vec<String> {
    let path = support::project("tests/fixtures/apks/cleanedu.apk");
    with(&Package::read(&std::fs::read(path).unwrap()), entries)
}

fn with(package: &Package, entries: &[(&str, &[u8])]) -> Vec<String> {
    let mut package = package.clone();
    package.members.extend(entries.iter().map(|(name, bytes)| Member::new(name, bytes, true)));
    frameworks(&package.write())
}

#[test]
fn android_frameworks_are_named_by_their_places() {
    assert_eq!(apk(&[]), [""; 0]);
    let page = b"<html>".as_slice();
    for (path, name) in [
        ("assets/www/cordova.js", "Apache Cordova"),
        ("assets/www/build/polyfills.js", "Ionic"),
        ("assets/capacitor.config.json", "Capacitor"),
        ("assets/apps/__UNI__1A2B3C4/www/app-service.js", "DCloud(uni-app/5+)"),
        ("assets/data/dcloud_control.xml", "DCloud(uni-app/5+)"),
        ("assets/widget/config.xml", "APICloud"),
        ("assets/index.android.bundle", "React Native"),
        ("lib/arm64-v8a/libhermes.so", "Hermes"),
        ("assets/flutter_assets/NOTICES.Z", "Flutter"),
        ("lib/arm64-v8a/libflutter.so", "Flutter"),
        ("assets/bin/Data/globalgamemanagers", "Unity"),
        ("lib/arm64-v8a/libil2cpp.so", "Unity"),
        ("lib/arm64-v8a/libcocos2dlua.so", "Cocos2d-x / Creator"),
        ("assets/src/cocos2d-jsb.jsc", "Cocos2d-x / Creator"),
        ("lib/arm64-v8a/libmonodroid.so", "Xamarin/.NET MAUI"),
    ] {
        assert_eq!(apk(&[(path, page)]), [name], "{path}");
    }
}

#[test]
fn frameworks_are_named_by_content_under_any_name() {
    for (file, names) in [
        ("hermes-96.hbc", ["Hermes", "React Native"].as_slice()),
        ("hermes-76.hbc", &["Hermes", "React Native"]),
        ("dart-objects64.so", &["Flutter"]),
        ("dart-cluster.so", &["Flutter"]),
        ("il2cpp-29.dat", &["Unity"]),
        ("quiz-6.unity3d", &["Unity"]),
        ("assemblies.blob", &["Xamarin/.NET MAUI"]),
        ("program.wxapkg", &["微信小程序包"]),
    ] {
        let bytes = std::fs::read(support::project("tests/fixtures/formats").join(file)).unwrap();
        assert_eq!(apk(&[("assets/x/7f3a", &bytes)]), names, "{file}");
    }
}

#[test]
fn frameworks_are_named_in_packages_of_ios() {
    let plain = Package::read(&ipa::ipa(&App::subject(), true));
    assert_eq!(with(&plain, &[]), [""; 0]);
    for (path, name) in [
        ("www/cordova.js", "Apache Cordova"),
        ("capacitor.config.json", "Capacitor"),
        ("Pandora/apps/__UNI__1A2B3C4/www/app-service.js", "DCloud(uni-app/5+)"),
        ("widget/config.xml", "APICloud"),
        ("main.jsbundle", "React Native"),
        ("Frameworks/hermes.framework/hermes", "Hermes"),
        ("Frameworks/Flutter.framework/Flutter", "Flutter"),
        ("Frameworks/App.framework/flutter_assets/NOTICES.Z", "Flutter"),
        ("Frameworks/UnityFramework.framework/UnityFramework", "Unity"),
        ("src/cocos2d-jsb.js", "Cocos2d-x / Creator"),
    ] {
        assert_eq!(with(&plain, &[(&format!("Payload/Lessons.app/{path}"), b"x")]), [name], "{path}");
    }
}

#[test]
fn frameworks_are_named_in_packages_of_harmony() {
    let whole = Package::read(&hap::hap(&App::subject()));
    assert_eq!(with(&whole, &[]), ["ArkTS"]);
    let module = hap::module(&App::subject(), "entry", "entry").into_bytes();
    let bare = Package::read(&archive(vec![("module.json", module)]));
    assert_eq!(with(&bare, &[]), [""; 0]);
    for (path, name) in [
        ("resources/rawfile/flutter_assets/NOTICES.Z", "Flutter"),
        ("libs/arm64-v8a/libflutter.so", "Flutter"),
        ("resources/rawfile/apps/__UNI__1A2B3C4/www/app-service.js", "DCloud(uni-app/5+)"),
        ("resources/rawfile/www/cordova.js", "Apache Cordova"),
        ("libs/arm64-v8a/libcocos.so", "Cocos2d-x / Creator"),
    ] {
        assert_eq!(with(&bare, &[(path, b"x")]), [name], "{path}");
    }
}

/// Where the words of an app of each framework lie, and who wrote the file.
const CARRIERS: &[(&str, &str)] = &[
    ("assets/index.android.bundle", "hermes-96.hbc"),
    ("lib/arm64-v8a/libapp.so", "dart-objects64.so"),
    ("lib/armeabi-v7a/libapp.so", "dart-objects32.so"),
    ("assets/bin/Data/Managed/Metadata/global-metadata.dat", "il2cpp-29.dat"),
    ("assets/bin/Data/Managed/Assembly-CSharp.dll", "Quiz.dll"),
    ("assets/bin/Data/data.unity3d", "quiz-6.unity3d"),
    ("assemblies/assemblies.blob", "assemblies.blob"),
    ("assets/src/quiz.luac", "quiz-lua51.luac"),
    ("assets/src/quiz.luac", "quiz-luajit.luac"),
    ("assets/mini/program.wxapkg", "program.wxapkg"),
    ("assets/bank.db", "bank.db"),
    ("assets/bank.json.gz", "bank.json.gz"),
    ("assets/bank.json.zst", "bank.json.zst"),
    ("assets/bank.xlsx", "shared.xlsx"),
    ("assets/bank.epub", "story.epub"),
    ("assets/bank.docx", "notice.docx"),
    ("assets/bank.pdf", "subset.pdf"),
];

/// Carriers that are text.
const TEXTS: &[(&str, &str)] = &[
    ("assets/www/js/index.js", "var s='\\u62cd\\u7167'+'\\u641c\\u9898';"),
    ("assets/www/build/main.js", "e.innerHTML=\"拍照\"+\"搜题\""),
    ("assets/public/assets/index-1f2e.js", "const a=`拍照搜题`"),
    (
        "assets/apps/__UNI__1A2B3C4/www/app-service.js",
        "(this[\"webpackJsonp\"]=[]).push([[\"app-service\"],{0:function(t,e){e.t=\"拍照搜题\"}}]);",
    ),
    ("assets/widget/html/main.html", "<p>拍<b>照</b>搜题</p>"),
    ("assets/index.android.bundle", "__d(function(g,r){r.default='拍照搜题'},0,[]);"),
    ("assets/flutter_assets/assets/bank.json", "{\"title\":\"\\u62cd\\u7167\\u641c\\u9898\"}"),
    ("assets/src/app/quiz.lua", "local title = '拍照搜题'"),
    ("assets/bank.csv", "id,title\n1,拍照搜题\n"),
    ("assets/lesson.srt", "1\n00:00:01,000 --> 00:00:02,000\n拍照搜题\n"),
    ("assets/lesson.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n拍照搜题\n"),
    ("res/raw/bank.txt", "拍照搜题"),
];

#[test]
fn words_are_found_where_each_framework_keeps_them() {
    let plain = Package::read(&std::fs::read(support::project("tests/fixtures/apks/cleanedu.apk")).unwrap());
    let files = CARRIERS.iter().map(|(path, fixture)| {
        (*path, std::fs::read(support::project("tests/fixtures/formats").join(fixture)).unwrap())
    });
    for (path, bytes) in files.chain(TEXTS.iter().map(|(path, text)| (*path, text.as_bytes().to_vec()))) {
        let mut package = plain.clone();
        package.members.push(Member::new(path, &bytes, true));
        let bytes = package.write();
        let reading = AUDITOR.read("a.apk", &sha256(&bytes), &bytes.as_slice()).expect("a package");
        let audit = AUDITOR.conclude(None, vec![reading]);
        let said = audit.findings.iter().chain(&audit.out_of_scope).filter(|f| f.sign.id() == "photo-search");
        let places: Vec<&str> = said.flat_map(|f| &f.evidence).map(|e| e.place.as_str()).collect();
        assert!(places.iter().any(|place| place.starts_with(&format!("a.apk!/{path}"))), "{path}: {places:?}");
    }
}

/// What a framework's own tool built of our sources (`tests/fixtures/frameworks/build.sh`), in the
/// places where its runtime looks for it.
#[test]
fn what_the_frameworks_own_tools_build_is_named_and_read() {
    let built = [
        ("React Native", "metro", "index.android.bundle", "assets/index.android.bundle", "两位数乘法名师精讲"),
        ("React Native", "metro", "index.android.bundle", "assets/index.android.bundle", "拍一拍作业，马上出答案"),
        ("Capacitor", "capacitor/assets", "capacitor.config.json", "assets/capacitor.config.json", "幼小衔接课"),
        ("Capacitor", "capacitor/assets", "public/index.html", "assets/public/index.html", "拼音识字启蒙课"),
        ("Apache Cordova", "cordova/assets/www", "cordova.js", "assets/www/cordova.js", "cordova"),
        ("Apache Cordova", "cordova/assets/www", "index.html", "assets/www/index.html", "小升初奥数名师课"),
        (
            "DCloud(uni-app/5+)",
            "uni-app/www",
            "app-service.js",
            "assets/apps/__UNI__1A2B3C4/www/app-service.js",
            "中考完形填空冲刺班",
        ),
    ];
    let base = Package::read(&std::fs::read(support::project("tests/fixtures/apks/cleanedu.apk")).unwrap());
    for (name, folder, _, _, text) in built {
        let mut package = base.clone();
        for (_, _, file, place, _) in built.iter().filter(|other| other.1 == folder) {
            if package.members.iter().all(|member| member.central.name != place.as_bytes()) {
                let path = support::project(&format!("tests/fixtures/frameworks/{folder}/{file}"));
                package.members.push(Member::new(place, &std::fs::read(path).unwrap(), true));
            }
        }
        let bytes = package.write();
        assert_eq!(frameworks(&bytes), [name], "{folder}");
        let mut reading = AUDITOR.read_keeping("a.apk", &sha256(&bytes), &bytes.as_slice()).unwrap();
        let facts = reading.keep().unwrap().expect("facts are kept").facts().unwrap();
        assert!(facts.of(Kind::Asset).any(|fact| fact.contains(text)), "{folder}: {text}");
    }
}
