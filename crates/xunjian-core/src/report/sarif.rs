//! `sarif`: findings for the tools that read SARIF 2.1.0 (OASIS, 2020).
//!
//! A sign is a rule, a finding a result, its pieces of evidence are related locations, and
//! the id of the finding is its fingerprint. Skips and what could not be read become
//! notifications, so that an empty list of results is not taken for a clean app.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::clean::{self, clean};
use super::words::{self, Lang, severity_id};
use super::{ReportWriter, Style, facts, law, table};
use crate::model::{Audit, Finding, MadeBy, Severity, Sign, Skipped};

/// Where the schema of the format lies.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes results as audits come, notifications at the end.
pub(super) struct Sarif {
    out: Box<dyn Write + Send>,
    lang: Lang,
    at: String,
    made_by: MadeBy,
    results: usize,
    notifications: Vec<Value>,
}

impl Sarif {
    pub(super) fn new(out: Box<dyn Write + Send>, style: &Style, made_by: MadeBy) -> Self {
        Self { out, lang: Lang::of(&style.lang), at: style.at.clone(), made_by, results: 0, notifications: Vec::new() }
    }

    fn open(&mut self) -> io::Result<()> {
        let rules: Vec<Value> = Sign::ALL
            .iter()
            .map(|&sign| json!({ "id": sign.id(), "shortDescription": { "text": words::sign(sign).get(self.lang) } }))
            .collect();
        let driver = json!({
            "name": "xunjian",
            "semanticVersion": self.made_by.version,
            "fullDescription": { "text": table::disclaimer(self.lang) },
            "properties": { "pack_sha256": self.made_by.pack_sha256, "policy": self.made_by.policy, "made_at": self.at },
            "rules": rules,
        });
        write!(
            self.out,
            "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\"columnKind\":\"unicodeCodePoints\",\"results\":["
        )
    }

    fn result(&mut self, audit: &Audit, finding: &Finding, in_scope: bool) -> io::Result<()> {
        if self.results == 0 {
            self.open()?;
        }
        let comma = if self.results == 0 { "" } else { "," };
        self.results += 1;
        write!(self.out, "{comma}\n{}", result(audit, finding, in_scope, self.lang))
    }

    fn notify(&mut self, level: &str, id: &str, text: &str, place: &str) {
        let mut notification = json!({ "level": level, "descriptor": { "id": id }, "message": { "text": text } });
        if !place.is_empty() {
            notification["locations"] = json!([{ "physicalLocation": { "artifactLocation": { "uri": uri(place) } } }]);
        }
        self.notifications.push(notification);
    }
}

fn result(audit: &Audit, finding: &Finding, in_scope: bool, lang: Lang) -> Value {
    let sign = words::sign(finding.sign);
    let title = facts::title(&audit.app);
    let message = format!(
        "{}: {} ({} {}). {}",
        title.get(lang),
        sign.get(lang),
        words::confidence(finding.confidence).get(lang),
        super::sum::percent(finding.probability),
        words::not_a_verdict().get(lang),
    );
    let related: Vec<Value> = finding
        .evidence
        .iter()
        .enumerate()
        .map(|(number, item)| {
            json!({
                "id": number,
                "physicalLocation": { "artifactLocation": { "uri": uri(&clean(&item.place, clean::TEXT)) } },
                "message": { "text": table::one_line(item, lang) },
            })
        })
        .collect();
    json!({
        "ruleId": finding.sign.id(),
        "kind": "review",
        "level": "none",
        "rank": (finding.probability * 1000.0).round() / 10.0,
        "message": { "text": message },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": uri(&home(audit)) } },
            "logicalLocations": [{ "name": clean(&audit.app.package, clean::NAME), "kind": "package" }],
        }],
        "relatedLocations": related,
        "partialFingerprints": { "finding/v1": finding.id },
        "properties": {
            "severity": severity_id(finding.severity),
            "security-severity": rank(finding.severity),
            "confidence": words::confidence_id(finding.confidence),
            "clause": clean(&finding.clause, clean::NAME),
            "clause_text": clean(&finding.clause_text, clean::TEXT),
            "policies": finding.policies,
            "grounds": finding.grounds,
            "banner": law::banner(&audit.basis).map(|text| text.get(lang).to_owned()),
            "sum": super::sum::written(&finding.sum, &finding.evidence, finding.probability, lang),
            "in_scope": in_scope,
            "sha256": audit.artifacts.iter().map(|a| a.sha256.as_str()).collect::<Vec<_>>(),
        },
    })
}

/// A severity as the number that viewers sort by.
const fn rank(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "3.0",
        Severity::Medium => "6.0",
        Severity::High => "9.0",
    }
}

/// The file of an app, else its page, else its package name.
fn home(audit: &Audit) -> String {
    let file = audit.artifacts.first().map(|artifact| artifact.name.as_str());
    let page = Some(audit.app.url.as_str()).filter(|url| !url.is_empty());
    clean(file.or(page).unwrap_or(&audit.app.package), clean::TEXT)
}

/// A reference of RFC 3986 by path alone that names a place: what is not unreserved is encoded,
/// so that no name can look like another scheme or climb out of a folder.
fn uri(place: &str) -> String {
    let mut out = String::with_capacity(place.len());
    for (index, part) in place.split('/').enumerate() {
        // An absolute path stays one; two slashes at its beginning would name a host.
        if index > 0 && !out.ends_with('/') {
            out.push('/');
        }
        let is_dots = part.bytes().all(|b| b == b'.');
        for byte in part.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(byte as char),
                b'.' if !is_dots => out.push('.'),
                other => out.push_str(&format!("%{other:02X}")),
            }
        }
    }
    if out.is_empty() { "unknown".into() } else { out }
}

impl ReportWriter for Sarif {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        for finding in &audit.findings {
            self.result(&audit, finding, true)?;
        }
        for finding in &audit.out_of_scope {
            self.result(&audit, finding, false)?;
        }
        for limit in &audit.coverage.limits {
            let words = words::limit(limit.code);
            let text = format!("{}. {}", words.name.get(self.lang), super::detail(&limit.detail).get(self.lang));
            let place = if limit.place.is_empty() { home(&audit) } else { clean(&limit.place, clean::TEXT) };
            self.notify("note", limit.code.id(), &clean(&text, clean::TEXT), &place);
        }
        Ok(())
    }

    fn skipped(&mut self, skipped: Skipped) -> io::Result<()> {
        let text = table::reason(&skipped, self.lang);
        self.notify("error", "skipped", &text, &clean(&skipped.target, clean::TEXT));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.results == 0 {
            self.open()?;
        }
        let invocation = json!({ "executionSuccessful": true, "toolExecutionNotifications": self.notifications });
        writeln!(self.out, "],\"invocations\":[{invocation}]}}]}}")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn places_become_harmless_references() {
        assert_eq!(uri("a b.apk!/classes.dex string 7"), "a%20b.apk%21/classes.dex%20string%207");
        assert_eq!(uri("javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(uri("../../etc"), "%2E%2E/%2E%2E/etc");
        assert_eq!(uri("/etc"), "/etc");
        assert_eq!(uri("//host/etc"), "/host/etc", "no host");
    }
}
