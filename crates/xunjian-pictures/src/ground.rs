//! See-through pictures on a ground: white words on nothing are lost on white, dark ones on dark.

use std::borrow::Cow;

use image::{DynamicImage, Rgb, RgbImage, RgbaImage};

/// Below this an alpha lets the ground through.
const THROUGH: u8 = 250;
/// Of all pixels, in the hundred: fewer that let the ground through are seams and corners.
const SEAMS: usize = 1;
/// Of what is seen, in the hundred: fewer pixels of a tone are no words.
const WORDS: usize = 5;
/// Tones that are lost on white, and on dark.
const LIGHT: u8 = 200;
const DARK: u8 = 90;
/// The dark ground.
const NIGHT: u8 = 32;

/// The picture on each ground on which some of it may show that does not on the other.
pub(crate) fn of(picture: &DynamicImage) -> Vec<Cow<'_, RgbImage>> {
    if !picture.color().has_alpha() {
        return vec![picture.as_rgb8().map_or_else(|| Cow::Owned(picture.to_rgb8()), Cow::Borrowed)];
    }
    let pixels = picture.to_rgba8();
    let all = pixels.pixels().len();
    let through = pixels.pixels().filter(|p| p[3] < THROUGH).count();
    if through * 100 < all * SEAMS {
        return vec![Cow::Owned(on(&pixels, u8::MAX))];
    }
    let seen = || pixels.pixels().filter(|p| p[3] >= 128).map(|p| grey(p.0));
    let (count, light, dark) =
        seen().fold((0, 0, 0), |n, tone| (n.0 + 1, n.1 + usize::from(tone > LIGHT), n.2 + usize::from(tone < DARK)));
    let is_some = |tones: usize| tones * 100 > count * WORDS;
    let grounds: &[u8] = match (is_some(light), is_some(dark)) {
        (true, true) => &[u8::MAX, NIGHT],
        (true, false) => &[NIGHT],
        (false, _) => &[u8::MAX],
    };
    grounds.iter().map(|&ground| Cow::Owned(on(&pixels, ground))).collect()
}

fn grey(p: [u8; 4]) -> u8 {
    ((u32::from(p[0]) * 3 + u32::from(p[1]) * 6 + u32::from(p[2])) / 10) as u8
}

/// The picture laid on a grey.
pub(crate) fn on(picture: &RgbaImage, ground: u8) -> RgbImage {
    let lay = |colour: u8, alpha: u8| {
        ((u32::from(colour) * u32::from(alpha) + u32::from(ground) * u32::from(255 - alpha)) / 255) as u8
    };
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        Rgb([lay(r, a), lay(g, a), lay(b, a)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    fn grounds(words: &[u8]) -> Vec<u8> {
        let tone = |x: u32| words.get(x as usize / 10 % words.len()).copied().unwrap_or(0);
        let picture =
            RgbaImage::from_fn(
                40,
                40,
                |x, y| if y < 20 { Rgba([tone(x), tone(x), tone(x), 255]) } else { Rgba([0; 4]) },
            );
        of(&DynamicImage::ImageRgba8(picture)).iter().map(|laid| laid.get_pixel(0, 39)[0]).collect()
    }

    #[test]
    fn each_tone_gets_the_ground_on_which_it_shows() {
        assert_eq!(grounds(&[255]), [NIGHT]);
        assert_eq!(grounds(&[0]), [255]);
        assert_eq!(grounds(&[255, 0]), [255, NIGHT]);
        assert_eq!(grounds(&[150]), [255]);
    }
}
