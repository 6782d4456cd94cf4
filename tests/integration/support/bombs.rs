//! Files that are small and want to be endless, for each reader: tables that point at one
//! place again and again or at themselves, scans that begin anew at every place, nesting,
//! and masses of nothing.

/// A file of a package: what it does, its path, its bytes.
pub struct Bomb {
    pub what: &'static str,
    pub path: &'static str,
    pub bytes: Vec<u8>,
}

fn le16(n: usize) -> [u8; 2] {
    (n as u16).to_le_bytes()
}

fn le32(n: usize) -> [u8; 4] {
    (n as u32).to_le_bytes()
}

/// A chunk of Android's formats: type, length of its header, what follows the first eight bytes.
fn chunk(kind: usize, header: usize, body: &[u8]) -> Vec<u8> {
    [&le16(kind)[..], &le16(header), &le32(8 + body.len()), body].concat()
}

/// A UTF-8 pool of `count` strings that are all the one of `length` bytes.
fn pool(count: usize, length: usize) -> Vec<u8> {
    let two = [0x80 | (length >> 8) as u8, length as u8];
    let text =
        [&two[..], &two, "拍照 ab ".repeat(length / 10 + 1).as_bytes().get(..length).unwrap(), b"\0\0\0\0"].concat();
    let head = [count, 0, 0x100, 28 + count * 4, 0].map(le32).concat();
    chunk(1, 28, &[head, [0; 4].repeat(count), text].concat())
}

fn axml(parts: &[Vec<u8>]) -> Vec<u8> {
    chunk(3, 8, &parts.concat())
}

/// A start element that names string 0, with attributes that name it as well.
fn element(attributes: usize) -> Vec<u8> {
    let attribute = [le32(usize::MAX), le32(0), le32(usize::MAX), [8, 0, 0, 3], le32(0)].concat();
    let ext = [&le32(usize::MAX)[..], &le32(0), &le16(20), &le16(20), &le16(attributes), &[0; 6]].concat();
    chunk(0x0102, 16, &[&[0; 8][..], &ext, &attribute.repeat(attributes)].concat())
}

fn end_element() -> Vec<u8> {
    chunk(0x0103, 16, &[0; 16])
}

/// A table of one package whose one type has `count` entries at the same `offset`.
fn arsc(count: usize, offset: usize, entry: &[u8], narrow: bool) -> Vec<u8> {
    let (index, flags) = if narrow { (le16(offset).repeat(count), 2) } else { (le32(offset).repeat(count), 0) };
    let index = [index, vec![0; (4 - count * 2 % 4) % 4 * usize::from(narrow)]].concat();
    let config = [&le32(64)[..], &[0; 60]].concat();
    let head = [&[1, flags, 0, 0][..], &le32(count), &le32(20 + 64 + index.len()), &config, &index, entry].concat();
    let kind = chunk(0x0201, 84, &head);
    let name = [0; 256];
    let pools = [pool(1, 20), pool(1, 20)].concat();
    let package = [&le32(0x7f)[..], &name, &le32(288), &le32(1), &le32(288 + pool(1, 20).len()), &le32(1), &le32(0)];
    let package = chunk(0x0200, 288, &[package.concat(), pools, kind].concat());
    chunk(2, 12, &[&le32(1)[..], &pool(1, 20), &package].concat())
}

/// A complex entry of `values` values.
fn complex(values: usize) -> Vec<u8> {
    let head = [&le16(16)[..], &le16(1), &le32(0), &le32(0), &le32(values)].concat();
    [head, [&le32(1)[..], &[8, 0, 0, 3], &le32(0)].concat().repeat(values)].concat()
}

fn dex(count: usize, text: &[u8]) -> Vec<u8> {
    let mut head = vec![0; 0x70];
    head[..8].copy_from_slice(b"dex\n035\0");
    head[0x38..0x3c].copy_from_slice(&le32(count));
    head[0x3c..0x40].copy_from_slice(&le32(0x70));
    let data = 0x70 + count * 4;
    let string = [&[0x80, 0x80, 1][..], text, b"\0"].concat();
    head[32..36].copy_from_slice(&le32(data + string.len()));
    [head, le32(data).repeat(count), string].concat()
}

