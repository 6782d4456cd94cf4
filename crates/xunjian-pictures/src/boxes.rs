//! From the detector's map of probabilities to boxes, after Liao et al., *Real-time scene text detection with
//! differentiable binarization* (2020): pieces that hang together, the least turned rectangle around each, grown.

use std::collections::BTreeMap;

use crate::Quad;

/// By how much a box grows: area times this over its circumference. The detector marks the middle of lines.
const GROWTH: f32 = 1.6;
/// Pixels of the map that are no line.
const PIXELS_MIN: usize = 12;
/// A thinner box is no line.
const THIN: f32 = 3.0;
/// Boxes of one map, at most.
const BOXES_MAX: usize = 1_000;

type Point = (f32, f32);

/// The boxes in a map of `width` times `height`.
pub(crate) fn boxes(map: &[f32], width: usize, height: usize, pixel_from: f32, box_from: f32) -> Vec<Quad> {
    let mut seen = vec![false; width * height];
    let mut out = Vec::new();
    for start in 0..(width * height).min(map.len()) {
        if seen[start] || map[start] <= pixel_from || out.len() >= BOXES_MAX {
            continue;
        }
        let (rows, size) = piece(map, (width, height), pixel_from, start, &mut seen);
        if size < PIXELS_MIN {
            continue;
        }
        let ends = rows.iter().flat_map(|(&y, &(left, right))| [(left, y), (right, y)]);
        let Some(rectangle) = Rectangle::around(&hull(ends.collect())) else { continue };
        let is_thin = rectangle.half.0.min(rectangle.half.1) * 2.0 < THIN;
        if !is_thin && rectangle.mean(map, width, height) >= box_from {
            out.push(rectangle.grown().quad());
        }
    }
    out
}

/// The leftmost and rightmost pixel of each row of the piece that hangs together with `start`, and its size.
fn piece(
    map: &[f32],
    (width, height): (usize, usize),
    from: f32,
    start: usize,
    seen: &mut [bool],
) -> (BTreeMap<i32, (i32, i32)>, usize) {
    let mut rows: BTreeMap<i32, (i32, i32)> = BTreeMap::new();
    let mut open = vec![start];
    let mut size = 0;
    seen[start] = true;
    while let Some(at) = open.pop() {
        size += 1;
        let (x, y) = (at % width, at / width);
        let row = rows.entry(y as i32).or_insert((x as i32, x as i32));
        *row = (row.0.min(x as i32), row.1.max(x as i32));
        for near_y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
            for near_x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                let near = near_y * width + near_x;
                if !seen[near] && map.get(near).is_some_and(|&value| value > from) {
                    seen[near] = true;
                    open.push(near);
                }
            }
        }
    }
    (rows, size)
}

/// Corners of the convex hull (Andrew's monotone chain).
fn hull(mut points: Vec<(i32, i32)>) -> Vec<Point> {
    points.sort_unstable();
    points.dedup();
    let float = |points: &[(i32, i32)]| points.iter().map(|p| (p.0 as f32, p.1 as f32)).collect();
    if points.len() < 3 {
        return float(&points);
    }
    let mut corners: Vec<(i32, i32)> = Vec::new();
    let mut chain = |points: &mut dyn Iterator<Item = &(i32, i32)>| {
        let from = corners.len();
        for &point in points {
            while let [.., a, b] = corners[from..] {
                if turn(a, b, point) > 0 {
                    break;
                }
                corners.pop();
            }
            corners.push(point);
        }
        corners.pop();
    };
    chain(&mut points.iter());
    chain(&mut points.iter().rev());
    float(&corners)
}

/// Which way three points turn.
const fn turn(o: (i32, i32), a: (i32, i32), b: (i32, i32)) -> i64 {
    (a.0 - o.0) as i64 * (b.1 - o.1) as i64 - (a.1 - o.1) as i64 * (b.0 - o.0) as i64
}

/// A turned rectangle.
struct Rectangle {
    middle: Point,
    /// Direction of its first side, of length 1.
    along: Point,
    /// Half its sides.
    half: (f32, f32),
}

