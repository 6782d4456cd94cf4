//! From clue to finding: evidence, checks and findings.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Cited, Kinds, Known, Sign};

/// How much the clause weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A formality.
    Low,
    /// A duty.
    Medium,
    /// A prohibition.
    High,
}

/// How sure the evidence makes us. Kept apart from [`Severity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Worth a look when there is time.
    Weak,
    /// More likely than not.
    Likely,
    /// At least 90 %.
    Strong,
}

impl Confidence {
    /// Confidence from a probability: `likely` from 50 %, `strong` from 90 %.
    #[must_use]
    pub fn of(probability: f64) -> Self {
        if probability >= 0.9 {
            Self::Strong
        } else if probability >= 0.5 {
            Self::Likely
        } else {
            Self::Weak
        }
    }
}

/// What looking for a sign came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Evidence enough for a person to look.
    Found,
    /// Looked everywhere it could be, and it is not there.
    NotFound,
    /// Part of where it could be was not read.
    NotAssessable,
}

/// The provider's place on a register that clears or aggravates a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// On the register.
    Listed,
    /// Not on the register.
    NotListed,
    /// No register was given, or none applies.
    NotChecked,
}

/// How a term was disguised where it was matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trick {
    /// Characters strewn between those of the term.
    Strewn,
    /// Another spelling: pinyin, homophone, look-alike.
    Respelt,
}

/// A fact on which a clue held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Signature, e.g. `photo-search/wording`.
    pub signature: String,
    /// Clue within it.
    pub clue: String,
    /// What the fact is: text, class, component, library, permission, domain, asset, listing, …
    pub kind: Cow<'static, str>,
    /// Decibans this clue adds to the sum. Of a group, only the strongest adds.
    pub weight: i32,
    /// Group of correlated clues.
    pub group: String,
    /// `false` when a stronger clue of the group stands for it.
    pub counted: bool,
    /// The words in their surroundings.
    pub text: String,
    /// Which characters of `text` matched: start and end, counted in characters.
    pub mark: Option<[usize; 2]>,
    /// Where it stands.
    #[serde(rename = "where")]
    pub place: String,
    /// How often the clue held.
    pub times: usize,
    /// Why the clue counts, in both languages.
    pub why: Words,
    /// The canonical term, when the text wrote it differently.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_as: Option<WrittenAs>,
    /// What stands there in a picture, its box drawn: a JPEG as a `data:` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_out: Option<String>,
}

/// A phrase in Chinese and English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Words {
    /// The phrase in a language: `en`, else Chinese.
    #[must_use]
    pub fn get(&self, lang: &str) -> &str {
        if lang == "en" { &self.en } else { &self.zh }
    }
}

/// A term that the text spelt another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenAs {
    /// The term as a dictionary writes it.
    pub term: String,
    /// How it was disguised.
    pub trick: Trick,
}

/// One line of a sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// Group, or `base-rate`.
    pub group: Cow<'static, str>,
    /// Decibans.
    pub weight: i32,
}

/// The outcome of one sign for one app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Sign.
    pub sign: Sign,
    /// Outcome.
    pub outcome: Outcome,
    /// Probability from the sum.
    pub probability: f64,
    /// Kinds of facts that were there to be searched.
    pub searched: Kinds,
    /// The sum, line by line, in decibans.
    pub sum: Vec<Contribution>,
    /// Codes of the limits that make it not assessable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Cow<'static, str>>,
    /// The policy is silent on the sign: whatever the outcome, it is not raised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// A check that a person should look at. A sign, never a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id: see [`Finding::id_of`].
    pub id: String,
    /// Sign.
    pub sign: Sign,
    /// Clause of the first ground.
    pub clause: String,
    /// The clause's own words.
    pub clause_text: String,
    /// The words are known from newspaper reports only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reported: bool,
    /// Ids of the policies that it stands under; none where no ground fits the app.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Everything it rests on: first what fits the app, local before national, then what does not,
    /// last where the sign comes from.
    #[serde(default)]
    pub grounds: Vec<Cited>,
    /// Severity, from the clause.
    pub severity: Severity,
    /// Confidence, from the probability.
    pub confidence: Confidence,
    /// Probability, from the sum.
    pub probability: f64,
    /// Standing of the provider.
    pub standing: Standing,
    /// The sum, line by line.
    pub sum: Vec<Contribution>,
    /// Evidence, strongest first. Never empty.
    pub evidence: Vec<Evidence>,
}

/// What the policy and the registers say of a finding.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Articles, in the order of print.
    pub cited: Vec<Cited>,
    /// Severity.
    pub severity: Severity,
    /// Standing of the provider.
    pub standing: Standing,
}

impl Finding {
    /// Builds a finding; `None` without evidence, because a finding must be checkable.
    /// Evidence is put in the order of its weight, what counted first.
    #[must_use]
    pub fn new(
        sign: Sign,
        app: &super::Listed,
        ground: Ground,
        (probability, sum): (f64, Vec<Contribution>),
        mut evidence: Vec<Evidence>,
    ) -> Option<Self> {
        evidence.sort_by(|a, b| {
            b.counted.cmp(&a.counted).then(b.weight.abs().cmp(&a.weight.abs())).then_with(|| a.clue.cmp(&b.clue))
        });
        let first = ground.cited.first();
        (!evidence.is_empty()).then(|| Self {
            id: Self::id_of(sign, app),
            sign,
            clause: first.map_or_else(String::new, |first| first.clause.clone()),
            clause_text: first.map_or_else(String::new, |first| first.text.clone()),
            reported: first.is_some_and(|first| first.known == Known::Reported),
            policies: super::law::standing_under(&ground.cited),
            grounds: ground.cited.clone(),
            severity: ground.severity,
            confidence: Confidence::of(probability),
            probability,
            standing: ground.standing,
            sum,
            evidence,
        })
    }

    /// Tells evidence that changed from evidence that only moved: a hash over signatures, clues and
    /// texts, without places and weights, which move with every build and every calibration.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut items: Vec<[&str; 3]> =
            self.evidence.iter().filter(|e| e.counted).map(|e| [&*e.signature, &*e.clue, &*e.text]).collect();
        items.sort_unstable();
        items.dedup();
        let mut hash = Sha256::new();
        for part in items.iter().flatten() {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize()[..8])
    }

    /// Hash of sign and listed app: neither the package inside, which several listings may hand
    /// out, nor the policy, the pack or the version, which come and go; so that a corrected
    /// pattern, another policy or a new version keeps a reviewer's verdict, and no two apps share one.
    #[must_use]
    pub fn id_of(sign: Sign, app: &super::Listed) -> String {
        digest(&["listed", sign.id(), &app.store, &app.name])
    }

    /// The id by the scheme of before: sign, store, the package's own name (listing id or title
    /// where no package is known) and policy. Bags and events of then carry it.
    #[must_use]
    pub fn former_id_of(sign: Sign, app: &super::App, policy: &str) -> String {
        let name = [&app.package, &app.id, &app.title].into_iter().find(|s| !s.is_empty());
        digest(&[sign.id(), &app.store, name.map_or("", |s| s), policy])
    }
}

/// The first eight bytes of a hash over texts and their lengths, in lower-case hex.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..8])
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
