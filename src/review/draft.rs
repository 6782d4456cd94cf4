//! A signature's next example, drafted from a finding that a person found wrong.

use std::collections::BTreeMap;

use crate::model::{Evidence, Kind};

/// Examples of a signature file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    /// The file, below `signatures/`.
    pub(super) file: String,
    /// What goes to its end.
    pub(super) toml: String,
}

/// An example a signature: what it matched is to match no more.
pub(super) fn of(evidence: &[Evidence]) -> Vec<Draft> {
    let mut by_file: BTreeMap<&str, BTreeMap<&'static str, Vec<&str>>> = BTreeMap::new();
    for evidence in evidence.iter().filter(|evidence| evidence.weight > 0) {
        let Some(kind) = kind_of(evidence) else { continue };
        let texts = by_file.entry(&evidence.signature).or_default().entry(kind.id()).or_default();
        let text = evidence.text.trim().trim_matches('…');
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    by_file.into_iter().map(|(signature, facts)| draft(signature, &facts)).collect()
}

fn draft(signature: &str, facts: &BTreeMap<&'static str, Vec<&str>>) -> Draft {
    let mut toml = String::from("[[no-match]]\n");
    for (kind, texts) in facts {
        let values = texts.iter().map(|text| toml::Value::String((*text).to_owned()));
        let value = match texts.len() {
            1 => values.into_iter().next().map_or_else(String::new, |value| value.to_string()),
            _ => toml::Value::Array(values.collect()).to_string(),
        };
        toml.push_str(&format!("{kind} = {value}\n"));
    }
    Draft { file: format!("signatures/{signature}.toml"), toml }
}

/// The sort of fact a piece of evidence was; `None` for what no example can say, like a library.
fn kind_of(evidence: &Evidence) -> Option<Kind> {
    match &*evidence.kind {
        "listing" => {
            let field = evidence.place.split(';').next().unwrap_or_default().rsplit(' ').next().unwrap_or_default();
            Kind::from_id(field).or(Some(Kind::Description))
        }
        "text" | "combination" if evidence.place.contains("listing description") => Some(Kind::Description),
        "text" | "combination" if evidence.place.contains("listing title") => Some(Kind::Title),
        "text" | "combination" => Some(Kind::Resource),
        "asset" => Some(Kind::File),
        other => Kind::from_id(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Words;

    #[test]
    fn a_draft_is_toml_that_reads_back_whatever_the_words_are() {
        let evidence = |signature: &str, kind: &str, place: &str, text: &str| Evidence {
            signature: signature.into(),
            clue: "clue".into(),
            kind: kind.to_owned().into(),
            weight: 5,
            group: String::new(),
            counted: true,
            text: text.into(),
            mark: None,
            place: place.into(),
            times: 1,
            why: Words { zh: String::new(), en: String::new() },
            written_as: None,
            cut_out: None,
        };
        let drafts = of(&[
            evidence("a/b", "listing", "our-store listing description", "…\"]]\n[[match]]…"),
            evidence("a/b", "class", "x.apk!/classes.dex", "com.example.Camera"),
            evidence("a/c", "library", "x.apk", "an SDK"),
        ]);
        assert_eq!(drafts.len(), 1, "a library is no example");
        assert_eq!(drafts[0].file, "signatures/a/b.toml");
        let table: toml::Table = drafts[0].toml.parse().unwrap_or_default();
        let example = &table["no-match"][0];
        assert_eq!(example["description"].as_str(), Some("\"]]\n[[match]]"));
        assert_eq!(example["class"].as_str(), Some("com.example.Camera"));
    }
}
