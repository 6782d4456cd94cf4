//! Pictures are read for words and codes: in packages, beside listings, whatever their form, and within caps.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::fake_store::FakeStore;
use crate::support::package::{Member, Package};
use crate::support::{project, stderr, stdout, xunjian};

fn picture(name: &str) -> Vec<u8> {
    std::fs::read(project("tests/fixtures/pictures").join(name)).unwrap()
}

/// The unit converter with some more files in it.
fn with(folder: &Path, files: &[(&str, &[u8])]) -> String {
    let mut package = Package::read(&std::fs::read(project("tests/fixtures/apks/cleantool.apk")).unwrap());
    package.members.extend(files.iter().map(|(path, bytes)| Member::new(path, bytes, false)));
    let path = folder.join("tool.apk");
    std::fs::write(&path, package.write()).unwrap();
    path.display().to_string()
}

fn audit(args: &[&str]) -> Value {
    let told = stdout(&xunjian(&[&["audit", "--format", "json"], args].concat()));
    serde_json::from_str::<Value>(&told).unwrap()["audits"][0].clone()
}

/// Evidence of a kind in the findings of an audit, in scope or not.
fn evidence(audit: &Value, kind: &str) -> Vec<Value> {
    let lists = ["findings", "out_of_scope"].map(|list| audit[list].as_array().cloned().unwrap_or_default());
    let all =
        lists.concat().into_iter().flat_map(|finding| finding["evidence"].as_array().cloned().unwrap_or_default());
    all.filter(|evidence| evidence["kind"] == kind).collect()
}

fn has_limit(audit: &Value, code: &str, part: &str) -> bool {
    let limits = audit["coverage"]["limits"].as_array().unwrap();
    limits.iter().any(|limit| limit["code"] == code && limit["detail"].as_str().unwrap().contains(part))
}

#[test]
fn white_words_on_nothing_are_evidence_with_their_box_and_cut_out() {
    let folder = tempfile::tempdir().unwrap();
    let package = with(folder.path(), &[("res/drawable-xxhdpi/guide.png", &picture("guide.png"))]);
    let read = audit(&[&package]);
    let found = evidence(&read, "picture");
    let shown = found.iter().find(|e| e["text"].as_str().unwrap().contains("拍照搜题")).expect("the words are found");
    let place = shown["where"].as_str().unwrap();
    assert!(place.contains("tool.apk!/res/drawable-xxhdpi/guide.png @"), "{place}");
    assert!(shown["cut_out"].as_str().unwrap().starts_with("data:image/jpeg;base64,"), "{shown}");
    let string = audit(&[&with(folder.path(), &[("assets/words.txt", "拍照搜题，一拍出答案".as_bytes())])]);
    let words = evidence(&string, "text");
    let same = words.iter().find(|e| e["clue"] == shown["clue"]).expect("the same clue holds on words");
    assert!(shown["weight"].as_i64() < same["weight"].as_i64(), "{shown} {same}");
    let html = stdout(&xunjian(&[
        "audit",
        "--format",
        "html",
        &with(folder.path(), &[("res/a/guide.png", &picture("guide.png"))]),
    ]));
    assert!(html.contains("<img class=\"cut-out\""), "the report shows the box");
}

#[test]
fn what_is_not_read_is_said_and_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let package = with(folder.path(), &[("res/drawable-xxhdpi/guide.png", &picture("guide.png"))]);
    let off = audit(&["--pictures", "off", &package]);
    assert!(evidence(&off, "picture").is_empty());
    assert!(has_limit(&off, "unread-picture", "turned off"), "{}", off["coverage"]);
    let many: Vec<(String, Vec<u8>)> =
        (0..45).map(|n| (format!("assets/guide_{n:02}.png"), renumbered(&picture("speck.png"), n))).collect();
    let mut files: Vec<(&str, &[u8])> = many.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let last = renumbered(&picture("guide.png"), 99);
    files.push(("assets/zz.png", &last));
    let package = with(folder.path(), &files);
    let some = audit(&[&package]);
    assert!(has_limit(&some, "unread-picture", "`--pictures all` reads more"), "{}", some["coverage"]);
    assert!(evidence(&some, "picture").iter().all(|e| !e["text"].as_str().unwrap().contains("拍照搜题")));
    let all = audit(&["--pictures", "all", &package]);
    assert!(!has_limit(&all, "unread-picture", "reads more"));
    assert!(evidence(&all, "picture").iter().any(|e| e["text"].as_str().unwrap().contains("拍照搜题")));
}

/// The same picture with other bytes: a text chunk behind its header.
fn renumbered(png: &[u8], number: u32) -> Vec<u8> {
    let mut chunk = b"\0\0\0\x06tEXtn\0".to_vec();
    chunk.extend(number.to_be_bytes());
    chunk.extend(crc32fast::hash(&chunk[4..]).to_be_bytes());
    [&png[..33], &chunk, &png[33..]].concat()
}

