//! No panic and no endless reading on 2,000 random corruptions of each fixture.
//!
//! A corruption is what broken downloads and malice have in common: bytes changed, runs
//! zeroed or filled, pieces cut out, doubled, moved, the end cut off; half of the changes
//! hit magic numbers, counts and offsets, which stand near known words. The seed is fixed:
//! a failure names fixture and number, and the same number fails again. On the way every
//! detail of a limit that comes up must be there in Chinese as well.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::containers::{App, aab, hap, ipa};
use crate::support::package::{Member, Package};
use crate::support::{project, signed};
use rayon::prelude::*;
use xunjian::audit::Auditor;
use xunjian::extract;
use xunjian::model::{Budget, Limit, LimitCode};
use xunjian::report::detail;
use xunjian::signature::{Pack, Source};

const CORRUPTIONS: u64 = 2_000;
/// Far more than any of these small files takes on a busy machine.
const SLOWEST: Duration = Duration::from_secs(20);

/// SplitMix64 (Steele, Lea and Flood, 2014): small, even, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Offsets where a change tells: the head, and behind each header of an archive.
fn tender(bytes: &[u8]) -> Vec<usize> {
    let mut spots: Vec<usize> = (0..bytes.len().min(96)).collect();
    for at in memchr::memmem::find_iter(bytes, b"PK") {
        spots.extend(at..(at + 46).min(bytes.len()));
    }
    spots
}

fn corrupt(original: &[u8], tender: &[usize], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=random.below(6) {
        if bytes.is_empty() {
            break;
        }
        let anywhere = random.below(bytes.len());
        let at = match tender.get(random.below(tender.len() * 2)) {
            Some(&spot) if spot < bytes.len() => spot,
            _ => anywhere,
        };
        let run = (1 + random.below(64)).min(bytes.len() - at);
        match random.below(10) {
            0..4 => bytes[at] = random.next() as u8,
            4 => bytes[at] ^= 1 << random.below(8),
            5 => bytes[at..at + run].fill(if random.below(2) == 0 { 0 } else { 0xff }),
            6 => drop(bytes.drain(at..at + run)),
            7 => {
                let piece = bytes[at..at + run].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            8 => {
                let value = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, bytes.len() as u32][random.below(6)];
                let width = run.min(4);
                bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            }
            _ => bytes.truncate(at.max(bytes.len() / 4)),
        }
    }
    bytes
}

/// Every file of a folder of fixtures, those below it included.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A fixture: its name and its bytes.
type Fixture = (String, Vec<u8>);

