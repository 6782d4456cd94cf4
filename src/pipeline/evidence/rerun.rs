//! The audit of a bag, done again.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{CASE_SCHEMA, CaseFile, report_of};
use crate::model::{Budget, Listing, MadeBy};
use crate::pipeline::{Auditor, Kept, Opened, Reading};
use crate::preserve::{Difference, name};
use crate::register::{Register, Registers};
use crate::signature::{Pack, Source};

/// Bytes of a JSON file of a bag.
const FILE_MAX: u64 = 256 << 20;
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
    let auditor = auditor(root, &case)?;
    let listing: Option<Listing> = if case.has_listing { Some(json(root, name::LISTING)?) } else { None };
    let report = bytes(root, name::REPORT)?;
    let readings = match &case.package {
        Some((file, sha256)) => vec![package(root, &auditor, file, sha256)?],
        None => Vec::new(),
    };
    tell(name::REPORT, "judged again", &auditor, &case, (listing.as_ref(), readings), &report, found)?;
    if case.package.is_some() && root.join(name::FACTS).is_file() {
        let kept = Kept(bytes(root, name::FACTS)?);
        let reading = auditor.reread(&kept).map_err(|e| (name::FACTS, e.to_string()))?;
        tell(name::FACTS, "judged by its facts", &auditor, &case, (listing.as_ref(), vec![reading]), &report, found)?;
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
    let audit = auditor.conclude(listing, readings);
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
    source.overlay(&root.join(name::SIGNATURES)).map_err(|e| (name::SIGNATURES, e.to_string()))?;
    let pack = Pack::load(&source).map_err(|e| (name::SIGNATURES, e.to_string()))?;
    if pack.sha256 != case.made_by.pack_sha256 {
        return Err((name::SIGNATURES, format!("are not those that judged: {}", case.made_by.pack_sha256)));
    }
    let policy = pack.policies.get(&case.made_by.policy).cloned();
    let policy = policy.ok_or_else(|| (name::SIGNATURES, format!("hold no policy {}", case.made_by.policy)))?;
    let registers: Vec<Register> = if case.has_registers { json(root, name::REGISTERS)? } else { Vec::new() };
    let registers = Arc::new(Registers::new(registers, &case.as_of));
    Ok(Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers })
}

fn package(root: &Path, auditor: &Auditor, file: &str, sha256: &str) -> Result<Reading, Fault> {
    if file.contains(['/', '\\', ':']) || file.starts_with('.') {
        return Err((name::CASE, format!("the package's name {file:?} is a path")));
    }
    let path = root.join(name::PACKAGES).join(file);
    let fail = |e: String| (name::PACKAGES, format!("{file}: {e}"));
    let opened = Opened::new(&path).and_then(Opened::held).map_err(|e| fail(e.to_string()))?;
    let is = opened.sha256().map_err(|e| fail(e.to_string()))?;
    if is != sha256 {
        return Err(fail(format!("its SHA-256 is {is}, the case says {sha256}")));
    }
    auditor.read(file, sha256, &opened).map_err(|e| fail(e.to_string()))
}

fn bytes(root: &Path, file: &'static str) -> Result<Vec<u8>, Fault> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(root.join(file))?.take(FILE_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|e| (file, format!("cannot be read: {e}")))
}

fn json<T: serde::de::DeserializeOwned>(root: &Path, file: &'static str) -> Result<T, Fault> {
    serde_json::from_slice(&bytes(root, file)?).map_err(|e| (file, format!("does not read: {e}")))
}
