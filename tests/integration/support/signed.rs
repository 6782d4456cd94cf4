//! Signed messages (PKCS #7) with certificates, written byte by byte, and what HarmonyOS and
//! iOS packages are signed with. The signatures themselves are no true ones: nothing here
//! checks them.

/// A DER value.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = match body.len() {
        n @ 0..0x80 => vec![n as u8],
        n @ 0x80..0x100 => vec![0x81, n as u8],
        n => [&[0x82], (n as u16).to_be_bytes().as_slice()].concat(),
    };
    [&[tag], length.as_slice(), &body].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

fn set(parts: &[&[u8]]) -> Vec<u8> {
    der(0x31, parts)
}

fn integer(value: u8) -> Vec<u8> {
    der(2, &[&[value]])
}

/// `1.2.840.113549.1.7.1` data, `.2` signed data.
fn pkcs7(kind: u8) -> Vec<u8> {
    der(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, kind]])
}

fn sha256() -> Vec<u8> {
    sequence(&[&der(6, &[&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]])])
}

/// ECDSA with SHA-256.
fn algorithm() -> Vec<u8> {
    sequence(&[&der(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]])])
}

/// A name of one common name.
fn name(common: &str) -> Vec<u8> {
    sequence(&[&set(&[&sequence(&[&der(6, &[&[0x55, 4, 3]]), &der(12, &[common.as_bytes()])])])])
}

/// A certificate of `subject`, given by `issuer` under a number.
pub fn certificate(subject: &str, issuer: &str, number: u8) -> Vec<u8> {
    let curve = sequence(&[
        &der(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]]),
        &der(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]]),
    ]);
    let key = sequence(&[&curve, &der(3, &[&[0, 4], &[number; 64]])]);
    let validity = sequence(&[&der(23, &[b"240101000000Z"]), &der(23, &[b"490101000000Z"])]);
    let version = der(0xa0, &[&integer(2)]);
    let body = sequence(&[&version, &integer(number), &algorithm(), &name(issuer), &validity, &name(subject), &key]);
    sequence(&[&body, &algorithm(), &der(3, &[&[0, number]])])
}

/// A message around `content` with these certificates, signed by the one that `issuer` gave
/// under `number`.
pub fn message(content: &[u8], certificates: &[&[u8]], issuer: &str, number: u8) -> Vec<u8> {
    let inner = sequence(&[&pkcs7(1), &der(0xa0, &[&der(4, &[content])])]);
    let signer = sequence(&[
        &integer(1),
        &sequence(&[&name(issuer), &integer(number)]),
        &sha256(),
        &algorithm(),
        &der(4, &[&[number; 8]]),
    ]);
    let signed = sequence(&[&integer(1), &set(&[&sha256()]), &inner, &der(0xa0, certificates), &set(&[&signer])]);
    sequence(&[&pkcs7(2), &der(0xa0, &[&signed])])
}

/// An archive with HarmonyOS's signing block before its directory: heads, values, then count,
/// size, magic and version.
pub fn harmony(archive: &[u8], magic: &[u8; 16], values: &[(u32, &[u8])]) -> Vec<u8> {
    let end = memchr::memmem::rfind(archive, b"PK\x05\x06").expect("an end record");
    let directory = u32::from_le_bytes(archive[end + 16..end + 20].try_into().expect("four bytes"));
    let (mut heads, mut body) = (Vec::new(), Vec::new());
    for (kind, value) in values {
        let offset = values.len() * 12 + body.len();
        for number in [*kind, value.len() as u32, offset as u32] {
            heads.extend_from_slice(&number.to_le_bytes());
        }
        body.extend_from_slice(value);
    }
    let size = (heads.len() + body.len() + 32) as u64;
    let mut block = [heads, body].concat();
    block.extend_from_slice(&(values.len() as u32).to_le_bytes());
    block.extend_from_slice(&size.to_le_bytes());
    block.extend_from_slice(magic);
    block.extend_from_slice(&3_u32.to_le_bytes());
    let (before, after) = archive.split_at(directory as usize);
    let mut out = [before, &block, after].concat();
    let at = end + block.len() + 16;
    out[at..at + 4].copy_from_slice(&(directory + block.len() as u32).to_le_bytes());
    out
}

/// The property list of a provisioning profile with these certificates.
pub fn profile(team: &str, certificates: &[&[u8]]) -> String {
    use base64::Engine;
    let data: String = certificates
        .iter()
        .map(|c| format!("<data>\n\t\t{}\n\t\t</data>", base64::engine::general_purpose::STANDARD.encode(c)))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n\t<key>DeveloperCertificates</key>\n\t<array>{data}</array>\n\t<key>ProvisionsAllDevices</key>\n\t<true/>\n\t<key>TeamIdentifier</key>\n\t<array><string>A1B2C3D4E5</string></array>\n\t<key>TeamName</key>\n\t<string>{team}</string>\n</dict>\n</plist>\n"
    )
}
