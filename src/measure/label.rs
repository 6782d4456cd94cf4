//! Labels: what a person said of an example.

use std::collections::BTreeMap;

use super::CorpusError;
use crate::model::Sign;

/// What a labeller said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// It is so.
    Yes,
    /// It is not.
    No,
    /// Arguable: neither learnt from nor judged by.
    Unclear,
}

/// Labels of one example: `education` or a sign id to what was said.
pub type Labels = BTreeMap<String, Label>;

/// Short names of labels, as flat files use them, and what they stand for.
pub(super) const SHORT: &[(&str, &str)] = &[
    ("education", "education"),
    ("preschool", "preschool-training"),
    ("subject", "subject-tutoring"),
    ("photo", "photo-search"),
    ("live", "live-tutoring"),
    ("adsgames", "adsgames"),
];

impl Label {
    /// Reads `y`, `n` or `u`.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        match word {
            "y" => Ok(Self::Yes),
            "n" => Ok(Self::No),
            "u" => Ok(Self::Unclear),
            _ => Err(format!("label `{word}`: use y, n or u")),
        }
    }

    /// Yes or no, where it was said.
    #[must_use]
    pub const fn is_yes(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Unclear => None,
        }
    }

    /// As it stands in files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Yes => "y",
            Self::No => "n",
            Self::Unclear => "u",
        }
    }
}

/// The full name of a label: `education`, a sign's id, or what a short name stands for.
#[must_use]
pub fn label_name(word: &str) -> Option<&'static str> {
    let short = SHORT.iter().find(|(short, _)| *short == word).map(|(_, name)| *name);
    short.or_else(|| Sign::from_id(word).map(Sign::id))
}

/// Labels by id of the example from a tab-separated table. `columns` name its columns;
/// without them its first line does. Columns that name no label are passed over.
///
/// # Errors
/// A table without ids or labels, and the line with a label of another kind.
pub fn read_table(
    name: &str,
    text: &str,
    columns: &[String],
    into: &mut BTreeMap<String, Labels>,
) -> Result<(), CorpusError> {
    let fault = |line: usize, reason: String| CorpusError::Line(name.into(), line, reason);
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header: Vec<String> = if columns.is_empty() {
        lines.next().map_or_else(Vec::new, |(_, line)| line.split('\t').map(str::to_owned).collect())
    } else {
        columns.to_vec()
    };
    let id = header.iter().position(|column| column == "id");
    let labels: Vec<(usize, &str)> =
        header.iter().enumerate().filter_map(|(index, column)| Some((index, label_name(column.trim())?))).collect();
    let Some(id) = id.filter(|_| !labels.is_empty()) else {
        return Err(fault(1, format!("no column `id` or no label among {header:?}; name them with --columns")));
    };
    for (index, line) in lines {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or("");
        for (at, label) in &labels {
            let said = Label::parse(cell(*at)).map_err(|reason| fault(index + 1, reason))?;
            into.entry(cell(id).to_owned()).or_default().insert((*label).to_owned(), said);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_a_header_or_are_given_one() {
        let mut into = BTreeMap::new();
        read_table("t.tsv", "id\tsubject\na\ty\n", &[], &mut into).unwrap();
        let columns = ["id", "note", "subject-tutoring"].map(str::to_owned);
        read_table("u.tsv", "b\tn\tu\n", &columns, &mut into).unwrap();
        assert_eq!(into["a"]["subject-tutoring"], Label::Yes);
        assert_eq!(into["b"], Labels::from([("subject-tutoring".into(), Label::Unclear)]));
        let fault = read_table("v.tsv", "b\tn\n", &columns, &mut into).unwrap_err();
        assert!(fault.to_string().starts_with("v.tsv:1: label ``"), "{fault}");
        assert!(read_table("w.tsv", "b\tn\n", &[], &mut into).is_err());
    }
}
