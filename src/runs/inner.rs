//! Apps taken out of an archive that holds several, each to be audited on its own.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;

use crate::audit::{Inner, InnerFile};
use crate::model::Budget;

/// Most that a file may grow by deflate; its own limit is 1,032 (zlib's technical notes).
const RATIO_MAX: u64 = 1_100;

/// The name of a file within an archive, as reports name it.
#[must_use]
pub fn name_of(archive: &str, file: &InnerFile) -> String {
    format!("{archive}!{}", file.name)
}

/// Writes the files of one app into a folder: their paths, with their names as reports name them.
///
/// # Errors
/// When a file does not come out whole, or the medium fails.
pub fn take_out(archive: &Path, name: &str, inner: &Inner, folder: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let file = File::open(archive)?;
    let budget = Budget::default().for_file(file.metadata()?.len());
    let mut out = Vec::new();
    for (number, part) in inner.files.iter().enumerate() {
        let path = folder.join(number.to_string());
        copy(&file, part, &mut File::create_new(&path)?, budget.bytes_left())?;
        out.push((path, name_of(name, part)));
    }
    Ok(out)
}

/// One file for the app, as vaults keep it: the package itself, or its splits packed without change.
///
/// # Errors
/// When a file does not come out whole, or the medium fails.
pub fn one_file(archive: &Path, inner: &Inner, out: &mut File) -> io::Result<()> {
    let file = File::open(archive)?;
    let most = Budget::default().for_file(file.metadata()?.len()).bytes_left();
    if let [only] = inner.files.as_slice() {
        return copy(&file, only, out, most);
    }
    let mut set = zip::ZipWriter::new(out);
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    for part in &inner.files {
        set.start_file(part.name.as_str(), options).map_err(io::Error::other)?;
        copy(&file, part, &mut set, most)?;
    }
    set.finish().map_err(io::Error::other)?;
    Ok(())
}

/// Packs files of one app into one, without change: a set of splits as stores hand it out.
///
/// # Errors
/// When the medium fails.
pub fn pack(files: &[(PathBuf, String)], out: &mut File) -> io::Result<()> {
    let mut set = zip::ZipWriter::new(out);
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    for (number, (path, name)) in files.iter().enumerate() {
        let last = name.rsplit(['/', '\\', '!']).next().unwrap_or(name);
        // Two files of one name would be one entry twice; and a package is known by its ending.
        set.start_file(format!("{number}-{}.apk", last.trim_end_matches(".apk")), options).map_err(io::Error::other)?;
        io::copy(&mut File::open(path)?, &mut set)?;
    }
    set.finish().map_err(io::Error::other)?;
    Ok(())
}

fn copy(mut archive: &File, part: &InnerFile, out: &mut impl Write, most: u64) -> io::Result<()> {
    archive.seek(SeekFrom::Start(part.start))?;
    let packed = archive.take(part.packed);
    let most = most.min(part.packed.saturating_mul(RATIO_MAX));
    let written = if part.is_deflated {
        io::copy(&mut DeflateDecoder::new(packed).take(most), out)?
    } else {
        io::copy(&mut packed.take(most), out)?
    };
    if written < part.bytes {
        let reason = format!("{}: breaks off after {written} of {} bytes", part.name, part.bytes);
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(())
}
