//! What tests share: paths of fixtures, runs of the program.

pub mod authority;
pub mod bombs;
pub mod chunked;
pub mod collector;
pub mod conformance;
pub mod containers;
pub mod desk;
pub mod engines;
pub mod fake_store;
pub mod formats;
pub mod package;
pub mod receiver;
pub mod server;
pub mod services;
pub mod shop;
pub mod signed;
pub mod tricks;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A path below the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs the program in the project folder.
pub fn xunjian(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(args)
        .env("LANG", "C.UTF-8")
        // Two runs say the same time.
        .env("SOURCE_DATE_EPOCH", "1796079000")
        .env_remove("LC_ALL")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the program starts")
}

/// Its standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Its standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// One audit of a JSON report.
pub fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", stderr(output)))
}

/// What is to be had of the shared data beside the project. Tests of it are called `given_data_…`, are
/// `#[ignore]`d, and fail where it is missing.
pub fn shared(path: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder").join("shared/data").join(path);
    assert!(dir.exists(), "this test needs {}", dir.display());
    dir
}
