//! Reads pictures: the bytes of one in, the lines of words and the QR codes in it out, each with its box.
//!
//! Nothing here knows a clock, a network or a file. [`look`] tells form and size from the first bytes;
//! [`read`] decodes within caps, finds the lines, reads them and looks for codes; [`cut_out`] shows one
//! box. The models are loaded when the first picture is read (`models/README.md` says where they come from).

mod boxes;
mod code;
mod crop;
mod cut;
mod decode;
mod detect;
mod ground;
mod models;
mod paragraph;
mod png_form;
mod recognise;
mod sense;
mod shape;

pub use cut::cut_out;
pub use decode::{Form, Look, PIXELS_MAX, Unread, look};
pub use models::MODEL;
pub use shape::{Area, Quad};

use image::RgbImage;

/// Says whether to go on.
pub type GoOn<'a> = &'a (dyn Fn() -> bool + Sync);

/// How much a picture is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Longer side, in pixels, at which lines are looked for: 960 for what a store shows, 640 for
    /// pictures of a package.
    pub side: u32,
    /// Lines read of one picture, at most.
    pub lines: usize,
}

impl Effort {
    /// For pictures that a store shows of an app.
    pub const LISTING: Self = Self { side: 960, lines: 120 };
    /// For pictures that a package holds.
    pub const PACKAGE: Self = Self { side: 640, lines: 60 };
}

/// Words, or what a code says, and where they stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The words.
    pub text: String,
    /// Box around them, in pixels of the picture.
    pub area: Area,
    /// How sure the reader was, from 0 to 1. It may differ in the last digits from one kind of processor
    /// to another: nothing may rest on it but rules with room on both sides.
    pub score: f32,
}

/// What was read of a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Words, from the top down; lines that belong together are one passage.
    pub words: Vec<Passage>,
    /// What QR codes say.
    pub codes: Vec<Passage>,
    /// Lines that were found and not read.
    pub unread_lines: usize,
    /// The picture is damaged; what could be decoded was read.
    pub is_damaged: bool,
    /// Reading was stopped by the caller.
    pub is_cut_short: bool,
}

/// Reads a picture. `go_on` is asked between steps of some tens of milliseconds; where it says `false`
/// the rest is left.
///
/// # Errors
/// When it is no picture of a form that is read, too large, too small or flat, or does not decode.
pub fn read(bytes: &[u8], effort: Effort, go_on: GoOn<'_>) -> Result<Picture, Unread> {
    // On a thread of its own: one of a pool that waits for another pool takes up other work meanwhile, and
    // would wait for itself where that is another picture.
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read_here(bytes, effort, go_on)).join();
        reading.unwrap_or_else(|_| Err(Unread::Failed("a reader failed".into())))
    })
}

fn read_here(bytes: &[u8], effort: Effort, go_on: GoOn<'_>) -> Result<Picture, Unread> {
    let frames = decode::frames(bytes)?;
    let mut picture = Picture { is_damaged: frames.is_damaged, ..Picture::default() };
    let models = models::loaded()?;
    for frame in &frames.all {
        (picture.width, picture.height) = (frame.width(), frame.height());
        if decode::is_flat(frame) {
            continue;
        }
        for ground in ground::of(frame) {
            read_one(models, &ground, effort, go_on, &mut picture)?;
        }
    }
    if picture.width == 0 {
        return Err(Unread::Damaged("no frame".into()));
    }
    Ok(picture)
}

fn read_one(
    models: &models::Models,
    picture: &RgbImage,
    effort: Effort,
    go_on: GoOn<'_>,
    out: &mut Picture,
) -> Result<(), Unread> {
    for code in code::find(picture) {
        if !out.codes.iter().any(|other| other.text == code.text) {
            out.codes.push(code);
        }
    }
    if !go_on() {
        out.is_cut_short = true;
        return Ok(());
    }
    let mut quads = detect::find(models, picture, effort.side)?;
    let room = effort.lines.saturating_sub(out.words.len());
    out.unread_lines += quads.len().saturating_sub(room);
    quads.truncate(room);
    let lines = recognise::lines(models, picture, &quads, go_on)?;
    out.is_cut_short |= lines.len() < quads.len();
    let lines = lines.into_iter().zip(&quads).map(|((text, score), quad)| paragraph::Line { text, score, quad: *quad });
    let sound = lines.filter(|line| sense::makes_sense(line, picture.height()));
    for passage in paragraph::join(sound.collect()) {
        // The same words on another ground, or in another frame.
        let is_known = |other: &Passage| other.text == passage.text && other.area.covers_half_of(passage.area);
        if !out.words.iter().any(is_known) {
            out.words.push(passage);
        }
    }
    Ok(())
}
