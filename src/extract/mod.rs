//! Entries and listing in, facts out: one file per family of content.
//!
//! What an entry is, is told by its content first and by its name second: names lie.

mod base64_text;
mod bundle;
mod bytes;
pub mod certificate;
mod chunks;
mod concat;
mod dex;
mod flutter;
pub mod harmony;
mod hermes;
pub mod ios;
mod json;
mod listing;
mod lz4;
mod macho;
mod manifest;
mod native;
mod office;
mod packed;
mod pdf;
mod plist;
mod pool;
mod proto;
mod resources;
mod scripts;
mod sqlite;
mod start_page;
mod tags;
mod text;
mod unescape;
mod unity;
mod unity_bundle;
mod wide;
mod wxapkg;
mod xamarin;
mod xml;

pub use bundle::{Bundle, bundle};
pub use listing::listing;
pub use manifest::{Manifest, manifest, network_config};
pub use proto::toc;
pub use resources::Resources;
pub(crate) use start_page::is_remote;

use crate::model::{Block, Budget, Facts, Kind, Limit, LimitCode, Read};

/// What came out of one entry.
#[derive(Debug, Default)]
pub struct Extracted {
    /// Facts with their places.
    pub facts: Facts,
    /// What could not be read.
    pub limits: Vec<Limit>,
    /// How much was read.
    pub read: Read,
}

impl Extracted {
    /// Notes what only one framework makes, so that a file that was renamed still names it:
    /// a fact of kind `file`, which the library catalogue looks up as it does a path.
    fn made_by(&mut self, maker: &str, place: &str) {
        self.facts.push(Block::one(Kind::File, place, "", maker));
    }
}

/// What an entry is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Dalvik executable.
    Dex,
    /// ELF library.
    Elf,
    /// Android binary XML.
    BinaryXml,
    /// Android resource table.
    ResourceTable,
    /// A ZIP archive: a package within the package, or a bundle of data.
    Archive,
    /// Hermes bytecode of a React Native bundle.
    Hermes,
    /// String literals and names of Unity's IL2CPP.
    UnityMetadata,
    /// Executable of Windows, mostly a .NET assembly.
    Pe,
    /// Asset bundle of Unity.
    UnityBundle,
    /// Packed assemblies of Xamarin and .NET for Android.
    AssemblyStore,
    /// One file packed with gzip, zlib or Zstandard.
    Packed,
    /// SQLite database.
    Sqlite,
    /// Mini-program package.
    Wxapkg,
    /// Lua or LuaJIT bytecode.
    Lua,
    /// Binary property list.
    Plist,
    /// Library or program of iOS.
    MachO,
    /// Ark bytecode of HarmonyOS.
    Ark,
    /// Resource index of HarmonyOS.
    ResourceIndex,
    /// PDF document.
    Pdf,
    /// Picture, sound, film or font: named, not read.
    Media,
    /// Anything else.
    Other,
}

impl Format {
    /// Bytes that [`Format::of`] wants to see.
    pub const MAGIC_LEN: usize = 16;

    /// Tells the format.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [b'd', b'e', b'x', b'\n', ..] => Self::Dex,
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            // Android does not look at the type of the outermost chunk; a string pool follows it.
            [3, 0, 8, 0, ..] | [_, _, 8, 0, _, _, _, _, 1, 0, 28, 0, ..] => Self::BinaryXml,
            [2, 0, 12, 0, ..] => Self::ResourceTable,
            [b'P', b'K', 3, 4, ..] => Self::Archive,
            [0xc6, 0x1f, 0xbc, 0x03, 0xc1, 0x03, 0x19, 0x1f, ..] => Self::Hermes,
            [0xaf, 0x1b, 0xb1, 0xfa, ..] => Self::UnityMetadata,
            [b'M', b'Z', ..] => Self::Pe,
            _ if unity_bundle::is_bundle(head) => Self::UnityBundle,
            _ if xamarin::is_store(head) => Self::AssemblyStore,
            _ if head.starts_with(packed::GZIP) || head.starts_with(packed::ZSTD) => Self::Packed,
            _ if head.starts_with(sqlite::MAGIC) => Self::Sqlite,
            _ if wxapkg::is_package(head) => Self::Wxapkg,
            _ if scripts::is_bytecode(head) => Self::Lua,
            _ if head.starts_with(plist::MAGIC) => Self::Plist,
            _ if macho::is_binary(head) => Self::MachO,
            _ if head.starts_with(harmony::MAGIC) => Self::Ark,
            _ if harmony::is_index(head) => Self::ResourceIndex,
            _ if head.starts_with(pdf::MAGIC) => Self::Pdf,
            _ if is_media(head) => Self::Media,
            _ if packed::is_zlib(head) => Self::Packed,
            _ => Self::Other,
        }
    }
}

