//! Evidence to take away: a finding's bag as a ZIP archive, made when asked for.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

use axum::extract::{Path as Asked, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use zip::write::SimpleFileOptions;

use super::failure::Failure;
use super::session::{Visitor, note};
use super::{Shared, export};
use crate::runs::evidence::{self, EvidenceError};
use crate::time;

/// `GET /finding/ID/bag`
pub(super) async fn show(
    State(site): State<Shared>,
    Asked(finding): Asked<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    of_finding(&site, &finding, &visitor.name).await
}

/// The bag of a finding.
pub(super) async fn of_finding(site: &Shared, finding: &str, who: &str) -> Result<Response, Failure> {
    // Beside the vault: a bag holds whole packages, and the disk of temporary files may be small.
    let incoming = site.home.vault.incoming();
    tokio::fs::create_dir_all(&incoming).await?;
    let folder = tempfile::tempdir_in(&incoming)?;
    let out = folder.path().join("bag");
    let places = (&site.home.state, &site.home.vault);
    let stamping = &site.options.stamping;
    evidence::export(places, finding, stamping, &out, time::now()).await.map_err(|error| match error {
        EvidenceError::NoFinding(_) => Failure::NotFound,
        EvidenceError::Lost(what) => {
            tracing::warn!(finding, what, "a bag cannot be made");
            Failure::Gone
        }
        EvidenceError::NoTimestamp(authority, why) => {
            tracing::warn!(finding, authority, why, "a bag cannot be stamped");
            Failure::NoTimestamp
        }
        error => Failure::ours(error),
    })?;
    let name = format!("xunjian-{}", finding.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    let (root, inside) = (folder.path().join("bag.zip"), name.clone());
    let file = tokio::task::spawn_blocking(move || pack(&out, &inside, File::create_new(&root)?, &root));
    let file = file.await.map_err(Failure::ours)?.map_err(Failure::ours)?;
    note(site, who, "exported", &format!("bag {finding}")).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.zip\"")),
    ];
    // The folder may go: the open file stays until it is sent.
    Ok((headers, export::stream(file)).into_response())
}

/// Packs a folder: names in order and no times, so that the same bag is the same archive.
fn pack(folder: &Path, inside: &str, out: File, path: &Path) -> io::Result<File> {
    let mut zip = zip::ZipWriter::new(out);
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).large_file(true);
    for name in files(folder, "")? {
        zip.start_file(format!("{inside}/{name}"), options).map_err(io::Error::other)?;
        io::copy(&mut File::open(folder.join(&name))?, &mut zip)?;
    }
    zip.finish().map_err(io::Error::other)?.flush()?;
    let mut file = File::open(path)?;
    file.rewind()?;
    Ok(file)
}

/// Files below a folder with their paths, in order.
fn files(root: &Path, below: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type()?.is_dir() { found.extend(files(root, &path)?) } else { found.push(path) }
    }
    found.sort_unstable();
    Ok(found)
}
