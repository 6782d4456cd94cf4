//! Binary XML and resource tables taken apart into chunks and put together with a trick.

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_u16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

/// A chunk of a type that Android steps over, its content looking like chunks itself.
fn junk() -> Vec<u8> {
    let mut chunk = vec![0x77, 0x77, 8, 0, 40, 0, 0, 0];
    chunk.extend_from_slice(&[2, 1, 16, 0, 36, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    chunk.resize(40, 0xee);
    chunk
}

/// The chunks inside the outermost one.
fn split(bytes: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let header = usize::from(u16_at(bytes, 2));
    let mut chunks = Vec::new();
    let mut at = header;
    while at + 8 <= bytes.len() {
        let size = u32_at(bytes, at + 4) as usize;
        chunks.push(bytes[at..at + size].to_vec());
        at += size;
    }
    (bytes[..header].to_vec(), chunks)
}

fn join(mut header: Vec<u8>, chunks: &[Vec<u8>]) -> Vec<u8> {
    let size = header.len() + chunks.iter().map(Vec::len).sum::<usize>();
    put_u32(&mut header, 4, size as u32);
    header.extend(chunks.concat());
    header
}

/// Changes every chunk for which `of` holds.
fn map(bytes: &[u8], of: impl Fn(u16) -> bool, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let (header, mut chunks) = split(bytes);
    for chunk in chunks.iter_mut().filter(|c| of(u16_at(c, 0))) {
        change(chunk);
        let size = chunk.len() as u32;
        put_u32(chunk, 4, size);
    }
    join(header, &chunks)
}

/// The outermost chunk is of no type.
pub fn wrong_first_byte(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out[0] = 0;
    out
}

/// The outermost header is longer than usual.
pub fn long_outer_header(bytes: &[u8]) -> Vec<u8> {
    let (mut header, chunks) = split(bytes);
    header.extend_from_slice(&[0xaa; 8]);
    let length = header.len() as u16;
    put_u16(&mut header, 2, length);
    join(header, &chunks)
}

/// A junk chunk behind every chunk.
pub fn junk_between_chunks(bytes: &[u8]) -> Vec<u8> {
    let (header, chunks) = split(bytes);
    let mixed: Vec<Vec<u8>> = chunks.into_iter().flat_map(|c| [c, junk()]).collect();
    join(header, &mixed)
}

/// Junk chunks inside the packages of a resource table as well.
pub fn junk_in_packages(bytes: &[u8]) -> Vec<u8> {
    junk_between_chunks(&map(
        bytes,
        |kind| kind == 0x0200,
        |package| {
            let header = usize::from(u16_at(package, 2));
            let (types, keys) = (u32_at(package, 268) as usize, u32_at(package, 276) as usize);
            assert_eq!(types, header, "the types come first");
            let (head, chunks) = split(package);
            let mut mixed = Vec::new();
            let mut offset = header;
            let mut moved = [0, 0];
            let mut at = header;
            for chunk in chunks {
                if at == types {
                    moved[0] = offset;
                } else if at == keys {
                    moved[1] = offset;
                }
                at += chunk.len();
                offset += chunk.len() + junk().len();
                mixed.push(chunk);
                mixed.push(junk());
            }
            *package = join(head, &mixed);
            put_u32(package, 268, moved[0] as u32);
            put_u32(package, 276, moved[1] as u32);
        },
    ))
}

/// The string pool states more strings than any device holds.
pub fn absurd_string_count(bytes: &[u8]) -> Vec<u8> {
    map(bytes, |kind| kind == 1, |pool| put_u32(pool, 8, 0x7fff_ffff))
}

/// A second document behind the first.
pub fn junk_behind(bytes: &[u8]) -> Vec<u8> {
    [bytes, &junk(), &[3, 0, 8, 0]].concat()
}

const fn is_node(kind: u16) -> bool {
    kind >= 0x0100 && kind < 0x0180
}

/// Nodes have a header of 24 bytes.
pub fn long_node_headers(bytes: &[u8]) -> Vec<u8> {
    map(bytes, is_node, |node| {
        node.splice(16..16, [0xbb; 8]);
        put_u16(node, 2, 24);
    })
}

/// Attributes begin later and are wider than usual.
pub fn wide_attributes(bytes: &[u8]) -> Vec<u8> {
    map(
        bytes,
        |kind| kind == 0x0102,
        |node| {
            let count = usize::from(u16_at(node, 16 + 12));
            let attributes: Vec<u8> =
                node[36..36 + count * 20].chunks(20).flat_map(|a| [a, &[0xcc; 4]].concat()).collect();
            node.truncate(36);
            put_u16(node, 16 + 8, 28);
            put_u16(node, 16 + 10, 24);
            node.extend_from_slice(&[0xdd; 8]);
            node.extend(attributes);
        },
    )
}

/// Names of attributes that have an id are garbage: Android goes by the id.
pub fn garbage_attribute_names(bytes: &[u8]) -> Vec<u8> {
    let (_, chunks) = split(bytes);
    let ids = chunks.iter().find(|c| u16_at(c, 0) == 0x0180).map_or(0, |c| (c.len() - 8) / 4);
    map(
        bytes,
        |kind| kind == 1,
        |pool| {
            let utf8 = u32_at(pool, 16) & 0x100 != 0;
            let strings = u32_at(pool, 20) as usize;
            for index in 0..ids {
                let at = strings + u32_at(pool, 28 + index * 4) as usize;
                if utf8 {
                    let length = usize::from(pool[at + 1]);
                    pool[at + 2..at + 2 + length].fill(b'<');
                } else {
                    let length = usize::from(u16_at(pool, at));
                    (0..length).for_each(|i| put_u16(pool, at + 2 + i * 2, u16::from(b'<')));
                }
            }
        },
    )
}
