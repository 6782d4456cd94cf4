//! The least that each format needs around words.

/// A tape archive of one file (POSIX.1-1988).
pub fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = [header.as_slice(), content].concat();
    bytes.resize(bytes.len().next_multiple_of(512) + 1_024, 0);
    bytes
}

/// A mini-program package of one file.
pub fn wxapkg(name: &str, content: &[u8]) -> Vec<u8> {
    let index = 4 + 4 + name.len() + 8;
    let be = |n: usize| (n as u32).to_be_bytes();
    let offset = 14 + index;
    [
        b"\xbe\0\0\0\0".as_slice(),
        &be(index),
        &be(content.len()),
        b"\xed",
        &be(1),
        &be(name.len()),
        name.as_bytes(),
        &be(offset),
        &be(content.len()),
        content,
    ]
    .concat()
}

/// A DEX file of one constant. From version 41 on it is one of a container: offsets count
/// from the start of that, and `base` bytes stand before it.
pub fn dex(version: &[u8; 3], base: usize, container: usize, constant: &[u8], units: u8) -> Vec<u8> {
    let header = if version == b"041" { 0x78 } else { 0x70 };
    let mut bytes = vec![0_u8; header];
    bytes[..8].copy_from_slice(&[b"dex\n".as_slice(), version, b"\0"].concat());
    let data = header + 4;
    bytes.extend(((base + data) as u32).to_le_bytes());
    bytes.push(units);
    bytes.extend(constant);
    bytes.push(0);
    let size = bytes.len() as u32;
    for (at, value) in [(32, size), (36, header as u32), (40, 0x1234_5678), (0x38, 1), (0x3c, (base + header) as u32)] {
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    if version == b"041" {
        bytes[0x70..0x74].copy_from_slice(&(container as u32).to_le_bytes());
        bytes[0x74..0x78].copy_from_slice(&(base as u32).to_le_bytes());
    }
    bytes
}

/// Binary XML of nothing but a pool of one string, stated to be UTF-8.
pub fn pool(words: &[u8]) -> Vec<u8> {
    let mut body = vec![words.len() as u8, words.len() as u8];
    body.extend(words);
    body.push(0);
    body.resize(body.len().next_multiple_of(4), 0);
    let numbers = [0x001c_0001, (28 + 4 + body.len()) as u32, 1, 0, 0x100, 32, 0, 0];
    let pool = [numbers.map(u32::to_le_bytes).concat(), body].concat();
    [0x0008_0003_u32.to_le_bytes(), ((8 + pool.len()) as u32).to_le_bytes()].concat().into_iter().chain(pool).collect()
}

pub fn le16(n: usize) -> [u8; 2] {
    (n as u16).to_le_bytes()
}

pub fn le32(n: usize) -> [u8; 4] {
    (n as u32).to_le_bytes()
}

/// A chunk of Android's formats: type, length of its header, what follows the first eight bytes.
fn chunk(kind: usize, header: usize, body: &[u8]) -> Vec<u8> {
    [&le16(kind)[..], &le16(header), &le32(8 + body.len()), body].concat()
}

/// A UTF-8 pool of these strings.
fn strings(texts: &[&[u8]]) -> Vec<u8> {
    let (mut offsets, mut body) = (Vec::new(), Vec::new());
    for text in texts {
        offsets.extend(le32(body.len()));
        body.extend([text.len() as u8, text.len() as u8]);
        body.extend(*text);
        body.push(0);
    }
    body.resize(body.len().next_multiple_of(4), 0);
    let head = [texts.len(), 0, 0x100, 28 + offsets.len(), 0].map(le32).concat();
    chunk(1, 28, &[head, offsets, body].concat())
}

/// A resource table of one string, `string/a` in the default configuration.
pub fn table(words: &[u8]) -> Vec<u8> {
    let (values, kinds, keys) = (strings(&[words]), strings(&[b"string"]), strings(&[b"a"]));
    let entry = [&le16(8)[..], &le16(0), &le32(0), &le16(8), &[0, 3], &le32(0)].concat();
    let config = [&le32(64)[..], &[0; 60]].concat();
    let spec = chunk(0x0202, 16, &[&[1, 0, 0, 0][..], &le32(1), &le32(0)].concat());
    let kind = [&[1, 0, 0, 0][..], &le32(1), &le32(20 + 64 + 4), &config, &le32(0), &entry].concat();
    let name = [0; 256];
    let offsets = [le32(288), le32(1), le32(288 + kinds.len()), le32(1), le32(0)].concat();
    let package = [&le32(0x7f)[..], &name, &offsets, &kinds, &keys, &spec, &chunk(0x0201, 84, &kind)].concat();
    chunk(2, 12, &[&le32(1)[..], &values, &chunk(0x0200, 288, &package)].concat())
}

/// A database of one table with one row of one text.
pub fn sqlite(words: &[u8]) -> Vec<u8> {
    const PAGE: usize = 4_096;
    let page = |head: usize, cell: &[u8]| {
        let mut page = vec![0; PAGE];
        page[head..head + 8].copy_from_slice(&[0x0d, 0, 0, 0, 1, 0, 0, 0]);
        let at = PAGE - cell.len();
        page[head + 8..head + 10].copy_from_slice(&(at as u16).to_be_bytes());
        page[at..].copy_from_slice(cell);
        page
    };
    let record = |types: &[u8], values: &[u8]| {
        let body = [&[types.len() as u8 + 1][..], types, values].concat();
        [&[body.len() as u8, 1][..], &body].concat()
    };
    let sql = b"CREATE TABLE a(t TEXT)";
    let schema = record(&[23, 15, 15, 1, 13 + 2 * sql.len() as u8], &[b"tableaa\x02".as_slice(), sql].concat());
    let mut first = page(100, &schema);
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..24].copy_from_slice(&[16, 0, 1, 1, 0, 64, 32, 32]);
    first[28..32].copy_from_slice(&2_u32.to_be_bytes());
    first[59] = 1;
    [first, page(0, &record(&[13 + 2 * words.len() as u8], words))].concat()
}