fn load(paths: &[PathBuf]) -> Vec<Fixture> {
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

/// Runs `read` on every corruption of every fixture.
#[track_caller]
fn survive(fixtures: &[Fixture], read: impl Fn(&str, &[u8]) + Sync) {
    assert!(!fixtures.is_empty());
    let failed: Vec<String> = fixtures
        .par_iter()
        .enumerate()
        .flat_map(|(index, (name, original))| {
            let tender = tender(original);
            let one = |number: u64| {
                let bytes = corrupt(original, &tender, &mut Random(number << 16 | index as u64));
                let start = Instant::now();
                let outcome = catch_unwind(AssertUnwindSafe(|| read(name, &bytes)));
                match outcome {
                    Err(_) => Some(format!("{name}, corruption {number}: panic")),
                    Ok(()) if start.elapsed() > SLOWEST => Some(format!("{name}, corruption {number}: too slow")),
                    Ok(()) => None,
                }
            };
            (0..CORRUPTIONS).into_par_iter().filter_map(one).collect::<Vec<_>>()
        })
        .collect();
    assert!(failed.is_empty(), "{} failed: {:#?}", failed.len(), &failed[..failed.len().min(20)]);
}

/// Keeps details of limits that Chinese readers would be shown in English: nothing raises
/// as many as broken files. A number or a name alone belongs to no language.
fn note_untold(limits: &[Limit], untold: &Mutex<BTreeSet<String>>) {
    for limit in limits {
        let phrase = detail(&limit.detail);
        let is_sentence = limit.detail.trim_matches(|c: char| !c.is_ascii_alphabetic()).contains(' ');
        if phrase.zh == phrase.en && is_sentence && limit.code != LimitCode::RemoteContent {
            untold.lock().unwrap().insert(format!("{} {}", limit.code, limit.detail));
        }
    }
}

#[track_caller]
fn all_told(untold: Mutex<BTreeSet<String>>) {
    let untold = untold.into_inner().unwrap();
    assert!(untold.is_empty(), "no Chinese in locales/limit_details.tsv for {untold:#?}");
}

/// A pack of one signature: what is tested is the reading, and a small automaton is quick.
fn auditor() -> Auditor {
    let mut source = Source::embedded();
    let keep = ["policies/", "instruments/", "lexicons/", "photo-search/wording.toml", "libraries/curated.csv"];
    source.files.retain(|path, _| keep.iter().any(|start| path.starts_with(start)));
    let pack = Pack::load(&source).expect("the pack loads");
    let policy = pack.policies.values().next().expect("a policy").clone();
    // Thousands of copies of the same pictures: corruptions of those are tests of their own crate.
    let budget = xunjian::model::config::WhichPictures::Off.budget();
    Auditor { pack: Arc::new(pack), policy, budget, registers: Arc::default() }
}

#[test]
fn packages() {
    audit_all(&load(&files(&project("tests/fixtures/apks"))));
}

/// The forms of package that the tests write themselves, signed ones among them.
#[test]
fn made_packages() {
    let app = App::subject();
    let developer = signed::certificate("Developer", "Root", 7);
    let message = |content: &[u8]| signed::message(content, &[&developer], "Root", 7);
    let values = [(0x2000_0000, message(b"digests")), (0x2000_0002, message(br#"{"type":"release"}"#))];
    let values: Vec<(u32, &[u8])> = values.iter().map(|(id, value)| (*id, value.as_slice())).collect();
    let hap = signed::harmony(&hap::hap(&app), b"<hap sign block>", &values);
    let mut ipa = Package::read(&ipa::ipa(&app, true));
    let profile = message(signed::profile("Team", &[&developer]).as_bytes());
    ipa.members.push(Member::new("Payload/Lessons.app/embedded.mobileprovision", &profile, false));
    let set = hap::app(&app, &["entry-default"], &[("entry-default.hap", hap.clone())]);
    let made = [("a.hap", hap), ("a.app", set), ("a.ipa", ipa.write()), ("a.aab", aab::aab(&app))];
    audit_all(&made.map(|(name, bytes)| (name.to_owned(), bytes)));
}

/// Audits every corruption.
#[track_caller]
fn audit_all(fixtures: &[Fixture]) {
    let auditor = auditor();
    let untold = Mutex::default();
    survive(fixtures, |_, bytes| {
        if let Ok(reading) = auditor.read("app.apk", "", &bytes) {
            note_untold(&auditor.conclude(None, vec![reading]).coverage.limits, &untold);
        }
    });
    all_told(untold);
}

#[test]
fn formats() {
    let is_data = |path: &PathBuf| path.extension().is_none_or(|e| !matches!(e.to_str(), Some("py" | "sh" | "md")));
    let found: Vec<PathBuf> = files(&project("tests/fixtures/formats")).into_iter().filter(is_data).collect();
    let untold = Mutex::default();
    survive(&load(&found), |file, bytes| {
        let name = format!("assets/{file}");
        let found = extract::entry(&name, &format!("a.apk!/{name}"), bytes, &Budget::default());
        note_untold(&found.limits, &untold);
    });
    all_told(untold);
}

/// A corruption that changes nothing would test nothing.
#[test]
fn corruptions_differ() {
    let original: Vec<u8> = (0..=255).cycle().take(4_000).collect();
    let spots = tender(&original);
    let made: std::collections::HashSet<Vec<u8>> =
        (0..200).map(|number| corrupt(&original, &spots, &mut Random(number))).collect();
    assert!(made.len() > 190, "{}", made.len());
    assert!(made.iter().filter(|bytes| **bytes == original).count() == 0);
}
