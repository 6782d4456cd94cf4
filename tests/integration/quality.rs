//! Recognition on our own labelled corpora must not fall below these figures.

use crate::support;

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{project, stderr, xunjian};
use serde_json::Value;

/// What recognition comes to on the examples of a file or folder.
fn evaluated(path: &str) -> Value {
    let output = xunjian(&["corpora", "evaluate", path, "--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    support::report(&output)
}

/// No figure may lie below its floor: sign, least precision, least recall.
fn hold(evaluation: &Value, floors: &[(&str, f64, f64)]) {
    for (sign, precision, recall) in floors {
        let figures = &evaluation["signs"][sign];
        let (p, r) = (figures["precision"].as_f64().unwrap(), figures["recall"].as_f64().unwrap());
        assert!(p >= *precision && r >= *recall, "{sign}: precision {p}, recall {r}");
    }
}

/// Sign, least precision, least recall at `likely`. Raise them when recognition gets better.
/// The shipped text models have learnt from these listings, which flatters the first three:
/// `UNSEEN` holds what they reach without.
const FLOORS: &[(&str, f64, f64)] = &[
    ("education", 0.97, 0.98),
    ("preschool-training", 0.94, 0.96),
    ("subject-tutoring", 0.95, 0.96),
    ("disguised-tutoring", 0.90, 0.90),
    ("photo-search", 0.98, 0.97),
    ("live-tutoring", 0.98, 0.94),
    ("game-link", 0.98, 0.98),
    ("advertising", 0.98, 0.98),
    ("harmful-content", 0.98, 0.98),
    ("school-fee", 0.98, 0.98),
];

#[test]
fn listings_of_our_own() {
    let evaluation = evaluated("corpora/listings");
    assert!(evaluation["examples"].as_u64().unwrap() >= 400);
    hold(&evaluation, FLOORS);
}

/// Listings by writers who had read no signature, which no model has learnt from: as [`FLOORS`].
const BLIND: &[(&str, f64, f64)] = &[
    ("education", 0.94, 0.96),
    ("preschool-training", 0.95, 0.88),
    ("subject-tutoring", 0.90, 0.96),
    ("photo-search", 0.98, 0.98),
    ("live-tutoring", 0.90, 0.85),
];

#[test]
fn listings_written_blind() {
    let evaluation = evaluated("corpora/blind");
    assert!(evaluation["examples"].as_u64().unwrap() >= 300);
    hold(&evaluation, BLIND);
}

/// Packages told in words: as [`FLOORS`], over fewer and harder examples.
const TOLD: &[(&str, f64, f64)] = &[
    ("education", 0.97, 0.98),
    ("preschool-training", 1.0, 1.0),
    ("subject-tutoring", 0.95, 0.95),
    ("disguised-tutoring", 1.0, 1.0),
    ("photo-search", 1.0, 1.0),
    ("live-tutoring", 1.0, 1.0),
    ("game-link", 1.0, 1.0),
    ("advertising", 1.0, 1.0),
    ("harmful-content", 1.0, 1.0),
    ("minor-privacy", 1.0, 1.0),
    ("complaint-channel", 1.0, 1.0),
    ("service-terms", 1.0, 1.0),
    ("filing-missing", 1.0, 1.0),
    ("school-fee", 1.0, 1.0),
];

/// Descriptions of packages, half of them hard.
#[test]
fn packages_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (mut told, mut hard, mut ids) = (0, 0, std::collections::BTreeSet::new());
    for file in std::fs::read_dir(support::project("corpora/packages")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("\"contents\"")).collect();
        if lines.is_empty() {
            continue;
        }
        for line in &lines {
            let example: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(ids.insert(example["id"].as_str().unwrap().to_owned()), "{} twice", example["id"]);
            assert!(!example["note"].as_str().unwrap().is_empty(), "{}: say what it shows", example["id"]);
            hard += usize::from(example["hard"].is_string());
        }
        told += lines.len();
        std::fs::write(folder.path().join(path.file_name().unwrap()), lines.join("\n")).unwrap();
    }
    assert!(told >= 40 && hard * 2 >= told, "{told} descriptions, {hard} of them hard");
    let evaluation = evaluated(folder.path().to_str().unwrap());
    hold(&evaluation, TOLD);
}

