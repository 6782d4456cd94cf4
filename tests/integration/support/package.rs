//! A small ZIP rewriter of our own: reads an ordinary package, writes it with any header
//! saying anything. Only for tests: it trusts what it reads.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// What one header (local or central) says of an entry.
#[derive(Debug, Clone, Default)]
pub struct Header {
    pub name: Vec<u8>,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub compressed: u32,
    pub size: u32,
    pub extra: Vec<u8>,
    /// Stated instead of the length of `extra`.
    pub extra_len: Option<u16>,
}

/// One entry: both headers and the bytes between them.
#[derive(Debug, Clone, Default)]
pub struct Member {
    pub local: Header,
    pub central: Header,
    pub payload: Vec<u8>,
    /// Points to the local header of another member instead of having its own.
    pub shares: Option<usize>,
    /// Left out of the directory.
    pub unlisted: bool,
}

impl Member {
    /// An entry with honest headers.
    pub fn new(name: &str, data: &[u8], deflate: bool) -> Self {
        let payload = if deflate { deflated(data) } else { data.to_vec() };
        let header = Header {
            name: name.as_bytes().to_vec(),
            method: if deflate { 8 } else { 0 },
            crc: crc32fast::hash(data),
            compressed: payload.len() as u32,
            size: data.len() as u32,
            ..Header::default()
        };
        Self { local: header.clone(), central: header, payload, ..Self::default() }
    }

    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.central.name).into_owned()
    }

    pub fn rename(&mut self, name: &str) {
        self.local.name = name.as_bytes().to_vec();
        self.central.name.clone_from(&self.local.name);
    }

    pub fn data(&self) -> Vec<u8> {
        if self.central.method == 0 {
            return self.payload.clone();
        }
        let mut data = Vec::new();
        DeflateDecoder::new(self.payload.as_slice()).read_to_end(&mut data).expect("a fixture inflates");
        data
    }

    pub fn set_data(&mut self, data: &[u8]) {
        *self = Self::new(&self.name(), data, self.central.method == 8);
    }

    /// Changes both headers.
    pub fn both(&mut self, change: impl Fn(&mut Header)) {
        change(&mut self.local);
        change(&mut self.central);
    }
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

/// What the end record says, where it is not the truth.
#[derive(Debug, Clone, Default)]
pub struct End {
    pub entries: Option<u16>,
    pub size: Option<u32>,
    pub offset: Option<u32>,
}

/// A package taken apart.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Bytes before the first entry.
    pub lead: Vec<u8>,
    /// Offsets count from behind the lead, as if it had been put there later.
    pub lead_is_uncounted: bool,
    pub members: Vec<Member>,
    /// Pairs of the signing block.
    pub pairs: Vec<(u32, Vec<u8>)>,
    /// Bytes between directory and end record (ZIP64 records, decoys).
    pub before_end: Vec<u8>,
    pub end: End,
    pub comment: Vec<u8>,
    /// Bytes after the comment.
    pub tail: Vec<u8>,
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

const BLOCK_MAGIC: &[u8] = b"APK Sig Block 42";

impl Package {
    pub fn read(bytes: &[u8]) -> Self {
        let end = memchr::memmem::rfind(bytes, b"PK\x05\x06").expect("an end record");
        let directory = u32_at(bytes, end + 16) as usize;
        let mut package = Self { pairs: pairs(bytes, directory), ..Self::default() };
        let mut at = directory;
        while bytes[at..].starts_with(b"PK\x01\x02") {
            let lengths = [u16_at(bytes, at + 28), u16_at(bytes, at + 30), u16_at(bytes, at + 32)];
            let offset = u32_at(bytes, at + 42) as usize;
            let central = header(bytes, at + 8, at + 46, lengths[0], lengths[1]);
            let (name, extra) = (u16_at(bytes, offset + 26), u16_at(bytes, offset + 28));
            let mut local = header(bytes, offset + 6, offset + 30, name, extra);
            // Padding for alignment is of no use once the entry moves.
            local.extra.clear();
            let start = offset + 30 + name + extra;
            let payload = bytes[start..start + central.compressed as usize].to_vec();
            package.members.push(Member { local, central, payload, ..Member::default() });
            at += 46 + lengths.iter().sum::<usize>();
        }
        package
    }

