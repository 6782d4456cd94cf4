//! Evidence bags: what a finding rests on, gathered from what is remembered, and the audit run
//! again from nothing but a bag.

mod authority;
mod page;
mod rerun;
mod screenshots;

pub use screenshots::{screenshot, screenshots_at_hand};

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use authority::{Authority, Stamping};
pub use rerun::rerun;

use super::judge;
use crate::model::fetch::{Hop, text_octets};
use crate::model::{Basis, Listed, MadeBy, Report, SCHEMA, Status};
use crate::preserve::{Bag, BagInfo, Custody, Exchange, Warc, name};
use crate::signature::Source;
use crate::store::{AuditRow, FetchRow, FindingRow, State, StoreError, Vault};

/// Schema id of `case.json`.
const CASE_SCHEMA: &str = "xunjian/case/1";
/// Under which "store" packs are noted.
const PACKS: &str = "xunjian";

/// Why there is no evidence to hand out.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// No such finding.
    #[error("no finding {0} in the state; `xunjian sweep … --format json` lists their ids")]
    NoFinding(String),
    /// Something that the finding rests on is gone.
    #[error("{0} is not kept any more; audit the app again, then export")]
    Lost(String),
    /// The authority that is to stamp bags gave no valid timestamp.
    #[error("no timestamp from {0}: {1}")]
    NoTimestamp(String, String),
    /// The state or the vault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bag's folder.
    #[error("the bag cannot be written: {0}")]
    Io(#[from] std::io::Error),
    /// Ours does not serialise.
    #[error("the bag cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// `case.json`: what was found, and how to do it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CaseFile {
    schema: String,
    finding: String,
    sign: String,
    app: Value,
    made_by: MadeBy,
    as_of: String,
    /// Name under which the package is read, and its hash; none where the listing was judged alone.
    package: Option<(String, String)>,
    has_listing: bool,
    has_registers: bool,
    /// Why the package is not whole, where it is not: then it is what was answered, and not the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incomplete: Option<String>,
    /// The app that its findings belong to; none in bags of before.
    #[serde(default)]
    listed: Option<Listed>,
    /// The listing's screenshots, and which of them are here.
    #[serde(default)]
    screenshots: Vec<screenshots::Screenshot>,
}

fn software() -> String {
    concat!("xunjian/", env!("CARGO_PKG_VERSION")).to_owned()
}

/// Keeps a pack's files, so that findings made by it can be shown to others.
///
/// # Errors
/// When state or vault cannot be written.
pub async fn keep_pack<S: State, V: Vault>(state: &S, vault: &V, source: &Source) -> Result<(), EvidenceError> {
    let key = format!("pack/{}", source.sha256());
    if state.noted(PACKS, &key).await?.is_none() {
        let packed = zstd::encode_all(serde_json::to_vec(&source.files)?.as_slice(), 9)?;
        state.note(PACKS, &key, &vault.put(&packed).await?).await?;
    }
    Ok(())
}

async fn pack_of<S: State, V: Vault>(state: &S, vault: &V, sha256: &str) -> Result<Source, EvidenceError> {
    let lost = || EvidenceError::Lost(format!("the pack {sha256}"));
    let blob = state.noted(PACKS, &format!("pack/{sha256}")).await?.ok_or_else(lost)?;
    let text = zstd::decode_all(vault.get(&blob).await?.as_slice())?;
    let files: BTreeMap<String, String> = serde_json::from_slice(&text)?;
    let source = Source { files };
    if source.sha256() == sha256 { Ok(source) } else { Err(lost()) }
}

/// Writes the bag of a finding into a new folder, and has it stamped. `now` in milliseconds since
/// 1970 UTC. Nothing is left of a bag that did not come about.
///
/// # Errors
/// When the finding, or something it rests on, is not there, the folder cannot be written, or
/// there is to be a timestamp and none was to be had.
pub async fn export<S: State, V: Vault>(
    places: (&S, &V),
    finding: &str,
    stamping: &Stamping,
    out: &Path,
    now: i64,
) -> Result<(), EvidenceError> {
    let finding = places.0.finding(finding).await?.ok_or_else(|| EvidenceError::NoFinding(finding.into()))?;
    let mut bag = Bag::create(out)?;
    let done = async {
        let tag_manifest = fill(&mut bag, places, &finding, stamping, now).await?;
        match stamping {
            Stamping::By(authority) => authority.stamp(&bag, &tag_manifest).await,
            Stamping::Off | Stamping::LeftOut => Ok(()),
        }
    };
    let done = done.await;
    if done.is_err()
        && let Err(error) = bag.discard()
    {
        tracing::warn!(%error, out = %out.display(), "what there is of a bag cannot be removed; do so by hand");
    }
    done
}

