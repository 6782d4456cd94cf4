//! One named app, fit for use: what reports say of themselves, the page for a hearing, evidence at once, names as
//! people give them.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::fake_store::FakeStore;
use crate::support::package::{Member, Package};
use crate::support::{project, report, stderr, stdout, xunjian};
use xunjian::model::Sign;
use xunjian::report::words::{Lang, find};

fn apk(name: &str) -> String {
    project(&format!("tests/fixtures/apks/{name}.apk")).display().to_string()
}

fn audit(args: &[&str]) -> Output {
    xunjian(&[&["audit"], args].concat())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn with(variables: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
    command.args(args).env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", "C.UTF-8");
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn every_report_says_when_what_and_by_what() {
    let told = report(&audit(&[&apk("photosearch"), "--format", "json"]));
    assert!(told["made_at"].as_str().unwrap().ends_with("+08:00"), "{}", told["made_at"]);
    let artifact = &told["audits"][0]["artifacts"][0];
    let (sha256, signer) = (artifact["sha256"].as_str().unwrap(), &artifact["signers"][0]);
    assert!(signer["subject"].as_str().unwrap().contains("CN="), "{signer}");
    let until = signer["until"].as_str().unwrap();
    let title = told["audits"][0]["basis"][0]["title"]["zh"].as_str().unwrap();
    let pack = told["made_by"]["pack_sha256"].as_str().unwrap();
    for format in ["human", "html", "sheet"] {
        let page =
            stdout(&with(&[("SOURCE_DATE_EPOCH", "1796079000")], &["audit", &apk("photosearch"), "--format", format]));
        for wanted in ["2026-12-01 06:50 +08:00", sha256, until, "CN=", title, pack, "photosearch.apk"] {
            assert!(page.contains(wanted), "{format} lacks {wanted}: {page}");
        }
    }
    let table =
        stdout(&with(&[("SOURCE_DATE_EPOCH", "1796079000")], &["audit", &apk("photosearch"), "--format", "csv"]));
    for wanted in ["2026-12-01 06:50 +08:00", sha256, until, "CN=", "photosearch.apk"] {
        assert!(table.contains(wanted), "csv lacks {wanted}: {table}");
    }
}

#[test]
fn what_speaks_for_the_provider_is_told() {
    let page = stdout(&audit(&[&apk("cleanedu")]));
    assert!(page.contains("对提供者有利：") && page.contains("已见投诉举报入口"), "{page}");
    assert!(page.contains("已见监护人同意或儿童个人信息保护规则"), "{page}");
    // An app that is not about minors was not seen to care for them.
    let other = stdout(&audit(&[&apk("cleantool")]));
    assert!(!other.contains("已见监护人同意") && !other.contains("未成年人个人信息保护（已见）"), "{other}");
    // What was seen is not listed by the name of what is missing.
    assert!(page.contains("备案信息（已见）") && !page.contains("未发现问题：未见"), "{page}");
}

#[test]
fn a_long_sum_shows_its_strongest_lines_and_what_the_rest_comes_to() {
    let page = stdout(&audit(&[&apk("photosearch")]));
    let long = page
        .lines()
        .find(|line| line.contains("计分：") && line.contains("；其余 "))
        .unwrap_or_else(|| panic!("{page}"));
    assert!(long.contains(" 条 +") && long.contains("合计 "), "the rest comes last: {long}");
    assert_eq!(long.matches("；[").count(), 5, "{long}");
    assert!(page.contains("参考，不计分（+"), "what does not count says so: {page}");
}

#[test]
fn a_second_audit_leaves_the_bags_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = audit(&[&apk("preschool"), "--evidence", &text(dir.path())]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let names: Vec<String> =
        std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(
        names.len() >= 2 && names.iter().filter(|name| name.ends_with("-2")).count() * 2 == names.len(),
        "{names:?}"
    );
}

#[test]
fn a_sheet_is_a_page_a_finding_with_all_that_a_hearing_asks_for() {
    let told = report(&audit(&[&apk("photosearch"), "--format", "json"]));
    let findings = told["audits"][0]["findings"].as_array().unwrap();
    let page = stdout(&audit(&[&apk("photosearch"), "--format", "sheet"]));
    assert_eq!(page.matches("<section class=\"sheet\">").count(), findings.len());
    for finding in findings {
        assert!(page.contains(finding["id"].as_str().unwrap()), "{page}");
    }
    for heading in [
        "检查线索单",
        "编号",
        "检查时间",
        "签名者",
        "提供者",
        "一、线索",
        "二、条款",
        "三、主要证据",
        "复核办法",
        "四、对提供者有利",
        "五、未检查",
        "六、计分",
        "检查人",
        "提供者意见",
    ] {
        assert!(page.contains(heading), "{heading}: {page}");
    }
    let none = stdout(&audit(&["nosuch.apk", "--format", "sheet"]));
    assert!(none.contains("未检查的对象") && none.contains("nosuch.apk"), "{none}");
}

#[test]
fn every_sign_says_how_to_see_it_by_hand() {
    for sign in Sign::ALL {
        let words = find(&format!("recheck.{}", sign.id())).unwrap_or_else(|| panic!("{sign}"));
        assert!(words.get(Lang::Zh).chars().count() > 20 && words.get(Lang::En).len() > 40, "{sign}");
    }
}

#[test]
fn a_document_for_word_processors_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("sheet.docx");
    let done = audit(&[&apk("photosearch"), "--out", &text(&out)]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&out).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    for name in &names {
        let mut part = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut part).unwrap();
        let mut reader = quick_xml::Reader::from_str(&part);
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(_) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
        if name == "word/document.xml" {
            assert!(part.contains("六、计分") && part.contains("复核办法"), "{part}");
        }
    }
    assert!(names.iter().any(|name| name == "[Content_Types].xml"), "{names:?}");
}

