//! QR codes. Other codes are left alone: their readers see some in noise.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, RgbImage, imageops};
use rxing::{BarcodeFormat, DecodeHints, helpers};

use crate::{Area, Passage};

/// Longer side at which codes are looked for: enough for a code of a tenth of a screen.
const SIDE_MAX: u32 = 1_280;
/// Shorter sides hold no code that a camera could read.
const SIDE_MIN: u32 = 48;
/// Characters of one code, at most (ISO/IEC 18004 has room for 4,296 letters).
const TEXT_MAX: usize = 4_296;
/// Codes of one picture, at most.
const CODES_MAX: usize = 16;

/// The codes of a picture, in the order of what they say.
pub(crate) fn find(picture: &RgbImage) -> Vec<Passage> {
    let (width, height) = picture.dimensions();
    if width.min(height) < SIDE_MIN {
        return Vec::new();
    }
    let grey = DynamicImage::ImageRgb8(picture.clone()).into_luma8();
    let scale = (f64::from(width.max(height)) / f64::from(SIDE_MAX)).max(1.0);
    let small = |long: u32| ((f64::from(long) / scale) as u32).max(1);
    let grey = if scale > 1.0 { imageops::thumbnail(&grey, small(width), small(height)) } else { grey };
    let mut hints = DecodeHints {
        TryHarder: Some(true),
        AlsoInverted: Some(true),
        PossibleFormats: Some([BarcodeFormat::QR_CODE].into_iter().collect()),
        ..DecodeHints::default()
    };
    let (wide, high) = grey.dimensions();
    // A reader of others: what makes it fail must not take the words along.
    let found = catch_unwind(AssertUnwindSafe(|| {
        helpers::detect_multiple_in_luma_with_hints(grey.into_raw(), wide, high, &mut hints)
    }));
    let mut codes: Vec<Passage> = found
        .ok()
        .and_then(Result::ok)
        .unwrap_or_default()
        .iter()
        .filter(|code| !code.getText().trim().is_empty())
        .map(|code| Passage {
            text: code.getText().chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect(),
            area: area(code.getPoints().iter().map(|p| (p.x, p.y)), scale as f32, (width, height)),
            score: 1.0,
        })
        .collect();
    codes.sort_by(|a, b| a.text.cmp(&b.text).then(a.area.cmp(&b.area)));
    codes.dedup_by(|a, b| a.text == b.text);
    codes.truncate(CODES_MAX);
    codes
}

/// The box around the marks in three corners of a code, and some room.
fn area(points: impl Iterator<Item = (f32, f32)> + Clone, scale: f32, (width, height): (u32, u32)) -> Area {
    let least = |of: fn((f32, f32)) -> f32| points.clone().map(of).fold(f32::MAX, f32::min) * scale;
    let most = |of: fn((f32, f32)) -> f32| points.clone().map(of).fold(0.0, f32::max) * scale;
    let (left, top, right, bottom) = (least(|p| p.0), least(|p| p.1), most(|p| p.0), most(|p| p.1));
    let room = ((right - left).max(bottom - top) / 4.0).max(0.0);
    let low = |value: f32, most: u32| ((value - room).max(0.0) as u32).min(most);
    let high = |value: f32, most: u32| ((value + room).max(0.0) as u32).min(most);
    let (x, y) = (low(left, width), low(top, height));
    Area { x, y, width: high(right, width).saturating_sub(x), height: high(bottom, height).saturating_sub(y) }
}
