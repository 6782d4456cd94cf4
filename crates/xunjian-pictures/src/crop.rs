//! One line, cut out upright at the height that the reader takes.

use image::{Rgb, RgbImage, imageops};

use crate::Quad;

/// Height of a line as the reader takes it.
pub(crate) const HEIGHT: u32 = 48;
/// Width of a line at that height, at most: some sixty characters.
const WIDTH_MAX: u32 = 1600;
/// A narrower line is widened to this.
const WIDTH_MIN: u32 = 16;
/// Times its width from which on a line is written downwards; as the model's makers have it.
const UPRIGHT: f32 = 1.5;
/// Lines taller than [`HEIGHT`] are sampled at up to this many times it, and shrunk, so that thin strokes stay.
const FINER_MAX: u32 = 4;

/// The line within a quad.
pub(crate) fn line(picture: &RgbImage, quad: &Quad) -> RgbImage {
    let long = quad.side(0, 1).max(quad.side(3, 2));
    let high = quad.side(0, 3).max(quad.side(1, 2));
    let [a, b, c, d] = quad.0;
    // Written downwards: turned a quarter counter-clockwise.
    let (corners, long, high) =
        if high >= UPRIGHT * long { ([b, c, d, a], high, long) } else { ([a, b, c, d], long, high) };
    let width = ((HEIGHT as f32 * long / high.max(1.0)).ceil() as u32).clamp(WIDTH_MIN, WIDTH_MAX);
    let finer = ((high / HEIGHT as f32).ceil() as u32).clamp(1, FINER_MAX);
    let sampled = sample(picture, corners, width * finer, HEIGHT * finer);
    if finer > 1 { imageops::thumbnail(&sampled, width, HEIGHT) } else { sampled }
}

/// Samples a parallelogram, between pixels.
fn sample(picture: &RgbImage, [a, b, _, d]: [(f32, f32); 4], width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (along, down) = ((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
        let at = |from: f32, right: f32, below: f32| from + (right - from) * along + (below - from) * down - 0.5;
        pixel(picture, at(a.0, b.0, d.0), at(a.1, b.1, d.1))
    })
}

/// The colour at a point between pixels.
fn pixel(picture: &RgbImage, x: f32, y: f32) -> Rgb<u8> {
    let (left, top) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - top);
    let at = |right: f32, below: f32| {
        let within = |value: f32, size: u32| (value.max(0.0) as u32).min(size.saturating_sub(1));
        picture.get_pixel(within(left + right, picture.width()), within(top + below, picture.height())).0
    };
    let (p00, p10, p01, p11) = (at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0), at(1.0, 1.0));
    Rgb(std::array::from_fn(|c| {
        let mix = |a: u8, b: u8| f32::from(a) * (1.0 - dx) + f32::from(b) * dx;
        (mix(p00[c], p10[c]) * (1.0 - dy) + mix(p01[c], p11[c]) * dy + 0.5) as u8
    }))
}
