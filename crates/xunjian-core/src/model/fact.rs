//! Facts: what an extractor saw, with its place.

use std::borrow::Cow;
use std::sync::Arc;

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($variant:ident = $id:literal, $doc:literal;)*) => {
        /// What sort of thing a fact is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $(#[doc = $doc] $variant,)* }

        impl Kind {
            /// Every kind, in the order of the pipeline.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word used in signature files.
            #[must_use]
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id,)* } }
        }
    };
}

kinds! {
    Title = "title", "Title of the listing.";
    Description = "description", "Description of the listing.";
    Changelog = "changelog", "What the listing says is new.";
    Category = "category", "Category the store filed the app under.";
    AgeRating = "age-rating", "Age the store rated the app for.";
    Developer = "developer", "Developer as the store names it.";
    Label = "label", "Label of the app or a component, in any locale.";
    Resource = "resource", "String of the resource table, in any locale, or of a layout.";
    Asset = "asset", "Text of an asset, raw resource, script or page.";
    Code = "code", "String constant of compiled code (DEX, bytecode).";
    Native = "native", "Readable string of a native library.";
    Class = "class", "Dotted name of a class that the package defines.";
    Component = "component", "Dotted name of a manifest component.";
    Permission = "permission", "Permission the package asks for.";
    DeepLink = "deep-link", "Scheme and host that the package answers to.";
    Metadata = "metadata", "Manifest meta-data as `name=value`.";
    Setting = "setting", "A switch of the manifest or network configuration as `name=value`.";
    File = "file", "Path of an entry of the package.";
    Certificate = "certificate", "Subject of a signing certificate.";
    Literal = "literal", "String constant of compiled code, under the class that uses it.";
    Screen = "screen", "Words for its users that the package holds, gathered from all over it.";
    Picture = "picture", "Words, and what codes say, in a picture of the package.";
    Screenshot = "screenshot", "Words, and what codes say, in a picture that the store shows of the app.";
}

impl Kind {
    /// The kind with this word.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// This kind as a set.
    #[must_use]
    pub fn bit(self) -> Kinds {
        Kinds::from_bits_truncate(1 << self as u32)
    }

    /// The word of the report's `evidence.kind`.
    #[must_use]
    pub const fn evidence_kind(self) -> &'static str {
        match self {
            Self::Title | Self::Description | Self::Changelog | Self::Category | Self::AgeRating | Self::Developer => {
                "listing"
            }
            Self::Label | Self::Resource | Self::Asset | Self::Code | Self::Native | Self::Literal | Self::Screen => {
                "text"
            }
            Self::File => "asset",
            other => other.id(),
        }
    }
}

bitflags! {
    /// A set of kinds.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Kinds: u32 {
        /// Everything a listing says in words.
        const LISTING = 0b0011_1111;
        /// Words people read: title, description, changelog of the listing, and what the package says to
        /// its users.
        const PITCH = 0b0000_0111 | 1 << 20;
        /// Words inside the package that people may read.
        const INSIDE = 0b111_1100_0000;
        /// Read from pictures.
        const PICTURES = 1 << 21 | 1 << 22;
        /// Every kind.
        const ALL = (1 << 23) - 1;
    }
}

impl Kinds {
    /// The kinds of the set, in order.
    pub fn each(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.contains(kind.bit()))
    }
}

/// Written as a list of words.
impl Serialize for Kinds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.each().map(Kind::id))
    }
}

/// Words of another version are passed over.
impl<'de> Deserialize<'de> for Kinds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<Cow<'de, str>>::deserialize(deserializer)?;
        Ok(words.iter().filter_map(|word| Kind::from_id(word)).fold(Self::empty(), |all, kind| all | kind.bit()))
    }
}

/// Where one fact of a block stands: shown as `place unit`. Written as a number or a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Spot {
    /// Number of the string, line, offset …
    At(u32),
    /// Name of a resource, attribute or field.
    Named(Box<str>),
}

/// Facts of one kind from one place, kept as one run of text so that a package's
/// half million strings cost one allocation and one scan.
///
/// Serialised as `{"kind", "place", "unit", "spots": [4711, "name", …], "texts": ["…", …]}`:
/// whoever reads one back gets a sound block or an error, never a block whose offsets lie.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Told")]
pub struct Block {
    /// What sort of facts these are.
    pub kind: Kind,
    /// The place, e.g. `base.apk!/classes2.dex`.
    pub place: Arc<str>,
    /// What a number counts, e.g. `string` or `line`; empty for named facts.
    pub unit: Arc<str>,
    text: String,
    ends: Vec<u32>,
    spots: Vec<Spot>,
}

/// One fact, borrowed from its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact<'a> {
    /// The text as it stood.
    pub text: &'a str,
    /// Byte range of `text` within [`Block::text`].
    pub start: usize,
    /// Position in the block.
    pub index: usize,
}

