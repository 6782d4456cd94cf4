//! A cut-out that shows a box in its surroundings.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Rgb, RgbImage, imageops};

use crate::{Area, decode, ground};

/// Size of a cut-out, at most.
const WIDTH_MAX: u32 = 640;
const HEIGHT_MAX: u32 = 320;
/// Quality of its JPEG: words stay sharp, a line takes some kilobytes.
const QUALITY: u8 = 75;
/// Colour of the box, and its strength in pixels.
const COLOUR: Rgb<u8> = Rgb([220, 30, 30]);
const STROKE: u32 = 2;

/// The surroundings of a box in a picture, with the box drawn, as JPEG; `None` where the picture does not
/// decode or the box does not lie in it.
#[must_use]
pub fn cut_out(bytes: &[u8], area: Area) -> Option<Vec<u8>> {
    let frames = decode::frames(bytes).ok()?;
    let shows = |frame: &DynamicImage| area.right() <= frame.width() && area.bottom() <= frame.height();
    let frame = frames.all.iter().find(|frame| shows(frame))?;
    if area.width == 0 || area.height == 0 {
        return None;
    }
    let grounds = ground::of(frame);
    let picture = grounds.last()?;
    let room = area.height.clamp(8, 120);
    let (x, y) = (area.x.saturating_sub(room), area.y.saturating_sub(room));
    let (right, bottom) = ((area.right() + room).min(picture.width()), (area.bottom() + room).min(picture.height()));
    let mut part = imageops::crop_imm(&**picture, x, y, right - x, bottom - y).to_image();
    let scale =
        (f64::from(part.width()) / f64::from(WIDTH_MAX)).max(f64::from(part.height()) / f64::from(HEIGHT_MAX)).max(1.0);
    if scale > 1.0 {
        let small = |long: u32| ((f64::from(long) / scale) as u32).max(1);
        part = imageops::thumbnail(&part, small(part.width()), small(part.height()));
    }
    let at = |long: u32| (f64::from(long) / scale) as u32;
    frame_in(&mut part, (at(area.x - x), at(area.y - y)), (at(area.right() - x), at(area.bottom() - y)));
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY).encode_image(&part).ok()?;
    Some(out)
}

/// Draws a frame from one corner to the other.
fn frame_in(picture: &mut RgbImage, (left, top): (u32, u32), (right, bottom): (u32, u32)) {
    let (width, height) = picture.dimensions();
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let is_within = x >= left && x < right.min(width) && y >= top && y < bottom.min(height);
        let is_inner = x >= left + STROKE && x + STROKE < right && y >= top + STROKE && y + STROKE < bottom;
        if is_within && !is_inner {
            *pixel = COLOUR;
        }
    }
}
