//! The resource table: every string in every locale, and values by resource id.
//!
//! One representation for three forms: Android's binary table, the protocol buffers of
//! app bundles, HarmonyOS's `resources.index`. Their readers fill a [`Builder`].

mod binary;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Extracted, Input, decoded, harmony, locale, native, proto};
use crate::model::{Block, Budget, Kind, Limit, LimitCode, Meter};
use crate::signature::is_han;

/// What other readers ask of the table.
#[derive(Debug, Default)]
pub struct Resources {
    /// Resource id to (configuration, value), for strings and references.
    values: HashMap<u32, Vec<(String, Value)>>,
    /// `string/app_name` to its id, where documents refer to resources by name.
    names: HashMap<String, u32>,
}

/// A text that may be the name of an app, whose manifest lies in another package of its set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name {
    /// The resource.
    pub id: u32,
    /// The configuration it is for.
    pub config: String,
    /// The text.
    pub text: String,
}

/// Characters of the longest name.
const NAME_MAX: usize = 60;
/// Names kept of one table.
const NAMES_MAX: usize = 20_000;

/// What a resource is worth, as far as we care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Words, or the path of a file.
    Text(String),
    /// Another resource.
    Reference(u32),
}

/// References followed from one resource at most.
const HOPS: usize = 8;
/// Values of one resource looked at, references among them.
const VALUES_MAX: usize = 500;

impl Resources {
    /// Reads a table: its strings as facts, its values for look-up.
    #[must_use]
    pub fn read(bytes: &[u8], place: &str, budget: &Budget) -> (Self, Extracted) {
        let meter = Meter::new(budget, bytes.len());
        let (resources, mut out) = Self::of(Input::new(bytes, place, &meter));
        out.limits.extend(meter.limit(place));
        decoded::reveal(&mut out);
        (resources, out)
    }

    /// Reads a table on the account of the entry it is in.
    pub(super) fn of(input: Input<'_>) -> (Self, Extracted) {
        let bytes = input.bytes();
        let mut builder = Builder::new(bytes.len(), input);
        if harmony::is_index(bytes) {
            let read = harmony::index(input, &mut builder);
            builder.or_strings(read);
        } else if proto::is_table(bytes) {
            let read = proto::table(input, &mut builder);
            builder.or_strings(read);
        } else {
            binary::read(input, &mut builder);
        }
        builder.finish()
    }

    /// Every value of a resource, references followed, first the one that a phone set to
    /// simplified Chinese shows. Each look at a value is a step, and the text of each is paid
    /// for.
    #[must_use]
    pub fn texts(&self, id: u32, meter: &Meter<'_>) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut left = VALUES_MAX;
        self.collect(id, HOPS, &mut left, meter, &mut found);
        locale::arrange(&mut found);
        found
    }

    /// Short texts with Han characters, by id: names that a split of languages holds for
    /// its base.
    #[must_use]
    pub fn names(&self) -> Vec<Name> {
        let is_name = |text: &str| text.chars().count() <= NAME_MAX && text.chars().any(is_han);
        let mut names: Vec<Name> = self
            .values
            .iter()
            .flat_map(|(&id, values)| values.iter().map(move |(config, value)| (id, config, value)))
            .filter_map(|(id, config, value)| match value {
                Value::Text(text) if is_name(text) => Some(Name { id, config: config.clone(), text: text.clone() }),
                _ => None,
            })
            .collect();
        names.sort();
        names.truncate(NAMES_MAX);
        names
    }

    /// The id of `string/app_name`, where the table names its entries.
    #[must_use]
    pub fn id_of(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// No value was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Takes in the table of another module; what is there already stays.
    pub fn merge(&mut self, other: Self) {
        for (id, values) in other.values {
            self.values.entry(id).or_insert(values);
        }
        for (name, id) in other.names {
            self.names.entry(name).or_insert(id);
        }
    }

    /// Strings of the table that look like paths of files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.values.values().flatten().filter_map(|(_, value)| match value {
            Value::Text(text) if is_path(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// `left` counts what was looked at on the whole way, not what was found: references
    /// that lead in circles lead to nothing.
    fn collect(&self, id: u32, hops: usize, left: &mut usize, meter: &Meter<'_>, found: &mut Vec<(String, String)>) {
        for (config, value) in self.values.get(&id).into_iter().flatten() {
            if hops == 0 || *left == 0 || !meter.step() {
                return;
            }
            *left -= 1;
            match value {
                Value::Text(text) if meter.decode(config.len() + text.len()) => {
                    found.push((config.clone(), text.clone()));
                }
                Value::Text(_) => return,
                Value::Reference(to) => self.collect(*to, hops - 1, left, meter, found),
            }
        }
    }
}

/// A table in the making: values for look-up, facts by configuration.
pub(super) struct Builder<'a> {
    input: Input<'a>,
    resources: Resources,
    blocks: HashMap<String, Block>,
    out: Extracted,
    strings_left: usize,
    /// Text may be some times as long as the file, where entries point at the same bytes.
    bytes_left: usize,
}

impl<'a> Builder<'a> {
    fn new(file: usize, input: Input<'a>) -> Self {
        let mut out = Extracted::default();
        out.read.bytes = file as u64;
        Self {
            input,
            resources: Resources::default(),
            blocks: HashMap::new(),
            out,
            strings_left: input.budget().strings,
            bytes_left: file.saturating_mul(32).clamp(1 << 20, file.saturating_mul(4).max(64 << 20)),
        }
    }