#[test]
fn every_form_is_read_damaged_or_not() {
    let mut odd = picture("guilty/01-1.png");
    // The last byte of the header's checksum.
    odd[32] ^= 1;
    let cut = &picture("guilty/01-1.png")[..picture("guilty/01-1.png").len() - 40];
    for (path, bytes) in [
        ("res/drawable/guide.jpg", picture("lesson.jpg")),
        ("res/drawable/guide.webp", picture("lesson.webp")),
        ("res/drawable/guide.bmp", picture("lesson.bmp")),
        ("res/drawable/guide.gif", picture("lesson.gif")),
        ("assets/guide.dat", picture("lesson.webp")),
        ("res/drawable/apple.png", picture("apple.png")),
        ("res/drawable/checksum.png", odd),
        ("res/drawable/cut.png", cut.to_vec()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let read = audit(&[&with(folder.path(), &[(path, &bytes)])]);
        let found = evidence(&read, "picture");
        assert!(found.iter().any(|e| e["text"].as_str().unwrap().contains("拍照搜题")), "{path}: {}", read["coverage"]);
    }
}

#[test]
fn pictures_that_are_bombs_or_of_other_forms_are_limits() {
    let mut wide = picture("guilty/01-1.png");
    wide[16..24].copy_from_slice(&[0, 0, 0x3e, 0x80, 0, 0, 0x3e, 0x80]);
    wide.extend(vec![0; 900_000]);
    let mut avif = b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B".to_vec();
    avif.extend((0..4_000_u32).flat_map(u32::to_be_bytes));
    let folder = tempfile::tempdir().unwrap();
    let read = audit(&[&with(folder.path(), &[("assets/wide.png", &wide), ("assets/new.avif", &avif)])]);
    assert!(has_limit(&read, "unread-picture", "16000×16000"), "{}", read["coverage"]);
    assert!(has_limit(&read, "unread-picture", "forms that are not read"), "{}", read["coverage"]);
}

/// The listings of a fixture file, each audited with its screenshots.
fn listings(name: &str) -> Vec<(Value, Value)> {
    let file = project("tests/fixtures/pictures").join(name);
    let told = stdout(&xunjian(&["audit", "--format", "jsonl", &file.display().to_string()]));
    let text = std::fs::read_to_string(&file).unwrap();
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    text.lines().map(parse).zip(told.lines().map(parse)).collect()
}

#[test]
fn listings_that_say_it_in_screenshots_alone_are_found_and_innocent_ones_are_not() {
    let mut found = 0;
    let guilty = listings("guilty.jsonl");
    for (listing, audit) in &guilty {
        let is_found = audit["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|finding| finding["sign"] == listing["shows"] && finding["confidence"] != "weak");
        found += usize::from(is_found);
        if !is_found {
            println!("missed: {} {}", listing["id"], audit["findings"]);
        }
        assert!(!evidence(audit, "screenshot").is_empty() || !is_found, "it rests on what is shown");
    }
    assert!(found * 10 >= guilty.len() * 9, "{found} of {}", guilty.len());
    for (listing, audit) in listings("innocent.jsonl") {
        let likely: Vec<&Value> =
            audit["findings"].as_array().unwrap().iter().filter(|finding| finding["confidence"] != "weak").collect();
        assert!(likely.is_empty(), "{}: {likely:?}", listing["id"]);
    }
}

#[test]
fn a_listing_reads_no_picture_from_elsewhere_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    std::fs::write(folder.path().join("secret.png"), picture("guilty/01-1.png")).unwrap();
    let list = folder.path().join("in/list.jsonl");
    for name in ["../secret.png".to_owned(), folder.path().join("secret.png").display().to_string()] {
        let line = serde_json::json!({ "title": "小站", "screenshots": [name] });
        std::fs::write(&list, line.to_string()).unwrap();
        let read = audit(&[&list.display().to_string()]);
        assert!(has_limit(&read, "unread-picture", "outside the folder"), "{}", read["coverage"]);
        assert!(evidence(&read, "screenshot").is_empty());
    }
}

#[test]
fn a_sweep_reads_what_a_store_shows_once_and_a_rescore_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let store = FakeStore::serve(12, Duration::ZERO);
    store.adapter(&folder.path().join("stores"), 0.0, 4);
    store.show(picture("guilty/05-1.png"));
    let (stores, home, out) = (path("stores"), path("home"), path("out.jsonl"));
    let of = |args: &[&str]| {
        let ended = xunjian(&[args, &["--home", &home, "--format", "jsonl", "--out", &out]].concat());
        assert!(matches!(ended.status.code(), Some(0 | 3)), "{}", stderr(&ended));
        let text = std::fs::read_to_string(&out).unwrap();
        let audits = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        audits.filter(|audit| !evidence(audit, "screenshot").is_empty()).collect::<Vec<_>>()
    };
    let shown = of(&["sweep", "fake", "--allow-private", "--stores", &stores]);
    assert!(!shown.is_empty(), "what is shown is evidence");
    let place = evidence(&shown[0], "screenshot")[0]["where"].as_str().unwrap().to_owned();
    assert!(place.starts_with("screenshot 1 @"), "{place}");
    assert!(has_limit(&shown[0], "unread-picture", "was not fetched"), "the second one is not there");
    let before = store.requests();
    let again = of(&["rescore", "--all"]);
    assert_eq!(store.requests(), before, "nothing is fetched");
    let sorted = |mut audits: Vec<Value>| {
        audits.sort_by_key(|audit| audit["app"]["url"].to_string());
        audits
    };
    let (again, shown) = (sorted(again), sorted(shown));
    assert!(again == shown, "the same is found: {} {}", again.len(), shown.len());
    let id = shown[0]["findings"][0]["id"].as_str().unwrap();
    let bag = path("bag");
    let exported = xunjian(&["evidence", "export", id, "--out", &bag, "--home", &home]);
    assert!(exported.status.success(), "{}", stderr(&exported));
    let verified = xunjian(&["evidence", "verify", &bag, "--lang", "en"]);
    assert!(verified.status.success() && stdout(&verified).contains("byte for byte"), "{}", stdout(&verified));
}