/// Puts everything into a bag and finishes it; its tag manifest.
async fn fill<S: State, V: Vault>(
    bag: &mut Bag,
    (state, vault): (&S, &V),
    finding: &FindingRow,
    stamping: &Stamping,
    now: i64,
) -> Result<Vec<u8>, EvidenceError> {
    let lost = |what: &str| EvidenceError::Lost(what.to_owned());
    let row = state.audit(finding.last_audit).await?.ok_or_else(|| lost("the audit"))?;
    let source = pack_of(state, vault, &row.made_by.pack_sha256).await?;
    let listing = match row.listing {
        Some(id) => Some(state.listing(id).await?.ok_or_else(|| lost("the listing"))?),
        None => None,
    };
    // The name that it was read under, which places in it begin with.
    let name = match row.audit.artifacts.first().filter(|_| row.artifact.is_some()) {
        Some(artifact) => artifact.name.clone(),
        None => judge::file_name(listing.as_ref().map(|listing| &listing.listing)),
    };
    let mut custody = Custody::default();
    let mut warc = Warc::new(&software(), now)?;
    let mut shots = Vec::new();
    if let Some(listing) = &listing {
        bag.add(name::LISTING, &serde_json::to_vec_pretty(&listing.listing)?)?;
        if let Some(fetch) = listing.fetch {
            fetched((state, vault), fetch, "listing", &mut warc, &mut custody).await?;
        }
        shots = screenshots::add((state, vault), &listing.listing, bag, &mut warc, &mut custody).await?;
    }
    let incomplete = judge::incomplete(&row.audit).filter(|_| row.artifact.is_some());
    if let Some(artifact) = &row.artifact {
        vault.verify(artifact).await?;
        bag.add_file(&format!("{}/{name}", name::PACKAGES), &vault.local(artifact).await?)?;
        if let Some(fetch) = state.package_fetch(row.app, artifact).await? {
            let fetch = state.fetch(fetch).await?.ok_or_else(|| lost("the answer the package came in"))?;
            redirects(&fetch, &mut warc)?;
            custody.add(fetch.fetch.at, &software(), "fetched", told(&fetch, "package"))?;
        }
        if let Some(blob) = facts_of(state, &row, artifact, &name).await? {
            vault.verify(&blob).await?;
            bag.add(name::FACTS, &vault.get(&blob).await?)?;
            let what = json!({ "package": artifact, "name": name, "facts": blob, "incomplete": incomplete });
            custody.add(row.at, &software(), "read", what)?;
        }
    }
    for (path, text) in &source.files {
        bag.add(&format!("{}/{path}", name::SIGNATURES), text.as_bytes())?;
    }
    if !row.registers.is_empty() {
        bag.add(name::REGISTERS, &vault.get(&row.registers).await?)?;
    }
    bag.add(name::FETCHED, &warc.finish())?;
    bag.add(name::REPORT, &report(&row)?)?;
    bag.add(name::PAGE, &page::html(&row)?)?;
    cut_outs(bag, &row, finding)?;
    bag.add(name::README, page::readme(&row, finding).as_bytes())?;
    bag.add(
        name::CASE,
        &serde_json::to_vec_pretty(&CaseFile { screenshots: shots, ..case(&row, finding, &name, listing.is_some())? })?,
    )?;
    let what = json!({ "audit": row.id, "finding": finding.id, "made_by": row.made_by });
    custody.add(row.at, &software(), "audited", what)?;
    for review in state.reviews(&finding.id).await? {
        let what = json!({ "finding": review.finding, "verdict": review.verdict, "reason": review.reason, "mend_by": review.mend_by, "note": review.note });
        custody.add(review.at, &review.who, "reviewed", what)?;
    }
    custody.add(now, &software(), "exported", json!({ "finding": finding.id }))?;
    bag.add(name::CUSTODY, custody.text().as_bytes())?;
    bag.finish(&BagInfo {
        identifier: finding.id.clone(),
        description: format!(
            "{} in {}: a sign for a person to follow up, not a verdict{}{}",
            finding.sign,
            row.audit.app.title,
            if incomplete.is_some() { "; the package file came incomplete and is not the whole app" } else { "" },
            unbinding(&row.audit.basis)
        ),
        software: software(),
        custody_head: custody.head(),
        timestamp: stamping.told(),
        at: now,
    })
    .map_err(EvidenceError::from)
}

/// Adds the parts of pictures that the evidence of a finding shows, as files by the evidence's number.
fn cut_outs(bag: &mut Bag, row: &AuditRow, finding: &FindingRow) -> Result<(), EvidenceError> {
    use base64::Engine;
    let found = row.audit.findings.iter().find(|found| found.sign.id() == finding.sign);
    for (index, evidence) in found.into_iter().flat_map(|found| found.evidence.iter().enumerate()) {
        let encoded = evidence.cut_out.as_deref().and_then(|address| address.strip_prefix("data:image/jpeg;base64,"));
        let decoded = encoded.and_then(|encoded| base64::engine::general_purpose::STANDARD.decode(encoded).ok());
        if let Some(bytes) = decoded {
            bag.add(&format!("{}/{:02}.jpg", name::CUT_OUTS, index + 1), &bytes)?;
        }
    }
    Ok(())
}

