//! Registers as they are imported: nothing good gives way to a file that says nothing.

use std::path::Path;

use crate::support::{stderr, stdout, xunjian};

fn import(dir: &Path, text: &str, more: &[&str]) -> (Option<i32>, String) {
    let file = dir.join("table.csv");
    std::fs::write(&file, text).unwrap();
    let folder = dir.join("registers");
    let (file, folder) = (file.to_str().unwrap(), folder.to_str().unwrap());
    let args = [&["register", "import", "licence", file, "--registers", folder][..], more].concat();
    let output = xunjian(&args);
    (output.status.code(), stdout(&output) + &stderr(&output))
}

fn rows(dir: &Path) -> String {
    stdout(&xunjian(&["register", "list", "--registers", dir.join("registers").to_str().unwrap()]))
}

#[test]
fn a_register_gives_way_to_nothing_only_where_told_to_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let good = "机构名称,有效期至,备注\n甲公司,长期,\n乙公司,46022,\n丙公司,2027-01-31,\n";
    // Nobody is named any more: every code was made a number.
    let bad = "统一社会信用代码,有效期至\n9.11101E+17,2026-01-31\n";
    let (code, said) = import(dir.path(), good, &["--dry-run"]);
    assert!(code == Some(0) && said.contains("3 rows would be kept") && rows(dir.path()).is_empty(), "{said}");
    let (code, said) = import(dir.path(), good, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("机构名称: provider") && said.contains("备注: not used"), "{said}");
    assert!(rows(dir.path()).contains("3 rows"));
    let (code, said) = import(dir.path(), bad, &[]);
    assert!(code == Some(3) && said.contains("nothing was replaced") && said.contains("cell A2"), "{said}");
    assert!(rows(dir.path()).contains("3 rows"), "the good one stays");
    let (code, said) = import(dir.path(), "机构名称\n甲公司\n", &[]);
    assert!(code == Some(3) && said.contains("--replace-anyway"), "a third is far fewer: {said}");
    let (_, said) = import(dir.path(), "机构名称\n甲公司\n", &["--replace-anyway"]);
    assert!(rows(dir.path()).contains("1 rows"), "{said}");
    let undone =
        xunjian(&["register", "undo", "licence", "--registers", dir.path().join("registers").to_str().unwrap()]);
    assert!(undone.status.success(), "{}", stderr(&undone));
    assert!(rows(dir.path()).contains("3 rows"), "undone");
}
