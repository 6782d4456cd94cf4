//! Bytes of a picture to pixels, within caps that hold before anything is decoded.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbaImage};

use crate::png_form;

/// Pixels of a picture, at most: a screen of any telephone fits several times.
pub const PIXELS_MAX: u64 = 16 << 20;
/// Longer sides are no picture of an app.
const SIDE_MAX: u32 = 16_384;
/// Bytes that decoding one picture may take.
const MEMORY_MAX: u64 = 128 << 20;
/// Frames of an animation that are gone through to its last, at most.
const FRAMES_MAX: usize = 200;
/// Pixels of all frames gone through, at most.
const FRAME_PIXELS_MAX: u64 = 128 << 20;
/// Shorter sides hold no words.
const SIDE_MIN: u32 = 24;

/// A form of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// PNG, Apple's variant among it.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// AVIF, which is not read.
    Avif,
    /// HEIF, which is not read.
    Heif,
    /// JPEG XL, which is not read.
    JpegXl,
    /// Icons of Windows, which are not read.
    Ico,
    /// TIFF, which is not read.
    Tiff,
}

/// What the first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its form.
    pub form: Form,
    /// Width and height, where they stand in these bytes.
    pub size: Option<(u32, u32)>,
}

/// Why a picture was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// No picture.
    #[error("it is no picture")]
    NoPicture,
    /// A form that is not read.
    #[error("{} is not read", .0.name())]
    Form(Form),
    /// Too large.
    #[error("{0}×{1} pixels are more than are read")]
    Large(u32, u32),
    /// It does not decode.
    #[error("it does not decode: {0}")]
    Damaged(String),
    /// The models failed.
    #[error("the models failed: {0}")]
    Failed(String),
}

impl Form {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Avif => "AVIF",
            Self::Heif => "HEIF",
            Self::JpegXl => "JPEG XL",
            Self::Ico => "ICO",
            Self::Tiff => "TIFF",
        }
    }

    /// Whether pictures of this form are read.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::WebP | Self::Gif | Self::Bmp)
    }
}

/// Form and size of a picture, by its first bytes: some tens of them suffice for all forms but JPEG, whose
/// size stands behind what the camera wrote.
#[must_use]
pub fn look(head: &[u8]) -> Option<Look> {
    let little = |at: usize| head.get(at..at + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])));
    let long = |at: usize| head.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let (form, size) = match head {
        [0x89, b'P', b'N', b'G', 13, 10, 26, 10, ..] => (Form::Png, png_form::size(head)),
        [0xff, 0xd8, 0xff, ..] => (Form::Jpeg, jpeg_size(head)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => (Form::WebP, webp_size(head)),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => (Form::Gif, little(6).zip(little(8))),
        [b'B', b'M', ..] if head.get(6..10) == Some(&[0; 4]) => {
            let height = long(22).map(|height| height.cast_signed().unsigned_abs());
            (Form::Bmp, long(18).zip(height))
        }
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4)? {
            b"avif" | b"avis" => (Form::Avif, None),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => (Form::Heif, None),
            _ => return None,
        },
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => (Form::JpegXl, None),
        [0, 0, 1, 0, count, 0, ..] if *count > 0 => (Form::Ico, None),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => (Form::Tiff, None),
        _ => return None,
    };
    Some(Look { form, size })
}

/// Width and height in the frame header (ITU-T T.81, B.2.2).
fn jpeg_size(head: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    // Every turn goes on by two bytes at least.
    loop {
        let [0xff, marker, rest @ ..] = head.get(at..)? else { return None };
        match marker {
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            // Frames of all sorts, but not tables of Huffman and arithmetic codes.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let number = |at: usize| rest.get(at..at + 2).map(|b| u32::from(u16::from_be_bytes([b[0], b[1]])));
                return number(5).zip(number(3));
            }
            _ => at += 2 + usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])).max(2),
        }
    }
}

/// Width and height by the kind of the first chunk (RFC 9649).
fn webp_size(head: &[u8]) -> Option<(u32, u32)> {
    let byte = |at: usize| head.get(at).map(|&b| u32::from(b));
    let two = |at: usize| Some(byte(at)? | byte(at + 1)? << 8);
    match head.get(12..16)? {
        b"VP8 " => two(26).map(|w| w & 0x3fff).zip(two(28).map(|h| h & 0x3fff)),
        b"VP8L" => {
            let bits = two(21)? | two(23)? << 16;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => {
            let three = |at: usize| Some(two(at)? | byte(at + 2)? << 16);
            three(24).map(|w| w + 1).zip(three(27).map(|h| h + 1))
        }
        _ => None,
    }
}

/// The frames that are read.
pub(crate) struct Frames {
    pub(crate) all: Vec<DynamicImage>,
    pub(crate) is_damaged: bool,
}

/// Decodes a picture: of an animation, its first frame and its last.
pub(crate) fn frames(bytes: &[u8]) -> Result<Frames, Unread> {
    let look = look(bytes).ok_or(Unread::NoPicture)?;
    if !look.form.is_read() {
        return Err(Unread::Form(look.form));
    }
    if let Some((width, height)) = look.size {
        fits(width, height)?;
    }
    // Decoders of others: what makes one fail must not take the rest of a package along.
    let decoded = catch_unwind(AssertUnwindSafe(|| match look.form {
        Form::Png => png_form::decode(bytes, MEMORY_MAX as usize),
        Form::Gif => gif(bytes),
        Form::Jpeg => still(bytes, ImageFormat::Jpeg),
        Form::WebP => still(bytes, ImageFormat::WebP),
        _ => still(bytes, ImageFormat::Bmp),
    }));
    let frames = decoded.unwrap_or_else(|_| Err(Unread::Damaged("the decoder failed".into())))?;
    frames.all.first().map_or(Ok(()), |frame| fits(frame.width(), frame.height()))?;
    Ok(frames)
}

/// Whether a picture of this size is read.
fn fits(width: u32, height: u32) -> Result<(), Unread> {
    let is_large = width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX;
    if is_large { Err(Unread::Large(width, height)) } else { Ok(()) }
}

pub(crate) fn damaged(error: &dyn std::fmt::Display) -> Unread {
    Unread::Damaged(error.to_string())
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE_MAX), Some(SIDE_MAX));
    limits.max_alloc = Some(MEMORY_MAX);
    limits
}

