//! How well pictures are read, on pictures that are kept elsewhere, with the lines that stand in them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panic")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use xunjian_pictures::{Effort, read};

#[derive(Deserialize)]
struct Truth {
    file: String,
    style: String,
    lines: Vec<String>,
}

/// Letters and digits, as signatures see them.
fn plain(text: &str) -> Vec<char> {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}

/// Least edits that make `line` a part of `read` (Sellers, 1980).
fn edits(line: &[char], read: &[char]) -> usize {
    let mut row = vec![0; read.len() + 1];
    for (done, &c) in line.iter().enumerate() {
        let mut before = row[0];
        row[0] = done + 1;
        for (at, &other) in read.iter().enumerate() {
            let kept = before + usize::from(c != other);
            before = row[at + 1];
            row[at + 1] = kept.min(before + 1).min(row[at] + 1);
        }
    }
    row.into_iter().min().unwrap_or(line.len())
}

/// Seconds of processor time that this process took.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The largest memory that this process had, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

#[test]
#[ignore = "needs ../shared/data/pictures"]
fn lines_in_pictures_are_read_nearly_without_error() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/pictures/generated");
    let truth = std::fs::read_to_string(folder.join("truth.jsonl")).expect("the pictures are at hand");
    let (mut styles, mut pictures, began) = (BTreeMap::<String, (usize, usize)>::new(), 0, processor());
    for line in truth.lines() {
        let truth: Truth = serde_json::from_str(line).unwrap();
        let bytes = std::fs::read(folder.join(&truth.file)).unwrap();
        let picture = read(&bytes, Effort::LISTING, &|| true).unwrap();
        pictures += 1;
        let said: Vec<Vec<char>> = picture.words.iter().map(|said| plain(&said.text)).collect();
        for line in &truth.lines {
            let line_of = plain(line);
            let wrong = said.iter().map(|said| edits(&line_of, said)).min().unwrap_or(line_of.len());
            if wrong > 0 {
                println!("{}: {line}: {wrong} of {}", truth.file, line_of.len());
            }
            let style = styles.entry(truth.style.clone()).or_default();
            *style = (style.0 + wrong, style.1 + line_of.len());
        }
    }
    let rate = |(wrong, all): (usize, usize)| 100.0 * wrong as f64 / all as f64;
    for (style, &counts) in &styles {
        println!("{style}: {:.2} % of {} characters", rate(counts), counts.1);
    }
    let all = styles.values().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let cost = (processor() - began) / f64::from(pictures);
    println!("all: {:.2} % of {} characters; {cost:.2} CPU s a picture; peak {} MB", rate(all), all.1, peak());
    assert!(rate(all) <= 0.6, "{all:?}");
}
