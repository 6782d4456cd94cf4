//! Bytes by position: a file is read in parts and by several threads at once.

use std::borrow::Cow;
use std::io;

/// Something with a length that can be read at any offset.
pub trait ReadAt: Send + Sync {
    /// Length in bytes.
    fn size(&self) -> u64;

    /// Reads up to `buffer.len()` bytes; fewer at the end.
    ///
    /// # Errors
    /// When the medium fails.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// `length` bytes, or as many as there are: borrowed where they are in memory already,
    /// else read, never allocating more than there is.
    ///
    /// # Errors
    /// When the medium fails.
    fn range(&self, offset: u64, length: u64) -> io::Result<Cow<'_, [u8]>> {
        read_range(self, offset, length).map(Cow::Owned)
    }
}

/// What [`ReadAt::range`] does where nothing is in memory.
///
/// # Errors
/// When the medium fails.
pub fn read_range(source: &(impl ReadAt + ?Sized), offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let there = source.size().saturating_sub(offset).min(length);
    let mut bytes = vec![0; usize::try_from(there).map_err(io::Error::other)?];
    let mut filled = 0;
    while filled < bytes.len() {
        match source.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// A part of something larger: a package that lies stored within another.
pub struct Window<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    length: u64,
}

impl<'a> Window<'a> {
    /// The part from `start`, as long as the source reaches.
    #[must_use]
    pub fn new(source: &'a dyn ReadAt, start: u64, length: u64) -> Self {
        let length = source.size().saturating_sub(start).min(length);
        Self { source, start, length }
    }
}

impl ReadAt for Window<'_> {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.length.saturating_sub(offset);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.source.read_at(&mut buffer[..wanted], self.start + offset.min(self.length))
    }

    fn range(&self, offset: u64, length: u64) -> io::Result<Cow<'_, [u8]>> {
        let offset = offset.min(self.length);
        self.source.range(self.start + offset, length.min(self.length - offset))
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let n = buffer.len().min(self.len() - start);
        buffer[..n].copy_from_slice(&self[start..start + n]);
        Ok(n)
    }

    fn range(&self, offset: u64, length: u64) -> io::Result<Cow<'_, [u8]>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let n = usize::try_from(length).unwrap_or(usize::MAX).min(self.len() - start);
        Ok(Cow::Borrowed(&self[start..start + n]))
    }
}

impl ReadAt for &[u8] {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }

    fn range(&self, offset: u64, length: u64) -> io::Result<Cow<'_, [u8]>> {
        (**self).range(offset, length)
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> u64 {
        self.as_slice().size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }

    fn range(&self, offset: u64, length: u64) -> io::Result<Cow<'_, [u8]>> {
        self.as_slice().range(offset, length)
    }
}