/// Every label of every fixture app comes out: found at `likely` where it is so, not where it is not.
#[test]
fn fixture_apps() {
    let evaluation = evaluated("corpora/packages/fixtures.jsonl");
    assert!(evaluation["examples"].as_u64().unwrap() >= 14);
    for (sign, figures) in evaluation["signs"].as_object().unwrap() {
        assert!(figures["positives"].as_u64().unwrap() > 0, "{sign} has no positive fixture");
        assert_eq!(figures["worst"].as_array().unwrap().len(), 0, "{sign}: {}", figures["worst"]);
    }
}

/// What the answer holds for people and for programs: every figure, the table, the misses.
#[test]
fn an_evaluation_shows_what_it_rests_on() {
    let args = ["corpora", "evaluate", "corpora/listings", "--worst", "2"];
    let evaluation = support::report(&xunjian(&[&args[..], &["--format", "json"]].concat()));
    for (sign, figures) in evaluation["signs"].as_object().unwrap() {
        for key in ["precision", "recall", "f1", "average_precision", "brier"] {
            let value = figures[key].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&value), "{sign} {key} {value}");
        }
        let bands = figures["reliability"].as_array().unwrap();
        let examples: u64 = bands.iter().map(|band| band["examples"].as_u64().unwrap()).sum();
        assert_eq!(Some(examples), figures["examples"].as_u64(), "{sign}: every example is in one band");
        assert!(figures["worst"].as_array().unwrap().len() <= 2);
        for miss in figures["worst"].as_array().unwrap() {
            assert_eq!(miss["sum"][0]["group"], "base-rate", "{sign}: the sum is shown from its base rate");
        }
    }
    for (lang, words) in [
        ("zh", ["精确率", "平均精确", "错得最多的", "称为“较强”"]),
        ("en", ["precision", "Brier", "worst misses", "`strong`, that is so"]),
    ] {
        let page = support::stdout(&xunjian(&[&args[..], &["--lang", lang]].concat()));
        assert!(words.iter().all(|word| page.contains(word)), "{page}");
    }
}

/// Sign, least F1 at `likely`, with text models that have not seen the example.
const UNSEEN: &[(&str, f64)] = &[("education", 0.95), ("preschool-training", 0.85), ("subject-tutoring", 0.92)];

/// What the shipped models have learnt from flatters them; so here each listing is judged
/// by models trained without it.
#[test]
fn listings_of_our_own_out_of_fold() {
    let folds = tempfile::tempdir().unwrap();
    train(&files("corpora/listings"), &[], folds.path());
    let evaluation = evaluate("corpora/listings", folds.path());
    for (sign, least) in UNSEEN {
        let f1 = evaluation["signs"][sign]["f1"].as_f64().unwrap();
        assert!(f1 >= *least, "{sign}: F1 {f1}");
    }
}

/// Least F1 of education, preschool training and subject tutoring on each labelled set of the shared
/// data, by models that have not seen the line. Raise them when recognition gets better.
const GOLD: &[(&str, [f64; 3])] =
    &[("listings/gold-dev.jsonl", [0.96, 0.955, 0.935]), ("listings/gold-dev-2.jsonl", [0.91, 0.84, 0.92])];
/// Calls of one confidence below which a share says nothing.
const CASES: u64 = 20;

