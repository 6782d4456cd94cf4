//! Entries and listing in, facts out: one file per family of content.
//!
//! What an entry is, is told by its content first and by its name second: names lie.

mod base64_text;
mod bundle;
mod bytes;
pub mod certificate;
mod chunks;
mod concat;
mod decoded;
mod dex;
mod eastern;
mod encoding;
mod escaped_bytes;
mod flutter;
mod han;
pub mod harmony;
mod hermes;
mod input;
pub mod ios;
mod json;
mod links;
mod listing;
mod literals;
mod locale;
mod lz4;
mod macho;
mod manifest;
mod media;
mod native;
mod number_lists;
mod office;
mod ole;
mod ole_parts;
mod packed;
mod pdf;
pub mod picture;
mod plist;
mod pool;
mod proto;
mod resources;
mod rtf;
mod scripts;
mod sqlite;
mod start_page;
mod tags;
mod tar;
mod text;
mod unescape;
mod unity;
mod unity_bundle;
mod wxapkg;
mod wxapkg_sealed;
mod xamarin;
mod xml;
mod xxtea;

pub use bundle::{Bundle, bundle, widget};
pub use listing::listing;
pub use locale::arrange;
pub use manifest::{Manifest, manifest, network_config};
pub use proto::toc;
pub use resources::{Name, Resources};
pub use scripts::script_sign;
pub(crate) use start_page::is_remote;
pub use wxapkg_sealed::{
    ID_STEPS as PROGRAM_ID_STEPS, is_sealed as is_sealed_program, open as open_program, program_ids,
};
pub use xxtea::{BareKeys, ScriptKey, script_key};

use crate::model::{Block, Budget, Facts, Kind, Limit, LimitCode, Meter, Read};
use input::Input;

/// What came out of one entry.
#[derive(Debug, Default)]
pub struct Extracted {
    /// Facts with their places.
    pub facts: Facts,
    /// What could not be read.
    pub limits: Vec<Limit>,
    /// How much was read.
    pub read: Read,
    /// Archives that lay within, where a reader of one file does not open them: the place
    /// and the bytes of each.
    pub archives: Vec<(String, Vec<u8>)>,
}

impl Extracted {
    /// Notes what only one framework makes, so that a file that was renamed still names it:
    /// a fact of kind `file`, which the library catalogue looks up as it does a path.
    fn made_by(&mut self, maker: &str, place: &str) {
        self.facts.push(Block::one(Kind::File, place, "", maker));
    }

    /// Takes in what a file within this one said; its bytes were counted.
    fn take_in(&mut self, inside: Self) {
        self.facts.append(inside.facts);
        self.limits.extend(inside.limits);
        self.archives.extend(inside.archives);
        self.read.strings += inside.read.strings;
        self.read.classes += inside.read.classes;
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
    /// Compound file: an old document of Office.
    Compound,
    /// Files in a row, on tape once.
    Tar,
    /// Picture, sound, film or font: named, not read.
    Media,
    /// Anything else.
    Other,
}

impl Format {
    /// Bytes that [`Format::of`] wants to see.
    pub const MAGIC_LEN: usize = 64;
    /// Bytes that prove a sound without a header: its first frame and the next.
    pub const PEEK_LEN: usize = 4 << 10;

