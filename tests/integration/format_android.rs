//! What no bytes may do to the readers of Android's own formats, of signatures and of lines:
//! never panic, never read more than the budget.

use crate::support::formats::{behind, mutated};
use proptest::prelude::*;
use xunjian::extract::certificate::Certificates;
use xunjian::extract::{self, Resources};
use xunjian::model::{Budget, Listing, Meter};
use xunjian::signature::{Pack, Source};
use xunjian::unpack::{Archive, signing_block};

fn package() -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/apks/cleanedu.apk", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// An entry of the fixture.
fn entry(name: &str) -> Vec<u8> {
    let (bytes, budget) = (package(), Budget::default());
    let archive = Archive::open(&bytes, "a.apk", &budget).unwrap();
    let found = archive.entries.iter().find(|e| e.name == name).unwrap();
    archive.read(found, "", &budget).bytes
}

/// Bytes of all entries of an archive.
fn unpack(bytes: &[u8], budget: &Budget) -> usize {
    let Ok(archive) = Archive::open(&bytes, "a.apk", budget) else { return 0 };
    let _ = signing_block(&archive);
    let _ = archive.lead_bytes(budget);
    archive.entries.iter().map(|entry| archive.read(entry, "a.apk!/e", budget).bytes.len()).sum()
}

fn manifest(bytes: &[u8]) {
    let budget = Budget::default();
    let _ = extract::manifest(bytes, "a.apk!/AndroidManifest.xml", &Resources::default(), &budget);
    let _ = extract::network_config(bytes, "a.apk!/res/xml/n.xml", &Budget::default());
    let _ = extract::entry("res/xml/config.xml", "a.apk!/res/xml/config.xml", bytes, &budget);
}

fn table(bytes: &[u8]) {
    let (table, _) = Resources::read(bytes, "a.apk!/resources.arsc", &Budget::default());
    let _ = table.texts(0x7f01_0000, &Meter::new(&Budget::default(), 0));
    let _ = table.paths().count();
}

fn code(bytes: &[u8]) {
    let _ = extract::entry("classes.dex", "a.apk!/classes.dex", bytes, &Budget::default());
}

fn certificates(bytes: &[u8]) {
    let mut found = Certificates::default();
    found.jar(bytes, "a");
    found.android(&[(0x7109_871a, bytes.to_vec()), (0xf053_68c0, bytes.to_vec())], "a");
    found.harmony(&[(0x2000_0000, bytes.to_vec()), (0x2000_0002, bytes.to_vec())], "a");
    found.ios(bytes, "a");
}

fn signature(text: &str) {
    for file in ["photo-search/mine.toml", "lexicons/mine.toml"] {
        let mut source = Source::default();
        source.files.insert(file.into(), text.into());
        let _ = Pack::load(&source);
    }
}

/// What is changed below says something as it is: a reader that reads nothing survives all.
#[test]
fn the_fixture_is_read() {
    assert!(unpack(&package(), &Budget::default()) > 10_000);
    let budget = Budget::default();
    let (resources, _) = Resources::read(&entry("resources.arsc"), "a", &budget);
    assert!(resources.paths().count() > 0);
    let (manifest, _) = extract::manifest(&entry("AndroidManifest.xml"), "a", &resources, &budget);
    assert!(manifest.is_readable && !manifest.components.is_empty());
    assert!(extract::entry("classes.dex", "a", &entry("classes.dex"), &budget).read.classes > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn archives(bytes in mutated(package())) {
        let budget = Budget::default().with_total(8 << 20);
        prop_assert!(unpack(&bytes, &budget) <= 8 << 20);
    }

    #[test]
    fn archives_of_noise(bytes in behind(b"PK\x03\x04")) {
        let end = [bytes.as_slice(), b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2e\0\0\0\x04\0\0\0\0\0"].concat();
        unpack(&end, &Budget::default().with_total(1 << 20));
    }

    #[test]
    fn manifests(bytes in mutated(entry("AndroidManifest.xml"))) {
        manifest(&bytes);
    }

    #[test]
    fn manifests_of_noise(bytes in behind(b"\x03\0\x08\0")) {
        manifest(&bytes);
    }

    #[test]
    fn tables(bytes in mutated(entry("resources.arsc"))) {
        table(&bytes);
    }

    #[test]
    fn tables_of_noise(bytes in behind(b"\x02\0\x0c\0")) {
        table(&bytes);
    }

    #[test]
    fn codes(bytes in mutated(entry("classes.dex"))) {
        code(&bytes);
    }

    #[test]
    fn codes_of_noise(bytes in behind(b"dex\n035\0")) {
        code(&bytes);
    }

    #[test]
    fn certificates_of_noise(bytes in behind(b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")) {
        certificates(&bytes);
    }

    #[test]
    fn signatures(text in "(\\[\\[(clue|match|no-match)\\]\\]|id|any|in|unless|weight|why|title|regex| = |\\[|\\]|\\{|\\}|\"|拍照|搜题|\\*|\\?|a|-|[0-9]|\n){0,60}") {
        signature(&text);
    }

    #[test]
    fn lines_of_listings(line in "\\{?(\"(id|package|title|description|permissions)\":|\"|拍照搜题|\\[|\\]|,|\\\\u[0-9a-f]{0,4}|[0-9]|null){0,40}\\}?") {
        if let Ok(listing) = Listing::parse(&line) {
            let _ = extract::listing(&listing);
        }
    }
}
