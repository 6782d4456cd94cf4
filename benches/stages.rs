//! Reading one package, matching alone at growing packs, scoring.
//!
//! `cargo bench`; figures and their method are kept in `benches/README.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use xunjian::audit::Auditor;
use xunjian::model::{Block, Budget, Facts, Kind, Listing};
use xunjian::signature::{Pack, Source};
use xunjian::{detect, extract};

fn main() {
    divan::main();
}

fn auditor() -> Auditor {
    let pack = Pack::load(&Source::embedded()).unwrap();
    let policy = pack.policies["bj-2022-02-draft"].clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
}

fn listings() -> Vec<Listing> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/listings");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines().filter_map(|line| Listing::parse(line).ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// The embedded pack with made-up signatures of ten terms each until it holds `total`.
fn pack_of(total: usize) -> Pack {
    let mut source = Source::embedded();
    let have = source.files.keys().filter(|path| path.ends_with(".toml")).count();
    // Characters that occur in the text make the automaton work; the terms themselves do not occur.
    let letters: Vec<char> = "学生老师课程练习题目数语文英物理化小初高中考试成绩提分家长孩子名".chars().collect();
    let mut state = 1_u64;
    for number in have..total.max(have) {
        let terms: Vec<String> = (0..10)
            .map(|_| {
                let word: String = (0..5)
                    .map(|_| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        letters[(state >> 33) as usize % letters.len()]
                    })
                    .collect();
                format!("\"{word}\"")
            })
            .collect();
        let text = format!(
            "title = {{ zh = \"x\", en = \"x\" }}\n[[clue]]\nid = \"a\"\nin = [\"text\"]\nany = [{}]\nweight = 1\nwhy = {{ zh = \"x\", en = \"x\" }}\n",
            terms.join(", ")
        );
        source.files.insert(format!("photo-search/made-up-{number}.toml"), text);
    }
    Pack::load(&source).unwrap()
}

fn words() -> Facts {
    let mut block = Block::new(Kind::Description, "listing", "listing");
    for (index, listing) in listings().iter().enumerate() {
        block.push(index as u32, &listing.description);
    }
    Facts { blocks: vec![block] }
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn matching(bencher: Bencher, signatures: usize) {
    let pack = pack_of(signatures);
    let facts = words();
    let bytes = facts.blocks.iter().map(|b| b.text().len()).sum::<usize>();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| black_box(detect::scan(&pack, &facts)));
}

/// What every start costs before anything is read.
#[divan::bench]
fn pack_loaded(bencher: Bencher) {
    bencher.bench_local(|| black_box(Pack::load(&Source::embedded()).unwrap()));
}

#[divan::bench]
fn listings_judged(bencher: Bencher) {
    let auditor = auditor();
    let listings = listings();
    bencher.counter(ItemsCount::new(listings.len())).bench_local(|| {
        for listing in &listings {
            black_box(auditor.conclude(Some(listing), Vec::new()));
        }
    });
}

#[divan::bench]
fn text_models(bencher: Bencher) {
    let auditor = auditor();
    let facts: Vec<Facts> = listings().iter().map(extract::listing).collect();
    bencher.counter(ItemsCount::new(facts.len())).bench_local(|| {
        for facts in &facts {
            black_box(detect::judge(&auditor.pack, facts));
        }
    });
}

#[divan::bench(args = ["photosearch", "adstudy", "cordova"])]
fn reading_one_package(bencher: Bencher, name: &str) {
    let auditor = auditor();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/apks/{name}.apk"));
    let bytes = std::fs::read(path).unwrap();
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| black_box(auditor.read(name, "", &bytes).is_ok()));
}

#[divan::bench]
fn scoring(bencher: Bencher) {
    let auditor = auditor();
    let hits: Vec<_> =
        listings().iter().map(|listing| detect::scan(&auditor.pack, &extract::listing(listing))).collect();
    bencher.counter(ItemsCount::new(hits.len())).bench_local(|| {
        for hits in &hits {
            black_box(detect::conclude(&auditor.pack, hits.clone(), BTreeMap::new()));
        }
    });
}