#[test]
#[ignore = "needs chromium and poppler"]
fn a_sheet_prints_to_one_page_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let (page, pdf) = (dir.path().join("sheet.html"), dir.path().join("sheet.pdf"));
    let all: Vec<String> =
        ["photosearch", "preschool", "harmful", "schoolfee", "disguised", "subject", "livelesson"].map(apk).to_vec();
    let mut args: Vec<&str> = all.iter().map(String::as_str).collect();
    let told = report(&audit(&[args.as_slice(), &["--format", "json"]].concat()));
    let findings: usize =
        told["audits"].as_array().unwrap().iter().map(|a| a["findings"].as_array().unwrap().len().max(1)).sum();
    let out = text(&page);
    args.extend(["--format", "sheet", "--out", &out]);
    assert_eq!(audit(&args).status.code(), Some(0));
    let printed = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", &format!("--print-to-pdf={}", text(&pdf))])
        .arg(&page)
        .output()
        .unwrap();
    assert!(pdf.is_file(), "{}", stderr(&printed));
    let info = Command::new("pdfinfo").arg(&pdf).output().unwrap();
    let pages = stdout(&info).lines().find_map(|line| line.strip_prefix("Pages:").map(|n| n.trim().to_owned()));
    assert_eq!(pages.unwrap(), findings.to_string());
}