fn pdf_of(title: &[u8], shown: &[u8], font: &str) -> Vec<u8> {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let content = format!("BT /F1 9 Tf <{}> Tj ET", hex(shown));
    format!(
        "%PDF-1.4\n1 0 obj<</Type /Catalog /Pages 2 0 R>>endobj\n2 0 obj<</Type /Pages /Kids [3 0 R]>>endobj\n\
         3 0 obj<</Type /Page /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>endobj\n\
         4 0 obj<</Length {}>>stream\n{content}\nendstream endobj\n5 0 obj<</Type /Font {font}>>endobj\n\
         6 0 obj<</Title <{}>>>endobj\ntrailer<</Root 1 0 R /Info 6 0 R>>\n",
        content.len(),
        hex(title)
    )
    .into_bytes()
}

/// A page that shows these bytes in a font that says nothing of them.
pub fn pdf(words: &[u8]) -> Vec<u8> {
    pdf_of(b"a", words, "/Subtype /Type0 /BaseFont /A /Encoding /Identity-H")
}

/// A page of plain letters, under a title of these bytes.
pub fn pdf_title(words: &[u8]) -> Vec<u8> {
    pdf_of(words, b"plain letters", "/Subtype /Type1 /BaseFont /Helvetica")
}

/// A compound file with one stream, whose sectors lie in the file backwards: no string across
/// two of them is whole.
pub fn compound(name: &str, stream: &[u8]) -> Vec<u8> {
    const SECTOR: usize = 512;
    let mut stream = stream.to_vec();
    // A longer stream does not lie among the short ones.
    stream.resize(stream.len().max(4_096).next_multiple_of(SECTOR), 0);
    let count = stream.len() / SECTOR;
    let mut head = vec![0_u8; SECTOR];
    head[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    head[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    for (at, value) in [(44, 1), (48, 1), (56, 4_096), (60, 0xffff_fffe), (64, 0), (68, 0xffff_fffe), (72, 0)] {
        head[at..at + 4].copy_from_slice(&le32(value));
    }
    head[76..].fill(0xff);
    head[76..80].copy_from_slice(&le32(0));
    // Sector 0 is the table, 1 the directory; the stream goes from the last down to 2.
    let mut fat: Vec<u8> = [le32(0xffff_fffd), le32(0xffff_fffe)].concat();
    for number in 2..count + 2 {
        fat.extend(le32(if number == 2 { 0xffff_fffe } else { number - 1 }));
    }
    fat.resize(SECTOR, 0xff);
    let row = |name: &str, kind: u8, start: usize, size: usize| {
        let mut row: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = row.len() + 2;
        row.resize(128, 0);
        row[64..66].copy_from_slice(&le16(length));
        row[66] = kind;
        row[116..120].copy_from_slice(&le32(start));
        row[120..124].copy_from_slice(&le32(size));
        row
    };
    let mut directory = [row("Root Entry", 5, 0xffff_fffe, 0), row(name, 2, count + 1, stream.len())].concat();
    directory.resize(SECTOR, 0);
    let mut out = [head, fat, directory].concat();
    stream.chunks(SECTOR).rev().for_each(|sector| out.extend(sector));
    out
}

/// A record of a workbook.
pub fn record(kind: usize, body: &[u8]) -> Vec<u8> {
    [&le16(kind)[..], &le16(body.len()), body].concat()
}

/// A workbook with the words as a cell of its own, as books before 1997 have them, behind so
/// much else that they lie across two sectors.
pub fn labels(words: &[u8]) -> Vec<u8> {
    let label = |text: &[u8]| record(0x0204, &[&[0; 6][..], &le16(text.len()), text].concat());
    let before = 512 - 12 - words.len() / 2;
    [record(0x0809, &[0; 16]), record(0x0001, &vec![0; before - 24]), label(words), record(0x000a, &[])].concat()
}

/// A HarmonyOS index of the first layout with one string in some locales: (tags, value).
pub fn index(values: &[(&str, &[u8])]) -> Vec<u8> {
    let number = |tag: &str| tag.bytes().fold(0_usize, |n, b| n << 8 | usize::from(b));
    let keys: Vec<Vec<u8>> = values
        .iter()
        .map(|(locale, _)| {
            let tags: Vec<&str> = locale.split('_').filter(|tag| !tag.is_empty()).collect();
            let of = |tag: &str, at: usize| {
                if at == 0 {
                    0
                } else if tag.len() == 4 {
                    5
                } else {
                    1
                }
            };
            let pairs = tags.iter().enumerate().flat_map(|(at, tag)| [le32(of(tag, at)), le32(number(tag))].concat());
            [le32(tags.len()).to_vec(), pairs.collect()].concat()
        })
        .collect();
    let heads: usize = keys.iter().map(|key| key.len() + 8).sum();
    let mut lists = 136 + heads;
    let mut records_at = lists + values.len() * 16;
    let (mut key_part, mut list_part, mut records) = (Vec::new(), Vec::new(), Vec::new());
    for (key, (_, value)) in keys.iter().zip(values) {
        key_part.extend([b"KEYS".as_slice(), &le32(lists), key].concat());
        list_part.extend([b"IDSS".as_slice(), &le32(1), &le32(0x0100_0000), &le32(records_at)].concat());
        let text = [&le16(value.len() + 1)[..], value, b"\0", &le16(9), b"app_name\0"].concat();
        let record = [&le32(8 + text.len())[..], &le32(9), &le32(0x0100_0000), &text].concat();
        lists += 16;
        records_at += record.len();
        records.extend(record);
    }
    let mut head = b"Restool 5.008".to_vec();
    head.resize(128, 0);
    let size = 136 + heads + list_part.len() + records.len();
    [head, le32(size).to_vec(), le32(values.len()).to_vec(), key_part, list_part, records].concat()
}

/// Ark bytecode of one string, between what looks like code.
pub fn ark(words: &[u8]) -> Vec<u8> {
    let mut head = b"PANDA\0\0\0".to_vec();
    head.resize(60, 0);
    // The length in characters, doubled, and a bit for plain letters.
    let length = if words.is_ascii() { words.len() as u8 * 2 + 1 } else { 8 };
    let code = [0x61, 0x0b, 0x04, 0x02, 0x00, 0x7e, 0x0b, 0x00];
    [&head[..], &code, &[length], words, &[0], &code].concat()
}
