//! What findings rest on: rules, whether they bind, and the words of theirs that are cited.

use serde::{Deserialize, Serialize};

use super::Words;

/// Whether a rule binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// In force, and its words are at hand.
    InForce,
    /// In force as far as reports say; its text is not at hand.
    Reported,
    /// Put out for comment; it never bound anyone.
    Draft,
    /// Another rule took its place.
    Superseded,
}

impl Status {
    /// Its id, as files and reports write it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::InForce => "in-force",
            Self::Reported => "reported",
            Self::Draft => "draft",
            Self::Superseded => "superseded",
        }
    }

    /// A letter may cite it: it is neither a draft nor superseded.
    #[must_use]
    pub const fn binds(self) -> bool {
        matches!(self, Self::InForce | Self::Reported)
    }
}

/// How sure the words of an article are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// Compared with the text.
    Verbatim,
    /// As a press report or reprint quotes them; the text was not seen.
    Reported,
}

/// What a policy or an instrument says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Id: the name of its file.
    pub id: String,
    /// Full title.
    pub title: Words,
    /// Whether it binds.
    pub status: Status,
    /// Who issued it.
    pub issuer: Words,
    /// Number of the document; empty where none was seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// Day or month of issue, as `2022-04-27` or `2021-09`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issued: String,
    /// Day from which it binds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub in_force: String,
    /// Day until which it binds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub until: String,
    /// Id of what took its place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub superseded_by: String,
    /// Official address of the text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Where it binds; empty for the whole country.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// How complete the text at hand is, and where it comes from.
    pub source: Words,
    /// Languages of the rule itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
}

/// What follows a breach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sanction {
    /// Citation, e.g. `《未成年人保护法》第一百二十七条`.
    pub clause: String,
    /// Its words.
    pub text: String,
}

/// Why a ground does not carry a finding of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misfit {
    /// It is about another kind of education app.
    Kind,
    /// It is about learners of other stages.
    Stage,
}

impl Misfit {
    /// Its id, as reports write it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Stage => "stage",
        }
    }
}

/// A ground of a finding: an article, and how it stands to the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cited {
    /// Ids of the policies that rest on it.
    pub policies: Vec<String>,
    /// Id of the instrument.
    pub instrument: String,
    /// Title of the instrument.
    pub title: Words,
    /// Number of the instrument; empty where none was seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// Citation for print, e.g. `《未成年人保护法》第七十四条第三款`.
    pub clause: String,
    /// Article, e.g. `第七十四条第三款`.
    pub article: String,
    /// Its words.
    pub text: String,
    /// How sure the words are.
    pub known: Known,
    /// Whether the instrument binds.
    pub status: Status,
    /// Day from which it binds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub in_force: String,
    /// Where it binds; empty for the whole country.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Where the words were seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// What follows a breach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sanction: Option<Sanction>,
    /// It carries the finding.
    pub carries: bool,
    /// Why it does not fit the app; it is shown, and carries nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misfits: Vec<Misfit>,
    /// The clause that the sign began with, for tracing only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lineage: bool,
}

/// Ids of the policies whose grounds carry, in the order of their first.
pub(super) fn standing_under(grounds: &[Cited]) -> Vec<String> {
    let mut policies: Vec<String> = Vec::new();
    for policy in grounds.iter().filter(|ground| ground.carries).flat_map(|ground| &ground.policies) {
        if !policies.contains(policy) {
            policies.push(policy.clone());
        }
    }
    policies
}
