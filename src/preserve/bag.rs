//! Writing a bag.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{name, sha256, timestamp};
use crate::model::hex;

/// What `bag-info.txt` says.
#[derive(Debug, Clone, Default)]
pub struct BagInfo {
    /// What the bag is about: a finding's id.
    pub identifier: String,
    /// One line for people.
    pub description: String,
    /// Program and version.
    pub software: String,
    /// Hash of the last line of the chain of custody.
    pub custody_head: String,
    /// What is to be said of a timestamp; empty where no authority is configured.
    pub timestamp: String,
    /// When, in milliseconds since 1970 UTC.
    pub at: i64,
}

/// A bag being written. Nothing of an existing folder is overwritten.
#[derive(Debug)]
pub struct Bag {
    root: PathBuf,
    /// Path below the bag to hash.
    payload: BTreeMap<String, String>,
    bytes: u64,
}

impl Bag {
    /// A bag in a new or empty folder.
    ///
    /// # Errors
    /// When there is something in it, or it cannot be made.
    pub fn create(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root.join("data"))?;
        if fs::read_dir(root)?.count() > 1 || fs::read_dir(root.join("data"))?.count() > 0 {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder is not empty; name a new one"));
        }
        Ok(Self { root: root.to_owned(), payload: BTreeMap::new(), bytes: 0 })
    }

    /// Adds a file of these bytes. `name` begins with `data/`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.copy(name, &mut &*bytes)
    }

    /// Adds a copy of a file.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn add_file(&mut self, name: &str, file: &Path) -> io::Result<()> {
        self.copy(name, &mut File::open(file)?)
    }

    fn copy(&mut self, name: &str, from: &mut dyn Read) -> io::Result<()> {
        let path = self.root.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::create_new(&path)?;
        let mut hash = Sha256::new();
        let mut part = vec![0; 1 << 16];
        loop {
            let read = from.read(&mut part)?;
            if read == 0 {
                break;
            }
            hash.update(&part[..read]);
            file.write_all(&part[..read])?;
            self.bytes += read as u64;
        }
        file.sync_all()?;
        self.payload.insert(name.to_owned(), hex(&hash.finalize()));
        Ok(())
    }

    /// Writes the tag files: afterwards the bag is whole. The bytes of its tag manifest, which
    /// covers all of it.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn finish(&self, info: &BagInfo) -> io::Result<Vec<u8>> {
        let one_line = |text: &str| text.replace(['\r', '\n'], " ");
        let day = timestamp(info.at.div_euclid(1000));
        let mut bag_info = format!(
            "Bag-Software-Agent: {}\nBagging-Date: {}\nExternal-Identifier: {}\nExternal-Description: {}\n\
             Payload-Oxum: {}.{}\nXunjian-Custody-Head: {}\n",
            one_line(&info.software),
            &day[..10],
            one_line(&info.identifier),
            one_line(&info.description),
            self.bytes,
            self.payload.len(),
            info.custody_head,
        );
        if !info.timestamp.is_empty() {
            bag_info.push_str(&format!("{}{}\n", name::TIMESTAMP_INFO, one_line(&info.timestamp)));
        }
        let tags = [
            ("bag-info.txt", bag_info),
            ("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_owned()),
            ("manifest-sha256.txt", manifest(&self.payload)),
        ];
        let mut hashes = BTreeMap::new();
        for (name, text) in &tags {
            self.tag(name, text.as_bytes())?;
            hashes.insert((*name).to_owned(), sha256(text.as_bytes()));
        }
        let tag_manifest = manifest(&hashes).into_bytes();
        self.tag(name::TAG_MANIFEST, &tag_manifest)?;
        Ok(tag_manifest)
    }

    /// Adds the stamp on a finished bag. Its files are in no manifest: they came after the last
    /// one (RFC 8493, 2.2.4 lets a bag have such tag files).
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn stamp(&self, query: &[u8], reply: &[u8]) -> io::Result<()> {
        self.tag(name::TIMESTAMP_QUERY, query)?;
        self.tag(name::TIMESTAMP_REPLY, reply)
    }

    /// Takes everything away again: what was not finished is not to be taken for a bag.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn discard(self) -> io::Result<()> {
        fs::remove_dir_all(&self.root)
    }

    fn tag(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(self.root.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

fn manifest(files: &BTreeMap<String, String>) -> String {
    // RFC 8493, 2.1.3: line ends and per cent signs in names are written as escapes.
    let escaped = |name: &str| name.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    files.iter().map(|(name, hash)| format!("{hash}  {}\n", escaped(name))).collect()
}
