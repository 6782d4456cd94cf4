//! Downloads: the forms of `audit --format`, of one app or of all that the inbox shows.

use std::io::{Read, Seek, Write};

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::failure::Failure;
use super::query::Asked;
use super::session::{Visitor, note};
use crate::model::{Audit, MadeBy};
use crate::report::{self, Format, Style};
use crate::store::{Desk, State as _};

/// Apps read from the database at once.
const AT_ONCE: u32 = 200;
/// Apps of one download.
const APPS_MAX: u32 = 20_000;
/// Bytes of a download kept in memory before they go to a file.
const SPOOL: usize = 4 << 20;

fn format_of(name: &str) -> Option<(Format, &'static str, &'static str)> {
    Some(match name {
        "json" => (Format::Json, "json", "application/json"),
        "jsonl" => (Format::Jsonl, "jsonl", "application/x-ndjson"),
        "csv" => (Format::Csv, "csv", "text/csv; charset=utf-8"),
        "xlsx" => (Format::Xlsx, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        "sarif" => (Format::Sarif, "sarif", "application/sarif+json"),
        "html" => (Format::Html, "html", "text/html; charset=utf-8"),
        _ => return None,
    })
}

/// `GET /app/ID/export/FORMAT`
pub(super) async fn one(
    State(site): State<Shared>,
    Path((app, format)): Path<(i64, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let row = site.home.state.history(app, 1).await?.pop().ok_or(Failure::NotFound)?;
    let mut download = Download::new(&format, &visitor, row.made_by)?;
    download.write(vec![row.audit]).await?;
    note(&site, &visitor.name, "exported", &format!("{app} {format}")).await?;
    download.answer(&format!("app-{app}")).await
}

/// `GET /export/FORMAT?…`: the latest audits of all apps that the inbox's filters show.
pub(super) async fn all(
    State(site): State<Shared>,
    Path(format): Path<String>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let mut desk = Asked::of(&query.unwrap_or_default()).desk;
    (desk.skip, desk.most) = (0, AT_ONCE);
    let mut download: Option<Download> = None;
    while desk.skip < APPS_MAX {
        let rows = site.home.state.desk(&desk).await?;
        let mut audits = Vec::new();
        for row in &rows {
            let Some(audit) = site.home.state.audit(row.audit).await? else { continue };
            if download.is_none() {
                download = Some(Download::new(&format, &visitor, audit.made_by.clone())?);
            }
            audits.push(audit.audit);
        }
        if let Some(download) = &mut download {
            download.write(audits).await?;
        }
        if rows.len() < AT_ONCE as usize {
            break;
        }
        desk.skip += AT_ONCE;
    }
    let download = match download {
        Some(download) => download,
        None => Download::new(&format, &visitor, nobody())?,
    };
    note(&site, &visitor.name, "exported", &format).await?;
    download.answer("findings").await
}

/// What made a download without apps.
fn nobody() -> MadeBy {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    MadeBy { version, pack_sha256: String::new(), policy: String::new() }
}

/// A file in the making.
struct Download {
    writer: Box<dyn report::ReportWriter>,
    file: Shelf,
    ending: &'static str,
    kind: &'static str,
}

/// A temporary file that the report writes and the answer reads.
#[derive(Clone)]
struct Shelf(std::sync::Arc<std::sync::Mutex<tempfile::SpooledTempFile>>);

impl Shelf {
    fn with<T>(&self, f: impl FnOnce(&mut tempfile::SpooledTempFile) -> std::io::Result<T>) -> std::io::Result<T> {
        let mut file = self.0.lock().map_err(|_| std::io::Error::other("a writer failed"))?;
        f(&mut file)
    }
}

impl Write for Shelf {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.with(|file| file.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.with(Write::flush)
    }
}

impl Read for Shelf {
    fn read(&mut self, piece: &mut [u8]) -> std::io::Result<usize> {
        self.with(|file| file.read(piece))
    }
}

impl Seek for Shelf {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.with(|file| file.seek(to))
    }
}

impl Download {
    fn new(format: &str, visitor: &Visitor, made_by: MadeBy) -> Result<Self, Failure> {
        let (format, ending, kind) = format_of(format).ok_or(Failure::NotFound)?;
        let file = Shelf(std::sync::Arc::new(tempfile::SpooledTempFile::new(SPOOL).into()));
        let style = Style {
            lang: visitor.lang.code().to_owned(),
            at: crate::time::told(crate::time::now()),
            ..Style::default()
        };
        Ok(Self { writer: report::writer(format, Box::new(file.clone()), style, made_by), file, ending, kind })
    }

    /// Writes audits, away from the threads that serve pages.
    async fn write(&mut self, audits: Vec<Audit>) -> Result<(), Failure> {
        tokio::task::block_in_place(|| audits.into_iter().try_for_each(|audit| self.writer.audit(audit)))?;
        Ok(())
    }

    async fn answer(mut self, name: &str) -> Result<Response, Failure> {
        tokio::task::block_in_place(|| self.writer.finish())?;
        drop(self.writer);
        let mut file = self.file.clone();
        file.rewind()?;
        let headers = [
            (header::CONTENT_TYPE, self.kind.to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"xunjian-{name}.{}\"", self.ending)),
        ];
        Ok((headers, stream(file)).into_response())
    }
}

/// A file as the body of an answer, piece by piece.
pub(super) fn stream(file: impl Read + Send + 'static) -> Body {
    let pieces = futures_util::stream::unfold(file, |mut file| async move {
        let mut piece = vec![0; 64 << 10];
        match tokio::task::block_in_place(|| file.read(&mut piece)) {
            Ok(0) => None,
            Ok(n) => {
                piece.truncate(n);
                Some((Ok(Bytes::from(piece)), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    });
    Body::from_stream(pieces)
}
