//! An answer as a tree that can lose branches: JSON, markup, and JSON within markup, written again as it was read.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// Elements nest no deeper in what is cut; what does is one text.
const DEPTH_MAX: usize = 200;
/// Places of one script at which JSON may begin.
const STARTS_MAX: usize = 200;
/// Stands for what an app, or a person, says of itself.
const STAND: &str = "示例";

/// Elements that have no end (HTML, 13.1.2).
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

static ATTRIBUTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\s+[\w:@-]+(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?"#).ok());

/// A node: how it opens, what is in it, how it closes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Node {
    pub(super) open: String,
    pub(super) kids: Vec<Node>,
    glue: &'static str,
    close: String,
    /// Its children are told by their number.
    pub(super) is_counted: bool,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// Stays as it is.
    #[default]
    Fixed,
    /// A name in JSON, which without its value is none.
    Member,
    /// A string of JSON.
    String,
    /// Text of a page.
    Text,
    /// A tag, with attributes.
    Tag,
}

impl Node {
    /// A node that is nothing but this.
    pub(super) fn text(open: String) -> Self {
        Self { open, ..Self::default() }
    }

    /// The node there.
    pub(super) fn at(&mut self, path: &[usize]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, number| node.kids.get_mut(*number))
    }

    /// Its children may go.
    pub(super) fn is_open(&self) -> bool {
        self.kind != Kind::Member
    }

    /// All of it, as text.
    pub(super) fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.open);
        for (number, kid) in self.kids.iter().enumerate() {
            if number > 0 {
                out.push_str(self.glue);
            }
            kid.write(out);
        }
        out.push_str(&self.close);
    }

    /// Shorter ways to open it: without an attribute, with words of our own.
    pub(super) fn others(&self) -> Vec<String> {
        match self.kind {
            Kind::Fixed | Kind::Member => Vec::new(),
            Kind::String => vec![format!("\"{STAND}\"")],
            Kind::Text if self.open.trim().is_empty() => Vec::new(),
            Kind::Text => vec![STAND.into()],
            Kind::Tag => attributes(&self.open),
        }
    }
}

fn attributes(open: &str) -> Vec<String> {
    let Some(form) = ATTRIBUTE.as_ref() else { return Vec::new() };
    let mut found = Vec::new();
    for attribute in form.captures_iter(open) {
        let Some(whole) = attribute.get(0) else { continue };
        found.push([&open[..whole.start()], &open[whole.end()..]].concat());
        let value = (1..=3).find_map(|group| attribute.get(group)).filter(|value| value.as_str() != STAND);
        found.extend(value.map(|value| [&open[..value.start()], STAND, &open[value.end()..]].concat()));
    }
    found
}

/// Reads an answer as a tree.
pub(super) fn tree(text: &str) -> Node {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() || value.is_array() => json(&value, 0),
        _ => Reader { text, at: 0 }.elements(),
    }
}

