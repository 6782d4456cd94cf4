//! The audit of a bag, done again.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{CASE_SCHEMA, CaseFile, report_of};
use crate::audit::{Auditor, Kept, Reading};
use crate::isolate::{self, Asked, Opened};
use crate::model::config::WhichPictures;
use crate::model::{App, Audit, Budget, Coverage, Finding, LimitCode, Listing, MadeBy, Report, Sign};
use crate::preserve::{Difference, folder_of, name, open};
use crate::register::{Register, Registers};
use crate::signature::{Pack, Source};

/// Bytes of a JSON file of a bag: read, one takes some twenty times as many. Reports of one app
/// have some hundred kilobytes.
const JSON_MAX: u64 = 8 << 20;
/// Bytes of the registers of a bag, which are lists of flat rows.
const REGISTERS_MAX: u64 = 64 << 20;
/// Bytes of the facts of a bag, compressed.
const FACTS_MAX: u64 = 256 << 20;
/// Seconds that reading the package of a bag may take.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Places told where two reports differ.
const PLACES_MAX: usize = 20;

/// Judges a bag's app again, by its own signatures, from the package and from the facts, and
/// names what comes out otherwise than the bag's report.
#[must_use]
pub fn rerun(root: &Path) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Err((file, what)) = compare(root, &mut found) {
        found.push(Difference { file: file.into(), what });
    }
    found
}

type Fault = (&'static str, String);

fn compare(root: &Path, found: &mut Vec<Difference>) -> Result<(), Fault> {
    let case: CaseFile = json(root, name::CASE)?;
    if case.schema != CASE_SCHEMA {
        return Err((name::CASE, format!("is of the form {:?}, this version reads {CASE_SCHEMA}", case.schema)));
    }
    let mut auditor = auditor(root, &case)?;
    let listing: Option<Listing> = if case.has_listing { Some(json(root, name::LISTING)?) } else { None };
    let report = bytes(root, name::REPORT, JSON_MAX)?;
    let before: Report = serde_json::from_slice(&report).map_err(|e| (name::REPORT, format!("is no report: {e}")))?;
    let coverage = before.audits.first().map(|audit| &audit.coverage);
    let pictures = coverage.and_then(|coverage| coverage.pictures).unwrap_or(WhichPictures::Off);
    auditor.budget = pictures.budget();
    let shown = || coverage.map_or_else(|| Ok(Vec::new()), |coverage| shown(root, &auditor, &case, coverage));
    let mut readings = match &case.package {
        Some((file, sha256)) => vec![package(root, &auditor, (file, sha256), listing.as_ref())?],
        None => Vec::new(),
    };
    readings.extend(shown()?);
    tell(name::REPORT, "judged again", &auditor, &case, (listing.as_ref(), readings), &report, found)?;
    if case.package.is_some() && std::fs::symlink_metadata(root.join(name::FACTS)).is_ok() {
        let kept = Kept(bytes(root, name::FACTS, FACTS_MAX)?);
        let reading = auditor.reread_from_strangers(&kept).map_err(|e| (name::FACTS, e.to_string()))?;
        let mut readings = vec![reading];
        readings.extend(shown()?);
        tell(name::FACTS, "judged by its facts", &auditor, &case, (listing.as_ref(), readings), &report, found)?;
    }
    Ok(())
}

fn tell(
    file: &'static str,
    how: &str,
    auditor: &Auditor,
    case: &CaseFile,
    (listing, readings): (Option<&Listing>, Vec<Reading>),
    report: &[u8],
    found: &mut Vec<Difference>,
) -> Result<(), Fault> {
    let made_by = MadeBy { policy: case.made_by.policy.clone(), ..auditor.made_by() };
    let mut audit = auditor.conclude(listing, readings);
    let former = |sign: Sign, app: &App| Finding::former_id_of(sign, app, &made_by.policy);
    match &case.listed {
        Some(listed) => name_findings(&mut audit, &|sign, _| Finding::id_of(sign, listed)),
        None => name_findings(&mut audit, &former),
    }
    let again = report_of(made_by, audit).map_err(|e| (file, e.to_string()))?;
    if again == report {
        return Ok(());
    }
    let was: Value = serde_json::from_slice(report).map_err(|e| (name::REPORT, format!("is no report: {e}")))?;
    let is: Value = serde_json::from_slice(&again).map_err(|e| (file, e.to_string()))?;
    let mut places = Vec::new();
    differ("", &was, &is, &mut places);
    if places.is_empty() {
        places.push("the bytes, not the content".into());
    }
    let what = format!("{how}, the app comes out otherwise: {}", places.join(", "));
    found.push(Difference { file: file.into(), what });
    Ok(())
}

/// Gives findings the ids that the bag's app has for them.
fn name_findings(audit: &mut Audit, id_of: &dyn Fn(Sign, &App) -> String) {
    let app = audit.app.clone();
    for finding in audit.findings.iter_mut().chain(&mut audit.out_of_scope) {
        finding.id = id_of(finding.sign, &app);
    }
}

/// JSON pointers (RFC 6901) of what differs.
fn differ(at: &str, a: &Value, b: &Value, places: &mut Vec<String>) {
    if a == b || places.len() >= PLACES_MAX {
        return;
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let none = Value::Null;
                differ(&format!("{at}/{key}"), a.get(key).unwrap_or(&none), b.get(key).unwrap_or(&none), places);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(n, (a, b))| differ(&format!("{at}/{n}"), a, b, places));
        }
        _ => places.push(at.to_owned()),
    }
}

