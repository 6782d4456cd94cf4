//! Pictures, sounds, films and fonts: named, not read, and therefore proved.
//!
//! Two letters at the beginning prove nothing: a script may begin `BM=`, a text `ID3`, a
//! data file with 00 00 01 00. A magic that is made of letters counts only where the fields
//! behind it say what the format lets them say and the first bytes are no text. What claims
//! to be media and is not proved so is read like anything else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::bytes::{u16_be, u32_be};
use super::pool::{u16_at, u32_at};

/// Bytes that a claim is made with.
const CLAIM: usize = 12;

/// Whether these bytes begin a media file and the fields behind its magic bear it out.
pub(super) fn is_media(head: &[u8]) -> bool {
    let proof = FORMS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, proof)| proof);
    let proved = match proof {
        Some(proof) => proof(head),
        None => is_boxed(head) || is_frame(head),
    };
    proved && !reads_as_text(head)
}

/// Whether the first bytes claim to be media, proved or not.
pub(super) fn claims(head: &[u8]) -> bool {
    head.len() >= CLAIM && (FORMS.iter().any(|(magic, _)| head.starts_with(magic)) || head.get(4..8) == Some(b"ftyp"))
}

/// Characters of base64 that give the first bytes of what they hold; whole groups of four.
const HEAD_IN_BASE64: usize = 88;

/// Media that somebody left in base64, nothing else beside: a careless build, and no hiding place.
pub(super) fn in_base64(bytes: &[u8]) -> bool {
    let start = match bytes.strip_prefix(b"data:") {
        Some(address) => memchr::memmem::find(address, b";base64,").map_or(bytes, |at| &address[at + 8..]),
        None => bytes,
    };
    let is_code = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\r' | b'\n');
    if !start.iter().all(is_code) {
        return false;
    }
    let mut head: Vec<u8> = start.iter().copied().filter(|b| !b.is_ascii_whitespace()).take(HEAD_IN_BASE64).collect();
    head.truncate(head.len() / 4 * 4);
    STANDARD.decode(head).is_ok_and(|head| is_media(&head))
}

type Proof = fn(&[u8]) -> bool;

/// Magics from the formats' specifications, and what must follow them.
const FORMS: &[(&[u8], Proof)] = &[
    (b"\x89PNG\r\n\x1a\n", |h| matches!(h.get(12..16), Some(b"IHDR" | b"CgBI"))),
    (b"\xff\xd8\xff", |h| h.get(3).is_some_and(|&m| m >= 0xc0) && u16_be(h, 4) >= Some(2)),
    (b"GIF87a", is_gif),
    (b"GIF89a", is_gif),
    (b"BM", is_bitmap),
    // Version 0; flags of a continued, first or last page (RFC 3533).
    (b"OggS\0", |h| h.get(5).is_some_and(|&flags| flags < 8)),
    (b"ID3", is_tag),
    (b"fLaC", |h| h.get(4).is_some_and(|kind| kind & 0x7f == 0) && h.get(5..8) == Some(&[0, 0, 34])),
    (b"\x00\x01\x00\x00", |h| is_font(h, 4)),
    (b"OTTO", |h| is_font(h, 4)),
    (b"true", |h| is_font(h, 4)),
    (b"ttcf", |h| matches!(u32_be(h, 4), Some(0x1_0000 | 0x2_0000)) && (1..=1_024).contains(&number(h, 8))),
    (b"wOFF", is_web_font),
    (b"wOF2", is_web_font),
    // EBML: the length of its header follows, never zero.
    (b"\x1aE\xdf\xa3", |h| h.get(4).is_some_and(|&length| length != 0)),
    (b"FLV\x01", |h| h.get(4).is_some_and(|flags| flags & !5 == 0) && number(h, 5) == 9),
    (b"#!AMR\n", |h| h.get(6).is_some_and(|&frame| is_speech(frame))),
    (b"#!AMR-WB\n", |h| h.get(9).is_some_and(|&frame| is_speech(frame))),
    (b"MThd", |h| number(h, 4) == 6 && u16_be(h, 8).is_some_and(|form| form < 3)),
    (b"\x00\x00\x01\x00", is_icon),
    (b"\x00\x00\x02\x00", is_icon),
    (b"PVR\x03", |h| u32_at(h, 4).is_some_and(|flags| flags < 4)),
    (b"\xabKTX ", |h| h.get(7..12) == Some(b"\xbb\r\n\x1a\n")),
    (b"RIFF", is_riff),
    (b"DDS ", |h| u32_at(h, 4) == Some(124)),
    (b"\x13\xab\xa1\x5c", |h| h.get(4..7).is_some_and(|block| block.iter().all(|n| (1..=12).contains(n)))),
    (b"PKM ", |h| matches!(h.get(4..6), Some(b"10" | b"20")) && h.get(6) == Some(&0)),
];