fn json(value: &Value, depth: usize) -> Node {
    match value {
        _ if depth > DEPTH_MAX => Node::text(value.to_string()),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| Node {
                open: format!("{}:", Value::from(name.as_str())),
                kids: vec![json(value, depth + 1)],
                kind: Kind::Member,
                ..Node::default()
            };
            let kids = members.iter().map(member).collect();
            Node { open: "{".into(), kids, glue: ",", close: "}".into(), ..Node::default() }
        }
        Value::Array(all) => {
            let kids = all.iter().map(|value| json(value, depth + 1)).collect();
            Node { open: "[".into(), kids, glue: ",", close: "]".into(), is_counted: true, ..Node::default() }
        }
        Value::String(_) => Node { kind: Kind::String, ..Node::text(value.to_string()) },
        other => Node::text(other.to_string()),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn elements(mut self) -> Node {
        let mut open = vec![Node::default()];
        let mut names = vec![""];
        while let Some((text, tag)) = self.next() {
            let last = open.len() - 1;
            if !text.is_empty() {
                open[last].kids.push(Node { kind: Kind::Text, ..Node::text(text.to_owned()) });
            }
            let name = name_of(tag);
            if tag.starts_with("</") {
                // An end ends what it names, and what is open within that.
                let Some(to) = names.iter().rposition(|begun| begun.eq_ignore_ascii_case(name)).filter(|to| *to > 0)
                else {
                    open[last].kids.push(Node::text(tag.to_owned()));
                    continue;
                };
                while open.len() > to {
                    let mut node = open.pop().unwrap_or_default();
                    names.pop();
                    if open.len() == to {
                        node.close = tag.to_owned();
                    }
                    if let Some(parent) = open.last_mut() {
                        parent.kids.push(node);
                    }
                }
                continue;
            }
            let node = Node { kind: Kind::Tag, ..Node::text(tag.to_owned()) };
            let is_alone = name.is_empty() || tag.ends_with("/>") || VOID.contains(&&*name.to_ascii_lowercase());
            if is_alone || open.len() > DEPTH_MAX {
                open[last].kids.push(node);
            } else if matches!(&*name.to_ascii_lowercase(), "script" | "style") {
                open[last].kids.push(self.script(node, name));
            } else {
                open.push(node);
                names.push(name);
            }
        }
        while open.len() > 1 {
            let node = open.pop().unwrap_or_default();
            if let Some(parent) = open.last_mut() {
                parent.kids.push(node);
            }
        }
        open.pop().unwrap_or_default()
    }

    /// The text up to the next tag, and the tag; at the end an empty one once.
    fn next(&mut self) -> Option<(&'t str, &'t str)> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let is_tag =
            |at: &usize| rest[*at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        let start = rest.match_indices('<').map(|(at, _)| at).find(is_tag).unwrap_or(rest.len());
        let tag = &rest[start..];
        let end = match tag {
            _ if tag.starts_with("<!--") => tag.find("-->").map(|at| at + 3),
            _ if tag.starts_with("<![CDATA[") => tag.find("]]>").map(|at| at + 3),
            _ => tag.find('>').map(|at| at + 1),
        };
        let tag = &tag[..end.unwrap_or(tag.len())];
        self.at += start + tag.len();
        Some((&rest[..start], tag))
    }

    /// A script up to its end; JSON in it can lose branches as well.
    fn script(&mut self, mut node: Node, name: &str) -> Node {
        let rest = &self.text[self.at..];
        let lower = rest.to_ascii_lowercase();
        let end = lower.find(&format!("</{}", name.to_ascii_lowercase())).unwrap_or(rest.len());
        let close = rest[end..].find('>').map_or(rest.len(), |at| end + at + 1);
        let inside = &rest[..end];
        node.close = rest[end..close].to_owned();
        self.at += close;
        for (start, _) in inside.match_indices(['{', '[']).take(STARTS_MAX) {
            let mut stream = serde_json::Deserializer::from_str(&inside[start..]).into_iter::<Value>();
            if let Some(Ok(value)) = stream.next()
                && (value.is_object() || value.is_array())
            {
                let end = start + stream.byte_offset();
                let parts = [Node::text(inside[..start].into()), json(&value, 0), Node::text(inside[end..].into())];
                node.kids.extend(parts);
                return node;
            }
        }
        node.kids.push(Node { kind: Kind::Text, ..Node::text(inside.to_owned()) });
        node
    }
}

fn name_of(tag: &str) -> &str {
    let name = tag.trim_start_matches('<').trim_start_matches('/');
    let end = name.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(name.len());
    if name.starts_with(['!', '?']) { "" } else { &name[..end] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        for text in [
            r#"{"a":[1,"x",null,{"b":true}]}"#,
            "<!doctype html><html><body class=a><p>1<br>2<p>3</div></body><!-- <b> --></html>tail",
            "<a><![CDATA[x > y]]></a><b/>",
            "<script>var x = {y: 1}; window.d={\"a\":[1]};</script><i>",
            "1 < 2 and 3 > 2",
        ] {
            assert_eq!(tree(text).written(), text);
        }
        let page = tree("<script>window.d={\"a\":[1]};</script>");
        assert!(page.kids[0].kids.iter().any(|kid| kid.glue == ","), "{page:?}");
    }
}
