//! A package and the same package with one hostile trick applied give the same findings,
//! plus the flag: all tricks times all fixtures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::support::package::{Member, Package};
use crate::support::{project, tricks};
use rayon::prelude::*;
use xunjian::audit::{Auditor, sha256};
use xunjian::model::{Audit, Budget, Finding};
use xunjian::signature::{Pack, Source};

fn auditor() -> Auditor {
    let pack = Pack::load(&Source::embedded()).expect("the pack loads");
    let policy = pack.policies.values().next().expect("a policy").clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
}

/// Fixtures with code: the apps, the base of the split set, the variants of the table.
fn fixtures() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["", "splits", "variants"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(project("tests/fixtures/apks").join(dir)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "apk"))
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with("config."))
        .collect();
    found.sort();
    found
}

fn audit(auditor: &Auditor, bytes: &[u8]) -> Audit {
    let reading = auditor.read("app.apk", &sha256(bytes), &bytes).expect("a package");
    auditor.conclude(None, vec![reading])
}

type Clues = BTreeSet<(String, String)>;

fn findings(of: &[Finding]) -> BTreeMap<String, (f64, Clues)> {
    of.iter()
        .map(|f| {
            let clues = f.evidence.iter().map(|e| (e.signature.clone(), e.clue.clone())).collect();
            (f.sign.to_string(), (f.probability, clues))
        })
        .collect()
}

/// What differs between the untouched package and the one with the trick.
fn differences(plain: &Audit, tricked: &Audit, trick: &tricks::Trick) -> Vec<String> {
    let mut found = Vec::new();
    let mut same = |what: &str, a: String, b: String| {
        if a != b {
            found.push(format!("{what}: {a} became {b}"));
        }
    };
    same("findings", format!("{:?}", findings(&plain.findings)), format!("{:?}", findings(&tricked.findings)));
    let out = [&plain.out_of_scope, &tricked.out_of_scope].map(|f| format!("{:?}", findings(f)));
    same("out of scope", out[0].clone(), out[1].clone());
    let checks =
        |a: &Audit| format!("{:?}", a.checks.iter().map(|c| (c.sign, c.outcome, c.probability)).collect::<Vec<_>>());
    same("checks", checks(plain), checks(tricked));
    same("app", format!("{:?}", plain.app), format!("{:?}", tricked.app));
    same("profile", profile(plain), profile(tricked));
    let signers = |a: &Audit| format!("{:?}", a.artifacts[0].certificates);
    same("certificates", signers(plain), signers(tricked));
    same("level", format!("{:?}", plain.coverage.level), format!("{:?}", tricked.coverage.level));
    same(
        "classes",
        count(trick, plain.coverage.read.classes, plain),
        count(trick, tricked.coverage.read.classes, plain),
    );
    let (a, b) = (plain.coverage.read.strings, tricked.coverage.read.strings);
    if if trick.adds { b < a } else { b != a } {
        found.push(format!("strings: {a} became {b}"));
    }
    let flags = |a: &Audit| a.coverage.limits.iter().filter(|l| l.code.id() == trick.flag).count();
    if flags(tricked) <= flags(plain) {
        found.push(format!("no {}: {:?}", trick.flag, tricked.coverage.limits));
    }
    found
}

/// A copy may count twice, and never less than once.
fn count(trick: &tricks::Trick, classes: u64, plain: &Audit) -> String {
    if trick.adds { (classes >= plain.coverage.read.classes).to_string() } else { classes.to_string() }
}

/// The profile without places, which a trick may move.
fn profile(audit: &Audit) -> String {
    let p = &audit.profile;
    let libraries: Vec<_> = p.libraries.iter().map(|l| (&l.name, &l.vendor, &l.category, l.faint)).collect();
    let clues: Clues = p.education.evidence.iter().map(|e| (e.signature.clone(), e.clue.clone())).collect();
    format!(
        "{:?} {} {clues:?} {} {:?} {:?} {:?} {:?} {libraries:?} {:?}",
        p.education.verdict,
        p.education.probability,
        p.kind,
        p.stages,
        p.subjects,
        p.languages,
        p.framework,
        p.filing_numbers
    )
}

#[test]
fn tricks_change_nothing_but_the_flag() {
    let auditor = auditor();
    let fixtures = fixtures();
    assert!(fixtures.len() >= 14, "{fixtures:?}");
    let faults: Vec<String> = fixtures
        .par_iter()
        .flat_map_iter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(path).unwrap();
            let package = Package::read(&bytes);
            let rewritten = package.write();
            let plain = audit(&auditor, &rewritten);
            let mut faults = against_the_file(&audit(&auditor, &bytes), &plain, &name);
            for trick in tricks::ALL {
                let tricked = (trick.apply)(package.clone());
                // A trick may find nothing to work on: an app without texts in its assets.
                if tricked == rewritten {
                    continue;
                }
                let differ = differences(&plain, &audit(&auditor, &tricked), trick);
                faults.extend(differ.into_iter().map(|d| format!("{name} {}: {d}", trick.name)));
            }
            faults
        })
        .collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// The rewriter itself must not be a trick.
fn against_the_file(file: &Audit, rewritten: &Audit, name: &str) -> Vec<String> {
    let same = findings(&file.findings) == findings(&rewritten.findings)
        && file.coverage.limits == rewritten.coverage.limits
        && file.artifacts[0].certificates == rewritten.artifacts[0].certificates
        && file.coverage.read == rewritten.coverage.read;
    let clean = rewritten.coverage.limits.iter().all(|l| !l.code.id().starts_with("tampered"));
    if same && clean { Vec::new() } else { vec![format!("{name}: the rewriter changed {:?}", rewritten.coverage)] }
}

