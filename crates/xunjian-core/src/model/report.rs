//! The report: what one run hands to people and to the case backend.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{App, Artifact, Basis, Check, Coverage, Evidence, Finding, Standings};

/// Schema id of the report.
pub const SCHEMA: &str = "xunjian/report/1";

/// What made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// Version of xunjian.
    pub version: String,
    /// SHA-256 over every signature, library and policy file.
    pub pack_sha256: String,
    /// Policy id.
    pub policy: String,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What made it.
    pub made_by: MadeBy,
    /// One an app, in input order.
    pub audits: Vec<Audit>,
    /// What could not be audited, and why.
    pub skipped: Vec<Skipped>,
}

/// One app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Which app.
    pub app: App,
    /// Its files.
    pub artifacts: Vec<Artifact>,
    /// What sort of app it is.
    pub profile: Profile,
    /// What the registers at hand say; empty where none was given.
    #[serde(default, skip_serializing_if = "no_standings")]
    pub standings: Standings,
    /// What was read.
    pub coverage: Coverage,
    /// What the policies that judged it say of themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub basis: Vec<Basis>,
    /// All thirteen signs.
    pub checks: Vec<Check>,
    /// For a person to look at: the gravest first, then the most probable.
    pub findings: Vec<Finding>,
    /// Found, but the profile says that the notice does not cover this app, or no ground of the sign fits it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_of_scope: Vec<Finding>,
    /// Launcher icon as a `data:` address, for pages; not part of the JSON report.
    #[serde(skip)]
    pub icon: Option<String>,
}

fn no_standings(standings: &Standings) -> bool {
    standings.answers.is_empty()
}

/// Whether something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// More likely than not.
    Yes,
    /// Unlikely.
    No,
    /// It cannot be told: evidence both ways, or none either way.
    Unclear,
}

/// Is it an education app in the notice's sense (draft 二（一）)?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Education {
    /// The answer.
    pub verdict: Verdict,
    /// Its probability.
    pub probability: f64,
    /// Evidence both ways.
    pub evidence: Vec<Evidence>,
    /// Why it cannot be told: `nothing-seen`, `no-known-language`, `both-ways`; empty where it can.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
}

/// A third-party library in the package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LibraryFound {
    /// Product.
    pub name: String,
    /// Vendor.
    pub vendor: String,
    /// Category of the catalogue.
    pub category: String,
    /// First place that shows it.
    #[serde(rename = "where")]
    pub place: String,
    /// Only a trace (a few class names or a domain), which a stub leaves as well.
    pub faint: bool,
}

/// Who answers for an app, as its package says on a screen or an about page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Name of the company or body; empty where only numbers stand.
    pub name: String,
    /// Unified social credit codes (GB 32100) with a right check character.
    pub credit_codes: Vec<String>,
    /// Where the name stands, or the first number.
    #[serde(rename = "where")]
    pub place: String,
}

/// What a package asks of the system, as its manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    /// Lowest API level of Android that it runs on; 0 where it does not say.
    pub min_sdk: u32,
    /// API level that it is made for; 0 where it does not say.
    pub target_sdk: u32,
    /// Permissions by their full names, in the manifest's order.
    pub permissions: Vec<String>,
}

/// What sort of app it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Education app or not.
    pub education: Education,
    /// `subject`, `non-subject` or `unclear` (draft 二（二）).
    pub kind: String,
    /// Stages named.
    pub stages: Vec<String>,
    /// Subjects named.
    pub subjects: Vec<String>,
    /// Share of text per language, by characters, in whole per cent.
    pub languages: BTreeMap<String, u32>,
    /// Frameworks it is built with.
    pub framework: Vec<String>,
    /// Libraries in it.
    pub libraries: Vec<LibraryFound>,
    /// ICP and filing numbers as printed.
    pub filing_numbers: Vec<String>,
    /// Who answers for the app, as the package itself says; `None` where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// What the package asks of the system; `None` where no manifest of Android was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
}

/// An input that ended as no audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What was given.
    pub target: String,
    /// Stage that refused it.
    pub stage: String,
    /// Sort of reason: the id of an outcome of fetching, or another of `skip_code` in the words.
    /// Reports say it in the reader's language.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Why, and what to do: facts in English.
    pub reason: String,
}
