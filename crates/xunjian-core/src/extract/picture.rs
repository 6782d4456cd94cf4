//! Pictures: which of a package are worth reading, and what stands in them.
//!
//! A package holds thousands of pictures, nearly all of them arrows and corners. What a person sees large
//! comes first: start screens, guides, banners; one density of each. The reading itself is done by
//! `xunjian-pictures`, where this is built with it.

use super::Extracted;
use crate::model::{Budget, Kind};

/// Bytes of the beginning that tell size and form of any picture: JPEG tells its own behind what the camera
/// wrote.
pub const HEAD_LEN: usize = 64 << 10;
/// Bytes of a picture that is read, at most.
pub const BYTES_MAX: u64 = 4 << 20;
/// Shorter sides hold no words that anybody reads: icons in bars, arrows.
const SIDE_MIN: u32 = 72;
/// Longer pictures for their breadth, the other way about as well, are lines and edges.
const STRETCHED: u32 = 12;
/// Pixels that a byte may stand for: a picture that packs better is a surface.
const FLAT: u64 = 600;

/// Parts of the names of pictures that people see large, or that are made of words.
const TELLING: &[&str] = &[
    "splash", "launch", "welcome", "guide", "banner", "intro", "poster", "start", "boot", "tutorial", "lead", "share",
    "qr", "code", "activity", "promo", "course", "lesson", "teacher", "vip", "advert", "gift", "buy", "引导", "启动",
    "欢迎", "海报", "课",
];

/// A picture that may be worth reading.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Its name does not tell of words.
    is_plain: bool,
    /// Pixels, fewer last; those beyond a screen count no more.
    smallness: u64,
}

/// Pixels of a screen: what is larger is not read sooner.
const SCREEN: u64 = 720 * 1280;

/// What the first bytes say of a picture: nothing where it is none, or none that people read.
#[must_use]
pub fn worth(path: &str, head: &[u8], bytes: u64) -> Worth {
    let Some((size, is_read)) = looked(head) else { return Worth::None };
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if name.ends_with(".9.png") {
        return Worth::None;
    }
    let Some((width, height)) = size else {
        return if is_read { Worth::Read(Rank { is_plain: true, smallness: SCREEN }) } else { Worth::Unread };
    };
    let (short, long) = (width.min(height), width.max(height));
    let pixels = u64::from(width) * u64::from(height);
    if short < SIDE_MIN || long / short.max(1) >= STRETCHED || pixels / bytes.max(1) >= FLAT {
        return Worth::None;
    }
    let is_plain = !TELLING.iter().any(|part| name.contains(part));
    Worth::Read(Rank { is_plain, smallness: SCREEN - pixels.min(SCREEN) })
}

/// What is to become of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth {
    /// Nothing to read in it.
    None,
    /// It may hold words, and its form is not read.
    Unread,
    /// It is read, in this order.
    Read(Rank),
}

/// The name under which one picture lies in several densities, languages apart:
/// `res/drawable-xxhdpi-v4/guide.png` and `res/drawable-hdpi/guide.png`.
#[must_use]
pub fn family(path: &str) -> Option<String> {
    const DENSITIES: &[&str] = &["ldpi", "mdpi", "hdpi", "xhdpi", "xxhdpi", "xxxhdpi", "tvdpi", "nodpi", "anydpi"];
    let (folder, name) = path.rsplit_once('/')?;
    let (above, last) = folder.rsplit_once('/').unwrap_or(("", folder));
    if last.starts_with("drawable") || last.starts_with("mipmap") {
        let is_density = |part: &&str| !DENSITIES.contains(part) && !is_version(part);
        let kept: Vec<&str> = last.split('-').filter(is_density).collect();
        return Some(format!("{above}/{}/{name}", kept.join("-")));
    }
    // iOS: `guide@3x.png`.
    let (stem, ending) = name.rsplit_once('.')?;
    let plain = stem.trim_end_matches("~iphone").trim_end_matches("~ipad");
    let plain = ["@2x", "@3x"].iter().find_map(|scale| plain.strip_suffix(scale))?;
    Some(format!("{folder}/{plain}.{ending}"))
}

/// `v21`.
fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether this program reads words in pictures at all.
pub const IS_BUILT: bool = cfg!(feature = "pictures");

#[cfg(feature = "pictures")]
use built::looked;
#[cfg(feature = "pictures")]
pub use built::{MODEL, cut_out, read};

#[cfg(feature = "pictures")]
mod built {
    use xunjian_pictures::{Area, Effort, Passage, Picture};

    use super::{Budget, Extracted, Kind};
    use crate::model::{Block, Limit, LimitCode};
    use crate::signature::is_han;

    pub use xunjian_pictures::MODEL;

    /// Steps that are taken of the app's budget for one piece of work on a picture, some tens of milliseconds.
    const STEPS: u64 = 1 << 22;

    /// Width and height, and whether pictures of this form are read; `None` where it is no picture.
    pub(super) fn looked(head: &[u8]) -> Option<(Option<(u32, u32)>, bool)> {
        let look = xunjian_pictures::look(head)?;
        Some((look.size, look.form.is_read()))
    }