#[test]
fn every_trick_has_something_to_work_on() {
    let packages: Vec<Package> = fixtures().iter().map(|p| Package::read(&std::fs::read(p).unwrap())).collect();
    for trick in tricks::ALL {
        let touched = packages.iter().filter(|p| (trick.apply)((*p).clone()) != p.write()).count();
        assert!(touched > 0, "{} changes no fixture", trick.name);
    }
}

#[test]
fn compact_and_sparse_tables_say_what_the_ordinary_one_says() {
    let auditor = auditor();
    let read = |name: &str| audit(&auditor, &std::fs::read(project("tests/fixtures/apks").join(name)).unwrap());
    let plain = read("subject.apk");
    assert_eq!(plain.app.title, "优课堂同步学");
    for variant in ["variants/subject-compact-entries.apk", "variants/subject-sparse-encoding.apk"] {
        let other = read(variant);
        assert_eq!(other.app.title, plain.app.title, "{variant}");
        assert_eq!(findings(&other.findings), findings(&plain.findings), "{variant}");
        assert_eq!(other.coverage.limits, plain.coverage.limits, "{variant}");
    }
}

/// What one script of every package says.
const SAID: &str = "拍照搜题，一键出答案，名师讲解小学数学";
const SCRIPT: &str = "assets/www/said.js";

type Write = fn(&str) -> Vec<u8>;

fn script(said: &str) -> String {
    format!("var title = \"{said}\";\n// the end of it\n")
}

/// The script with each character beyond ASCII written by `write`.
fn written(write: impl Fn(char) -> String) -> Vec<u8> {
    let said = SAID.chars().map(|c| if c.is_ascii() { c.to_string() } else { write(c) }).collect::<String>();
    script(&said).into_bytes()
}

fn bytes_of(c: char, write: impl Fn(u8) -> String) -> String {
    c.to_string().bytes().map(write).collect()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// Ways to write the same script, and the entry it then lies in.
const WRITINGS: &[(&str, &str, Write)] = &[
    ("GBK", SCRIPT, |text| encoding_rs::GBK.encode(text).0.into_owned()),
    ("UTF-16LE without a mark", SCRIPT, |text| utf16(text, u16::to_le_bytes)),
    ("UTF-16BE without a mark", SCRIPT, |text| utf16(text, u16::to_be_bytes)),
    ("UTF-16LE with a mark", SCRIPT, |text| [vec![0xff, 0xfe], utf16(text, u16::to_le_bytes)].concat()),
    ("UTF-32LE with a mark", SCRIPT, |text| {
        [vec![0xff, 0xfe, 0, 0], text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect()].concat()
    }),
    ("\\u", SCRIPT, |_| written(|c| format!("\\u{:04x}", u32::from(c)))),
    ("\\x", SCRIPT, |_| written(|c| bytes_of(c, |b| format!("\\x{b:02x}")))),
    ("\\ddd", SCRIPT, |_| written(|c| bytes_of(c, |b| format!("\\{b}")))),
    ("%u", SCRIPT, |_| written(|c| format!("%u{:04X}", u32::from(c)))),
    ("%", SCRIPT, |_| written(|c| bytes_of(c, |b| format!("%{b:02X}")))),
    ("&#", SCRIPT, |_| written(|c| format!("&#{};", u32::from(c)))),
    ("a stray NUL", SCRIPT, |text| [text.as_bytes(), b"\0\n"].concat()),
    ("a cut character", SCRIPT, |text| [text.as_bytes(), b"\xe6\x8b\n"].concat()),
    ("BM", SCRIPT, |text| [b"BM=0;\n", text.as_bytes()].concat()),
    ("ID3", SCRIPT, |text| [b"ID3=0;\n", text.as_bytes()].concat()),
    ("GIF8", SCRIPT, |text| [b"GIF89a=0;\n", text.as_bytes()].concat()),
    ("gzip", "assets/www/said.bin", |text| {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    }),
    ("Zstandard", "assets/www/said.bin", |text| zstd::encode_all(text.as_bytes(), 3).unwrap()),
    ("tar", "assets/www/said.bin", |text| {
        let mut header = vec![0_u8; 512];
        header[..7].copy_from_slice(b"said.js");
        header[124..136].copy_from_slice(format!("{:011o}\0", text.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut tar = [&header, text.as_bytes()].concat();
        tar.resize(tar.len().next_multiple_of(512) + 1_024, 0);
        tar
    }),
    ("ZIP", "assets/www/said.bin", |text| {
        Package { members: vec![Member::new("said.js", text.as_bytes(), true)], ..Package::default() }.write()
    }),
];

/// Whatever bytes a script is written in, the package says the same.
#[test]
fn the_same_script_in_other_bytes_changes_nothing() {
    let auditor = auditor();
    let with = |package: &Package, path: &str, data: &[u8]| {
        let mut package = package.clone();
        package.members.push(Member::new(path, data, true));
        audit(&auditor, &package.write())
    };
    let faults: Vec<String> = fixtures()
        .par_iter()
        .flat_map_iter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let package = Package::read(&std::fs::read(path).unwrap());
            let plain = with(&package, SCRIPT, script(SAID).as_bytes());
            let said = |audit: &Audit| {
                let checks: Vec<_> = audit.checks.iter().map(|c| (c.sign, c.outcome, c.probability)).collect();
                format!("{:?} {:?} {checks:?}", findings(&audit.findings), findings(&audit.out_of_scope))
            };
            assert_ne!(said(&plain), said(&audit(&auditor, &package.write())), "{name}: the script says something");
            WRITINGS
                .iter()
                .filter_map(|(way, path, write)| {
                    let other = with(&package, path, &write(&script(SAID)));
                    let (a, b) = (said(&plain), said(&other));
                    (a != b).then(|| format!("{name} {way}:\n  {a}\n  {b}"))
                })
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}
