//! A package sent along with a request: to the vault as it comes, never whole in memory.

use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::model::{Listing, hex};
use crate::pipeline::asked::Wish;
use crate::report::clean;
use crate::review::Shared;
use crate::review::failure::Failure;
use crate::store::Vault;

/// Longest listing.
const LISTING_MAX: usize = 1 << 20;
/// Longest name of a file.
const NAME_MAX: usize = 120;

/// Takes the form: the package into the vault, its listing with it.
pub(super) async fn take(site: &Shared, request: Request) -> Result<Wish, Failure> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| Failure::Bad("form"))?;
    let (mut package, mut listing) = (None, None);
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        match field.name() {
            Some("package") if package.is_none() => {
                let name = field.file_name().unwrap_or("package").to_owned();
                package = Some((store(site, field).await?, plain(&name)));
            }
            Some("listing") if listing.is_none() => listing = Some(Box::new(listing_of(field).await?)),
            _ => return Err(Failure::Bad("field")),
        }
    }
    let (sha256, name) = package.ok_or(Failure::Bad("package"))?;
    Ok(Wish::File { sha256, name, listing })
}

/// The last part of a name, without what could mislead a reader.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name = clean(last.trim(), NAME_MAX);
    if name.is_empty() { "package".into() } else { name }
}

async fn listing_of(mut field: Field<'_>) -> Result<Listing, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > LISTING_MAX {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&bytes).map_err(|_| Failure::Bad("listing"))
}

async fn store(site: &Shared, mut field: Field<'_>) -> Result<String, Failure> {
    let incoming = site.home.vault.incoming();
    tokio::fs::create_dir_all(&incoming).await?;
    let path = tempfile::NamedTempFile::new_in(&incoming)?.into_temp_path();
    let mut file = tokio::fs::OpenOptions::new().write(true).open(&path).await?;
    let (mut hash, mut bytes) = (Sha256::new(), 0u64);
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes += chunk.len() as u64;
        if bytes > site.options.package_bytes {
            return Err(Failure::TooLarge);
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull => Failure::Full,
            _ => error.into(),
        })?;
    }
    file.sync_all().await?;
    if bytes == 0 {
        return Err(Failure::Bad("package"));
    }
    let sha256 = hex(&hash.finalize());
    site.home.vault.adopt(&path, &sha256).await?;
    Ok(sha256)
}

fn broken(error: &axum::extract::multipart::MultipartError) -> Failure {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE { Failure::TooLarge } else { Failure::Bad("form") }
}