#[test]
fn evidence_comes_with_the_audit_and_holds_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let bags = dir.path().join("bags");
    let output = audit(&[&apk("photosearch"), "--evidence", &text(&bags), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = report(&output);
    let plain = report(&audit(&[&apk("photosearch"), "--format", "json"]));
    let ids = |told: &Value| -> Vec<String> {
        let findings = told["audits"][0]["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&told), ids(&plain), "the id is the one that is printed without it");
    assert_eq!(told["audits"][0]["artifacts"][0]["name"], plain["audits"][0]["artifacts"][0]["name"]);
    for id in ids(&told) {
        let bag = bags.join(id);
        let verified = xunjian(&["evidence", "verify", &text(&bag)]);
        assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
        let package = std::fs::read(bag.join("data/packages/photosearch.apk")).unwrap();
        assert_eq!(package, std::fs::read(apk("photosearch")).unwrap());
        let page = std::fs::read_to_string(bag.join("data/report.html")).unwrap();
        let readme = std::fs::read_to_string(bag.join("data/说明.txt")).unwrap();
        assert!(page.contains("题闪闪") && readme.contains("题闪闪") && readme.contains("evidence verify"), "{readme}");
    }
    // A listing alone, and splits, which lie in the bag as one file.
    let bags = dir.path().join("more");
    let listing = dir.path().join("a.jsonl");
    std::fs::write(&listing, "{\"title\":\"搜题\",\"description\":\"拍照搜题，小学初中数学作业，秒出解析\"}\n")
        .unwrap();
    let splits = text(&project("tests/fixtures/apks/splits"));
    let output = audit(&[&text(&listing), &splits, "--evidence", &text(&bags), "--format", "json"]);
    let told = report(&output);
    assert!(told["audits"][0]["findings"].as_array().is_some_and(|all| !all.is_empty()), "{told}");
    for bag in std::fs::read_dir(&bags).unwrap() {
        let verified = xunjian(&["evidence", "verify", &text(&bag.unwrap().path())]);
        assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
    }
}

#[test]
fn what_is_kept_can_be_asked_for_later() {
    let dir = tempfile::tempdir().unwrap();
    let (home, bag) = (text(&dir.path().join("home")), text(&dir.path().join("bag")));
    let output = audit(&[&apk("preschool"), "--keep", "--home", &home, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let id = report(&output)["audits"][0]["findings"][0]["id"].as_str().unwrap().to_owned();
    let exported = xunjian(&["evidence", "export", &id, "--home", &home, "--out", &bag]);
    assert_eq!(exported.status.code(), Some(0), "{}", stderr(&exported));
}

#[test]
fn two_files_are_compared() {
    let output = xunjian(&["diff", &apk("cleanedu"), &apk("preschool")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = stdout(&output);
    assert!(told.contains("+ 线索 面向学龄前儿童的培训") && told.contains("安装包 "), "{told}");
}

fn packages(told: &Value) -> Vec<String> {
    let audits = told["audits"].as_array().unwrap();
    audits.iter().map(|audit| audit["app"]["package"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn names_as_people_give_them() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("A.APK");
    std::fs::copy(apk("cleanedu"), &copy).unwrap();
    let json = |args: &[&str]| report(&audit(&[args, &["--format", "json"]].concat()));
    // The same file by two paths, and by a pattern that no shell expanded.
    let twice = json(&[&text(&copy), &text(&dir.path().join("./A.APK")), &text(&dir.path().join("*.APK"))]);
    assert_eq!(packages(&twice), ["cn.example.jiaxiao"]);
    // Listings as a JSON array, one object, and one a line.
    let listings = dir.path().join("all.json");
    std::fs::write(
        &listings,
        "\u{feff}[{\"title\":\"甲\",\"package\":\"cn.a.a\"},{\"title\":\"乙\",\"package\":\"cn.a.b\"}]",
    )
    .unwrap();
    assert_eq!(packages(&json(&[&text(&listings)])), ["cn.a.a", "cn.a.b"]);
    std::fs::write(&listings, "{\n \"title\":\"甲\",\n \"package\":\"cn.a.a\"}").unwrap();
    assert_eq!(packages(&json(&[&text(&listings)])), ["cn.a.a"]);
    // What is none is told with the cure.
    for (word, wanted) in [
        ("cn.example.tishan", "huawei:cn.example.tishan"),
        ("huawe:cn.example.tishan", "did you mean `huawei`"),
        (r"C:\Users\张三\题.apk", "找不到文件"),
        ("nosuch.apk", "找不到文件"),
        ("README.md", "不是安装包"),
    ] {
        let told = stdout(&audit(&[word]));
        assert!(told.contains(wanted), "{word}: {told}");
        assert!(!told.contains("重新下载"), "{word}: {told}");
    }
    for word in ["huawei：cn.nosuch.app", "Huawei:cn.nosuch.app", "华为:cn.nosuch.app"] {
        let stores = xunjian::crawl::Stores::load(None, &xunjian::model::config::Config::default()).unwrap();
        let plain = word.replace('：', ":");
        let found = stores.target(&plain).unwrap();
        assert!(matches!(found, Some(xunjian::crawl::Target::App(store, _)) if store.id == "huawei"), "{word}");
    }
}

#[test]
fn standard_input_is_a_package_or_listings() {
    let given = |bytes: &[u8]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xunjian"))
            .args(["audit", "-", "--format", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        report(&child.wait_with_output().unwrap())
    };
    assert_eq!(packages(&given(&std::fs::read(apk("cleanedu")).unwrap())), ["cn.example.jiaxiao"]);
    let lines = "{\"title\":\"甲\",\"package\":\"cn.a.a\"}\n{\"title\":\"乙\",\"package\":\"cn.a.b\"}\n";
    assert_eq!(packages(&given(lines.as_bytes())), ["cn.a.a", "cn.a.b"]);
}

#[test]
fn the_ending_of_out_says_the_form() {
    let dir = tempfile::tempdir().unwrap();
    for (name, begins) in [
        ("r.html", "<!doctype html>"),
        ("r.json", "{\"schema\""),
        ("r.csv", "\u{feff}"),
        ("r.txt", "巡检报告"),
        ("r.xlsx", "PK"),
        ("r.docx", "PK"),
    ] {
        let out = dir.path().join(name);
        let done = audit(&[&apk("cleanedu"), "--out", &text(&out)]);
        assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
        assert!(std::fs::read(&out).unwrap().starts_with(begins.as_bytes()), "{name}");
    }
}

/// What lies on the disk is told before a slow store has answered: the store answers only once the test has read.
#[test]
fn the_first_result_does_not_wait_for_what_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = FakeStore::serve(300, Duration::from_secs(600));
    store.adapter(&dir.path().join("stores"), 0.0, 4);
    let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
    command.args(["audit", &apk("photosearch")]);
    command.args((0..299).map(|n| format!("fake:cn.example.app{n}")));
    let stores = text(&dir.path().join("stores"));
    let mut child = command
        .args(["--stores", &stores, "--allow-private", "--format", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    assert_eq!(store.take_sent(), 0, "nothing was answered yet");
    child.kill().unwrap();
    child.wait().unwrap();
    let audit: Value = serde_json::from_str(&line).unwrap();
    assert!(audit["artifacts"][0]["name"].as_str().unwrap().ends_with("photosearch.apk"), "{audit}");
}

/// Files of the same bytes are one audit, told under each name; of one length alone they are not the same.
#[test]
fn the_same_bytes_under_two_names_are_audited_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["题.apk", "副本.apk", "第三份.bin.apk"] {
        std::fs::copy(apk("photosearch"), path(name)).unwrap();
    }
    let mut other = std::fs::read(apk("photosearch")).unwrap();
    let first = other.iter().position(|byte| *byte == b'P').unwrap();
    other[first + 6] ^= 0x08;
    std::fs::write(path("other.apk"), other).unwrap();
    let names = ["题.apk", "other.apk", "副本.apk", "第三份.bin.apk"].map(|name| text(&path(name)));
    let told = report(&audit(&[&names[0], &names[1], &names[2], &names[3], "--format", "json"]));
    let audits = told["audits"].as_array().unwrap();
    assert_eq!(audits.len() + told["skipped"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(audits[0]["artifacts"][0]["name"], names[0]);
    assert_eq!(audits[0]["artifacts"][0]["also"], serde_json::json!([names[2], names[3]]));
    for format in ["human", "html", "sheet", "csv"] {
        let said = stdout(&audit(&[&names[0], &names[2], "--format", format, "--lang", "zh"]));
        assert!(said.contains("题.apk") && said.contains("副本.apk"), "{format}: {said}");
    }
}

#[test]
fn lines_are_folded_to_the_columns_of_the_terminal() {
    let wide = stdout(&with(&[("LANG", "zh_CN.UTF-8")], &["audit", &apk("photosearch")]));
    let narrow = stdout(&with(&[("LANG", "zh_CN.UTF-8"), ("COLUMNS", "60")], &["audit", &apk("photosearch")]));
    let columns = |line: &str| line.chars().map(|c| if (c as u32) > 0x2e80 { 2 } else { 1 }).sum::<usize>();
    assert!(wide.lines().any(|line| columns(line) > 100), "{wide}");
    let longest = narrow.lines().max_by_key(|line| columns(line)).unwrap();
    assert!(columns(longest) <= 60, "{longest}");
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let made = |text: &str| letters(text.split_once('\n').unwrap().1);
    assert_eq!(made(&wide), made(&narrow), "nothing is lost");
}

#[test]
fn results_come_as_they_are_made_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<PathBuf> = (0..24).map(|n| dir.path().join(format!("{n:02}.apk"))).collect();
    for (index, path) in names.iter().enumerate() {
        // Each with bytes of its own: the same bytes are audited once.
        let mut package =
            Package::read(&std::fs::read(apk(["photosearch", "subject", "cleanedu"][index % 3])).unwrap());
        package.members.push(Member::new("assets/number.txt", index.to_string().as_bytes(), false));
        std::fs::write(path, package.write()).unwrap();
    }
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["audit", &text(dir.path()), "--format", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    let first = begun.elapsed();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    child.wait().unwrap();
    let whole = begun.elapsed();
    let lines: Vec<Value> = line.lines().chain(rest.lines()).map(|line| serde_json::from_str(line).unwrap()).collect();
    let order: Vec<&str> = lines.iter().map(|audit| audit["artifacts"][0]["name"].as_str().unwrap()).collect();
    assert_eq!(order, names.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>());
    // Loading the signatures comes before either.
    assert!(whole.saturating_sub(first) > whole / 20, "the first came at {first:?}, the last at {whole:?}");
}

#[test]
fn the_reader_is_spoken_to_in_their_language() {
    let english = with(&[("LANG", "en_GB.UTF-8")], &["audit", &apk("cleanedu")]);
    assert!(stdout(&english).contains("Audit report"), "{}", stdout(&english));
    for lang in ["zh-CN", "zh_CN.UTF-8", "zh"] {
        let chinese = with(&[("LANG", "en_GB.UTF-8")], &["audit", &apk("cleanedu"), "--lang", lang]);
        assert!(stdout(&chinese).contains("巡检报告"), "{}", stderr(&chinese));
    }
    let wrong = with(&[], &["audit", "--fromat", "json", "x.apk"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stderr(&wrong).contains("不认识的选项 --fromat") && stderr(&wrong).contains("--format"),
        "{}",
        stderr(&wrong)
    );
    let wrong = with(&[], &[&apk("cleanedu")]);
    assert!(stderr(&wrong).contains("xunjian audit "), "{}", stderr(&wrong));
    let wrong = with(&[("LANG", "en_GB.UTF-8")], &["audit", "--fromat", "json", "x.apk"]);
    assert!(!stderr(&wrong).contains("不认识"), "{}", stderr(&wrong));
    let help = stdout(&with(&[("LANG", "zh_CN.UTF-8")], &["audit", "--help"]));
    assert!(help.contains("用法：") && help.contains("检查对象") && help.contains("证据包"), "{help}");
    let help = stdout(&with(&[("LANG", "en_GB.UTF-8")], &["audit", "--help"]));
    assert!(help.contains("Usage:") && !help.contains("检查对象"), "{help}");
}

#[test]
fn colour_is_as_the_field_has_it() {
    let is_coloured =
        |variables: &[(&str, &str)]| stdout(&with(variables, &["audit", &apk("cleanedu")])).contains('\u{1b}');
    assert!(!is_coloured(&[]), "no terminal");
    assert!(is_coloured(&[("FORCE_COLOR", "1")]) && is_coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!is_coloured(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]) && !is_coloured(&[("FORCE_COLOR", "0")]));
}

#[test]
fn permissions_and_signer_are_told_in_words() {
    let told = stdout(&audit(&[&apk("photosearch"), "-v"]));
    for wanted in ["系统版本：最低 API", "申请的权限：", "拍照和录像（CAMERA）", "签名者：", "第三方组件："]
    {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let page = stdout(&audit(&[&apk("photosearch"), "--format", "html"]));
    assert!(page.contains("拍照和录像（CAMERA）") && page.contains("最低 API"), "{page}");
    let brief = stdout(&audit(&[&apk("photosearch")]));
    assert!(!brief.contains("申请的权限"), "{brief}");
}
