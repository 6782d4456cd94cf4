//! Damaged pictures and bombs: told, within caps, without a panic.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panic")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use xunjian_pictures::{Area, Effort, Unread, cut_out, look, read};

fn fixture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/pictures");
    std::fs::read(folder.join(name)).expect("a fixture is there")
}

/// Numbers that are the same each time (Knuth's MMIX generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

/// Bits turned, an end cut off, bytes of the head changed, a part laid over another.
fn damage(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let length = bytes.len();
    match chance.below(4) {
        0 => (0..=chance.below(8)).for_each(|_| bytes[chance.below(length)] ^= 1 << chance.below(8)),
        1 => bytes.truncate(chance.below(length)),
        2 => (0..=chance.below(20)).for_each(|_| bytes[chance.below(length.min(600))] = chance.below(256) as u8),
        _ => {
            let (from, to, count) = (chance.below(length), chance.below(length), chance.below(64));
            let part = bytes[from..(from + count).min(length)].to_vec();
            let end = (to + part.len()).min(length);
            bytes[to..end].copy_from_slice(&part[..end - to]);
        }
    }
}

/// How many corruptions of each form.
const ROUNDS: usize = if cfg!(debug_assertions) { 400 } else { 2_000 };

#[test]
fn no_damage_makes_a_decoder_panic_or_linger() {
    let area = Area { x: 10, y: 10, width: 50, height: 20 };
    for name in ["guilty/01-1.png", "apple.png", "guide.png", "lesson.jpg", "lesson.webp", "lesson.gif", "lesson.bmp"] {
        let whole = fixture(name);
        assert!(cut_out(&whole, area).is_some(), "{name} decodes");
        let (mut chance, mut worst, mut decoded) = (Chance(7), Duration::ZERO, 0);
        for _ in 0..ROUNDS {
            let mut bytes = whole.clone();
            damage(&mut bytes, &mut chance);
            let began = Instant::now();
            let _ = look(&bytes);
            decoded += usize::from(cut_out(&bytes, area).is_some());
            worst = worst.max(began.elapsed());
        }
        println!("{name}: {decoded} of {ROUNDS} decode; at worst {worst:?}");
        assert!(worst < Duration::from_secs(5), "{name}: {worst:?}");
    }
}

#[test]
fn damaged_pictures_are_read_as_far_as_they_go() {
    let mut chance = Chance(11);
    for name in ["guilty/01-1.png", "lesson.jpg", "codes.png"] {
        for _ in 0..4 {
            let mut bytes = fixture(name);
            damage(&mut bytes, &mut chance);
            if let Ok(picture) = read(&bytes, Effort::PACKAGE, &|| true) {
                assert!(picture.words.len() <= Effort::PACKAGE.lines);
            }
        }
    }
}

#[test]
fn a_reading_that_is_stopped_says_so() {
    let picture = read(&fixture("guilty/01-1.png"), Effort::PACKAGE, &|| false).unwrap();
    assert!(picture.is_cut_short && picture.words.is_empty());
}

#[test]
fn bombs_are_refused_at_once() {
    let mut png = fixture("guilty/01-1.png");
    png[16..24].copy_from_slice(&[0, 0, 0x3e, 0x80, 0, 0, 0x3e, 0x80]);
    let mut gif = fixture("lesson.gif");
    gif[6..10].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let mut bmp = fixture("lesson.bmp");
    bmp[18..26].copy_from_slice(&[0, 0, 1, 0, 0, 0, 1, 0]);
    for bytes in [png, gif, bmp] {
        let began = Instant::now();
        assert!(matches!(read(&bytes, Effort::PACKAGE, &|| true), Err(Unread::Large(..))));
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    assert_eq!(read(b"hello", Effort::PACKAGE, &|| true), Err(Unread::NoPicture));
}

#[test]
fn codes_are_read_dark_on_light_and_light_on_dark() {
    let picture = read(&fixture("codes.png"), Effort::PACKAGE, &|| true).unwrap();
    let said: Vec<&str> = picture.codes.iter().map(|code| code.text.as_str()).collect();
    assert_eq!(said, ["https://down.example.cn/app.apk?from=poster", "https://group.example.cn/join/738291045"]);
    assert!(picture.codes[0].area.x < 300 && picture.codes[1].area.right() > 300, "{:?}", picture.codes);
}

#[test]
fn every_form_says_the_same() {
    for name in ["guilty/01-1.png", "apple.png", "lesson.jpg", "lesson.webp", "lesson.gif", "lesson.bmp"] {
        let picture = read(&fixture(name), Effort::PACKAGE, &|| true).unwrap();
        let said: String = picture.words.iter().map(|said| said.text.replace(' ', "")).collect();
        assert!(said.contains("拍照搜题") && said.contains("一拍就出答案"), "{name}: {said}");
        let again = read(&fixture(name), Effort::PACKAGE, &|| true).unwrap();
        assert_eq!(picture.words, again.words, "{name}: the same each time");
    }
}

#[test]
fn white_words_on_nothing_are_read() {
    let picture = read(&fixture("guide.png"), Effort::PACKAGE, &|| true).unwrap();
    assert!(picture.words.iter().any(|said| said.text.contains("拍照搜题")), "{picture:?}");
}
