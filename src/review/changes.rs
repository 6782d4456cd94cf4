//! What changed: between the evidence decided on and that of now, and between two versions.

use super::Shared;
use super::failure::Failure;
use super::page::Page;
use crate::model::{Audit, Evidence};
use crate::report::clean;
use crate::report::words;
use crate::runs::compare::{Comparison, Sets, compare};
use crate::store::{AuditRow, DeskFinding, State as _};

/// Pieces of evidence shown of a side.
const SHOWN: usize = 12;
/// Changes shown of one sort.
const CHANGES: usize = 20;

/// Evidence that only one side has.
pub(super) struct EvidenceChange {
    pub(super) was: Vec<String>,
    pub(super) is: Vec<String>,
}

fn told(evidence: &Evidence) -> String {
    let text = if evidence.text.is_empty() { &evidence.why.zh } else { &evidence.text };
    clean(text.trim(), 300)
}

fn texts(audit: &Audit, sign: &str) -> Vec<String> {
    let found = audit.findings.iter().find(|f| f.sign.id() == sign);
    let mut texts: Vec<String> =
        found.map_or_else(Vec::new, |f| f.evidence.iter().filter(|e| e.counted).map(told).collect());
    texts.dedup();
    texts
}

/// What changed in the evidence of a stale finding since the audit it was decided on; `None` where
/// that audit is no longer kept.
pub(super) async fn of_evidence(
    site: &Shared,
    finding: &DeskFinding,
    now: &Audit,
) -> Result<Option<EvidenceChange>, Failure> {
    let (was, is) = then_and_now(site, finding, now).await?;
    let only = |a: &[String], b: &[String]| a.iter().filter(|t| !b.contains(t)).take(SHOWN).cloned().collect();
    Ok((!was.is_empty()).then(|| EvidenceChange { was: only(&was, &is), is: only(&is, &was) }))
}

/// Evidence of a finding in the audit it was decided on, and in that of now.
pub(super) async fn then_and_now(
    site: &Shared,
    finding: &DeskFinding,
    now: &Audit,
) -> Result<(Vec<String>, Vec<String>), Failure> {
    let reviews = site.home.state.reviews(&finding.id).await?;
    let decided = reviews.iter().rev().find(|r| r.at == finding.decided_at && r.verdict == finding.verdict);
    let then = match decided {
        Some(decided) => site.home.state.audit(decided.audit).await?,
        None => None,
    };
    Ok((then.map_or_else(Vec::new, |then| texts(&then.audit, &finding.sign)), texts(now, &finding.sign)))
}

/// One line of a comparison: what sort of thing, `true` for added, what.
pub(super) type Change = (String, bool, String);

/// What changed between the latest audit and that of the version before it; `None` with one version.
pub(super) async fn of_versions(
    site: &Shared,
    page: &Page,
    history: &[AuditRow],
) -> Result<Option<Vec<Change>>, Failure> {
    let Some(latest) = history.first() else { return Ok(None) };
    let before = history.iter().find(|row| (row.listing, &row.artifact) != (latest.listing, &latest.artifact));
    let Some(before) = before else { return Ok(None) };
    let stores = (&site.home.state, &site.home.vault);
    match compare(stores, before.clone(), latest.clone()).await {
        Ok(comparison) => Ok(Some(lines(page, &comparison))),
        Err(error) => {
            // Facts that are no longer kept must not take the whole page with them.
            tracing::warn!(%error, "two versions cannot be compared");
            Ok(None)
        }
    }
}

fn lines(page: &Page, comparison: &Comparison) -> Vec<Change> {
    let mut lines = Vec::new();
    for field in &comparison.listing {
        let name = page.t("c.listing");
        lines.push((format!("{name} {}", clean(&field.name, 40)), false, clean(&field.was, 300)));
        lines.push((format!("{name} {}", clean(&field.name, 40)), true, clean(&field.is, 300)));
    }
    let sign = |id: &str| {
        crate::model::Sign::from_id(id).map_or_else(|| id.to_owned(), |s| words::sign(s).get(page.lang).to_owned())
    };
    sets(page, "findings", &comparison.findings, &sign, &mut lines);
    let plain = |text: &str| clean(text, 200);
    sets(page, "permissions", &comparison.permissions, &plain, &mut lines);
    sets(page, "libraries", &comparison.libraries, &plain, &mut lines);
    sets(page, "certificates", &comparison.certificates, &plain, &mut lines);
    sets(page, "strings", &comparison.strings, &plain, &mut lines);
    lines
}

fn sets(page: &Page, key: &str, sets: &Sets, say: &dyn Fn(&str) -> String, lines: &mut Vec<Change>) {
    let name = page.t(&format!("c.{key}"));
    for (is_added, texts) in [(false, &sets.removed), (true, &sets.added)] {
        lines.extend(texts.iter().take(CHANGES).map(|text| (name.clone(), is_added, say(text))));
    }
}
