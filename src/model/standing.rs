//! Registers and what they say of an app.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Standing;

/// Which register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum RegisterKind {
    /// Licences to teach school subjects online.
    Licence,
    /// Filings of education apps.
    Filing,
    /// Apps and providers examined and filed.
    White,
    /// To be mended by a date.
    Grey,
    /// Not mended.
    Black,
}

impl RegisterKind {
    /// Every register.
    pub const ALL: &[Self] = &[Self::Licence, Self::Filing, Self::White, Self::Grey, Self::Black];

    /// Its word.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Licence => "licence",
            Self::Filing => "filing",
            Self::White => "white",
            Self::Grey => "grey",
            Self::Black => "black",
        }
    }
}

/// One row. What a register does not have is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    /// Row number in the file, from 1, the header counted.
    pub row: usize,
    /// Provider as written.
    pub provider: String,
    /// Unified social credit code.
    pub credit_code: String,
    /// App name.
    pub app: String,
    /// Package name.
    pub package: String,
    /// Filing or licence number.
    pub number: String,
    /// Last day of validity, or day to mend by, as `YYYY-MM-DD`.
    pub until: String,
}

/// What a register says of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Listed, not listed, not checked.
    pub standing: Standing,
    /// The row that lists it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<Row>,
    /// It is listed, but no longer valid.
    pub expired: bool,
    /// Rows that nearly fit, for a person to compare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Row>,
}

impl Answer {
    /// Without a register there is no answer.
    #[must_use]
    pub const fn not_checked() -> Self {
        Self { standing: Standing::NotChecked, row: None, expired: false, near: Vec::new() }
    }

    /// Listed, and valid.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.standing == Standing::Listed && !self.expired
    }
}

/// An answer per register.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Standings {
    /// By register; one that is not at hand has none.
    pub answers: BTreeMap<RegisterKind, Answer>,
}

impl Standings {
    /// The answer of one register.
    #[must_use]
    pub fn of(&self, kind: RegisterKind) -> Answer {
        self.answers.get(&kind).cloned().unwrap_or_else(Answer::not_checked)
    }
}