    /// Nothing more will be taken.
    pub(super) const fn is_full(&self) -> bool {
        self.strings_left == 0 || self.bytes_left == 0 || self.input.meter.is_spent()
    }

    /// Adds a value; `name` is asked for where it becomes a fact.
    pub(super) fn add(&mut self, id: u32, config: &str, value: Value, name: impl FnOnce() -> String) {
        if self.is_full() || !self.input.meter.step() {
            return;
        }
        self.strings_left -= 1;
        self.bytes_left = self.bytes_left.saturating_sub(config.len());
        if let Value::Text(text) = &value {
            if text.is_empty() {
                return;
            }
            if !is_path(text) {
                self.fact(config, &name(), text);
            }
        }
        if let Value::Text(text) = &value {
            self.bytes_left = self.bytes_left.saturating_sub(text.len());
        }
        self.resources.values.entry(id).or_default().push((config.to_owned(), value));
    }

    /// Counts a value of no words.
    pub(super) const fn skip(&mut self) {
        self.strings_left = self.strings_left.saturating_sub(1);
    }

    /// Lets documents refer to a resource by its name.
    pub(super) fn name(&mut self, id: u32, name: &str) {
        self.bytes_left = self.bytes_left.saturating_sub(name.len());
        if !self.resources.names.contains_key(name) {
            self.resources.names.insert(name.to_owned(), id);
        }
    }

    fn fact(&mut self, config: &str, name: &str, text: &str) {
        self.bytes_left = self.bytes_left.saturating_sub(name.len());
        if !self.blocks.contains_key(config) {
            self.blocks.insert(config.to_owned(), Block::new(Kind::Resource, self.input.place, ""));
        }
        let Some(block) = self.blocks.get_mut(config) else { return };
        if config.is_empty() {
            block.push_named(name, text);
        } else {
            block.push_named(&format!("{name} [{config}]"), text);
        }
    }

    /// Where a table does not decode, its strings are words all the same.
    fn or_strings(&mut self, read: Result<(), String>) {
        if let Err(reason) = read {
            self.out.limits.push(Limit::new(LimitCode::BadResources, self.input.place, reason));
            native::read(self.input, Kind::Resource, &mut self.out);
        }
    }

    fn finish(mut self) -> (Resources, Extracted) {
        if self.strings_left == 0 || self.bytes_left == 0 {
            self.out.limits.push(Limit::new(
                LimitCode::OverBudget,
                self.input.place,
                "more strings than the budget allows",
            ));
        }
        let mut blocks: Vec<(String, Block)> = self.blocks.into_iter().collect();
        // Chinese first: reviewers read it first, and evidence keeps the first places.
        blocks.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
        let mut facts = crate::model::Facts::default();
        for (_, block) in blocks {
            self.out.read.strings += block.len() as u64;
            facts.push(block);
        }
        facts.append(std::mem::take(&mut self.out.facts));
        self.out.facts = facts;
        (self.resources, self.out)
    }
}

/// The order of facts: simplified Chinese, other Chinese, the default, the rest.
fn rank(config: &str) -> u8 {
    let is_chinese = config.starts_with("zh") || config.contains("-zh") || config.contains("+zh");
    match (is_chinese, config.is_empty()) {
        (true, _) if ["TW", "HK", "MO", "Hant"].iter().any(|region| config.contains(region)) => 1,
        (true, _) => 0,
        (false, true) => 2,
        (false, false) => 3,
    }
}

/// A file of the package, `res/layout/main.xml` or, obfuscated, `r/a/b.xml`: no words.
fn is_path(text: &str) -> bool {
    const ENDINGS: &[&str] = &["xml", "png", "webp", "jpg", "jpeg", "gif", "ttf", "otf", "mp3", "ogg", "json", "txt"];
    text.starts_with("res/")
        || text.contains('/')
            && !text.contains([' ', ':'])
            && text.is_ascii()
            && text.rsplit_once('.').is_some_and(|(_, end)| ENDINGS.contains(&end))
}
