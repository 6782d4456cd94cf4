//! Which charset a body is in. Labels are often wrong, octets are not: what is valid UTF-8 is UTF-8. Then count
//! the mark at the beginning, the header, the page's own `<meta>`, and GB18030, the charset of Chinese pages
//! that name none.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Octets of a page in which its `<meta>` is looked for.
const META_HEAD: usize = 64 << 10;
/// Octets looked at for what a body is made of.
const SAMPLE: usize = 1 << 20;

/// Decodes a body; the number of places that could not be.
pub(super) fn decode(body: &[u8], content_type: Option<&str>) -> (String, usize) {
    if let Some((encoding, skip)) = Encoding::for_bom(body) {
        return with(encoding, &body[skip..]);
    }
    let header = content_type.and_then(header_label);
    if let Some(encoding) = wide(body, header) {
        return with(encoding, body);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        return (text.to_owned(), 0);
    }
    // A page of UTF-8 that was cut within a character, or into which something else was pasted.
    if is_mostly_utf8(body) {
        return with(UTF_8, body);
    }
    let is_json = matches!(body.trim_ascii_start(), [b'{' | b'[', ..]);
    let meta = if is_json { None } else { meta_label(&body[..body.len().min(META_HEAD)]) };
    let named: Vec<&'static Encoding> = [header, meta].into_iter().flatten().collect();
    // Servers put Latin-1 before everything when nobody tells them what they serve.
    let is_said = |encoding: &&&'static Encoding| **encoding != WINDOWS_1252 && **encoding != UTF_8;
    let mut tried: Vec<&'static Encoding> = named.iter().filter(is_said).copied().collect();
    let is_latin = named.contains(&WINDOWS_1252) && !is_in_pairs(body);
    tried.push(if is_latin { WINDOWS_1252 } else { GB18030 });
    let mut best: Option<(String, usize)> = None;
    for encoding in tried {
        let (text, lost) = with(encoding, body);
        if lost == 0 {
            return (text, 0);
        }
        if best.as_ref().is_none_or(|(_, least)| lost < *least) {
            best = Some((text, lost));
        }
    }
    best.unwrap_or_else(|| with(UTF_8, body))
}

fn with(encoding: &'static Encoding, body: &[u8]) -> (String, usize) {
    let (text, is_lossy) = encoding.decode_without_bom_handling(body);
    let lost = if is_lossy { text.matches('\u{fffd}').count().max(1) } else { 0 };
    (text.into_owned(), lost)
}

/// UTF-16 without a mark: markup and JSON have a zero beside most of their octets.
fn wide(body: &[u8], header: Option<&'static Encoding>) -> Option<&'static Encoding> {
    let sample = &body[..body.len().min(SAMPLE)];
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let half = sample.len() / 2;
    match header {
        Some(encoding) if (encoding == UTF_16LE || encoding == UTF_16BE) && even + odd > 0 => Some(encoding),
        _ if odd * 4 > half && even * 20 < odd => Some(UTF_16LE),
        _ if even * 4 > half && odd * 20 < even => Some(UTF_16BE),
        _ => None,
    }
}

/// Far more of what is not ASCII reads as UTF-8 than does not. In text of another charset hardly anything does.
fn is_mostly_utf8(body: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in body[..body.len().min(SAMPLE)].utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > 2 * bad && good > 2
}

/// What is not ASCII comes in pairs as GB 2312 has them. In Latin letters single ones stand among ASCII.
fn is_in_pairs(body: &[u8]) -> bool {
    let (mut paired, mut alone, mut at) = (0usize, 0usize, 0);
    let sample = &body[..body.len().min(SAMPLE)];
    while at < sample.len() {
        match (sample[at], sample.get(at + 1)) {
            (0..=0x7f, _) => at += 1,
            (0xa1..=0xf7, Some(0xa1..=0xfe)) => (paired, at) = (paired + 1, at + 2),
            _ => (alone, at) = (alone + 1, at + 1),
        }
    }
    paired > 4 * alone
}

/// The charset that a `Content-Type` names.
fn header_label(kind: &str) -> Option<&'static Encoding> {
    let lower = kind.to_ascii_lowercase();
    let at = lower.find("charset")? + "charset".len();
    encoding(lower[at..].trim_start().strip_prefix('=')?)
}

/// The charset of a label as it is met: quoted, two at once, with a version, with the name of a database.
fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.trim_start().trim_start_matches(['"', '\'']);
    let label = label.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).next()?;
    if let Some(known) = Encoding::for_label(label.as_bytes()) {
        return Some(known);
    }
    match label {
        _ if label.starts_with("utf8") || label.starts_with("utf-8") => Some(UTF_8),
        _ if label.starts_with("gb") || matches!(label, "cp936" | "936" | "ms936" | "euc-cn" | "hz") => Some(GB18030),
        _ => None,
    }
}

