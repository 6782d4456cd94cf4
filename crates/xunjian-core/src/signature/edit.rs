//! Changes to signature files that keep what people wrote around them.

use std::collections::BTreeMap;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Value};

use super::PackError;

/// The text of a signature file with new weights for some of its clues. Comments, order
/// and layout stay.
///
/// # Errors
/// Where the text is no TOML, or a clue that is named is not there with a weight.
pub fn reweigh(file: &str, text: &str, weights: &BTreeMap<&str, i32>) -> Result<String, PackError> {
    let fault = |offset: usize, message: String| PackError::at(file, text, offset, message);
    let mut document: DocumentMut = text
        .parse()
        .map_err(|e: toml_edit::TomlError| fault(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
    let mut left = weights.clone();
    let clues = document.get_mut("clue").and_then(Item::as_array_of_tables_mut);
    for clue in clues.into_iter().flat_map(ArrayOfTables::iter_mut) {
        let Some(new) = clue.get("id").and_then(Item::as_str).and_then(|id| left.remove(id)) else { continue };
        if let Some(value) = clue.get_mut("weight").and_then(Item::as_value_mut) {
            let around = value.decor().clone();
            *value = Value::from(i64::from(new));
            *value.decor_mut() = around;
        }
    }
    match left.keys().next() {
        Some(id) => Err(fault(0, format!("no clue `{id}`"))),
        None => Ok(document.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\ntitle = { zh = \"题\", en = \"t\" }\n\n[[clue]]   # one\nid = \"a\"\nweight =  7  # seven\n\n[[clue]]\nid = \"b\"\nweight = -3\n";

    #[test]
    fn only_the_number_changes() {
        let new = reweigh("f.toml", TEXT, &BTreeMap::from([("a", 12)])).unwrap();
        assert_eq!(new, TEXT.replace("7  #", "12  #"));
        assert_eq!(reweigh("f.toml", TEXT, &BTreeMap::new()).unwrap(), TEXT);
    }

    #[test]
    fn a_clue_that_is_not_there_is_a_fault() {
        let fault = reweigh("f.toml", TEXT, &BTreeMap::from([("c", 1)])).unwrap_err();
        assert_eq!(fault.to_string(), "f.toml:1:1: no clue `c`");
        assert!(reweigh("f.toml", "a = [", &BTreeMap::new()).is_err());
    }
}