impl Rectangle {
    /// The least one around a hull: one of its sides lies on a side of the hull.
    fn around(hull: &[Point]) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for (index, &a) in hull.iter().enumerate() {
            let b = hull[(index + 1) % hull.len()];
            let length = (b.0 - a.0).hypot(b.1 - a.1);
            let u = if length < 1e-6 { (1.0, 0.0) } else { ((b.0 - a.0) / length, (b.1 - a.1) / length) };
            let span = |v: Point| {
                let on = hull.iter().map(|p| p.0 * v.0 + p.1 * v.1);
                (on.clone().fold(f32::MAX, f32::min), on.fold(f32::MIN, f32::max))
            };
            let (x, y) = (span(u), span((-u.1, u.0)));
            let area = (x.1 - x.0 + 1.0) * (y.1 - y.0 + 1.0);
            if best.as_ref().is_none_or(|(least, _)| area < *least) {
                let (cx, cy) = (f32::midpoint(x.0, x.1), f32::midpoint(y.0, y.1));
                let middle = (cx * u.0 - cy * u.1, cx * u.1 + cy * u.0);
                best = Some((area, Self { middle, along: u, half: ((x.1 - x.0) / 2.0, (y.1 - y.0) / 2.0) }));
            }
        }
        best.map(|(_, rectangle)| rectangle)
    }

    fn corners(&self) -> [Point; 4] {
        let (u, (w, h)) = (self.along, self.half);
        [(-w, -h), (w, -h), (w, h), (-w, h)]
            .map(|(a, b)| (self.middle.0 + a * u.0 - b * u.1, self.middle.1 + a * u.1 + b * u.0))
    }

    /// Mean of the map within it.
    fn mean(&self, map: &[f32], width: usize, height: usize) -> f32 {
        let corners = self.corners();
        let range = |of: fn(&Point) -> f32, most: usize| {
            let least = corners.iter().map(of).fold(f32::MAX, f32::min).max(0.0) as usize;
            let last = corners.iter().map(of).fold(f32::MIN, f32::max).max(0.0).ceil() as usize;
            least..=last.min(most.saturating_sub(1))
        };
        let (mut sum, mut count) = (0.0_f64, 0_u32);
        for y in range(|p| p.1, height) {
            for x in range(|p| p.0, width) {
                let (dx, dy) = (x as f32 - self.middle.0, y as f32 - self.middle.1);
                let along = (dx * self.along.0 + dy * self.along.1).abs();
                let across = (dy * self.along.0 - dx * self.along.1).abs();
                if along <= self.half.0 + 0.5 && across <= self.half.1 + 0.5 {
                    sum += f64::from(map.get(y * width + x).copied().unwrap_or_default());
                    count += 1;
                }
            }
        }
        if count == 0 { 0.0 } else { (sum / f64::from(count)) as f32 }
    }

    fn grown(self) -> Self {
        let (w, h) = (self.half.0 * 2.0 + 1.0, self.half.1 * 2.0 + 1.0);
        let by = w * h * GROWTH / (2.0 * (w + h)) + 0.5;
        Self { half: (self.half.0 + by, self.half.1 + by), ..self }
    }

    /// Its corners, from the top left one on, clockwise.
    fn quad(&self) -> Quad {
        let mut corners = self.corners();
        let twice_area: f32 = (0..4)
            .map(|i| {
                let (a, b) = (corners[i], corners[(i + 1) % 4]);
                a.0 * b.1 - b.0 * a.1
            })
            .sum();
        if twice_area < 0.0 {
            corners.reverse();
        }
        let mut order = [0, 1, 2, 3];
        order.sort_by(|&a: &usize, &b| corners[a].0.total_cmp(&corners[b].0));
        let first = if corners[order[0]].1 <= corners[order[1]].1 { order[0] } else { order[1] };
        corners.rotate_left(first);
        Quad(corners)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_becomes_a_box_around_it_and_a_dot_none() {
        let (width, height) = (64, 32);
        let mut map = vec![0.0; width * height];
        for y in 10..16 {
            map[y * width + 8..y * width + 40].fill(0.9);
        }
        map[25 * width + 50] = 0.9;
        let found = boxes(&map, width, height, 0.3, 0.5);
        assert_eq!(found.len(), 1);
        let area = found[0].area();
        assert!(area.x < 8 && area.right() > 40 && area.y < 10 && area.bottom() > 16, "{area:?}");
    }

    #[test]
    fn a_turned_bar_becomes_a_turned_box() {
        let (width, height) = (64, 64);
        let mut map = vec![0.0; width * height];
        for x in 10..50 {
            for thick in 0..5 {
                map[(x / 2 + 10 + thick) * width + x] = 0.9;
            }
        }
        let found = boxes(&map, width, height, 0.3, 0.5);
        assert_eq!(found.len(), 1);
        let [a, b, ..] = found[0].0;
        assert!(b.1 - a.1 > 10.0 && b.0 - a.0 > 30.0, "{:?}", found[0]);
    }

    #[test]
    fn odd_maps_are_no_trouble() {
        assert!(boxes(&[], 0, 0, 0.3, 0.5).is_empty());
        assert!(boxes(&[0.9; 4], 64, 64, 0.3, 0.5).is_empty());
        assert_eq!(boxes(&[1.0; 1024], 32, 32, 0.3, 0.5).len(), 1);
        assert!(boxes(&[f32::NAN; 1024], 32, 32, 0.3, 0.5).is_empty());
    }
}