/// The labelled descriptions of the shared data, where they are at hand: the bar that
/// recognition was last measured at, and that findings are as sure as they say.
#[test]
#[ignore = "needs shared data beside the project"]
fn real_descriptions_out_of_fold() {
    let sets: Vec<_> = GOLD.iter().map(|(file, least)| (support::shared(file), least)).collect();
    let data: Vec<String> = sets.iter().map(|(file, _)| file.display().to_string()).collect();
    let folds = tempfile::tempdir().unwrap();
    train(&data, &files("corpora/listings"), folds.path());
    let mut called: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for (file, (_, least)) in data.iter().zip(&sets) {
        let evaluation = evaluate(file, folds.path());
        for (sign, least) in ["education", "preschool-training", "subject-tutoring"].iter().zip(**least) {
            let f1 = evaluation["signs"][sign]["f1"].as_f64().unwrap();
            assert!(f1 >= least, "{file} {sign}: F1 {f1}");
        }
        tally(&evaluation, &mut called);
        if file.ends_with("gold-dev.jsonl") {
            for sign in ["photo-search", "live-tutoring"] {
                let worst = evaluation["signs"][sign]["worst"].as_array().unwrap();
                assert_eq!(worst.len(), 0, "{sign}: every line right");
            }
        }
    }
    let folds = tempfile::tempdir().unwrap();
    train(&files("corpora/listings"), &[], folds.path());
    tally(&evaluate("corpora/listings", folds.path()), &mut called);
    tally(&evaluated("corpora/blind"), &mut called);
    for ((sign, confidence), (hits, examples)) in &called {
        println!("{sign:20} {confidence:7} {hits:>4} of {examples:>4}");
    }
    for ((sign, confidence), (hits, examples)) in called.into_iter().filter(|(_, (_, examples))| *examples >= CASES) {
        let least = if confidence == "strong" { 0.95 } else { 0.7 };
        assert!(hits as f64 >= least * examples as f64, "{sign}: {hits} of {examples} called {confidence} are so");
    }
}

/// Adds up what was called with each confidence and how much of it is so.
fn tally(evaluation: &Value, called: &mut BTreeMap<(String, String), (u64, u64)>) {
    for (sign, figures) in evaluation["signs"].as_object().unwrap() {
        for (confidence, share) in figures["confidence"].as_object().unwrap() {
            let all = called.entry((sign.clone(), confidence.clone())).or_default();
            all.0 += share["hits"].as_u64().unwrap();
            all.1 += share["examples"].as_u64().unwrap();
        }
    }
}

/// A folder of which one model is missing would judge by a model that has seen the example.
#[test]
fn folds_must_hold_every_model() {
    let folds = tempfile::tempdir().unwrap();
    train_one("subject-tutoring", &files("corpora/listings"), &[], folds.path());
    let output = xunjian(&["corpora", "evaluate", "corpora/listings", "--folds", folds.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("education.model"), "{}", stderr(&output));
}

/// The files of a folder of the project.
fn files(folder: &str) -> Vec<String> {
    let listed = std::fs::read_dir(project(folder)).unwrap();
    let mut files: Vec<String> = listed.map(|e| e.unwrap().path().display().to_string()).collect();
    files.sort();
    files
}

fn train(data: &[String], support: &[String], folds: &Path) {
    for model in ["education", "preschool-training", "subject-tutoring"] {
        train_one(model, data, support, folds);
    }
}

fn train_one(model: &str, data: &[String], support: &[String], folds: &Path) {
    let (out, folds) = (folds.join(format!("{model}.model")), folds.to_str().unwrap());
    let mut args = vec!["signatures", "train", "--name", model, "--label", model];
    args.extend(["--out", out.to_str().unwrap(), "--folds-out", folds]);
    if !support.is_empty() {
        args.push("--support");
        args.extend(support.iter().map(String::as_str));
    }
    args.push("--");
    args.extend(data.iter().map(String::as_str));
    let output = xunjian(&args);
    assert!(output.status.success(), "{}", stderr(&output));
}

fn evaluate(corpus: &str, folds: &Path) -> Value {
    support::report(&xunjian(&["corpora", "evaluate", corpus, "--folds", folds.to_str().unwrap(), "--format", "json"]))
}
