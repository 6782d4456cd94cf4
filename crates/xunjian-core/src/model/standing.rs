//! Registers and what they say of an app.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Standing;

/// Which register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// What led from an app to a row of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// A unified social credit code in its listing's texts.
    CreditCode,
    /// Its package name.
    Package,
    /// A filing or licence number in its texts.
    Number,
    /// Its provider, as the store prints it.
    Provider,
}

impl FoundBy {
    /// Its id in reports.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::CreditCode => "credit-code",
            Self::Package => "package",
            Self::Number => "number",
            Self::Provider => "provider",
        }
    }
}

/// What a register says of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Listed, not listed, not checked.
    pub standing: Standing,
    /// The row that lists it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<Row>,
    /// What led to the row. All but the provider's name, which the store prints, an app says of itself:
    /// a stranger can state another's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<FoundBy>,
    /// It is listed, but no longer valid.
    pub expired: bool,
    /// Rows that nearly fit, for a person to compare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Row>,
    /// Rows of the register that was looked through; 0 where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows: usize,
    /// The day on which validity was judged, `YYYY-MM-DD`; empty where there is no register.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub as_of: String,
    /// Filing numbers that the app shows, which were looked up too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
}

fn is_zero(rows: &usize) -> bool {
    *rows == 0
}

/// A register of fewer rows is told to be small: not standing on it says little.
pub const SMALL_REGISTER: usize = 50;

impl Answer {
    /// Without a register there is no answer.
    #[must_use]
    pub const fn not_checked() -> Self {
        Self {
            standing: Standing::NotChecked,
            row: None,
            by: None,
            expired: false,
            near: Vec::new(),
            rows: 0,
            as_of: String::new(),
            shown: Vec::new(),
        }
    }

    /// The register is at hand, but the app gives nothing to look it up by.
    #[must_use]
    pub fn is_unasked(&self) -> bool {
        self.standing == Standing::NotChecked && self.rows > 0
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