/// What is said of rules that judged and do not bind, for whoever opens the bag without this program.
fn unbinding(basis: &[Basis]) -> String {
    let told = |basis: &Basis| {
        let what = match basis.status {
            Status::Draft => "征求意见稿，不得作为执法依据 (a draft for comment, no ground for enforcement)",
            Status::Superseded => "已被取代，不得作为执法依据 (superseded, no ground for enforcement)",
            Status::InForce | Status::Reported => return None,
        };
        Some(format!("; judged by {}: {what}", basis.title.zh))
    };
    basis.iter().filter_map(told).collect()
}

/// Name in the vault of the facts that an audit judged. Its own for ever: the same bytes may since
/// have been read under another name, or by another version. Audits of before name none, and those
/// under their package's name are what they judged, if the version that read them made the audit.
async fn facts_of(
    state: &impl State,
    row: &AuditRow,
    artifact: &str,
    name: &str,
) -> Result<Option<String>, EvidenceError> {
    if !row.facts.is_empty() {
        return Ok(Some(row.facts.clone()));
    }
    Ok(state.facts(artifact, name, &row.made_by.version).await?)
}

/// The report as a run of this one app writes it.
fn report(row: &AuditRow) -> serde_json::Result<Vec<u8>> {
    report_of(row.made_by.clone(), row.audit.clone())
}

fn report_of(made_by: MadeBy, audit: crate::model::Audit) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Report { schema: SCHEMA.into(), made_by, audits: vec![audit], skipped: Vec::new() })
}

fn case(row: &AuditRow, finding: &FindingRow, name: &str, has_listing: bool) -> serde_json::Result<CaseFile> {
    Ok(CaseFile {
        schema: CASE_SCHEMA.into(),
        finding: finding.id.clone(),
        sign: finding.sign.clone(),
        app: serde_json::to_value(&row.audit.app)?,
        made_by: row.made_by.clone(),
        as_of: row.as_of.clone(),
        package: row.artifact.as_ref().map(|artifact| (name.to_owned(), artifact.clone())),
        has_listing,
        has_registers: !row.registers.is_empty(),
        incomplete: judge::incomplete(&row.audit).filter(|_| row.artifact.is_some()),
        listed: Some(row.listed.clone()),
        screenshots: Vec::new(),
    })
}

fn told(row: &FetchRow, what: &str) -> Value {
    let fetch = &row.fetch;
    let request: Value = serde_json::from_str(&fetch.request).unwrap_or_default();
    json!({ "what": what, "url": fetch.url, "answered_by": fetch.final_url, "status": fetch.status,
        "peer": request.get("peer"), "sha256": fetch.body, "bytes": fetch.bytes,
        "again_until": crate::preserve::timestamp(row.last_at.div_euclid(1000)), "times": row.times })
}

/// Puts the redirects that led to an answer into the WARC, each as it came.
fn redirects(row: &FetchRow, warc: &mut Warc) -> Result<(), EvidenceError> {
    let request: Value = serde_json::from_str(&row.fetch.request).unwrap_or_default();
    // Versions before this one kept their addresses alone.
    let hops = request.get("hops").and_then(Value::as_array).cloned().unwrap_or_default();
    for hop in hops.into_iter().filter_map(|hop| serde_json::from_value::<Hop>(hop).ok()) {
        warc.add(&Exchange {
            method: hop.method,
            url: hop.url,
            sent: hop.sent,
            sent_body: hop.sent_body,
            status: hop.status,
            headers: hop.headers,
            body: text_octets(&hop.body),
            is_cut: hop.is_cut,
            peer: hop.peer,
            at: row.fetch.at,
        })?;
    }
    Ok(())
}

/// Puts an answer into the WARC and the chain.
async fn fetched<S: State, V: Vault>(
    (state, vault): (&S, &V),
    id: i64,
    what: &str,
    warc: &mut Warc,
    custody: &mut Custody,
) -> Result<(), EvidenceError> {
    let row = state.fetch(id).await?.ok_or_else(|| EvidenceError::Lost("the page of the listing".into()))?;
    let fetch = &row.fetch;
    let request: Value = serde_json::from_str(&fetch.request).unwrap_or_default();
    let field = |name: &str| request.get(name).cloned().unwrap_or_default();
    redirects(&row, warc)?;
    warc.add(&Exchange {
        method: fetch.method.clone(),
        url: fetch.final_url.clone(),
        sent: serde_json::from_value(field("headers")).unwrap_or_default(),
        sent_body: field("body").as_str().unwrap_or_default().to_owned(),
        status: fetch.status,
        headers: serde_json::from_str(&fetch.headers).unwrap_or_default(),
        body: vault.get(&fetch.body).await?,
        is_cut: false,
        peer: field("peer").as_str().map(str::to_owned),
        at: fetch.at,
    })?;
    custody.add(fetch.at, &software(), "fetched", told(&row, what))?;
    Ok(())
}