/// A database whose schema has one row, with this statement.
fn sqlite(sql: &str) -> Vec<u8> {
    const PAGE: usize = 65_536;
    fn varint(mut n: usize) -> Vec<u8> {
        let mut out = vec![(n & 0x7f) as u8];
        while n > 0x7f {
            n >>= 7;
            out.insert(0, 0x80 | (n & 0x7f) as u8);
        }
        out
    }
    let types: Vec<u8> = [23, 15, 15, 1, 13 + 2 * sql.len()].into_iter().flat_map(varint).collect();
    let payload = [varint(types.len() + 1), types, b"tableaa\x02".to_vec(), sql.as_bytes().to_vec()].concat();
    let least = (PAGE - 12) * 32 / 255 - 23;
    let spill = least + (payload.len() - least) % (PAGE - 4);
    let local = if payload.len() <= PAGE - 35 {
        payload.len()
    } else if spill <= PAGE - 35 {
        spill
    } else {
        least
    };
    let rest: Vec<&[u8]> = payload[local..].chunks(PAGE - 4).collect();
    let next = if rest.is_empty() { vec![] } else { 3_u32.to_be_bytes().to_vec() };
    let cell = [varint(payload.len()), varint(1), payload[..local].to_vec(), next].concat();
    let mut first = vec![0; PAGE];
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..24].copy_from_slice(&[0, 1, 1, 1, 0, 64, 32, 32]);
    first[59] = 1;
    first[100] = 0x0d;
    first[104] = 1;
    let at = PAGE - cell.len();
    first[108..110].copy_from_slice(&(at as u16).to_be_bytes());
    first[at..].copy_from_slice(&cell);
    let mut pages = [first, [vec![0x0d], vec![0; PAGE - 1]].concat()].concat();
    for (index, part) in rest.iter().enumerate() {
        let next = if index + 1 < rest.len() { index as u32 + 4 } else { 0 };
        let mut page = [&next.to_be_bytes()[..], part].concat();
        page.resize(PAGE, 0);
        pages.extend(page);
    }
    pages
}

/// A binary property list whose objects are all at one place.
fn plist(count: usize, object: &[u8]) -> Vec<u8> {
    let table = 8 + object.len();
    let trailer = [&[0; 6][..], &[4, 4], &(count as u64).to_be_bytes(), &[0; 8], &(table as u64).to_be_bytes()];
    [&b"bplist00"[..], object, &8_u32.to_be_bytes().repeat(count), &trailer.concat()].concat()
}

/// A page with a font whose map states the same codes again and again.
fn pdf_ranges(count: usize) -> Vec<u8> {
    let ranges = "<0000> <ffff> <4e00>\n".repeat(count);
    let map = format!("beginbfrange\n{ranges}endbfrange");
    format!(
        "%PDF-1.4\n1 0 obj<</Type /Catalog /Pages 2 0 R>>endobj\n2 0 obj<</Type /Pages /Kids [3 0 R 2 0 R]>>endobj\n\
         3 0 obj<</Type /Page /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>endobj\n\
         4 0 obj<</Length 24>>stream\nBT /F1 9 Tf <4e00> Tj ET\nendstream endobj\n\
         5 0 obj<</Type0 /ToUnicode 6 0 R>>endobj\n6 0 obj<</Length {}>>stream\n{map}\nendstream endobj\n",
        map.len()
    )
    .into_bytes()
}

/// Objects of which none says where it ends.
fn pdf_open(count: usize) -> Vec<u8> {
    let objects: String = (0..count).map(|n| format!("{n} 0 obj<</Length 0>>stream\nendstream\n")).collect();
    format!("%PDF-1.4\n{objects}").into_bytes()
}

fn abc(count: usize, length: usize) -> Vec<u8> {
    let mut head = vec![0; 60];
    head[..8].copy_from_slice(b"PANDA\0\0\0");
    head[28..32].copy_from_slice(&le32(count));
    head[32..36].copy_from_slice(&le32(60));
    let string = [vec![3], vec![b'x'; length], vec![0]].concat();
    [head, le32(60 + count * 4).repeat(count), string].concat()
}

/// Configurations that all point at one list of resources, which is one record again and again.
fn index(configs: usize, ids: usize) -> Vec<u8> {
    let mut head = b"Restool 5.0".to_vec();
    head.resize(132, 0);
    let list = 136 + configs * 12;
    let record = list + 8 + ids * 8;
    let keys = [&b"KEYS"[..], &le32(list), &le32(0)].concat().repeat(configs);
    let entries = [le32(1), le32(record)].concat().repeat(ids);
    let text = "拍照搜题 ".repeat(600);
    let value = [&le16(text.len())[..], text.as_bytes()].concat();
    let record = [&le32(0)[..], &le32(9), &le32(1), &value, &le16(2), b"a\0"].concat();
    [head, le32(configs).to_vec(), keys, b"IDSS".to_vec(), le32(ids).to_vec(), entries, record].concat()
}