/// `--evidence` of a store's app: the page, the pictures and the package as they were answered, and what was read.
#[test]
fn evidence_of_one_app_of_a_store_holds_its_page_and_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let store = FakeStore::serve(12, Duration::ZERO);
    store.adapter(&folder.path().join("stores"), 0.0, 4);
    store.show(picture("guilty/05-1.png"));
    let (stores, bags) = (path("stores"), path("bags"));
    let output = xunjian(&[
        "audit",
        "fake:cn.example.app10",
        "--stores",
        &stores,
        "--allow-private",
        "--evidence",
        &bags,
        "--format",
        "json",
    ]);
    let told = crate::support::report(&output);
    let audit = &told["audits"][0];
    assert!(!evidence(audit, "screenshot").is_empty(), "{told} {}", stderr(&output));
    assert!(has_limit(audit, "unread-picture", "was not fetched"), "the second one is not there");
    let finding = audit["findings"].as_array().unwrap().iter().find(|f| f.to_string().contains("cut_out")).unwrap();
    let bag = folder.path().join("bags").join(finding["id"].as_str().unwrap());
    let warc = unpacked(std::fs::File::open(bag.join("data/fetched.warc.gz")).unwrap());
    for wanted in [
        "/app/cn.example.app10",
        "测试应用 10",
        "/shot/10/a.png",
        "WARC-Type: response",
        "WARC-Type: request",
        "HTTP/1.1 200",
    ] {
        assert!(warc.contains(wanted), "{wanted}");
    }
    let custody = std::fs::read_to_string(bag.join("data/custody.jsonl")).unwrap();
    for what in ["listing", "screenshot", "package"] {
        assert!(custody.contains(&format!("\"what\":\"{what}\"")), "{what}: {custody}");
    }
    assert_eq!(std::fs::read(bag.join("data/screenshots/01.png")).unwrap(), picture("guilty/05-1.png"));
    let all = finding["evidence"].as_array().unwrap();
    let number = all.iter().position(|evidence| evidence["cut_out"].is_string()).unwrap() + 1;
    let cut = std::fs::read(bag.join(format!("data/cut-outs/{number:02}.jpg"))).unwrap();
    assert!(cut.starts_with(b"\xff\xd8\xff"));
    let verified = xunjian(&["evidence", "verify", &bag.display().to_string(), "--lang", "en"]);
    assert!(verified.status.success() && stdout(&verified).contains("byte for byte"), "{}", stdout(&verified));
}

/// The text of a file of several gzip members, whatever bytes are in it.
fn unpacked(file: std::fs::File) -> String {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(file), &mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The icon and the banner of a store's page are read as its screenshots are.
#[test]
fn icon_and_banner_are_read_as_screenshots_are() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), picture("guilty/05-1.png")).unwrap();
    for field in ["icon", "banner"] {
        let mut listing = serde_json::json!({ "title": "作业小帮手", "description": "学习工具" });
        listing[field] = "a.png".into();
        let file = folder.path().join(format!("{field}.json"));
        std::fs::write(&file, listing.to_string()).unwrap();
        let read = audit(&[&file.display().to_string()]);
        let found = evidence(&read, "screenshot");
        let place = found.first().map(|e| e["where"].as_str().unwrap().to_owned()).unwrap_or_default();
        assert!(place.starts_with(&format!("{field} @")), "{field}: {read}");
        let human = stdout(&xunjian(&["audit", &file.display().to_string(), "--lang", "zh"]));
        assert!(human.contains(if field == "icon" { "商店图标" } else { "商店横幅图" }), "{human}");
    }
}