impl Format {
    /// The format in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Dex => "a DEX file",
            Self::Elf => "a native library",
            Self::BinaryXml => "binary XML",
            Self::ResourceTable => "a resource table",
            Self::Archive => "an archive",
            Self::Hermes => "Hermes bytecode",
            Self::UnityMetadata => "IL2CPP metadata",
            Self::Pe => "a Windows executable",
            Self::UnityBundle => "a Unity bundle",
            Self::AssemblyStore => "a store of assemblies",
            Self::Packed => "a packed file",
            Self::Sqlite => "an SQLite database",
            Self::Wxapkg => "a mini-program package",
            Self::Lua => "Lua bytecode",
            Self::Plist => "a property list",
            Self::MachO => "an iOS binary",
            Self::Ark => "Ark bytecode",
            Self::ResourceIndex => "a resource index",
            Self::Pdf => "a PDF file",
            Self::Media => "media",
            Self::Other => "text",
        }
    }
}

impl Format {
    /// The `assets` of the library catalogue that stand for content of one framework only.
    const fn maker(self) -> Option<&'static str> {
        match self {
            Self::Hermes => Some("content=hermes"),
            Self::UnityMetadata => Some("content=il2cpp"),
            Self::UnityBundle => Some("content=unity-bundle"),
            Self::AssemblyStore => Some("content=assembly-store"),
            Self::Wxapkg => Some("content=wxapkg"),
            Self::Ark => Some("content=ark"),
            _ => None,
        }
    }
}

/// Bytes at the end of a file that [`ends_as_archive`] wants to see: an end record with a
/// short comment, which is what archives within an app have, if any.
pub const END_LEN: usize = ARCHIVE_END + (1 << 10);
/// Length of an end record without its comment (PKWARE APPNOTE 4.3.16).
const ARCHIVE_END: usize = 22;

/// Whether bytes end as an archive with entries does. Readers of archives look for the end,
/// so that anything may stand before one: data, a picture.
#[must_use]
pub fn ends_as_archive(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(END_LEN)..];
    let end = memchr::memmem::rfind(tail, b"PK\x05\x06").and_then(|at| tail.get(at..));
    end.is_some_and(|end| end.len() >= ARCHIVE_END && bytes::u16_be(end, 10) > Some(0))
}

/// Signatures of media formats, from their specifications.
fn is_media(head: &[u8]) -> bool {
    const MAGICS: &[&[u8]] = &[
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF8",
        b"BM",
        b"OggS",
        b"ID3",
        b"fLaC",
        b"\x00\x01\x00\x00\x00",
        b"OTTO",
        b"ttcf",
        b"wOFF",
        b"wOF2",
        b"\x1aE\xdf\xa3",
        b"FLV\x01",
        b"#!AMR",
        b"MThd",
        b"\x00\x00\x01\x00",
        b"PVR\x03",
        b"\xabKTX",
    ];
    MAGICS.iter().any(|magic| head.starts_with(magic))
        || (head.starts_with(b"RIFF") && head.len() >= 12 && matches!(&head[8..12], b"WEBP" | b"WAVE" | b"AVI "))
        || head.get(4..8) == Some(b"ftyp")
        || matches!(head, [0xff, b, ..] if b & 0xe6 == 0xe2 || b & 0xe6 == 0xe0 && b & 0x18 != 0x08)
}

/// Whether a name promises media; its magic must agree before it is left unread.
#[must_use]
pub fn names_media(path: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "png", "jpg", "jpeg", "gif", "webp", "bmp", "ico", "mp3", "mp4", "m4a", "m4v", "ogg", "oga", "ogv", "wav",
        "flac", "aac", "amr", "mid", "midi", "mov", "avi", "flv", "mkv", "webm", "3gp", "ttf", "otf", "ttc", "woff",
        "woff2", "pvr", "ktx", "astc", "pkm", "dds",
    ];
    path.rsplit_once('.').is_some_and(|(_, ext)| ENDINGS.contains(&ext.to_ascii_lowercase().as_str()))
}

