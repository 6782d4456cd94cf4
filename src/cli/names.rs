//! Names as people give them: full-width colons, wildcards in quotes, drives, addresses of packages, standard input.

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::targets::{Target, on_disk};
use super::usage::ensure_usage;

/// Endings that name a package, also at the end of an address.
const PACKAGES: &[&str] = &[".apk", ".apks", ".xapk", ".apkm", ".aab", ".hap", ".hsp", ".ipa", ".wgt"];

/// A path with a drive, as Windows writes it: `C:\\题.apk`. No store has a name of one letter.
pub(super) fn is_drive(word: &str) -> bool {
    let mut chars = word.chars();
    let letter = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    letter && chars.next() == Some(':') && matches!(chars.next(), Some('\\' | '/'))
}

/// An address that ends like a package.
pub(super) fn is_link(word: &str) -> bool {
    let Ok(url) = url::Url::parse(word) else { return false };
    let path = url.path().to_ascii_lowercase();
    matches!(url.scheme(), "http" | "https")
        && url.fragment().is_none()
        && PACKAGES.iter().any(|ending| path.ends_with(ending))
}

/// A word that names a store, with the colon that stores are named with; Chinese keyboards write another one.
pub(super) fn of_store(word: &str) -> Option<String> {
    let at = word.find([':', '：'])?;
    let (id, what) = word.split_at(at);
    let rest = what.trim_start_matches([':', '：']);
    let is_wide = what.starts_with('：');
    let rest = if is_wide { rest.replacen('？', "?", 1) } else { rest.to_owned() };
    Some(if is_wide { format!("{id}:{}", rest.trim()) } else { word.to_owned() })
}

/// What to add to "no such file" where the word looks like an app's package name.
pub(super) fn hint(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split('.').collect();
    let is_part = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_file = PACKAGES.iter().any(|ending| word.to_ascii_lowercase().ends_with(ending));
    (parts.len() >= 2 && !is_file && parts.iter().all(is_part)).then(|| {
        format!(
            "; if that is an app's package, say in which store: huawei:{word}, tencent:{word}; or search them all: \
             '*:?{word}'"
        )
    })
}

/// Files that a pattern names: some shells, and quotes, hand it over as it is. `None` where it is no pattern.
pub(super) fn expanded(word: &str) -> Option<Vec<String>> {
    let is_pattern = word.contains(['*', '[']) || word.contains('?') && !word.contains(':');
    if !is_pattern || word.starts_with("*:") || word.contains("://") {
        return None;
    }
    let fixed: PathBuf = Path::new(word).components().take_while(|part| !has_wild(part.as_os_str())).collect();
    let root = if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed.clone() };
    let matcher = globset::GlobBuilder::new(word).literal_separator(true).build().ok()?.compile_matcher();
    let depth = Path::new(word).components().count().saturating_sub(fixed.components().count());
    let mut files = Vec::new();
    walk(&root, depth, &mut |path| {
        let plain = path.strip_prefix("./").unwrap_or(path);
        if matcher.is_match(plain) || matcher.is_match(path) {
            files.push(plain.display().to_string());
        }
    });
    files.sort();
    // What fits nothing is told as a file that is not there.
    Some(if files.is_empty() { vec![word.to_owned()] } else { files })
}

fn has_wild(part: &std::ffi::OsStr) -> bool {
    part.to_string_lossy().contains(['*', '?', '['])
}

fn walk(folder: &Path, depth: usize, found: &mut dyn FnMut(&Path)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        found(&path);
        if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, depth - 1, found);
        }
    }
}

/// What standard input brought: its file is gone with the program.
static HELD: Mutex<Vec<tempfile::TempDir>> = Mutex::new(Vec::new());

/// A package or listings on standard input.
pub(super) fn standard_input() -> anyhow::Result<Vec<Target>> {
    let mut input = std::io::stdin().lock();
    let head = input.fill_buf()?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_text = text.trim_ascii_start().starts_with(b"{") || text.trim_ascii_start().starts_with(b"[");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(if is_text { "stdin.json" } else { "stdin" });
    let mut file = std::fs::File::create_new(&path)?;
    let written = std::io::copy(&mut input.by_ref(), &mut file)?;
    file.flush()?;
    ensure_usage!(written > 0, "nothing came on standard input");
    if let Ok(mut held) = HELD.lock() {
        held.push(folder);
    }
    Ok(on_disk(&path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        for (word, store) in [
            ("huawei：cn.a.b", Some("huawei:cn.a.b")),
            ("华为：？拍照 搜题", Some("华为:?拍照 搜题")),
            ("huawei:cn.a", Some("huawei:cn.a")),
            ("cn.a.b", None),
        ] {
            assert_eq!(of_store(word).as_deref(), store, "{word}");
        }
        assert!(is_drive(r"C:\Users\张三\题.apk") && is_drive("d:/x.apk") && !is_drive("huawei:/x"));
        assert!(is_link("https://a.example/b/C.APK?x=1") && !is_link("https://a.example/app/1") && !is_link("a.apk"));
        assert!(hint("cn.example.tishan").is_some());
        for word in ["a.apk", "题.x", "cn", "a b.c"] {
            assert!(hint(word).is_none(), "{word}");
        }
    }
}