fn still(bytes: &[u8], format: ImageFormat) -> Result<Frames, Unread> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(|error| damaged(&error))?;
    let (width, height) = decoder.dimensions();
    fits(width, height)?;
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| damaged(&error))?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Ok(Frames { all: vec![picture], is_damaged: false })
}

fn gif(bytes: &[u8]) -> Result<Frames, Unread> {
    let mut decoder = GifDecoder::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let (width, height) = decoder.dimensions();
    fits(width, height)?;
    decoder.set_limits(limits()).map_err(|error| damaged(&error))?;
    let most = usize::try_from(FRAME_PIXELS_MAX / (u64::from(width) * u64::from(height)).max(1)).unwrap_or(FRAMES_MAX);
    let (mut first, mut last, mut is_damaged) = (None, None, false);
    for frame in decoder.into_frames().take(FRAMES_MAX.min(most.max(1))) {
        match frame {
            Ok(frame) if first.is_none() => first = Some(frame.into_buffer()),
            Ok(frame) => last = Some(frame.into_buffer()),
            Err(error) if first.is_none() => return Err(damaged(&error)),
            Err(_) => {
                is_damaged = true;
                break;
            }
        }
    }
    let last = last.filter(|last| first.as_ref().is_none_or(|first| differ(first, last)));
    let all = first.into_iter().chain(last).map(DynamicImage::ImageRgba8).collect();
    Ok(Frames { all, is_damaged })
}

fn differ(a: &RgbaImage, b: &RgbaImage) -> bool {
    a.as_raw() != b.as_raw()
}

/// Sides of the small copy on which a picture is weighed.
const WEIGHED: u32 = 64;
/// Bits of entropy below which a picture says nothing: surfaces, gradients of two colours.
const ENTROPY_MIN: f64 = 0.3;

/// Nothing is drawn on it: too small, or of hardly more than one tone.
pub(crate) fn is_flat(picture: &DynamicImage) -> bool {
    if picture.width() < SIDE_MIN || picture.height() < SIDE_MIN {
        return true;
    }
    // Both what is seen and what shows through count: words may be cut out of a surface.
    let small = picture.thumbnail_exact(WEIGHED, WEIGHED).to_rgba8();
    let entropy = |of: fn(&[u8; 4]) -> u8| {
        let mut counts = [0_u32; 16];
        small.pixels().for_each(|pixel| counts[usize::from(of(&pixel.0) >> 4)] += 1);
        let all = f64::from(WEIGHED * WEIGHED);
        let shares = counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / all);
        shares.map(|share| -share * share.log2()).sum::<f64>()
    };
    let grey = |p: &[u8; 4]| ((u32::from(p[0]) * 3 + u32::from(p[1]) * 6 + u32::from(p[2])) / 10) as u8;
    entropy(grey) < ENTROPY_MIN && entropy(|p| p[3]) < ENTROPY_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_sizes_are_told_by_the_first_bytes() {
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x03x\xff\xc2\0\x11\x08\x07\x80\x04\x38\x03";
        assert_eq!(look(jpeg), Some(Look { form: Form::Jpeg, size: Some((1080, 1920)) }));
        assert_eq!(look(b"GIF89a\x10\0\x20\0").and_then(|look| look.size), Some((16, 32)));
        assert_eq!(look(b"\0\0\0\x20ftypavif\0\0\0\0").map(|look| look.form), Some(Form::Avif));
        assert_eq!(look(b"\0\0\0\x20ftypmp42\0\0\0\0"), None);
        assert_eq!(look(b"\xff\xd8\xff\xff\xff\xff"), Some(Look { form: Form::Jpeg, size: None }));
        assert_eq!(look(b"BMI calculator"), None);
    }

    #[test]
    fn large_pictures_are_refused_before_they_are_decoded() {
        let mut gif = b"GIF89a\xff\xff\xff\xff\x80\0\0".to_vec();
        gif.extend([0; 64]);
        assert!(matches!(frames(&gif), Err(Unread::Large(65_535, 65_535))));
        assert_eq!(frames(b"\0\0\0\x20ftypheic\0\0\0\0").err(), Some(Unread::Form(Form::Heif)));
    }
}
