//! Lines that belong together: a phrase set in two lines is one.

use crate::{Area, Passage, Quad};

/// A line as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) score: f32,
    pub(crate) quad: Quad,
}

/// Between the heights of lines of one phrase, at most.
const HEIGHTS: f32 = 1.25;
/// Of its height, that the next line of a phrase stands below, at most: items of lists stand farther apart.
const GAP: f32 = 0.4;
/// Of its height, by which edges or middles of lines of one phrase may differ.
const ALIGNED: f32 = 0.6;
/// Lines of one phrase, at most.
const LINES_MAX: usize = 6;
/// Widths over heights from which on an upright line is one of several characters.
const LEVEL: u32 = 1;

/// Joins the lines of each phrase, from the top down.
pub(crate) fn join(lines: Vec<Line>) -> Vec<Passage> {
    let mut open: Vec<(Passage, Area, usize)> = Vec::new();
    for line in lines {
        let area = line.quad.area();
        match open.iter_mut().rev().find(|(said, last, count)| *count < LINES_MAX && goes_on(said, *last, &line, area))
        {
            Some((said, last, count)) => {
                let needs_blank = said.text.ends_with(|c: char| c.is_ascii_alphanumeric())
                    && line.text.starts_with(|c: char| c.is_ascii_alphanumeric());
                if needs_blank {
                    said.text.push(' ');
                }
                said.text.push_str(&line.text);
                said.area = said.area.with(area);
                said.score = said.score.min(line.score);
                (*last, *count) = (area, *count + 1);
            }
            None => open.push((Passage { text: line.text, area, score: line.score }, area, 1)),
        }
    }
    open.into_iter().map(|(said, ..)| said).collect()
}

/// Whether a line is the next of a phrase that ends with a line at `last`.
fn goes_on(said: &Passage, last: Area, line: &Line, area: Area) -> bool {
    let is_level = |area: Area| area.width >= area.height * LEVEL;
    let (tall, low) = (last.height.max(area.height) as f32, last.height.min(area.height).max(1) as f32);
    let gap = f64::from(area.y) - f64::from(last.bottom());
    let is_next = area.y > last.y + last.height / 2 && gap <= f64::from(low * GAP);
    let near = |a: u32, b: u32| a.abs_diff(b) as f32 <= low * ALIGNED;
    let is_aligned = near(last.x, area.x) || near(last.x + last.right(), area.x + area.right());
    let is_over = said.text.ends_with(['。', '！', '？', '!', '?', '；']);
    is_level(last)
        && is_level(area)
        && is_straight(&line.quad)
        && tall <= low * HEIGHTS
        && is_next
        && is_aligned
        && !is_over
}

/// Hardly turned.
fn is_straight(quad: &Quad) -> bool {
    let [a, b, ..] = quad.0;
    (b.1 - a.1).abs() * 8.0 <= (b.0 - a.0).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, x: f32, y: f32, width: f32, height: f32) -> Line {
        let quad = Quad([(x, y), (x + width, y), (x + width, y + height), (x, y + height)]);
        Line { text: text.into(), score: 0.9, quad }
    }

    fn texts(lines: Vec<Line>) -> Vec<String> {
        join(lines).into_iter().map(|said| said.text).collect()
    }

    #[test]
    fn a_phrase_set_in_two_lines_is_one() {
        assert_eq!(
            texts(vec![line("拍照", 100.0, 50.0, 200.0, 90.0), line("搜题", 100.0, 150.0, 200.0, 90.0)]),
            ["拍照搜题"]
        );
        assert_eq!(
            texts(vec![line("Learn English", 90.0, 50.0, 300.0, 40.0), line("with Amy", 140.0, 92.0, 200.0, 40.0)]),
            ["Learn English with Amy"]
        );
    }

    #[test]
    fn items_headings_and_sentences_stay_apart() {
        let items = vec![line("语文", 100.0, 50.0, 80.0, 40.0), line("数学", 100.0, 120.0, 80.0, 40.0)];
        assert_eq!(texts(items), ["语文", "数学"]);
        let heading = vec![line("开学季", 100.0, 50.0, 240.0, 90.0), line("全场五折", 100.0, 145.0, 120.0, 30.0)];
        assert_eq!(texts(heading).len(), 2);
        let sentences = vec![line("一拍就会。", 100.0, 50.0, 240.0, 40.0), line("名师在线", 100.0, 95.0, 240.0, 40.0)];
        assert_eq!(texts(sentences).len(), 2);
        let columns = vec![line("左边", 100.0, 50.0, 80.0, 40.0), line("右边", 500.0, 95.0, 80.0, 40.0)];
        assert_eq!(texts(columns).len(), 2);
    }
}
