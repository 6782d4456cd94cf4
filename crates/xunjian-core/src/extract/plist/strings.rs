//! The form that `.strings` are written in: `/* note */ "key" = "value";`, keys without
//! quotes where they are plain words.

use serde_json::{Map, Value};

use crate::extract::unescape::unescape;

/// The pairs of a file, `None` where there are none.
pub(super) fn value(text: &str) -> Option<Value> {
    let mut members = Map::new();
    let mut rest = text;
    while let Some((key, after)) = token(rest) {
        rest = after;
        let Some(after) = skip(rest).strip_prefix('=') else { continue };
        let Some((value, after)) = token(after) else { break };
        rest = after;
        members.insert(key, Value::String(value));
    }
    (!members.is_empty()).then_some(Value::Object(members))
}

/// Behind blanks, comments and the ends of statements.
fn skip(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        let end = match rest.get(..2) {
            Some("/*") => "*/",
            Some("//") => "\n",
            _ => return rest,
        };
        rest = rest.find(end).map_or("", |at| &rest[at + end.len()..]);
    }
}

/// The next key or value, and what follows it.
fn token(text: &str) -> Option<(String, &str)> {
    let rest = skip(text);
    let Some(quoted) = rest.strip_prefix('"') else {
        let is_plain = |c: char| c.is_alphanumeric() || "_.-$".contains(c);
        let end = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
        // Whatever is neither a word nor in quotes is passed over one at a time.
        let end = if end == 0 { rest.chars().next()?.len_utf8() } else { end };
        return Some((rest[..end].to_owned(), &rest[end..]));
    };
    let mut is_escaped = false;
    let end = quoted.find(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    // The old form writes `\U62cd`.
    Some((unescape(&quoted[..end].replace("\\U", "\\u")).into_owned(), &quoted[end + 1..]))
}