/// A big-endian number; 0 past the end.
fn number(head: &[u8], at: usize) -> u32 {
    u32_be(head, at).unwrap_or(0)
}

/// Width and height, which no picture of an app has over 8,192.
fn is_gif(head: &[u8]) -> bool {
    [6, 8].iter().all(|&at| u16_at(head, at).is_some_and(|side| (1..=8_192).contains(&side)))
}

/// `BITMAPFILEHEADER`: reserved words of zero, an offset, and one of the known headers.
fn is_bitmap(head: &[u8]) -> bool {
    u32_at(head, 6) == Some(0)
        && u32_at(head, 10).is_some_and(|offset| (14..1 << 16).contains(&offset))
        && u32_at(head, 14).is_none_or(|size| matches!(size, 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// An ID3v2 tag: a version, flags of the upper four bits, a size in bytes of seven bits.
fn is_tag(head: &[u8]) -> bool {
    matches!(head, [_, _, _, 2..=4, 0..=0xfe, flags, a, b, c, d, ..]
        if flags & 0x0f == 0 && [a, b, c, d].iter().all(|&&byte| byte < 0x80))
}

/// A number of tables at `at`.
fn is_font(head: &[u8], at: usize) -> bool {
    u16_be(head, at).is_some_and(|tables| (1..=128).contains(&tables))
}

/// The kind of font that is packed in it.
fn is_web_font(head: &[u8]) -> bool {
    matches!(head.get(4..8), Some(b"\x00\x01\x00\x00" | b"OTTO" | b"true" | b"ttcf"))
}

/// A frame's first byte (RFC 4867): padding of zero, and a kind that exists.
const fn is_speech(frame: u8) -> bool {
    frame & 0x83 == 0 && matches!(frame >> 3 & 0x0f, 0..=9 | 14 | 15)
}

/// A count, then entries of 16 bytes of which the first says where its picture lies.
fn is_icon(head: &[u8]) -> bool {
    let Some(count) = u16_at(head, 4).filter(|count| (1..=256).contains(count)) else { return false };
    let (size, offset) = (u32_at(head, 14).unwrap_or(0), u32_at(head, 18).unwrap_or(0));
    head.get(9) == Some(&0) && size > 0 && offset >= 6 + 16 * u32::from(count) && offset < 1 << 24
}

fn is_riff(head: &[u8]) -> bool {
    match head.get(8..12) {
        Some(b"WEBP") => head.get(12..15) == Some(b"VP8"),
        Some(b"WAVE" | b"AVI ") => head.get(12..16).is_some_and(|id| id.iter().all(|b| (0x20..0x7f).contains(b))),
        _ => false,
    }
}

/// ISO base media: a first box of type `ftyp`, some words long, with a brand of letters.
fn is_boxed(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
        && (16..=1_024).contains(&number(head, 0))
        && head.get(8..12).is_some_and(|brand| brand.iter().all(|b| (0x20..0x7f).contains(b)))
}

/// MPEG audio or ADTS: a frame of a length that follows from its header, and another of the
/// same sort behind it, as far as the bytes reach.
fn is_frame(head: &[u8]) -> bool {
    let length = match head {
        [0xff, b, c, d, e, f, ..] if b & 0xf6 == 0xf0 => aac(*c, [*d, *e, *f]),
        // FF FE and FF FF are marks of encodings and padding before they are layer I.
        [0xff, b @ 0xe0..=0xfd, c, ..] => mpeg(*b, *c),
        _ => None,
    };
    let Some(length) = length else { return false };
    match head.get(length..) {
        Some([0xff, next, ..]) => next & 0xfe == head[1] & 0xfe,
        Some(rest) => rest.is_empty(),
        None => false,
    }
}

/// Length of an ADTS frame (ISO/IEC 13818-7).
fn aac(c: u8, [d, e, f]: [u8; 3]) -> Option<usize> {
    let length = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
    (c >> 2 & 0x0f < 13 && length > 7).then_some(length)
}

/// Length of a frame of MPEG audio (ISO/IEC 11172-3).
fn mpeg(b: u8, c: u8) -> Option<usize> {
    const FIRST: [[usize; 15]; 3] = [
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    ];
    const SECOND: [[usize; 15]; 3] = [
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    ];
    let (version, layer) = (b >> 3 & 3, usize::from(b >> 1 & 3).checked_sub(1)?);
    let is_first = version == 3;
    let table = if is_first { &FIRST } else { &SECOND };
    let rate = *table[layer].get(usize::from(c >> 4))?;
    let samples = [44_100, 48_000, 32_000].get(usize::from(c >> 2 & 3)).copied()?;
    let samples: usize = match version {
        3 => samples,
        2 => samples / 2,
        0 => samples / 4,
        _ => return None,
    };
    let padding = usize::from(c >> 1 & 1);
    let bytes = match layer {
        2 => (12 * rate * 1_000 / samples + padding) * 4,
        0 if !is_first => 72 * rate * 1_000 / samples + padding,
        _ => 144 * rate * 1_000 / samples + padding,
    };
    (rate > 0).then_some(bytes)
}

/// The first bytes are characters that people write: media has control bytes among them.
fn reads_as_text(head: &[u8]) -> bool {
    let head = &head[..head.len().min(super::Format::MAGIC_LEN)];
    head.iter().all(|&b| b >= b' ' && b != 0x7f || matches!(b, b'\t' | b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_in_base64_hide_nothing_where_nothing_else_stands_there() {
        let picture = [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &[7; 80]].concat();
        let text = STANDARD.encode(&picture);
        let lines = format!("{}\r\n{}", &text[..76], &text[76..]);
        for text in [&text, &format!("data:image/png;base64,{text}"), &lines] {
            assert!(in_base64(text.as_bytes()), "{text}");
        }
        for other in [&*format!("{text} 拍照搜题"), "var a = 1;", "", "QUJDREVGR0hJSktMTU5PUA=="] {
            assert!(!in_base64(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn what_begins_like_media_and_reads_as_text_is_text() {
        for text in [
            "BM=function(){alert(\"拍照搜题\")};",
            "BMI计算器说明",
            "ID3决策树",
            "GIF89a=1;/*",
            "GIF8",
            "OggS：",
            "fLaC 无损",
            "OTTO.say(\"拍照搜题\");",
            "ttcf：字体",
            "true 是真，假是 false",
            "wOF2",
            "FLV\x01",
            "#!AMR\nhello, hello",
            "MThd是MIDI文件头",
            "RIFF....WEBPVP8 text",
            "the ftypisom",
            "DDS 说明",
        ] {
            assert!(!is_media(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn headers_of_every_form_are_media() {
        let wave = [b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0".as_slice(), &[0; 30]].concat();
        let icon = [b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x16\0\0\0".as_slice(), &[0; 20]].concat();
        for head in [
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x10".as_slice(),
            b"\x89PNG\r\n\x1a\n\0\0\0\x04CgBI\x50\0 \x02",
            b"\xff\xd8\xff\xe0\0\x10JFIF\0",
            b"GIF89a\x10\0\x10\0\x80",
            b"BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
            b"ID3\x03\0\0\0\0\x0f\x76TIT2\0",
            b"\0\x01\0\0\0\x0b\0\x80\0\x03",
            b"OTTO\0\x0b\0\x80\0\x03",
            b"MThd\0\0\0\x06\0\x01\0\x02",
            b"\0\0\0\x18ftypmp42\0\0\0\0",
            &wave,
            &icon,
        ] {
            assert!(is_media(head), "{head:?}");
        }
    }

    #[test]
    fn a_sound_is_proved_by_its_second_frame() {
        // 128 kbit/s at 44,100 Hz: 417 bytes.
        let mut sound = vec![0_u8; 1_000];
        sound[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x64]);
        assert!(!is_media(&sound));
        sound[417..421].copy_from_slice(&[0xff, 0xfb, 0x90, 0x64]);
        assert!(is_media(&sound) && is_media(&sound[..417]) && !is_media(&sound[..64]));
        assert!(!is_media(b"\xff\xfe,{\0N\xfe\x8b \0\xcdb"));
    }
}
