//! Where lines of words stand.

use std::borrow::Cow;

use image::{RgbImage, imageops};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use crate::boxes::boxes;
use crate::models::{Models, options};
use crate::{Quad, Unread};

/// A picture longer than this many times its width is looked at in pieces: at the detector's size its
/// lines would be too small to see.
const TALL: u32 = 3;
/// Height of a piece, in widths.
const PIECE: u32 = 2;
/// Of its width, by which a piece reaches over the next: more than a line is high.
const OVERLAP: u32 = 5;
/// Pieces of one picture, at most.
const PIECES_MAX: u32 = 16;

/// The lines of a picture, from the top down.
pub(crate) fn find(models: &Models, picture: &RgbImage, side: u32) -> Result<Vec<Quad>, Unread> {
    let (width, height) = picture.dimensions();
    let mut quads = Vec::new();
    for (top, bottom) in pieces(width, height) {
        let piece = if bottom - top == height {
            Cow::Borrowed(picture)
        } else {
            Cow::Owned(imageops::crop_imm(picture, 0, top, width, bottom - top).to_image())
        };
        let (from, to) = (core_edge(top, 0, width), core_edge(bottom, height, width));
        let found = within(models, &piece, side, top)?.into_iter();
        // What lies where two pieces meet is taken from the one that has it farther from its edge.
        quads.extend(found.filter(|quad| {
            let area = quad.area();
            let middle = area.y + area.height / 2;
            (top == 0 || middle as i64 >= from) && (bottom == height || (middle as i64) < to)
        }));
    }
    quads.sort_by(|a, b| {
        let row = |quad: &Quad| (quad.0[0].1 / ROW).floor();
        row(a).total_cmp(&row(b)).then(a.0[0].0.total_cmp(&b.0[0].0))
    });
    Ok(quads)
}

/// Pixels within which lines stand side by side.
const ROW: f32 = 10.0;

/// Where a piece's own part begins or ends, half an overlap from its edge.
fn core_edge(edge: u32, outer: u32, width: u32) -> i64 {
    let half = i64::from(width / OVERLAP / 2);
    if edge == outer {
        i64::from(edge)
    } else if outer == 0 {
        i64::from(edge) + half
    } else {
        i64::from(edge) - half
    }
}

/// Tops and bottoms of the pieces that a picture is looked at in.
fn pieces(width: u32, height: u32) -> Vec<(u32, u32)> {
    if height <= width.saturating_mul(TALL) {
        return vec![(0, height)];
    }
    let overlap = (width / OVERLAP).max(1);
    let long = (width * PIECE).max(height.div_ceil(PIECES_MAX) + overlap);
    let mut pieces = Vec::new();
    let mut top = 0;
    loop {
        let bottom = (top + long).min(height);
        pieces.push((top, bottom));
        if bottom == height {
            return pieces;
        }
        top = bottom - overlap;
    }
}

/// The detector's picture is a multiple of this on both sides.
const GRID: f32 = 32.0;
/// From here on a pixel belongs to words; a box of which the mean is less is none. Both as the model's
/// makers set them, the latter lowered for weak contrasts.
const PIXEL_FROM: f32 = 0.3;
const BOX_FROM: f32 = 0.5;

fn within(models: &Models, piece: &RgbImage, side: u32, top: u32) -> Result<Vec<Quad>, Unread> {
    let (width, height) = piece.dimensions();
    let scale = (side as f32 / width.max(height) as f32).min(1.0);
    let fit = |long: u32| (((long as f32 * scale / GRID).round() as u32) * GRID as u32).max(GRID as u32);
    let (wide, high) = (fit(width), fit(height));
    let small = if (wide, high) == (width, height) {
        Cow::Borrowed(piece)
    } else if wide <= width && high <= height {
        Cow::Owned(imageops::thumbnail(piece, wide, high))
    } else {
        Cow::Owned(imageops::resize(piece, wide, high, imageops::FilterType::Triangle))
    };
    let input = NdTensor::from_data([1, 3, high as usize, wide as usize], planes(&small));
    let failed = |error: &dyn std::fmt::Display| Unread::Failed(error.to_string());
    let output = models.detector.run_one(input.view().into(), options()).map_err(|error| failed(&error))?;
    let map: NdTensor<f32, 4> = output.try_into().map_err(|_| failed(&"the detector's map is of another shape"))?;
    let (rows, columns) = (map.size(2), map.size(3));
    let found = boxes(&map.to_vec(), columns, rows, PIXEL_FROM, BOX_FROM);
    let (x, y) = (width as f32 / columns.max(1) as f32, height as f32 / rows.max(1) as f32);
    let clamped = |quad: Quad| Quad(quad.0.map(|p| (p.0.clamp(0.0, columns as f32), p.1.clamp(0.0, rows as f32))));
    Ok(found.into_iter().map(|quad| clamped(quad).scaled(x, y, top as f32)).collect())
}

/// Blue, green and red planes, from -1 to 1: as both models were trained.
pub(crate) fn planes(picture: &RgbImage) -> Vec<f32> {
    let size = picture.width() as usize * picture.height() as usize;
    let mut data = vec![0_f32; 3 * size];
    for (at, pixel) in picture.pixels().enumerate() {
        for plane in 0..3 {
            data[plane * size + at] = level(pixel[2 - plane]);
        }
    }
    data
}

/// A channel's value as the models take it.
pub(crate) fn level(value: u8) -> f32 {
    f32::from(value) / 127.5 - 1.0
}
