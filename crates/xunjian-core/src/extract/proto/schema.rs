//! The messages of an app bundle, as far as they carry words.
//!
//! Field numbers are those of `aapt.pb` in `tools/aapt2/Resources.proto` and
//! `Configuration.proto` of <https://android.googlesource.com/platform/frameworks/base>.
//! What is not named here is skipped by the decoder. Tables are not messages here:
//! they are walked field by field (see [`super::table`]).

use prost::{Message, Oneof};

/// `XmlNode`: an element, or text between elements.
#[derive(Clone, PartialEq, Message)]
pub(super) struct XmlNode {
    #[prost(message, optional, boxed, tag = "1")]
    pub(super) element: Option<Box<XmlElement>>,
    #[prost(string, tag = "2")]
    pub(super) text: String,
}

/// `XmlElement`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct XmlElement {
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) attribute: Vec<XmlAttribute>,
    #[prost(message, repeated, tag = "5")]
    pub(super) child: Vec<XmlNode>,
}

/// `XmlAttribute`: as written, and as compiled.
#[derive(Clone, PartialEq, Message)]
pub(super) struct XmlAttribute {
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) value: String,
    #[prost(message, optional, boxed, tag = "6")]
    pub(super) compiled_item: Option<Box<Item>>,
}

/// `Entry` of a type: a name with a value a configuration.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Entry {
    #[prost(message, optional, tag = "1")]
    pub(super) entry_id: Option<Id>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "6")]
    pub(super) config_value: Vec<ConfigValue>,
}

/// `PackageId`, `TypeId` and `EntryId` look alike.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Id {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
}

/// `ConfigValue`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigValue {
    #[prost(message, optional, tag = "1")]
    pub(super) config: Option<Configuration>,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<Value>,
}

/// `Configuration`: what tells one text of a resource from another.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Configuration {
    #[prost(string, tag = "3")]
    pub(super) locale: String,
    /// `UI_MODE_NIGHT_NIGHT` is 1.
    #[prost(int32, tag = "17")]
    pub(super) ui_mode_night: i32,
    #[prost(uint32, tag = "18")]
    pub(super) density: u32,
    #[prost(uint32, tag = "24")]
    pub(super) sdk_version: u32,
}

/// `Value`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(message, optional, tag = "4")]
    pub(super) item: Option<Item>,
    #[prost(message, optional, tag = "5")]
    pub(super) compound_value: Option<CompoundValue>,
}

/// `Item`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Item {
    #[prost(oneof = "ItemValue", tags = "1, 2, 3, 4, 5, 7")]
    pub(super) value: Option<ItemValue>,
}

/// The one field of an `Item` that is set.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum ItemValue {
    #[prost(message, tag = "1")]
    Ref(Reference),
    #[prost(message, tag = "2")]
    Str(Text),
    #[prost(message, tag = "3")]
    RawStr(Text),
    #[prost(message, tag = "4")]
    StyledStr(Text),
    /// `FileReference`: its path is field 1, as the text of a string is.
    #[prost(message, tag = "5")]
    File(Text),
    #[prost(message, tag = "7")]
    Prim(Primitive),
}

/// `Reference`: by number, by name, or both.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Reference {
    /// 0 for a resource, 1 for an attribute of the theme.
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(uint32, tag = "2")]
    pub(super) id: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
}

/// `String`, `RawString`, `StyledString`, `FileReference`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Text {
    #[prost(string, tag = "1")]
    pub(super) value: String,
}

/// `Primitive`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Primitive {
    #[prost(oneof = "PrimitiveValue", tags = "6, 7, 8")]
    pub(super) value: Option<PrimitiveValue>,
}

/// The primitives that manifests state.
#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub(super) enum PrimitiveValue {
    #[prost(int32, tag = "6")]
    Decimal(i32),
    #[prost(uint32, tag = "7")]
    Hexadecimal(u32),
    #[prost(bool, tag = "8")]
    Boolean(bool),
}

/// `CompoundValue`: the forms that hold words.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CompoundValue {
    #[prost(message, optional, tag = "2")]
    pub(super) style: Option<Style>,
    #[prost(message, optional, tag = "4")]
    pub(super) array: Option<Array>,
    #[prost(message, optional, tag = "5")]
    pub(super) plural: Option<Plural>,
}

/// `Style`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Style {
    #[prost(message, repeated, tag = "3")]
    pub(super) entry: Vec<Fourth>,
}

/// `Array`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Array {
    #[prost(message, repeated, tag = "1")]
    pub(super) element: Vec<Third>,
}

/// `Plural`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Plural {
    #[prost(message, repeated, tag = "1")]
    pub(super) entry: Vec<Fourth>,
}

/// `Array.Element`: its item is the third field.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Third {
    #[prost(message, optional, tag = "3")]
    pub(super) item: Option<Item>,
}

/// `Style.Entry` and `Plural.Entry`: their item is the fourth field.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Fourth {
    #[prost(message, optional, tag = "4")]
    pub(super) item: Option<Item>,
}

impl Value {
    /// Every item in it, whatever its form.
    pub(super) fn items(self) -> Vec<ItemValue> {
        let compound = self.compound_value.unwrap_or_default();
        let fourths = compound.style.map(|s| s.entry).into_iter().chain(compound.plural.map(|p| p.entry)).flatten();
        let thirds = compound.array.map(|a| a.element).into_iter().flatten().filter_map(|e| e.item);
        let all = self.item.into_iter().chain(thirds).chain(fourths.filter_map(|e| e.item));
        all.filter_map(|item| item.value).collect()
    }
}

impl Configuration {
    /// In the words that binary tables use: `zh-CN`, `zh-CN-night`, `xxhdpi` as `480dpi`.
    pub(super) fn words(&self) -> String {
        let mut words = vec![self.locale.clone()];
        words.push(if self.ui_mode_night == 1 { "night".into() } else { String::new() });
        words.push(if self.density > 0 { format!("{}dpi", self.density) } else { String::new() });
        words.push(if self.sdk_version > 0 { format!("v{}", self.sdk_version) } else { String::new() });
        words.retain(|word| !word.is_empty());
        words.join("-")
    }
}
