//! Policies: which clause stands behind a sign, how severe it is, how common.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::PackError;
use crate::model::{Severity, Sign, Words};

/// `signatures/policies/<id>.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Its id: the file's name.
    #[serde(default)]
    pub id: String,
    /// Name of the rule it carries.
    pub title: Words,
    /// Where the text comes from, and how complete it is.
    pub source: Words,
    /// Base rate of education apps, in decibans.
    pub education_prior: i32,
    /// Findings below this probability are not raised.
    #[serde(default = "default_report_from")]
    pub report_from: f64,
    /// Sign id to what the policy says of it.
    pub signs: BTreeMap<String, SignPolicy>,
}

const fn default_report_from() -> f64 {
    0.2
}

/// What a policy says of one sign.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignPolicy {
    /// Clause number.
    pub clause: String,
    /// The clause's own words.
    pub clause_text: String,
    /// Known from reports only, not from the full text.
    #[serde(default)]
    pub reported: bool,
    /// Severity.
    pub severity: Severity,
    /// Base rate among education apps, in decibans.
    pub prior: i32,
}

impl Policy {
    /// Reads and checks one policy file.
    ///
    /// # Errors
    /// A syntax error, an unknown sign, or a sign that is missing.
    pub fn parse(file: &str, id: &str, text: &str) -> Result<Self, PackError> {
        let mut policy: Self = toml::from_str(text)
            .map_err(|e| PackError::at(file, text, e.span().map_or(0, |s| s.start), e.message()))?;
        policy.id = id.into();
        if let Some(unknown) = policy.signs.keys().find(|k| Sign::from_id(k).is_none()) {
            let offset = text.find(unknown.as_str()).unwrap_or(0);
            let known = Sign::ALL.iter().map(|s| s.id()).collect::<Vec<_>>().join(", ");
            return Err(PackError::at(file, text, offset, format!("no sign `{unknown}`; signs are {known}")));
        }
        if let Some(missing) = Sign::ALL.iter().find(|s| !policy.signs.contains_key(s.id())) {
            return Err(PackError::at(file, text, 0, format!("sign `{missing}` is missing")));
        }
        Ok(policy)
    }

    /// What it says of a sign.
    #[must_use]
    pub fn of(&self, sign: Sign) -> Option<&SignPolicy> {
        self.signs.get(sign.id())
    }
}
