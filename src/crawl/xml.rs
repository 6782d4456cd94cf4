//! XML seen as JSON, so that one kind of path finds values in both.
//!
//! An element that holds text alone is that text; any other is an object: its attributes by `@name`, its text under
//! `#`, its children by their names without prefix, each a list in the order they come. So `$.result[*].appId`
//! and `$..value[?@['@name'] == 'GUID']['#']` find what they say.

use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

use super::charset;
use super::linked::entities;

/// Elements nest no deeper in a store's answer.
const DEPTH_MAX: usize = 64;
/// Elements and attributes of one answer.
const NODES_MAX: usize = 200_000;

/// An element that is open.
#[derive(Default)]
struct Open {
    name: String,
    members: Map<String, Value>,
    text: String,
}

/// Reads XML. What is not closed at the end counts as closed there, so that half an answer is half an answer: the
/// fields it lacks are missing.
///
/// # Errors
/// When it is no XML, or none that a store answers with.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = quick_xml::Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut open = vec![Open::default()];
    let mut nodes = 0_usize;
    loop {
        match reader.read_event().map_err(|e| format!("no XML: {e}"))? {
            Event::Start(tag) => open.push(begun(&tag, &mut nodes)?),
            Event::Empty(tag) => {
                let one = begun(&tag, &mut nodes)?;
                ended(one, &mut open);
            }
            Event::End(_) if open.len() > 1 => {
                let one = open.pop().unwrap_or_default();
                ended(one, &mut open);
            }
            Event::Text(text) => put(&mut open, &text),
            Event::CData(text) => put(&mut open, &text),
            Event::GeneralRef(name) => put(&mut open, &entities(&format!("&{};", &*name))),
            // Entities of its own, and what they stand for, are no store's to send.
            Event::DocType(_) => return Err("no XML of a store: it declares a document type".into()),
            Event::Eof => break,
            _ => {}
        }
        if open.len() > DEPTH_MAX || nodes > NODES_MAX {
            return Err(format!("no XML of a store: {nodes} elements, {} deep", open.len()));
        }
    }
    while open.len() > 1 {
        let one = open.pop().unwrap_or_default();
        ended(one, &mut open);
    }
    let whole = open.pop().unwrap_or_default();
    if whole.members.is_empty() { Err("no XML: there is no element".into()) } else { Ok(Value::Object(whole.members)) }
}

/// The XML of a body, in the charset that its declaration names where it is not UTF-8.
pub(super) fn text_of(body: &[u8], kind: Option<&str>) -> (String, usize) {
    let head = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
    let declared = head.split_once("encoding=").map(|(_, rest)| format!("text/xml; charset={rest}"));
    charset::decode(body, declared.as_deref().or(kind))
}

fn begun(tag: &BytesStart<'_>, nodes: &mut usize) -> Result<Open, String> {
    *nodes += 1;
    let mut one = Open { name: local(tag.name().as_ref()).to_owned(), ..Open::default() };
    for attribute in tag.attributes() {
        *nodes += 1;
        let attribute = attribute.map_err(|e| format!("no XML: {e}"))?;
        let name = format!("@{}", local(attribute.key.as_ref()));
        one.members.insert(name, entities(&attribute.value).into());
    }
    Ok(one)
}

fn ended(one: Open, open: &mut [Open]) {
    let text = one.text.trim();
    let value = if one.members.is_empty() {
        Value::from(text)
    } else {
        let mut members = one.members;
        if !text.is_empty() {
            members.insert("#".into(), text.into());
        }
        Value::Object(members)
    };
    let Some(parent) = open.last_mut() else { return };
    if let Value::Array(all) = parent.members.entry(one.name).or_insert_with(|| Value::Array(Vec::new())) {
        all.push(value);
    }
}

fn put(open: &mut [Open], text: &str) {
    // Outside of any element there is nothing to say.
    if open.len() > 1
        && let Some(one) = open.last_mut()
    {
        one.text.push_str(text);
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn xml_is_read_as_json_is() {
        let text = "<?xml version='1.0'?><p:answer v=\"1 &amp; 2\"><list><value name=\"GUID\">cn.example.a</value>\
                    <value name=\"n\"><![CDATA[题 & <山>]]></value></list><list/><code>0</code>t&#101;xt</p:answer>";
        let wanted = json!({ "answer": [{ "@v": "1 & 2", "#": "text", "code": ["0"], "list": [
            { "value": [{ "@name": "GUID", "#": "cn.example.a" }, { "@name": "n", "#": "题 & <山>" }] }, ""] }] });
        assert_eq!(read(text), Ok(wanted));
        // Half of it is half of it, and names that do not match end what is open.
        assert_eq!(read("<a><b>1</c><d>2"), Ok(json!({ "a": [{ "b": ["1"], "d": ["2"] }] })));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "nothing", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a b=1 b=2></a>"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"<a>".repeat(100)).is_err());
        let gbk = encoding_rs::GBK.encode("<?xml version='1.0' encoding='GBK'?><a>题山</a>").0.into_owned();
        assert_eq!(read(&text_of(&gbk, None).0), Ok(json!({ "a": ["题山"] })));
    }
}