fn auditor(root: &Path, case: &CaseFile) -> Result<Auditor, Fault> {
    let mut source = Source::default();
    let signatures = folder_of(root, name::SIGNATURES).and_then(|folder| source.overlay(&folder));
    signatures.map_err(|e| (name::SIGNATURES, e.to_string()))?;
    isolate::know(&source, false);
    let pack = Pack::load(&source).map_err(|e| (name::SIGNATURES, e.to_string()))?;
    if pack.sha256 != case.made_by.pack_sha256 {
        return Err((name::SIGNATURES, format!("are not those that judged: {}", case.made_by.pack_sha256)));
    }
    let policy = pack.policy(&case.made_by.policy);
    let policy = policy.ok_or_else(|| (name::SIGNATURES, format!("hold no policy {}", case.made_by.policy)))?;
    let registers: Vec<Register> =
        if case.has_registers { json_within(root, name::REGISTERS, REGISTERS_MAX)? } else { Vec::new() };
    let registers = Arc::new(Registers::new(registers, &case.as_of));
    Ok(Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers })
}

/// The screenshots of a bag, read again: those that its audit rests on.
fn shown(root: &Path, auditor: &Auditor, case: &CaseFile, coverage: &Coverage) -> Result<Vec<Reading>, Fault> {
    let unread = |place: &str| {
        let mut limits = coverage.limits.iter();
        limits.find(|limit| limit.code == LimitCode::UnreadPicture && limit.place == place)
    };
    if auditor.budget.screenshots == 0 || unread("listing").is_some() {
        return Ok(Vec::new());
    }
    let mut readings = Vec::new();
    for (number, shot) in case.screenshots.iter().enumerate() {
        let place = if shot.place.is_empty() { format!("screenshot {}", number + 1) } else { shot.place.clone() };
        let Some(file) = &shot.file else {
            readings.extend(unread(&place).map(|limit| Reading::unseen(limit.clone())));
            continue;
        };
        let fail = |e: String| (name::SCREENSHOTS, format!("{file}: {e}"));
        let plain = file.strip_prefix(name::SCREENSHOTS).and_then(|rest| rest.strip_prefix('/'));
        if plain.is_none_or(|plain| plain.contains(['/', '\\', ':']) || plain.starts_with('.')) {
            return Err(fail("is a path".into()));
        }
        let opened = open(root, file).and_then(Opened::from_file).map_err(|e| fail(e.to_string()))?;
        let asked =
            Asked { name: &place, sha256: "", wanted: None, keeps: false, until: Instant::now().checked_add(TIMEOUT) };
        readings.push(isolate::read_picture(auditor, opened, asked).0);
    }
    Ok(readings)
}

fn package(
    root: &Path,
    auditor: &Auditor,
    (file, sha256): (&str, &str),
    listing: Option<&Listing>,
) -> Result<Reading, Fault> {
    if file.contains(['/', '\\', ':']) || file.starts_with('.') {
        return Err((name::CASE, format!("the package's name {file:?} is a path")));
    }
    let fail = |e: String| (name::PACKAGES, format!("{file}: {e}"));
    let opened = open(root, &format!("{}/{file}", name::PACKAGES)).and_then(Opened::from_file);
    let opened = opened.map_err(|e| fail(e.to_string()))?;
    let is = opened.sha256().map_err(|e| fail(e.to_string()))?;
    if is != sha256 {
        return Err(fail(format!("its SHA-256 is {is}, the case says {sha256}")));
    }
    let wanted = listing.and_then(Listing::wanted);
    let asked = Asked { name: file, sha256, wanted, keeps: false, until: Instant::now().checked_add(TIMEOUT) };
    isolate::read(auditor, opened, asked).map(|(reading, _)| reading).map_err(fail)
}

fn bytes(root: &Path, file: &'static str, most: u64) -> Result<Vec<u8>, Fault> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        open(root, file)?.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("more than {most} bytes")));
        }
        Ok(bytes)
    };
    read().map_err(|e| (file, format!("cannot be read: {e}")))
}

fn json<T: serde::de::DeserializeOwned>(root: &Path, file: &'static str) -> Result<T, Fault> {
    json_within(root, file, JSON_MAX)
}

fn json_within<T: serde::de::DeserializeOwned>(root: &Path, file: &'static str, most: u64) -> Result<T, Fault> {
    serde_json::from_slice(&bytes(root, file, most)?).map_err(|e| (file, format!("does not read: {e}")))
}
