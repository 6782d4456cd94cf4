//! What a file is, by its first octets: labels are wrong in both directions.

/// Octets looked at.
pub(super) const HEAD: usize = 1 << 10;

/// What a body looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// A package: an archive.
    Archive,
    /// A page, or an interface's answer.
    Page,
    /// Nothing at all.
    Empty,
    /// Something else, or packed once more.
    Unknown,
}

/// Tells a body by its first octets.
pub(super) fn looks(head: &[u8]) -> Looks {
    // ZIP: a local header, an end of directory, or the mark of an archive in parts.
    if matches!(head, [b'P', b'K', 3 | 5 | 7, 4 | 6 | 8, ..] | [b'P', b'K', b'0', b'0', ..]) {
        return Looks::Archive;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let text: Vec<u8> = if wide { head[2..].iter().copied().filter(|b| *b != 0).collect() } else { text.to_vec() };
    match text.trim_ascii_start() {
        [] if head.is_empty() => Looks::Empty,
        [b'<', b'!' | b'?' | b'/' | b'a'..=b'z' | b'A'..=b'Z', ..] => Looks::Page,
        [b'{' | b'[', ..] if !text.iter().any(|b| *b < b'\t') => Looks::Page,
        _ => Looks::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_counts() {
        for (head, looks_like) in [
            (&b"PK\x03\x04\x14\0"[..], Looks::Archive),
            (b"PK\x05\x06", Looks::Archive),
            (b"PKI is a word", Looks::Unknown),
            (b"", Looks::Empty),
            (b"\n <html>", Looks::Page),
            (b"\xef\xbb\xbf{\"code\":403}", Looks::Page),
            (b"[1]", Looks::Page),
            (b"\xff\xfe<\0h\0", Looks::Page),
            (b"<?xml version='1.0'?><Error>", Looks::Page),
            (b"{\0\0\0", Looks::Unknown),
            (b"dex\n035\0", Looks::Unknown),
            (b"\x1f\x8b\x08", Looks::Unknown),
            (b"< 3", Looks::Unknown),
        ] {
            assert_eq!(looks(head), looks_like, "{head:?}");
        }
    }
}
