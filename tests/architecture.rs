//! Who may use whom: dependencies run one way, and a stage never names another stage.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module to the modules it may name.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("model", &[] as &[&str]),
        ("signature", &["model"]),
        ("crawl", &["model"]),
        ("acquire", &["model"]),
        ("unpack", &["model"]),
        ("extract", &["model", "signature"]),
        ("detect", &["model", "signature"]),
        ("register", &["model", "signature"]),
        ("score", &["model", "signature"]),
        ("store", &["model"]),
        ("preserve", &["model"]),
        ("report", &["model"]),
        ("measure", &["model"]),
        ("train", &["model", "signature", "score", "measure"]),
        (
            "pipeline",
            &[
                "model",
                "signature",
                "crawl",
                "acquire",
                "unpack",
                "extract",
                "detect",
                "register",
                "score",
                "store",
                "preserve",
            ],
        ),
        // An interface like `cli`: shows what is kept, keeps what people decide.
        ("review", &["model", "store", "report", "register", "pipeline", "feed"]),
        ("feed", &["model", "register", "store"]),
        (
            "cli",
            &[
                "review",
                "feed",
                "model",
                "signature",
                "pipeline",
                "register",
                "score",
                "report",
                "measure",
                "train",
                "store",
                "preserve",
                "crawl",
                "acquire",
            ],
        ),
    ])
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
    files
}

/// The top-level module a file belongs to.
fn module_of(src: &Path, file: &Path) -> String {
    let first = file.strip_prefix(src).unwrap().iter().next().unwrap().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Modules named as `crate::x` in code, comments left out.
fn named(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut found = Vec::new();
    for piece in code.join("\n").split("crate::").skip(1) {
        if let Some(group) = piece.strip_prefix('{') {
            let end = group.find('}').unwrap_or(group.len());
            found.extend(group[..end].split(',').map(|m| m.trim().split("::").next().unwrap_or("").to_owned()));
        } else {
            found.push(piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn dependencies_run_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed = allowed();
    let mut seen = 0;
    for file in sources(&src) {
        let module = module_of(&src, &file);
        if module == "main" || module == "lib" {
            continue;
        }
        let may = allowed.get(module.as_str()).unwrap_or_else(|| panic!("{module} is in no table: add it"));
        for other in named(&fs::read_to_string(&file).unwrap()) {
            if allowed.contains_key(other.as_str()) && other != module {
                seen += 1;
                assert!(may.contains(&other.as_str()), "{} names crate::{other}", file.display());
            }
        }
    }
    assert!(seen > 20, "the test sees the uses it guards: {seen}");
}

#[test]
fn the_folder_listing_shows_the_pipeline() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let order: Vec<&str> =
        lib.lines().filter_map(|l| l.strip_prefix("pub mod ").map(|m| m.trim_end_matches(';'))).collect();
    assert_eq!(
        order,
        [
            "model",
            "signature",
            "crawl",
            "acquire",
            "unpack",
            "extract",
            "detect",
            "register",
            "score",
            "store",
            "preserve",
            "report",
            "measure",
            "train",
            "pipeline",
            "feed",
            "review",
            "cli"
        ],
        "lib.rs is the table of contents in pipeline order"
    );
}