/// A compound file of so many streams, whose allocation table says the same of every sector.
fn compound(sectors: usize, streams: usize) -> Vec<u8> {
    let mut head = vec![0_u8; 512];
    head[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    head[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    for (at, value) in [(48, 1), (56, 1), (60, 0xffff_fffe), (68, 2)] {
        head[at..at + 4].copy_from_slice(&le32(value));
    }
    head[76..].fill(0);
    let table: Vec<u8> = (0..sectors.max(128)).flat_map(|n| le32((n + 1) % sectors)).collect();
    let mut row = [b"W\0o\0r\0k\0b\0o\0o\0k\0".as_slice(), &[0; 48]].concat();
    row.extend([18, 0, 2, 1]);
    row.resize(116, 0);
    row.extend([le32(3), le32(usize::MAX)].concat());
    row.resize(128, 0);
    [head, table, row.repeat(streams)].concat()
}

/// Bytes without a pattern.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

/// A mini-program of files without a byte.
fn wxapkg(count: usize) -> Vec<u8> {
    let mut entries = Vec::new();
    for number in 0..count {
        let name = format!("/{number}.js");
        entries.extend((name.len() as u32).to_be_bytes());
        entries.extend(name.as_bytes());
        entries.extend([0; 8]);
    }
    [&[0xbe, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xed][..], &(count as u32).to_be_bytes(), &entries].concat()
}

fn varint(mut n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while n > 0x7f {
        out.push(0x80 | (n & 0x7f) as u8);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

fn message(field: usize, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len()), bytes.to_vec()].concat()
}

fn value(field: usize, number: usize) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

/// An app bundle whose label is a resource that refers to itself `times` times.
pub fn self_reference(times: usize) -> Vec<(&'static str, Vec<u8>)> {
    const ID: usize = 0x7f01_0000;
    let to_itself = message(2, &message(4, &message(1, &value(2, ID))));
    let configs = (1..=times).flat_map(|n| message(6, &[message(1, &value(18, n)), to_itself.clone()].concat()));
    let entry = [message(1, &value(1, 0)), message(2, b"app_name"), configs.collect()].concat();
    let kind = [message(1, &value(1, 1)), message(2, b"string"), message(3, &entry)].concat();
    let package = [message(1, &value(1, 0x7f)), message(2, b"a.b"), message(3, &kind)].concat();
    let label =
        [message(2, b"label"), message(3, b"@string/app_name"), message(6, &message(1, &value(2, ID)))].concat();
    let app = message(1, &[message(3, b"application"), message(4, &label)].concat());
    let named = |name: &[u8], text: &[u8]| message(4, &[message(2, name), message(3, text)].concat());
    let manifest =
        [message(3, b"manifest"), named(b"package", b"a.b.c"), named(b"versionCode", b"1"), message(5, &app)];
    vec![
        ("BundleConfig.pb", vec![0x0a, 2, 0x12, 0]),
        ("base/manifest/AndroidManifest.xml", message(1, &manifest.concat())),
        ("base/resources.pb", message(2, &package)),
        ("base/dex/classes.dex", [&b"dex\n035\0"[..], &[0; 120]].concat()),
    ]
}

/// Every bomb that is a file of a package.
pub fn all() -> Vec<Bomb> {
    let bomb = |what, path, bytes| Bomb { what, path, bytes };
    let names = axml(&[pool(1, 30_000), (0..5_000).flat_map(|_| [element(0), end_element()].concat()).collect()]);
    vec![
        bomb("strings of a layout at one place", "res/layout/a.xml", axml(&[pool(100_000, 32_000)])),
        bomb("elements that share a long name", "res/xml/config.xml", names),
        bomb("one element of 60,000 attributes", "config.xml", axml(&[pool(1, 9), element(60_000), end_element()])),
        bomb("a pool of a million nothings", "res/layout/b.xml", axml(&[pool(1_000_000, 0)])),
        bomb(
            "chunks of a million kinds",
            "b/config.xml",
            axml(&(0..200_000).map(|n| chunk(0x600 + n % 50_000, 8, &[])).collect::<Vec<_>>()),
        ),
        bomb(
            "strings of a table at one place",
            "assets/a.arsc",
            chunk(2, 12, &[&le32(0)[..], &pool(100_000, 32_000)].concat()),
        ),
        bomb("entries that share many values", "assets/b.arsc", arsc(60_000, 0, &complex(60_000), false)),
        bomb("a table of a million nothings", "assets/c.arsc", arsc(1_000_000, 0xffff, &[0; 8], true)),
        bomb("ids of one string", "classes8.dex", dex(100_000, "ab 拍照 ".repeat(4_000).as_bytes())),
        bomb(
            "ids of one descriptor",
            "classes9.dex",
            dex(400_000, [b"L", "a".repeat(400_000).as_bytes(), b";"].concat().as_slice()),
        ),
        bomb(
            "containers of ids of one string",
            "classes7.dex",
            dex(5_000, "ab 拍照 ".repeat(900).as_bytes()).repeat(64),
        ),
        bomb(
            "comments to the end of the line",
            "assets/a.db",
            sqlite(&format!("CREATE TABLE a({}", "--\n".repeat(1_300_000))),
        ),
        bomb("comments that open", "assets/b.db", sqlite(&format!("CREATE TABLE a({}", "/*--".repeat(15_000)))),
        bomb(
            "objects at one string",
            "a/Info.plist",
            plist(300_000, &[&[0x5f, 0x12][..], &100_000_u32.to_be_bytes(), &[b'a'; 100_000]].concat()),
        ),
        bomb(
            "objects that are one dictionary",
            "b/Info.plist",
            plist(100_000, &[&[0xdf, 0x11, 0x40, 0][..], &[0; 131_072]].concat()),
        ),
        bomb("codes stated again and again", "assets/a.pdf", pdf_ranges(60_000)),
        bomb("objects without an end", "assets/b.pdf", pdf_open(120_000)),
        bomb("classes of one name that is none", "ets/modules.abc", abc(200_000, 200_000)),
        bomb("configurations of one list", "assets/resources.index", index(3_000, 3_000)),
        bomb("files without a byte", "assets/a.wxapkg", wxapkg(200_000)),
        bomb("sectors that are all the same", "assets/a.xls", compound(60_000, 1)),
        bomb("streams of one chain", "assets/b.xls", compound(30_000, 20_000)),
        bomb("records of nothing", "assets/c.xls", [compound(1, 1), b"\xfc\0\0\0\x3c\0\0\0".repeat(400_000)].concat()),
        bomb("lists of numbers that never end", "assets/c.js", b"[200,200,200,-1,0xe6,".repeat(200_000)),
        bomb("brackets before numbers", "assets/d.js", b"[[{[230[{".repeat(400_000)),
        bomb("wide letters in base64", "assets/e.js", b"zWJncRxkmJgM/w1U+".repeat(200_000)),
        bomb("backslashes", "assets/f.js", b"\\".repeat(4_000_000)),
        bomb("signs of HZ", "assets/g.txt", b"~{!!~{".repeat(600_000)),
        bomb(
            "strings of a PDF that never close",
            "assets/c.pdf",
            [b"%PDF-1.4\n1 0 obj<<".as_slice(), &b"/T (<".repeat(800_000)].concat(),
        ),
        bomb(
            "a program that nobody opens",
            "assets/wx0123456789abcdef.wxapkg",
            [b"V1MMWX".as_slice(), &b"wx0123456789abcdef ".repeat(200_000)].concat(),
        ),
        bomb("scripts without a key", "assets/a.jsc", noise(4_000_000)),
        bomb("strings that state another length", "classes6.dex", dex(60_000, b"ab\xcd\x62\x67\x71")),
        bomb("lines of nothing", "assets/a.txt", b"\na".repeat(2_000_000)),
        bomb("tags that never close", "assets/a.html", [&b"<html>"[..], &b"<a <!-- <p".repeat(400_000)].concat()),
        bomb("escapes of nothing", "assets/a.js", b"\\u{%E6%8B&#x".repeat(300_000)),
        bomb("base64 that is none", "assets/b.js", b"QUJD+/QUJDQUJDQUJD-'".repeat(200_000)),
        bomb("brackets in brackets", "assets/a.json", b"[".repeat(4_000_000)),
    ]
}
