//! PNG: also with wrong checksums, which some readers pass over, cut off, and in the variant of Apple's
//! tools (`CgBI`), which iOS apps hold.
//!
//! Forms: W3C, *Portable Network Graphics (third edition)*; for `CgBI`, whose layout Apple does not
//! publish: a chunk of that name stands first, IDAT is deflate without zlib's head and tail, and samples are
//! blue, green, red, and multiplied by their alpha.

use std::borrow::Cow;
use std::io::Cursor;

use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use png::{ColorType, Decoder, Limits, Transformations};

use crate::Unread;
use crate::decode::{Frames, damaged};

/// Bytes before the first chunk.
const MAGIC: usize = 8;

/// A chunk: its name, and its data.
type Chunk<'a> = (&'a [u8], &'a [u8]);

/// The chunks, as far as they go.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = bytes.get(MAGIC..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let name = rest.get(4..8)?;
        // The last one may be cut off.
        let data = &rest[8..(8_usize.saturating_add(length)).min(rest.len())];
        rest = rest.get(12_usize.saturating_add(length)..).unwrap_or_default();
        Some((name, data))
    })
}

/// Width and height.
pub(crate) fn size(head: &[u8]) -> Option<(u32, u32)> {
    let (_, data) = chunks(head).take(2).find(|(name, _)| *name == b"IHDR")?;
    let number = |at: usize| data.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    number(0).zip(number(4))
}

/// Decodes a PNG.
pub(crate) fn decode(bytes: &[u8], memory: usize) -> Result<Frames, Unread> {
    let is_apple = chunks(bytes).next().is_some_and(|(name, _)| name == b"CgBI");
    let plain = if is_apple { Cow::Owned(from_apple(bytes)) } else { Cow::Borrowed(bytes) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(&*plain), Limits { bytes: memory });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.ignore_checksums(true);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(|error| damaged(&error))?;
    let (width, height) = (reader.info().width, reader.info().height);
    let size = reader.output_buffer_size().filter(|&size| size <= memory).ok_or(Unread::Large(width, height))?;
    let mut samples = vec![0; size];
    let whole = reader.next_frame(&mut samples);
    // What came before the damage is shown by others, so it is read.
    let is_damaged = whole.is_err();
    if let Err(error) = whole
        && samples.iter().all(|&sample| sample == 0)
    {
        return Err(damaged(&error));
    }
    let (colour, _) = reader.output_color_type();
    if is_apple {
        from_premultiplied(&mut samples, colour);
    }
    let picture = match colour {
        ColorType::Grayscale => GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8),
        ColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, samples).map(DynamicImage::ImageLumaA8),
        ColorType::Rgb => RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8),
        ColorType::Rgba => RgbaImage::from_raw(width, height, samples).map(DynamicImage::ImageRgba8),
        ColorType::Indexed => None,
    };
    let picture = picture.ok_or_else(|| damaged(&"its samples do not fill it"))?;
    Ok(Frames { all: vec![picture], is_damaged })
}

/// The same as an ordinary PNG; checksums are left out, and passed over.
fn from_apple(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes[..MAGIC.min(bytes.len())].to_vec();
    let mut packed = vec![0x78, 0x01];
    let mut put = |name: &[u8], data: &[u8]| {
        out.extend(u32::try_from(data.len()).unwrap_or_default().to_be_bytes());
        out.extend(name);
        out.extend(data);
        out.extend([0; 4]);
    };
    for (name, data) in chunks(bytes) {
        match name {
            b"CgBI" => {}
            b"IDAT" => packed.extend(data),
            b"IEND" => break,
            _ => put(name, data),
        }
    }
    packed.extend([0; 4]);
    put(b"IDAT", &packed);
    put(b"IEND", &[]);
    out
}

/// Blue first to red first, alpha taken out of the colours.
fn from_premultiplied(samples: &mut [u8], colour: ColorType) {
    let channels = match colour {
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        _ => return,
    };
    for pixel in samples.chunks_exact_mut(channels) {
        pixel.swap(0, 2);
        if let &mut [ref mut colours @ .., alpha] = pixel
            && channels == 4
            && alpha > 0
        {
            let alpha = u32::from(alpha);
            colours.iter_mut().for_each(|c| *c = (u32::from(*c) * 255 / alpha).min(255) as u8);
        }
    }
}