    /// Reads a picture as facts of a kind, each under its box.
    #[must_use]
    pub fn read(kind: Kind, bytes: &[u8], place: &str, budget: &Budget) -> Extracted {
        let effort = if kind == Kind::Screenshot { Effort::LISTING } else { Effort::PACKAGE };
        let mut out = Extracted::default();
        out.read.bytes = bytes.len() as u64;
        let go_on = || budget.take_steps(STEPS) && !budget.is_out_of_time();
        match xunjian_pictures::read(bytes, effort, &go_on) {
            Ok(picture) => {
                out.limits
                    .extend(lacks(&picture, effort).map(|lack| Limit::new(LimitCode::UnreadPicture, place, lack)));
                let block = block(kind, place, &picture);
                out.read.strings = block.len() as u64;
                out.facts.push(block);
            }
            Err(why) => out.limits.push(Limit::new(LimitCode::UnreadPicture, place, why.to_string())),
        }
        out
    }

    /// What of a picture was not read.
    fn lacks(picture: &Picture, effort: Effort) -> impl Iterator<Item = String> {
        let lines = (picture.unread_lines > 0)
            .then(|| format!("{} lines beyond the first {} were not read", picture.unread_lines, effort.lines));
        let damaged = picture.is_damaged.then(|| "it is damaged; what could be decoded was read".to_owned());
        let short = picture.is_cut_short.then(|| "the time for this app is over".to_owned());
        lines.into_iter().chain(damaged).chain(short)
    }

    fn block(kind: Kind, place: &str, picture: &Picture) -> Block {
        let mut block = Block::new(kind, place, "");
        for Passage { text, area, .. } in &picture.codes {
            block.push_named(&format!("QR {area}"), text);
        }
        for Passage { text, area, .. } in &picture.words {
            block.push_named(&area.to_string(), &closed_up(text));
        }
        block
    }

    /// Without the blanks between Chinese characters, which say how wide a line is set and nothing else.
    fn closed_up(text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let is_gap = c == ' ' && out.ends_with(is_han) && characters.peek().copied().is_some_and(is_han);
            if !is_gap {
                out.push(c);
            }
        }
        out
    }

    /// What stands at a place in a picture, box drawn, as JPEG.
    #[must_use]
    pub fn cut_out(bytes: &[u8], place: &str) -> Option<Vec<u8>> {
        xunjian_pictures::cut_out(bytes, Area::at_end_of(place)?)
    }
}

/// A build that reads no pictures tells them by their first bytes alone.
#[cfg(not(feature = "pictures"))]
fn looked(head: &[u8]) -> Option<(Option<(u32, u32)>, bool)> {
    match head {
        [0x89, b'P', b'N', b'G', ..] => {
            let number = |at: usize| head.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
            Some((number(16).zip(number(20)), true))
        }
        [0xff, 0xd8, 0xff, ..] | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some((None, true)),
        _ => None,
    }
}

/// A build without the models reads nothing.
#[cfg(not(feature = "pictures"))]
#[must_use]
pub fn read(_: Kind, _: &[u8], _: &str, _: &Budget) -> Extracted {
    Extracted::default()
}

/// A build without the models cuts nothing out.
#[cfg(not(feature = "pictures"))]
#[must_use]
pub fn cut_out(_: &[u8], _: &str) -> Option<Vec<u8>> {
    None
}

/// No model.
#[cfg(not(feature = "pictures"))]
pub const MODEL: &str = "";

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        head.extend(width.to_be_bytes());
        head.extend(height.to_be_bytes());
        head.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        head
    }

    #[test]
    fn what_people_see_large_comes_first() {
        let rank = |path: &str, width, height| match worth(path, &png(width, height), 20_000) {
            Worth::Read(rank) => rank,
            other => panic!("{path}: {other:?}"),
        };
        assert!(rank("res/drawable-hdpi/guide_1.png", 300, 200) < rank("res/drawable-hdpi/bg.png", 1080, 1920));
        assert!(rank("res/a.png", 1080, 1920) < rank("res/b.png", 200, 200));
    }

    #[test]
    fn arrows_edges_and_surfaces_are_left_out() {
        assert_eq!(worth("res/drawable/btn.9.png", &png(400, 400), 9_000), Worth::None);
        assert_eq!(worth("res/drawable/back.png", &png(48, 48), 900), Worth::None);
        assert_eq!(worth("res/drawable/line.png", &png(1080, 80), 9_000), Worth::None);
        assert_eq!(worth("res/drawable/white.png", &png(1080, 1920), 900), Worth::None);
        assert_eq!(worth("res/drawable/a.txt", b"hello, world, this is no picture", 900), Worth::None);
    }

    #[test]
    fn densities_of_one_picture_are_one_family() {
        let family = |path: &str| family(path).unwrap();
        assert_eq!(family("res/drawable-xxhdpi-v4/guide.png"), family("res/drawable-hdpi/guide.png"));
        assert_ne!(family("res/drawable-zh-hdpi/guide.png"), family("res/drawable-hdpi/guide.png"));
        assert_eq!(family("Payload/A.app/guide@3x.png"), family("Payload/A.app/guide@2x~iphone.png"));
        assert_eq!(super::family("assets/guide.png"), None);
    }
}
