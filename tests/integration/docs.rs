//! The documentation's worked examples, run as a reader would run them.
//!
//! A block that follows a line with “Save … `path`” (or 存为) is written there; of a
//! `console` block every `$` line is run, and the lines below it must stand in the output
//! in this order: `…` alone stands for any lines, at an end of a line for any text.

use crate::support;

use std::path::Path;
use std::process::Command;

/// A fenced block with its language and the text above it since the last one.
struct Block<'a> {
    lead: &'a str,
    language: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut parts = page.split("```");
    let mut found = Vec::new();
    while let (Some(lead), Some(block)) = (parts.next(), parts.next()) {
        let (language, body) = block.split_once('\n').unwrap();
        found.push(Block { lead, language, lines: body.lines().collect() });
    }
    found
}

/// The path that the last paragraph above a block says to save it as.
fn saved_as<'a>(block: &Block<'a>) -> Option<&'a str> {
    let paragraph = block.lead.trim_end().rsplit("\n\n").next()?;
    let at = paragraph.find("Save ").or_else(|| paragraph.find("存为"))?;
    paragraph[at..].split('`').nth(1)
}

/// Splits a command line at blanks outside double quotes.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    quoted
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

fn is_like(wanted: &str, line: &str) -> bool {
    match (wanted.strip_prefix('…'), wanted.strip_suffix('…')) {
        (Some(end), _) => line.ends_with(end),
        (None, Some(start)) => line.starts_with(start.trim_end()),
        (None, None) => wanted == line,
    }
}

fn run(command: &str, wanted: &[&str], folder: &Path) {
    let words = words(command);
    assert_eq!(words[0], "xunjian", "{command}");
    let output = Command::new(env!("CARGO_BIN_EXE_xunjian")).args(&words[1..]).current_dir(folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command}: {errors}");
    let mut lines = text.lines();
    let mut may_skip = false;
    for line in wanted {
        if *line == "…" {
            may_skip = true;
            continue;
        }
        let found =
            if may_skip { lines.any(|l| is_like(line, l)) } else { lines.next().is_some_and(|l| is_like(line, l)) };
        assert!(found, "{command}\nlacks: {line}\n{text}");
        may_skip = false;
    }
    assert!(may_skip || lines.all(str::is_empty), "{command} says more than the page\n{text}");
}

fn follow(page: &str) -> usize {
    let page = std::fs::read_to_string(support::project(page)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for copied in ["corpora/listings", "signatures/photo-search"] {
        std::fs::create_dir_all(folder.path().join(copied)).unwrap();
        for file in std::fs::read_dir(support::project(copied)).unwrap() {
            let path = file.unwrap().path();
            std::fs::copy(&path, folder.path().join(copied).join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut commands = 0;
    for block in blocks(&page) {
        if block.language == "console" {
            for part in block.lines.join("\n").split("$ ").skip(1) {
                let lines: Vec<&str> = part.lines().collect();
                run(lines[0], &lines[1..], folder.path());
                commands += 1;
            }
        } else if let Some(path) = saved_as(&block) {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, block.lines.join("\n") + "\n").unwrap();
        }
    }
    commands
}

#[test]
fn a_signature_from_a_complaint() {
    assert_eq!(follow("docs/signatures.md"), 10);
}

#[test]
fn the_same_in_chinese() {
    assert_eq!(follow("docs/signatures.zh.md"), 10);
}
