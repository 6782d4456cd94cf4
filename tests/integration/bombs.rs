//! Packages that are small and want to be endless cost at most the budget, and say so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::package::{Member, Package};
use crate::support::project;
use xunjian::audit::{Auditor, sha256};
use xunjian::model::{Audit, Budget, LimitCode};
use xunjian::signature::{Pack, Source};

const TOTAL: u64 = 24 << 20;

fn audit(budget: Budget, bytes: &[u8]) -> Audit {
    let pack = Pack::load(&Source::embedded()).expect("the pack loads");
    let policy = pack.policies.values().next().expect("a policy").clone();
    let auditor = Auditor { pack: Arc::new(pack), policy, budget, registers: Arc::default() };
    let reading = auditor.read("bomb.apk", &sha256(bytes), &bytes).expect("a package");
    auditor.conclude(None, vec![reading])
}

fn small(change: impl Fn(&mut Budget)) -> Budget {
    let mut budget = Budget::default().with_total(TOTAL);
    budget.entry_bytes = 8 << 20;
    change(&mut budget);
    budget
}

fn app() -> Package {
    Package::read(&std::fs::read(project("tests/fixtures/apks/cleantool.apk")).unwrap())
}

fn says(audit: &Audit, code: LimitCode) -> bool {
    audit.coverage.limits.iter().any(|l| l.code == code)
}

/// Stays within its bytes, says that it was stopped, and calls nothing clean.
fn assert_stopped(audit: &Audit) {
    assert!(audit.coverage.read.bytes <= TOTAL, "{:?}", audit.coverage.read);
    assert!(says(audit, LimitCode::OverBudget), "{:?}", audit.coverage.limits);
}

#[test]
fn one_entry_that_inflates_a_thousandfold() {
    let mut package = app();
    package.members.push(Member::new("assets/zeros.bin", &vec![0; 64 << 20], true));
    assert_stopped(&audit(small(|_| ()), &package.write()));
}

#[test]
fn ten_thousand_names_for_the_same_bytes() {
    let mut package = app();
    let kernel = package.members.len();
    package.members.push(Member::new("assets/0", &vec![b'a'; 4 << 20], true));
    for index in 1..10_000 {
        let mut copy = package.members[kernel].clone();
        copy.central.name = format!("assets/{index}").into_bytes();
        package.members.push(Member { shares: Some(kernel), payload: Vec::new(), ..copy });
    }
    let audit = audit(small(|_| ()), &package.write());
    assert_stopped(&audit);
    assert!(says(&audit, LimitCode::TamperedArchive), "overlapping entries are flagged");
}

#[test]
fn ten_thousand_names_for_the_same_package() {
    let inner = Package { members: vec![Member::new("a.txt", &vec![b'a'; 1 << 20], false)], ..Package::default() };
    let mut package = app();
    let kernel = package.members.len();
    package.members.push(Member::new("assets/0", &inner.write(), false));
    for index in 1..10_000 {
        let mut copy = package.members[kernel].clone();
        copy.central.name = format!("assets/{index}").into_bytes();
        package.members.push(Member { shares: Some(kernel), payload: Vec::new(), ..copy });
    }
    assert_stopped(&audit(small(|_| ()), &package.write()));
}

#[test]
fn archives_in_archives() {
    let mut inner = Package { members: vec![Member::new("a.txt", &vec![b'x'; 1 << 20], true)], ..Package::default() };
    for level in 0..6 {
        let bytes = inner.write();
        let members = (0..16).map(|i| Member::new(&format!("{level}-{i}.zip"), &bytes, true)).collect();
        inner = Package { members, ..Package::default() };
    }
    let mut package = app();
    package.members.push(Member::new("assets/nest.zip", &inner.write(), true));
    assert_stopped(&audit(small(|_| ()), &package.write()));
    assert_stopped(&audit(small(|b| b.depth = 12), &package.write()));
}

#[test]
fn more_entries_than_any_package_has() {
    let mut package = app();
    for index in 0..60_000 {
        package.members.push(Member::new(&format!("assets/{index}"), b"", false));
    }
    let audit = audit(small(|b| b.entries = 5_000), &package.write());
    assert_stopped(&audit);
    assert!(audit.coverage.read.entries <= 5_000);
}

#[test]
fn more_strings_than_any_entry_has() {
    let mut package = app();
    let lines = "字\n".repeat(300_000);
    package.members.push(Member::new("assets/lines.txt", lines.as_bytes(), true));
    let audit = audit(small(|b| b.strings = 1_000), &package.write());
    assert_stopped(&audit);
    assert!(audit.coverage.read.strings < 10_000, "{:?}", audit.coverage.read);
}

#[test]
fn elements_nested_without_end() {
    let mut package = app();
    let mut bytes = package.member("AndroidManifest.xml").expect("a manifest").data();
    let start = memchr::memmem::find(&bytes, &[2, 1, 16, 0]).expect("a start element");
    let size = u32::from_le_bytes(bytes[start + 4..start + 8].try_into().unwrap()) as usize;
    let element = bytes[start..start + size].to_vec();
    (0..100_000).for_each(|_| bytes.extend_from_slice(&element));
    let length = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    package.member("AndroidManifest.xml").expect("still there").set_data(&bytes);
    let audit = audit(Budget::default(), &package.write());
    assert!(says(&audit, LimitCode::BadManifest), "{:?}", audit.coverage.limits);
}

#[test]
fn the_time_that_is_given_is_kept() {
    let mut package = app();
    let text = "拍照搜题 ".repeat(100_000);
    for index in 0..50 {
        package.members.push(Member::new(&format!("assets/{index}.txt"), text.as_bytes(), true));
    }
    let deadline = Instant::now() + Duration::from_millis(1);
    let budget = Budget::default().until(move || Instant::now() > deadline);
    let audit = audit(budget, &package.write());
    assert!(says(&audit, LimitCode::OverBudget), "{:?}", audit.coverage.limits);
}