/// The charset that a page names in a `<meta>` (HTML, 13.2.3.2): not in a comment, not in a script.
fn meta_label(head: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut rest = head.as_str();
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let end = match rest {
            _ if rest.starts_with("<!--") => rest.find("-->").map(|at| at + 3),
            _ if rest.starts_with("<script") => rest.find("</script"),
            _ if rest.starts_with("<style") => rest.find("</style"),
            _ => rest.find('>'),
        };
        let tag = &rest[..end.unwrap_or(rest.len())];
        let is_meta =
            tag.strip_prefix("<meta").is_some_and(|tag| tag.starts_with([' ', '\t', '\n', '\r', '/', '\x0c']));
        if is_meta
            && let Some(at) = tag.find("charset")
            && let Some(named) = tag[at + "charset".len()..].trim_start().strip_prefix('=')
            && let Some(found) = encoding(named)
        {
            // HTML, 13.2.3.2: who could read this tag is not in UTF-16.
            return Some(if found == UTF_16LE || found == UTF_16BE { UTF_8 } else { found });
        }
        rest = &rest[tag.len().max(1)..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<p>题山作业，一键拍照搜题，秒出解析</p>";

    fn page(head: &str, encoding: &'static Encoding) -> Vec<u8> {
        let text = format!("<html><head>{head}</head>{TEXT}");
        encoding.encode(&text).0.into_owned()
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn labels_that_lie_lose_nothing() {
        const META: &str = "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=gbk\">";
        let late = format!("<!--{}-->{META}", "x".repeat(3000));
        let script = format!("<script charset=\"utf-8\" src=\"/a.js\"></script>{META}");
        let wide = "<script charset=\"gb2312\" src=\"/h.js\"></script><meta charset=\"utf-8\">";
        let two = format!("<meta charset=\"\">{META}");
        let comment = format!("<!-- <meta charset=\"big5\"> -->{META}");
        for (head, body_is, kind) in [
            (META, GB18030, "text/html"),
            ("", GB18030, "text/html; Charset=gb2312"),
            (&script, GB18030, "text/html"),
            (wide, UTF_8, "text/html"),
            (&comment, GB18030, "text/html"),
            (&two, GB18030, "text/html"),
            (&late, GB18030, "text/html"),
            ("<meta charset=\"utf-8\">", UTF_8, "text/html; charset=gbk"),
            (META, GB18030, "text/html; charset=utf-8"),
            (META, GB18030, "text/html;charset=ISO-8859-1"),
            ("", GB18030, "text/html;charset=ISO-8859-1"),
            ("<meta charset=utf-8>", UTF_8, "text/html; charset=utf-8,gbk"),
            (META, GB18030, "text/html; charset=GB18030-2022"),
            ("", GB18030, "text/html; charset='gbk'"),
            (META, GB18030, "text/html; charset="),
            ("", GB18030, "text/html"),
            ("", GB18030, ""),
            ("<meta charset=\"utf8mb4\">", UTF_8, "text/html"),
            ("<meta charset=utf-8>", GB18030, "text/html"),
        ] {
            let (text, lost) = decode(&page(head, body_is), Some(kind));
            assert!(text.contains(TEXT) && lost == 0, "{head:.60} {kind}: {text:.200}");
        }
        let json = format!("{{\"a\":\"charset=big5\",\"b\":\"{TEXT}\"}}");
        for body in [GB18030.encode(&json).0.into_owned(), GB18030.encode(&format!("\n{json}")).0.into_owned()] {
            assert!(decode(&body, Some("application/json")).0.contains(TEXT));
        }
        for (body, kind) in [
            (utf16(&format!("\u{feff}{TEXT}")), "text/html"),
            (utf16(TEXT), "text/html; charset=utf-16le"),
            (utf16(&format!("<html><head><title>x</title></head>{TEXT}")), "text/html"),
        ] {
            let (text, lost) = decode(&body, Some(kind));
            assert!(text.contains(TEXT) && lost == 0, "{text}");
        }
        let latin = WINDOWS_1252.encode("<p>Crème brûlée, déjà vu, naïve façade</p>").0.into_owned();
        assert!(decode(&latin, Some("text/html; charset=iso-8859-1")).0.contains("brûlée"));
    }

    #[test]
    fn what_does_not_decode_is_counted() {
        let mut cut = TEXT.repeat(3).into_bytes();
        cut.truncate(cut.len() - 6);
        assert!(std::str::from_utf8(&cut).is_err());
        let (text, lost) = decode(&cut, Some("text/html; charset=utf-8"));
        assert!(text.contains("秒出解析") && lost == 1, "{text} {lost}");
        assert!(decode(&[0xff; 40], None).1 > 0);
        assert_eq!(decode(b"plain", Some("text/html; charset=shift_jis")), ("plain".into(), 0));
    }
}
