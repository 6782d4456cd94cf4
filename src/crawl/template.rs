//! Request templates: text with `{name}` in it.

use std::collections::BTreeMap;

/// How a value is written where it is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// Percent-encoded but for unreserved characters (RFC 3986, 2.3).
    Url,
    /// As the inside of a JSON text.
    Json,
    /// As text or an attribute's value in XML.
    Xml,
    /// As it is.
    None,
}

/// Fills a template. A brace that opens no name stands for itself, so JSON bodies need no escapes.
/// Names in `plain` are put in as they are (the hosts of a store).
///
/// # Errors
/// The first name that has no value.
pub(super) fn fill(
    template: &str,
    vars: &BTreeMap<String, String>,
    plain: &BTreeMap<String, String>,
    escape: Escape,
) -> Result<String, String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let Some(name) = name_at(rest) else {
            out.push('{');
            rest = &rest[1..];
            continue;
        };
        match (plain.get(name), vars.get(name)) {
            (Some(value), _) => out.push_str(value.trim_end_matches('/')),
            (None, Some(value)) => out.push_str(&escaped(value, escape)),
            (None, None) => return Err(name.to_owned()),
        }
        rest = &rest[name.len() + 2..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Names a template asks for.
pub(super) fn names(template: &str) -> Vec<&str> {
    template.match_indices('{').filter_map(|(at, _)| name_at(&template[at..])).collect()
}

/// The name between the brace that `text` begins with and its end.
fn name_at(text: &str) -> Option<&str> {
    let name = &text[1..=text.find('}')?].trim_end_matches('}');
    let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    fits.then_some(name)
}

fn escaped(value: &str, escape: Escape) -> String {
    match escape {
        Escape::None => value.to_owned(),
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
        Escape::Xml => quick_xml::escape::escape(value).into_owned(),
        Escape::Url => {
            let mut out = String::new();
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(byte as char);
                } else {
                    out.push_str(&format!("%{byte:02X}"));
                }
            }
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_where_they_are_put_in() {
        let vars = BTreeMap::from([("words".to_owned(), "拍照 &\"搜题".to_owned())]);
        let hosts = BTreeMap::from([("api".to_owned(), "https://a.example/".to_owned())]);
        assert_eq!(
            fill("{api}/s?q={words}", &vars, &hosts, Escape::Url).unwrap(),
            "https://a.example/s?q=%E6%8B%8D%E7%85%A7%20%26%22%E6%90%9C%E9%A2%98"
        );
        assert_eq!(fill("{\"q\":\"{words}\"}", &vars, &hosts, Escape::Json).unwrap(), "{\"q\":\"拍照 &\\\"搜题\"}");
        assert_eq!(fill("{nobody}", &vars, &hosts, Escape::Url), Err("nobody".into()));
        assert_eq!(names("{a}{ b }{c_1}{"), ["a", "c_1"]);
    }
}
