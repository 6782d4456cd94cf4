//! Records: a header of types, then the values.

/// A value of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Text, in the database's encoding.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
    /// NULL or a number.
    Other,
}

/// A variable-length integer of up to nine bytes, and how many it takes.
pub(super) fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for width in 0..9 {
        let byte = *bytes.get(at.checked_add(width)?)?;
        if width == 8 {
            return Some((value << 8 | u64::from(byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, width + 1));
        }
    }
    None
}

/// The values of a record, as many as it holds; the last is cut where the record is.
pub(super) fn values(record: &[u8]) -> impl Iterator<Item = Value<'_>> {
    let (length, mut at) = varint(record, 0).unwrap_or((0, 0));
    let header = usize::try_from(length).unwrap_or(usize::MAX).min(record.len());
    let mut body = header;
    std::iter::from_fn(move || {
        if at >= header || body > record.len() {
            return None;
        }
        let (kind, width) = varint(record, at)?;
        at += width;
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => 0,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let rest = record.get(body..)?;
        let value = rest.get(..size).unwrap_or(rest);
        body = body.saturating_add(size);
        Some(match kind {
            0..12 => Value::Other,
            _ if kind % 2 == 1 => Value::Text(value),
            _ => Value::Blob(value),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_one_to_nine_bytes() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x81], 0), None);
    }

    #[test]
    fn a_record_that_states_more_than_it_holds_is_cut() {
        // Header of three: NULL, text of 4 bytes, of which 3 are there.
        let found: Vec<Value<'_>> = values(&[3, 0, 21, b'a', b'b', b'c']).collect();
        assert_eq!(found, [Value::Other, Value::Text(b"abc")]);
    }
}