/// Whether a name promises media and the content is something else that we can name.
#[must_use]
pub fn is_misnamed(path: &str, bytes: &[u8]) -> bool {
    names_media(path)
        && match Format::of(bytes) {
            Format::Media => false,
            Format::Other => bytes.len() > 16 && text::decode(&bytes[..bytes.len().min(4 << 10)]).is_some(),
            _ => true,
        }
}

/// Reads one entry of a package other than its manifest and resource table.
/// `path` is the entry's name in the package, `place` how reports name it.
#[must_use]
pub fn entry(path: &str, place: &str, bytes: &[u8], budget: &Budget) -> Extracted {
    let mut out = Extracted::default();
    out.read.bytes = bytes.len() as u64;
    out.limits.extend(start_page::of_file(path, place, bytes));
    let format = Format::of(bytes);
    if let Some(maker) = format.maker() {
        out.made_by(maker, place);
    }
    match format {
        Format::Dex => {
            if !is_code_place(path) {
                out.limits.push(Limit::new(LimitCode::HiddenCode, place, "a DEX file where code does not belong"));
            }
            dex::read(bytes, place, budget, &mut out);
        }
        Format::Elf => {
            native::read(bytes, place, Kind::Native, budget, &mut out);
            if xamarin::names_store(path) {
                xamarin::read(bytes, place, budget, &mut out);
            }
        }
        Format::BinaryXml => xml::strings(bytes, place, &mut out),
        Format::Hermes => hermes::read(bytes, place, budget, &mut out),
        Format::UnityMetadata => unity::metadata(bytes, place, budget, &mut out),
        Format::Pe => unity::assembly(bytes, place, budget, &mut out),
        Format::UnityBundle => unity_bundle::read(bytes, place, budget, &mut out),
        Format::AssemblyStore => xamarin::read(bytes, place, budget, &mut out),
        Format::Packed => match packed::read(path, place, bytes, budget) {
            Some(found) => {
                out.facts.append(found.facts);
                out.limits.extend(found.limits);
                out.read += found.read;
            }
            None => other(path, place, bytes, budget, &mut out),
        },
        Format::Sqlite => sqlite::read(bytes, place, budget, &mut out),
        Format::Wxapkg => wxapkg::read(bytes, place, budget, &mut out),
        Format::Lua => scripts::bytecode(bytes, place, budget, &mut out),
        Format::Plist => plist::read(bytes, place, budget, &mut out),
        Format::MachO => {
            out.limits.extend(macho::sealed(bytes, place));
            native::read(bytes, place, Kind::Native, budget, &mut out);
        }
        Format::Pdf => pdf::read(bytes, place, budget, &mut out),
        Format::Media | Format::Archive => {}
        Format::Ark => harmony::code(bytes, place, budget, &mut out),
        Format::ResourceTable | Format::ResourceIndex => {
            let (_, found) = Resources::read(bytes, place, budget);
            out.facts.append(found.facts);
            out.limits.extend(found.limits);
            out.read.strings += found.read.strings;
        }
        Format::Other => other(path, place, bytes, budget, &mut out),
    }
    out
}

/// What no magic tells: text of some sort, ciphertext, or data.
fn other(path: &str, place: &str, bytes: &[u8], budget: &Budget, out: &mut Extracted) {
    if xml::bundled(path, bytes, place, out) {
        return;
    }
    let sealed = unity::sealed(path, place)
        .or_else(|| sqlite::sealed(path, place, bytes))
        .or_else(|| wxapkg::sealed(place, bytes))
        .or_else(|| scripts::sealed(path, place, bytes))
        .or_else(|| packed::unread(path, place, bytes));
    out.limits.extend(sealed);
    text::read(bytes, place, budget, out);
}

/// `classes.dex`, `classes2.dex` … at the root of a package.
fn is_code_place(path: &str) -> bool {
    path.strip_prefix("classes")
        .and_then(|rest| rest.strip_suffix(".dex"))
        .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}
