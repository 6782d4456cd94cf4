//! A package and the same package with one hostile trick applied give the same findings,
//! plus the flag: all tricks times all fixtures.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use support::package::Package;
use support::{project, tricks};
use xunjian::model::{Audit, Budget, Finding};
use xunjian::pipeline::{Auditor, sha256};
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
