//! Who may use whom: dependencies run one way, and a stage never names another stage.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A crate of the workspace: its folder, and each module with the modules it may name.
struct Crate {
    folder: &'static str,
    allowed: BTreeMap<&'static str, &'static [&'static str]>,
}

/// The modules of the core; that the core names nothing of the program, Cargo holds.
fn core() -> Crate {
    let allowed = BTreeMap::from([
        ("model", &[] as &[&str]),
        ("signature", &["model"]),
        ("unpack", &["model"]),
        ("extract", &["model", "signature"]),
        ("detect", &["model", "signature"]),
        ("register", &["model", "signature"]),
        ("score", &["model", "signature"]),
        ("report", &["model"]),
        ("audit", &["model", "signature", "unpack", "extract", "detect", "register", "score"]),
    ]);
    Crate { folder: "crates/xunjian-core/src", allowed }
}

/// The modules of the program, and which of the core's and of its own they may name.
fn program() -> Crate {
    let allowed = BTreeMap::from([
        ("time", &[] as &[&str]),
        ("crawl", &["model"]),
        ("acquire", &["model"]),
        ("store", &["model"]),
        ("preserve", &["model"]),
        ("measure", &["model"]),
        ("train", &["model", "signature", "score", "measure"]),
        ("isolate", &["model", "signature", "audit", "unpack"]),
        (
            "runs",
            // A bag holds a page for people.
            &[
                "time",
                "model",
                "signature",
                "register",
                "report",
                "audit",
                "crawl",
                "acquire",
                "store",
                "preserve",
                "isolate",
            ],
        ),
        // Interfaces like `cli`: they show what is kept, keep what people decide.
        ("feed", &["time", "model", "register", "report", "store"]),
        ("review", &["time", "model", "register", "report", "audit", "store", "runs", "feed"]),
        (
            "cli",
            &[
                "time",
                "model",
                "signature",
                "register",
                "score",
                "report",
                "audit",
                "crawl",
                "acquire",
                "store",
                "preserve",
                "isolate",
                "measure",
                "train",
                "runs",
                "feed",
                "review",
            ],
        ),
    ]);
    Crate { folder: "src", allowed }
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    files(dir, "rs")
}

/// The files below this folder whose names end like this.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|ext| ext == ending) {
            found.push(path);
        }
    }
    found
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

/// Every module of the core and of the program.
fn modules() -> Vec<&'static str> {
    core().allowed.into_keys().chain(program().allowed.into_keys()).collect()
}

#[test]
fn dependencies_run_one_way() {
    let modules = modules();
    let mut seen = 0;
    for Crate { folder, allowed } in [core(), program()] {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for file in sources(&src) {
            let module = module_of(&src, &file);
            if module == "main" || module == "lib" {
                continue;
            }
            let may = allowed.get(module.as_str()).unwrap_or_else(|| panic!("{module} is in no table: add it"));
            for other in named(&fs::read_to_string(&file).unwrap()) {
                if modules.contains(&other.as_str()) && other != module {
                    seen += 1;
                    assert!(may.contains(&other.as_str()), "{} names crate::{other}", file.display());
                }
            }
        }
    }
    assert!(seen > 20, "the test sees the uses it guards: {seen}");
}

#[test]
fn the_folder_listing_shows_the_pipeline() {
    let contents = |folder: &str| {
        let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("lib.rs");
        let text = fs::read_to_string(lib).unwrap();
        text.lines()
            .filter_map(|line| line.strip_prefix("pub mod "))
            .map(|module| module.trim_end_matches(';').to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(contents(core().folder), "model signature unpack extract detect register score report audit");
    assert_eq!(contents(program().folder), "crawl acquire store preserve measure train isolate runs feed review cli");
}

/// Characters that a line of a signature file may have before its arrays are wrapped.
const LINE: usize = 118;

/// A line of TOML with its strings emptied, comments left out: what is left are brackets, commas and keys.
fn bare(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            '"' | '\'' => {
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' if c == '"' => {
                            chars.next();
                        }
                        _ if inner == c => break,
                        _ => {}
                    }
                }
                out.push_str("\"\"");
            }
            _ => out.push(c),
        }
    }
    out
}

/// Whether an array could be wrapped here: two of its strings, or two of its tables, stand on the line.
fn holds_an_array(line: &str) -> bool {
    let bare = bare(line);
    bare.contains("\"\", \"\"") || bare.contains("},")
}

#[test]
fn arrays_of_signature_files_are_wrapped_so_that_a_change_can_be_read() {
    assert!(holds_an_array(r#"any = ["a, b", 'c"d']"#));
    assert!(!holds_an_array(r#"why = { zh = "a, b", en = "c\", \"d" } # "x", "y""#));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("signatures");
    let (mut seen, mut long) = (0, Vec::new());
    for file in files(&folder, "toml") {
        let text = fs::read_to_string(&file).unwrap();
        seen += 1;
        // What stands between triple quotes cannot be wrapped, and counts as one string.
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.contains("\"\"\"")) {
            if line.chars().count() > LINE && holds_an_array(line) {
                long.push(format!("{}:{}", file.display(), number + 1));
            }
        }
    }
    assert!(seen > 50, "the test sees the files it guards: {seen}");
    assert!(long.is_empty(), "wrap these arrays at {LINE} characters:\n{}", long.join("\n"));
}
