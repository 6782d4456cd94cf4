//! Shapes on a picture.

/// Four corners, from the top left one on, clockwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quad(pub [(f32, f32); 4]);

/// An upright box in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Area {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Quad {
    /// The upright box around it.
    #[must_use]
    pub fn area(&self) -> Area {
        let least = |of: fn(&(f32, f32)) -> f32| self.0.iter().map(of).fold(f32::MAX, f32::min).max(0.0).floor();
        let most = |of: fn(&(f32, f32)) -> f32| self.0.iter().map(of).fold(0.0, f32::max).ceil();
        let (x, y) = (least(|p| p.0) as u32, least(|p| p.1) as u32);
        let (right, bottom) = (most(|p| p.0) as u32, most(|p| p.1) as u32);
        Area { x, y, width: right.saturating_sub(x), height: bottom.saturating_sub(y) }
    }

    /// The same at another scale.
    pub(crate) fn scaled(self, x: f32, y: f32, down: f32) -> Self {
        Self(self.0.map(|p| (p.0 * x, p.1 * y + down)))
    }

    /// Distance between two of its corners.
    pub(crate) fn side(&self, from: usize, to: usize) -> f32 {
        let (a, b) = (self.0[from], self.0[to]);
        (a.0 - b.0).hypot(a.1 - b.1)
    }
}

impl Area {
    /// Right edge.
    #[must_use]
    pub const fn right(self) -> u32 {
        self.x.saturating_add(self.width)
    }

    /// Bottom edge.
    #[must_use]
    pub const fn bottom(self) -> u32 {
        self.y.saturating_add(self.height)
    }

    /// The least box around both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// At least half of another lies within it.
    #[must_use]
    pub fn covers_half_of(self, other: Self) -> bool {
        let across = self.right().min(other.right()).saturating_sub(self.x.max(other.x));
        let down = self.bottom().min(other.bottom()).saturating_sub(self.y.max(other.y));
        u64::from(across) * u64::from(down) * 2 >= u64::from(other.width) * u64::from(other.height)
    }
}

/// `@x,y,width,height`, as places name it.
impl std::fmt::Display for Area {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "@{},{},{},{}", self.x, self.y, self.width, self.height)
    }
}

impl Area {
    /// The area in what [`Display`](std::fmt::Display) wrote, at the end of a place.
    #[must_use]
    pub fn at_end_of(place: &str) -> Option<Self> {
        let (_, numbers) = place.rsplit_once('@')?;
        let mut numbers = numbers.split(',').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        let area = Self { x: next()?, y: next()?, width: next()?, height: next()? };
        numbers.next().is_none().then_some(area)
    }
}
