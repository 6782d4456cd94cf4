//! JSON schema of signature files, for editors: made from the structs that read them.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::library::CATEGORIES;
use super::syntax::{OneOrMany, SignatureFile};
use crate::model::Kind;

/// Keys of which a clue has at least one: what makes it hold.
const FORMS: &[&str] = &["any", "regex", "library", "model", "all", "any-of", "none", "not"];

/// The schema of `signatures/<sign>/<name>.toml`. Draft 7, which TOML editors read.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<SignatureFile>().to_value();
    without_null(&mut schema);
    schema["title"] = "xunjian signature".into();
    let forms: Vec<Value> = FORMS.iter().map(|key| json!({ "required": [key] })).collect();
    schema["definitions"]["ClueFile"]["anyOf"] = forms.into();
    // Lost where the facts are merged with the other keys of an example.
    schema["definitions"]["Example"]["additionalProperties"] = false.into();
    schema
}

/// TOML has no null: a key that may be left out has the type it has when it is there.
fn without_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(object) => {
            object.retain(|key, value| key != "default" || !value.is_null());
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

/// Fact kinds and the words for several of them.
pub(super) fn kinds(_: &mut SchemaGenerator) -> Schema {
    let several = ["pitch", "listing", "inside", "text", "all"];
    let words: Vec<&str> = several.into_iter().chain(Kind::ALL.iter().map(|kind| kind.id())).collect();
    json_schema!({ "type": "array", "items": { "type": "string", "enum": words } })
}

/// Categories of the library catalogue.
pub(super) fn category(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": CATEGORIES })
}

/// Places in the profile that collect what a clue matches.
pub(super) fn collected(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["filing-numbers", "provider", "credit-codes"] })
}

/// An example's facts: a key a kind, and no other keys.
pub(super) fn facts(generator: &mut SchemaGenerator) -> Schema {
    let texts = generator.subschema_for::<OneOrMany>();
    let kinds: serde_json::Map<String, Value> =
        Kind::ALL.iter().map(|kind| (kind.id().to_owned(), texts.clone().to_value())).collect();
    json_schema!({ "type": "object", "properties": kinds, "additionalProperties": false })
}