    /// How many bytes of a file that begins so prove what it is.
    #[must_use]
    pub fn peek_len(head: &[u8]) -> usize {
        if matches!(head, [0xff, 0xe0..=0xff, ..]) { Self::PEEK_LEN } else { Self::MAGIC_LEN }
    }

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
            _ if head.starts_with(sqlite::MAGIC) => Self::Sqlite,
            _ if wxapkg::is_package(head) => Self::Wxapkg,
            _ if scripts::is_bytecode(head) => Self::Lua,
            _ if head.starts_with(plist::MAGIC) => Self::Plist,
            _ if macho::is_binary(head) => Self::MachO,
            _ if head.starts_with(harmony::MAGIC) => Self::Ark,
            _ if harmony::is_index(head) => Self::ResourceIndex,
            _ if head.starts_with(pdf::MAGIC) => Self::Pdf,
            _ if head.starts_with(ole::MAGIC) => Self::Compound,
            _ if media::is_media(head) => Self::Media,
            _ if packed::is_packed(head) => Self::Packed,
            _ if tar::is_archive(head) => Self::Tar,
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
            Self::Compound => "an old document of Office",
            Self::Tar => "a tape archive",
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

/// What the content is in words, where a name promises media and it is something else.
#[must_use]
pub fn misnamed(path: &str, bytes: &[u8]) -> Option<&'static str> {
    let format = Format::of(bytes);
    if !names_media(path) {
        return None;
    }
    let is_text = || bytes.len() > 16 && encoding::decode(&bytes[..bytes.len().min(4 << 10)]).is_some();
    match format {
        Format::Media => None,
        Format::Other if media::in_base64(bytes) => None,
        // What mPaaS calls so is a tape archive, or one that is packed.
        Format::Tar | Format::Packed if path.ends_with(".amr") => None,
        Format::Other if is_text() => Some(format.words()),
        Format::Other => media::claims(bytes).then_some("data behind the first bytes of media"),
        _ => Some(format.words()),
    }
}

/// Reads one entry of a package other than its manifest and resource table.
/// `path` is the entry's name in the package, `place` how reports name it.
#[must_use]
pub fn entry(path: &str, place: &str, bytes: &[u8], budget: &Budget) -> Extracted {
    let meter = Meter::new(budget, bytes.len());
    let mut out = Extracted::default();
    out.read.bytes = bytes.len() as u64;
    file(path, Input::new(bytes, place, &meter), &mut out);
    out.limits.extend(meter.limit(place));
    decoded::reveal(&mut out);
    out
}

/// Reads one file within another, on an account of its own; what its facts hide is decoded
/// with those of the outer one.
fn inner(path: &str, place: &str, bytes: &[u8], outer: Input<'_>) -> Extracted {
    let meter = Meter::new(outer.budget(), bytes.len());
    let mut out = Extracted::default();
    out.read.bytes = bytes.len() as u64;
    file(path, outer.within(bytes, place, &meter), &mut out);
    out.limits.extend(meter.limit(place));
    out
}

/// Reads a file by what it is.
fn file(path: &str, input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    if input.meter.is_spent() {
        return;
    }
    out.limits.extend(start_page::of_file(path, input));
    let format = Format::of(bytes);
    if let Some(maker) = format.maker() {
        out.made_by(maker, place);
    }
    match format {
        Format::Dex => {
            if !is_code_place(path) {
                out.limits.push(Limit::new(LimitCode::HiddenCode, place, "a DEX file where code does not belong"));
            }
            dex::read(input, out);
        }
        Format::Elf => {
            native::read(input, Kind::Native, out);
            if xamarin::names_store(path) {
                xamarin::read(input, out);
            }
        }
        Format::BinaryXml => xml::strings(input, out),
        Format::Hermes => hermes::read(input, out),
        Format::UnityMetadata => unity::metadata(input, out),
        Format::Pe => unity::assembly(input, out),
        Format::UnityBundle => unity_bundle::read(input, out),
        Format::AssemblyStore => xamarin::read(input, out),
        Format::Tar => tar::read(input, out),
        Format::Packed => match packed::read(path, input) {
            Some(found) => {
                out.read += found.read;
                out.take_in(Extracted { read: Read::default(), ..found });
            }
            None => other(path, input, out),
        },
        Format::Sqlite => sqlite::read(input, out),
        Format::Wxapkg => wxapkg::read(input, out),
        Format::Lua => scripts::bytecode(input, out),
        Format::Plist => plist::read(input, out),
        Format::MachO => {
            out.limits.extend(macho::sealed(bytes, place));
            native::read(input, Kind::Native, out);
            macho::literals(input, out);
        }
        Format::Pdf => pdf::read(input, out),
        Format::Compound => ole::read(input, out),
        Format::Media => {}
        Format::Archive => archive(input, out),
        Format::Ark => harmony::code(input, out),
        Format::ResourceTable | Format::ResourceIndex => {
            let (_, found) = Resources::of(input);
            out.facts.append(found.facts);
            out.limits.extend(found.limits);
            out.read.strings += found.read.strings;
        }
        Format::Other => {
            other(path, input, out);
            if ends_as_archive(bytes) {
                archive(input, out);
            }
        }
    }
}

/// Leaves an archive within another file to the caller, who can open it.
fn archive(input: Input<'_>, out: &mut Extracted) {
    if input.is_within() && input.meter.decode(input.bytes().len()) {
        out.archives.push((input.place.to_owned(), input.bytes().to_vec()));
    }
}

/// What no magic tells: text of some sort, ciphertext, or data.
fn other(path: &str, input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    if xml::bundled(path, input, out) {
        return;
    }
    if let Some(found) = packed::behind_header(path, input).or_else(|| packed::bare(path, input)) {
        out.read += found.read;
        return out.take_in(Extracted { read: Read::default(), ..found });
    }
    if wxapkg::sealed(input, out) {
        return;
    }
    let sealed = unity::sealed(path, place)
        .or_else(|| sqlite::sealed(path, place, bytes))
        .or_else(|| scripts::sealed(path, place, bytes))
        .or_else(|| packed::unread(path, place, bytes));
    out.limits.extend(sealed);
    text::read(input, out);
}

/// `classes.dex`, `classes2.dex` … at the root of a package.
fn is_code_place(path: &str) -> bool {
    path.strip_prefix("classes")
        .and_then(|rest| rest.strip_suffix(".dex"))
        .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}
