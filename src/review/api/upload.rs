//! A package sent along with a request: to the vault as it comes, never whole in memory.

use std::time::Duration;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::model::{Listing, hex};
use crate::report::clean;
use crate::review::failure::Failure;
use crate::review::listen::Held;
use crate::review::{Shared, body};
use crate::runs::asked::Wish;
use crate::store::Vault;

/// Longest listing.
const LISTING_MAX: usize = 1 << 20;
/// Bytes between looks at what is left of the disk.
const LOOK: u64 = 64 << 20;
/// Longest name of a file.
const NAME_MAX: usize = 120;

/// Longest that nothing may come.
const IDLE: Duration = Duration::from_secs(60);

/// Takes the form: once all of it has come and is in order, the package goes into the vault.
pub(super) async fn take(site: &Shared, client: &str, request: Request) -> Result<Wish, Failure> {
    let most = site.options.package_bytes.saturating_add(super::AROUND as u64);
    body::within(request.headers(), most)?;
    has_disk(site, body::told_length(request.headers()).unwrap_or_default()).await?;
    let _place = site.uploads.try_acquire().map_err(|_| Failure::Crowded)?;
    if let Some(held) = request.extensions().get::<Held>() {
        held.keep();
    }
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| Failure::Bad("form"))?;
    let (mut package, mut listing) = (None, None);
    while let Some(field) = in_time(form.next_field()).await? {
        match field.name() {
            Some("package") if package.is_none() => {
                let name = field.file_name().unwrap_or("package").to_owned();
                package = Some((write(site, field).await?, plain(&name)));
            }
            Some("listing") if listing.is_none() => listing = Some(Box::new(listing_of(field).await?)),
            _ => return Err(Failure::Bad("field")),
        }
    }
    // What was not in order is gone with its file.
    let ((file, sha256), name) = package.ok_or(Failure::Bad("package"))?;
    site.home.vault.adopt(&file, &sha256).await?;
    Ok(Wish::File { sha256, name, listing, client: client.to_owned() })
}

/// Fails where the disk has no room for so many bytes and those that stay free.
async fn has_disk(site: &Shared, bytes: u64) -> Result<(), Failure> {
    let incoming = site.home.vault.incoming();
    tokio::fs::create_dir_all(&incoming).await?;
    let free = tokio::task::spawn_blocking(move || fs4::available_space(&incoming)).await.map_err(Failure::ours)??;
    if free < bytes.saturating_add(site.options.free_bytes) { Err(Failure::Full) } else { Ok(()) }
}

/// The next of a form, if it comes before long.
async fn in_time<T>(next: impl Future<Output = Result<T, MultipartError>>) -> Result<T, Failure> {
    match tokio::time::timeout(IDLE, next).await {
        Ok(next) => next.map_err(|error| broken(&error)),
        Err(_) => Err(Failure::Slow),
    }
}

/// The last part of a name, without what could mislead a reader.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name = clean(last.trim(), NAME_MAX);
    if name.is_empty() { "package".into() } else { name }
}

async fn listing_of(mut field: Field<'_>) -> Result<Listing, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(field.chunk()).await? {
        if bytes.len() + chunk.len() > LISTING_MAX {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&bytes).map_err(|_| Failure::Bad("listing"))
}

/// Writes a package beside the vault: its file, which is gone when it is let go, and its hash.
async fn write(site: &Shared, mut field: Field<'_>) -> Result<(tempfile::TempPath, String), Failure> {
    let incoming = site.home.vault.incoming();
    let path = tempfile::NamedTempFile::new_in(&incoming)?.into_temp_path();
    let mut file = tokio::fs::OpenOptions::new().write(true).open(&path).await?;
    let (mut hash, mut bytes) = (Sha256::new(), 0u64);
    while let Some(chunk) = in_time(field.chunk()).await? {
        // A form need not say how long it is: looked at again now and then.
        if bytes / LOOK != (bytes + chunk.len() as u64) / LOOK {
            has_disk(site, 0).await?;
        }
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
    Ok((path, hex(&hash.finalize())))
}

fn broken(error: &MultipartError) -> Failure {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE { Failure::TooLarge } else { Failure::Bad("form") }
}
