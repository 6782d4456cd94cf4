//! Content codings undone as browsers undo them: a name has no case, `x-gzip` is gzip (RFC 9110, 8.4.1), a
//! body that is not what the header says is taken as it is, and gzip is known by its first octets where no
//! header tells of it.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use crate::model::fetch::Answer;

/// What requests say they take.
pub(super) const ACCEPTED: &str = "gzip, deflate, br, zstd";
/// Codings laid over one another.
const LAYERS_MAX: usize = 4;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The codings that an answer names, in the order in which they were applied.
pub(super) fn codings(answer: &Answer) -> Vec<String> {
    let values = answer.headers.iter().filter(|(name, _)| name == "content-encoding");
    let names = values.flat_map(|(_, value)| value.split(','));
    names.map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).take(LAYERS_MAX).collect()
}

/// Whether a body needs no work.
pub(super) fn is_plain(codings: &[String], head: &[u8]) -> bool {
    !head.starts_with(GZIP)
        && !codings.iter().any(|name| matches!(name.as_str(), "gzip" | "x-gzip" | "deflate" | "br" | "zstd"))
}

/// A body with its codings undone. Brotli has no mark: a body that is none fails to read.
///
/// # Errors
/// When the body cannot be read.
pub(super) fn undone<'a>(codings: &[String], body: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut body: Box<dyn BufRead + 'a> = Box::new(body);
    let mut layers = 0;
    for name in codings.iter().rev() {
        let head = body.fill_buf()?;
        body = match name.as_str() {
            "gzip" | "x-gzip" if head.starts_with(GZIP) => gunzipped(body),
            "zstd" if head.starts_with(ZSTD) => Box::new(BufReader::new(zstd::Decoder::with_buffer(body)?)),
            "deflate" if is_zlib(head) => Box::new(BufReader::new(ZlibDecoder::new(body))),
            "deflate" if !is_text(head) => Box::new(BufReader::new(DeflateDecoder::new(body))),
            "br" if !is_text(head) => Box::new(BufReader::new(brotli_decompressor::Decompressor::new(body, 1 << 12))),
            _ => continue,
        };
        layers += 1;
    }
    while layers < LAYERS_MAX && body.fill_buf()?.starts_with(GZIP) {
        body = gunzipped(body);
        layers += 1;
    }
    Ok(body)
}

fn gunzipped<'a>(body: Box<dyn BufRead + 'a>) -> Box<dyn BufRead + 'a> {
    Box::new(BufReader::new(Gunzip(Some(GzDecoder::new(body)))))
}

/// RFC 1950, 2.2: method 8, and a multiple of 31.
fn is_zlib(head: &[u8]) -> bool {
    let pair = |a: u8, b: u8| u16::from(a) << 8 | u16::from(b);
    matches!(head, [a, b, ..] if a & 0x0f == 8 && a >> 4 <= 7 && pair(*a, *b).is_multiple_of(31))
}

/// It begins as pages and interfaces' answers do.
fn is_text(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    matches!(head, [b'<' | b'{' | b'[', ..])
}

/// Gzip members one after the other; what follows the last one and is none is left alone.
struct Gunzip<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.0.take() {
            let read = member.read(out)?;
            if read > 0 || out.is_empty() {
                self.0 = Some(member);
                return Ok(read);
            }
            let mut rest = member.into_inner();
            if rest.fill_buf()?.starts_with(GZIP) {
                self.0 = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// A body in memory with its codings undone, `cap + 1` octets of it at most.
///
/// # Errors
/// When it breaks off, or is damaged.
pub(super) fn decoded(codings: &[String], body: Vec<u8>, cap: u64) -> io::Result<Vec<u8>> {
    if is_plain(codings, &body) {
        return Ok(body);
    }
    let mut out = Vec::new();
    undone(codings, body.as_slice())?.take(cap.saturating_add(1)).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn undo(header: &str, body: Vec<u8>) -> io::Result<Vec<u8>> {
        let headers = header.split('|').map(|value| ("content-encoding".to_owned(), value.to_owned())).collect();
        decoded(&codings(&Answer { headers, ..Answer::default() }), body, 1 << 20)
    }

    #[test]
    fn codings_are_undone_as_browsers_do() {
        let page = "<html>题山作业</html>".repeat(40).into_bytes();
        let once = gzip(&page);
        for (header, body) in [
            ("gzip", once.clone()),
            ("", once.clone()),
            ("x-gzip", once.clone()),
            ("GZIP", once.clone()),
            ("gzip", page.clone()),
            ("gzip, gzip", gzip(&once)),
            ("gzip|gzip", gzip(&once)),
            ("", gzip(&once)),
            ("deflate", zlib(&page)),
            ("deflate", raw(&page)),
            ("deflate", page.clone()),
            ("br", page.clone()),
            ("zstd", zstd::encode_all(page.as_slice(), 3).unwrap()),
            ("zstd", page.clone()),
            ("utf-8", page.clone()),
            ("identity", page.clone()),
            ("binary", page.clone()),
            ("gzip", [once.clone(), b"\0\0garbage".to_vec()].concat()),
            ("gzip", [gzip(&page[..100]), gzip(&page[100..])].concat()),
        ] {
            assert_eq!(undo(header, body).unwrap(), page, "{header}");
        }
    }

    #[test]
    fn what_breaks_off_is_an_error_and_a_bomb_is_cut() {
        let page = "<html>题山作业</html>".repeat(40).into_bytes();
        let once = gzip(&page);
        assert!(undo("gzip", once[..once.len() - 9].to_vec()).is_err());
        assert!(undo("br", vec![0xff; 40]).is_err());
        let bomb = gzip(&vec![0; 8 << 20]);
        assert_eq!(undo("gzip", bomb).unwrap().len(), (1 << 20) + 1);
    }
}