impl Block {
    /// A block without facts.
    #[must_use]
    pub fn new(kind: Kind, place: impl Into<Arc<str>>, unit: &str) -> Self {
        let unit = if unit.is_empty() { Arc::default() } else { unit.into() };
        Self { kind, place: place.into(), unit, text: String::new(), ends: Vec::new(), spots: Vec::new() }
    }

    /// A block with one named fact.
    #[must_use]
    pub fn one(kind: Kind, place: impl Into<Arc<str>>, name: &str, text: &str) -> Self {
        let mut block = Self::new(kind, place, "");
        block.text.reserve_exact(text.len() + 1);
        block.push_named(name, text);
        block
    }

    /// Adds a fact at a number.
    pub fn push(&mut self, at: u32, text: &str) {
        self.add(Spot::At(at), text);
    }

    /// Adds a fact under a name.
    pub fn push_named(&mut self, name: &str, text: &str) {
        self.add(Spot::Named(name.into()), text);
    }

    /// Adds what was found, in the way `how` says, in the fact at `index` of another block:
    /// at the same number, or under its name with `how` behind.
    pub fn push_beside(&mut self, other: &Self, index: usize, how: &str, text: &str) {
        match other.spots.get(index) {
            Some(Spot::At(at)) => self.push(*at, text),
            Some(Spot::Named(name)) => self.push_named(&format!("{name} {how}"), text),
            None => {}
        }
    }

    fn add(&mut self, spot: Spot, text: &str) {
        // Offsets are 32-bit: a block past 4 GiB cannot come from an entry within budget.
        if self.text.len() + text.len() + 1 > u32::MAX as usize {
            return;
        }
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        // The separator keeps a term from matching across two facts.
        self.text.push('\0');
        self.spots.push(spot);
    }

    /// Adds part of a fact of another block, at the spot where that stands.
    pub fn push_part(&mut self, of: &Self, index: usize, text: &str) {
        if let Some(spot) = of.spots.get(index) {
            self.add(spot.clone(), text);
        }
    }

    /// The name under which the fact at `index` stands; `None` where that is a number.
    #[must_use]
    pub fn name_of(&self, index: usize) -> Option<&str> {
        match self.spots.get(index) {
            Some(Spot::Named(name)) => Some(name),
            _ => None,
        }
    }

    /// All facts, separated by NUL.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Number of facts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// No facts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The fact at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Fact<'_>> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize + 1 };
        Some(Fact { text: &self.text[start..end], start, index })
    }

    /// The fact that the byte at `offset` of [`Block::text`] belongs to.
    #[must_use]
    pub fn at_offset(&self, offset: usize) -> Option<Fact<'_>> {
        self.get(self.ends.partition_point(|&end| (end as usize) < offset))
    }

    /// Every fact in order.
    pub fn iter(&self) -> impl Iterator<Item = Fact<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Place of the fact at `index`, in words.
    #[must_use]
    pub fn place_of(&self, index: usize) -> String {
        match self.spots.get(index) {
            Some(Spot::At(at)) if self.unit.is_empty() => format!("{} {at}", self.place),
            Some(Spot::At(at)) => format!("{} {} {at}", self.place, self.unit),
            Some(Spot::Named(name)) if !name.is_empty() => [&self.place, " ", name].concat(),
            Some(Spot::Named(_)) | None => self.place.to_string(),
        }
    }
}

/// A block as it is written.
#[derive(Deserialize)]
struct Told {
    kind: Kind,
    place: Arc<str>,
    unit: Arc<str>,
    spots: Vec<Spot>,
    texts: Vec<String>,
}

impl TryFrom<Told> for Block {
    type Error = &'static str;

    fn try_from(told: Told) -> Result<Self, Self::Error> {
        if told.spots.len() != told.texts.len() {
            return Err("a block has as many spots as texts");
        }
        let mut block = Self::new(told.kind, told.place, &told.unit);
        for (spot, text) in told.spots.into_iter().zip(&told.texts) {
            block.add(spot, text);
        }
        Ok(block)
    }
}

impl Serialize for Block {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Block", 5)?;
        out.serialize_field("kind", &self.kind)?;
        out.serialize_field("place", &self.place)?;
        out.serialize_field("unit", &self.unit)?;
        out.serialize_field("spots", &self.spots)?;
        out.serialize_field("texts", &Texts(self))?;
        out.end()
    }
}

/// The texts of a block, written without a copy.
struct Texts<'a>(&'a Block);

impl Serialize for Texts<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|fact| fact.text))
    }
}

/// All facts of one app, or of one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The blocks, in reading order.
    pub blocks: Vec<Block>,
}

impl Facts {
    /// Keeps a block that holds something.
    pub fn push(&mut self, block: Block) {
        if !block.is_empty() {
            self.blocks.push(block);
        }
    }

    /// Appends what another reader found.
    pub fn append(&mut self, mut other: Self) {
        self.blocks.append(&mut other.blocks);
    }

    /// Every fact of `kind`, in reading order.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter(move |b| b.kind == kind).flat_map(|b| b.iter().map(|f| f.text))
    }
}
