//! What lines say.

use image::RgbImage;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use crate::crop::{self, HEIGHT};
use crate::detect::level;
use crate::models::{Models, options};
use crate::{GoOn, Quad, Unread};

/// Lines read together, at most.
const BATCH: usize = 8;
/// Of its width, by which a line may be padded to be read with wider ones.
const PADDING: f32 = 1.12;

/// What each line says, and how sure that is: of all, or of the first few where `go_on` said no.
pub(crate) fn lines(
    models: &Models,
    picture: &RgbImage,
    quads: &[Quad],
    go_on: GoOn<'_>,
) -> Result<Vec<(String, f32)>, Unread> {
    let mut crops: Vec<(usize, RgbImage)> = Vec::new();
    for (index, quad) in quads.iter().enumerate() {
        if !go_on() {
            return Ok(Vec::new());
        }
        crops.push((index, crop::line(picture, quad)));
    }
    crops.sort_by_key(|(_, crop)| crop.width());
    let mut read = vec![(String::new(), 0.0); quads.len()];
    let mut rest = crops.as_slice();
    while let [first, ..] = rest {
        let most = first.1.width() as f32 * PADDING + 4.0;
        let size = rest.iter().take(BATCH).take_while(|(_, crop)| crop.width() as f32 <= most).count().max(1);
        let (batch, after) = rest.split_at(size);
        if !go_on() {
            return Ok(Vec::new());
        }
        for ((index, _), said) in batch.iter().zip(together(models, batch)?) {
            read[*index] = said;
        }
        rest = after;
    }
    Ok(read)
}

/// Reads some lines of about one width.
fn together(models: &Models, crops: &[(usize, RgbImage)]) -> Result<Vec<(String, f32)>, Unread> {
    let width = crops.iter().map(|(_, crop)| crop.width()).max().unwrap_or(1) as usize;
    let plane = HEIGHT as usize * width;
    let mut data = vec![0_f32; crops.len() * 3 * plane];
    for (number, (_, crop)) in crops.iter().enumerate() {
        for (x, y, pixel) in crop.enumerate_pixels() {
            let at = number * 3 * plane + y as usize * width + x as usize;
            for channel in 0..3 {
                data[at + channel * plane] = level(pixel[2 - channel]);
            }
        }
    }
    let input = NdTensor::from_data([crops.len(), 3, HEIGHT as usize, width], data);
    let failed = |error: &dyn std::fmt::Display| Unread::Failed(error.to_string());
    let output = models.reader.run_one(input.view().into(), options()).map_err(|error| failed(&error))?;
    let steps: NdTensor<f32, 3> = output.try_into().map_err(|_| failed(&"the reader's answer is of another shape"))?;
    Ok((0..crops.len().min(steps.size(0))).map(|number| said(models, &steps, number)).collect())
}

/// The most likely class of each step; repeats and blanks left out (greedy CTC, Graves et al., 2006).
fn said(models: &Models, steps: &NdTensor<f32, 3>, number: usize) -> (String, f32) {
    let (mut text, mut sum, mut count, mut last) = (String::new(), 0.0, 0_u16, 0);
    for step in 0..steps.size(1) {
        let row = steps.slice((number, step));
        let (mut class, mut value) = (0, f32::MIN);
        for (index, &other) in row.iter().enumerate() {
            if other > value {
                (class, value) = (index, other);
            }
        }
        if class != 0 && class != last {
            text.push_str(models.characters.get(class).copied().unwrap_or_default());
            sum += value;
            count = count.saturating_add(1);
        }
        last = class;
    }
    let score = if count == 0 { 0.0 } else { sum / f32::from(count) };
    (text.trim().to_owned(), score)
}