    pub fn member(&mut self, name: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|m| m.name() == name)
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = self.lead.clone();
        let base = if self.lead_is_uncounted { self.lead.len() } else { 0 };
        let mut offsets = Vec::new();
        for member in &self.members {
            offsets.push(out.len() - base);
            if member.shares.is_none() {
                out.extend_from_slice(b"PK\x03\x04\x14\0");
                fields(&mut out, &member.local);
                lengths(&mut out, &member.local);
                out.extend_from_slice(&member.local.name);
                out.extend_from_slice(&member.local.extra);
                out.extend_from_slice(&member.payload);
            }
        }
        out.extend(block(&self.pairs));
        let directory = out.len() - base;
        for (index, member) in self.members.iter().enumerate().filter(|(_, m)| !m.unlisted) {
            out.extend_from_slice(b"PK\x01\x02\x14\0\x14\0");
            fields(&mut out, &member.central);
            lengths(&mut out, &member.central);
            out.extend_from_slice(&[0; 10]);
            let offset = offsets[member.shares.unwrap_or(index)];
            out.extend_from_slice(&(offset as u32).to_le_bytes());
            out.extend_from_slice(&member.central.name);
            out.extend_from_slice(&member.central.extra);
        }
        let size = out.len() - base - directory;
        out.extend_from_slice(&self.before_end);
        let listed = self.members.iter().filter(|m| !m.unlisted).count() as u16;
        out.extend(end_record(
            self.end.entries.unwrap_or(listed),
            self.end.size.unwrap_or(size as u32),
            self.end.offset.unwrap_or(directory as u32),
            &self.comment,
        ));
        out.extend_from_slice(&self.tail);
        out
    }
}

/// An end record.
pub fn end_record(entries: u16, size: u32, offset: u32, comment: &[u8]) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend_from_slice(&entries.to_le_bytes());
    out.extend_from_slice(&entries.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(&(comment.len() as u16).to_le_bytes());
    out.extend_from_slice(comment);
    out
}

fn header(bytes: &[u8], at: usize, name_at: usize, name: usize, extra: usize) -> Header {
    Header {
        flags: u16_at(bytes, at) as u16,
        method: u16_at(bytes, at + 2) as u16,
        crc: u32_at(bytes, at + 8),
        compressed: u32_at(bytes, at + 12),
        size: u32_at(bytes, at + 16),
        name: bytes[name_at..name_at + name].to_vec(),
        extra: bytes[name_at + name..name_at + name + extra].to_vec(),
        extra_len: None,
    }
}

fn fields(out: &mut Vec<u8>, header: &Header) {
    out.extend_from_slice(&header.flags.to_le_bytes());
    out.extend_from_slice(&header.method.to_le_bytes());
    // 1981-01-01, as the fixtures are.
    out.extend_from_slice(&[0, 0, 0x21, 0x02]);
    for value in [header.crc, header.compressed, header.size] {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn lengths(out: &mut Vec<u8>, header: &Header) {
    out.extend_from_slice(&(header.name.len() as u16).to_le_bytes());
    out.extend_from_slice(&header.extra_len.unwrap_or(header.extra.len() as u16).to_le_bytes());
}

fn pairs(bytes: &[u8], directory: usize) -> Vec<(u32, Vec<u8>)> {
    if directory < 24 || &bytes[directory - 16..directory] != BLOCK_MAGIC {
        return Vec::new();
    }
    let size = u32_at(bytes, directory - 24) as usize;
    let mut at = directory - size;
    let mut pairs = Vec::new();
    while at < directory - 24 {
        let length = u32_at(bytes, at) as usize;
        // The padding pair only aligns what has moved.
        if u32_at(bytes, at + 8) != 0x4272_6577 {
            pairs.push((u32_at(bytes, at + 8), bytes[at + 12..at + 8 + length].to_vec()));
        }
        at += 8 + length;
    }
    pairs
}

fn block(pairs: &[(u32, Vec<u8>)]) -> Vec<u8> {
    if pairs.is_empty() {
        return Vec::new();
    }
    let mut body = Vec::new();
    for (id, value) in pairs {
        body.extend_from_slice(&(value.len() as u64 + 4).to_le_bytes());
        body.extend_from_slice(&id.to_le_bytes());
        body.extend_from_slice(value);
    }
    let size = (body.len() as u64 + 24).to_le_bytes();
    [&size[..], &body, &size, BLOCK_MAGIC].concat()
}
