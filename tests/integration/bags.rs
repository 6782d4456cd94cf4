//! Bags of evidence that strangers hand in: nothing outside them is read, nothing hangs, and
//! their words do not steer the terminal.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{stdout, xunjian};
use xunjian::audit::{Auditor, Kept};
use xunjian::model::Budget;
use xunjian::signature::{Pack, Source};

/// The skeleton of a bag, with this manifest.
fn bag(manifest: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("data")).unwrap();
    fs::write(dir.path().join("manifest-sha256.txt"), manifest).unwrap();
    fs::write(dir.path().join("bagit.txt"), "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n").unwrap();
    fs::write(dir.path().join("data/case.json"), "{}").unwrap();
    dir
}

/// What is said of a bag, which is never that it is whole.
fn said(bag: &Path) -> String {
    let begun = Instant::now();
    let output = xunjian(&["evidence", "verify", &bag.display().to_string(), "--lang", "en"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let text = stdout(&output);
    let is_plain = |c: char| c == '\n' || !c.is_control();
    assert!(text.chars().all(is_plain), "{text:?}");
    text
}

#[cfg(unix)]
#[test]
fn pipes_and_links_are_not_followed() {
    let line = format!("{}  data/packages/hostname\n", "0".repeat(64));
    let bag = bag(&line);
    fs::remove_file(bag.path().join("data/case.json")).unwrap();
    let pipe = bag.path().join("data/case.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/etc", bag.path().join("data/packages")).unwrap();
    let text = said(bag.path());
    assert!(text.contains("data/case.json: cannot be read: not a regular file"), "{text}");
    assert!(text.contains("data/packages/hostname: cannot be read: lies behind"), "{text}");
    fs::remove_file(&pipe).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &pipe).unwrap();
    assert!(said(bag.path()).contains("data/case.json: cannot be read: not a regular file"));
}

#[cfg(unix)]
#[test]
fn words_of_a_bag_do_not_steer_the_terminal() {
    let line = format!("{}  data/a%0D%0Athe bag is whole\u{1b}[2J\u{202e}\n", "0".repeat(64));
    let bag = bag(&line);
    fs::write(bag.path().join("data/x\u{1b}[31m\nfake line"), "x").unwrap();
    let text = said(bag.path());
    assert!(!text.lines().any(|line| line.starts_with("fake line") || line.starts_with("the bag")), "{text}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
}

#[test]
fn files_larger_than_any_are_not_read_into_memory() {
    let bag = bag("");
    let mut file = fs::File::create(bag.path().join("data/case.json")).unwrap();
    for _ in 0..300_000 {
        file.write_all(&b"[],".repeat(100)).unwrap();
    }
    drop(file);
    let text = said(bag.path());
    assert!(text.contains("data/case.json: cannot be read: more than"), "{text}");
}

#[test]
fn facts_of_one_endless_line_are_refused() {
    let pack = Pack::load(&Source::embedded()).unwrap();
    let policy = pack.policies.values().next().unwrap().clone();
    let auditor =
        Auditor { pack: pack.into(), policy, budget: Budget::default(), registers: std::sync::Arc::default() };
    let mut packed = zstd::Encoder::new(Vec::new(), 3).unwrap();
    packed.write_all(b"{\"schema\":\"").unwrap();
    for _ in 0..200 {
        packed.write_all(&vec![b'a'; 1 << 20]).unwrap();
    }
    let kept = Kept(packed.finish().unwrap());
    assert!(kept.0.len() < 1 << 16);
    assert!(auditor.reread_from_strangers(&kept).is_err());
}

#[test]
fn a_stray_cell_makes_no_table_of_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stray.xlsx");
    fs::write(&path, workbook()).unwrap();
    let registers = dir.path().join("registers");
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["register", "import", "licence"])
        .arg(&path)
        .arg("--registers")
        .arg(&registers)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// A sheet with a header, a row, and a cell at its last corner.
fn workbook() -> Vec<u8> {
    let sheet = "<?xml version=\"1.0\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
        <row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>机构名称</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>许可证编号</t></is></c></row>\
        <row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>示例教育有限公司</t></is></c><c r=\"B2\" t=\"inlineStr\"><is><t>京教许1号</t></is></c></row>\
        <row r=\"1048576\"><c r=\"XFD1048576\" t=\"inlineStr\"><is><t>x</t></is></c></row></sheetData></worksheet>";
    let parts = [
        (
            "[Content_Types].xml",
            "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/></Types>",
        ),
        (
            "_rels/.rels",
            "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
        ),
        (
            "xl/workbook.xml",
            "<?xml version=\"1.0\"?><workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"s\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
        ),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    let mut package = crate::support::package::Package::default();
    for (name, text) in parts {
        package.members.push(crate::support::package::Member::new(name, text.as_bytes(), true));
    }
    package.write()
}
