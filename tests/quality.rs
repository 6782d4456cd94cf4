//! Recognition on our own labelled corpora must not fall below these figures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use support::{stderr, xunjian};

/// Sign, least precision, least recall at `likely`. Raise them when recognition gets better.
const FLOORS: &[(&str, f64, f64)] = &[
    ("education", 0.94, 0.93),
    ("preschool-training", 0.85, 0.85),
    ("subject-tutoring", 0.93, 0.84),
    ("disguised-tutoring", 0.90, 0.50),
    ("photo-search", 0.98, 0.90),
    ("live-tutoring", 0.94, 0.80),
    ("game-link", 0.98, 0.70),
    ("advertising", 0.98, 0.78),
    ("harmful-content", 0.98, 0.85),
    ("school-fee", 0.98, 0.98),
];

#[test]
fn listings_of_our_own() {
    let output = xunjian(&["corpora", "evaluate", "corpora/listings", "--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let evaluation = support::report(&output);
    assert!(evaluation["examples"].as_u64().unwrap() >= 400);
    for (sign, precision, recall) in FLOORS {
        let figures = &evaluation["signs"][sign];
        let (p, r) = (figures["precision"].as_f64().unwrap(), figures["recall"].as_f64().unwrap());
        assert!(p >= *precision && r >= *recall, "{sign}: precision {p}, recall {r}");
    }
}

/// Every label of every fixture app comes out: found at `likely` where it is so, not where it is not.
#[test]
fn fixture_apps() {
    let output = xunjian(&["corpora", "evaluate", "corpora/packages", "--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let evaluation = support::report(&output);
    assert!(evaluation["examples"].as_u64().unwrap() >= 14);
    for (sign, figures) in evaluation["signs"].as_object().unwrap() {
        assert!(figures["positives"].as_u64().unwrap() > 0, "{sign} has no positive fixture");
        assert_eq!(figures["worst"].as_array().unwrap().len(), 0, "{sign}: {}", figures["worst"]);
    }
}

/// The labelled descriptions of the shared data, where they are at hand: the bar that
/// recognition was last measured at.
#[test]
fn real_descriptions() {
    let Some(gold) = support::shared("listings/gold-dev.jsonl") else { return };
    let output = xunjian(&["corpora", "evaluate", gold.to_str().unwrap(), "--format", "json"]);
    let evaluation = support::report(&output);
    for (sign, least) in [("education", 0.94), ("preschool-training", 0.93), ("subject-tutoring", 0.88)] {
        let f1 = evaluation["signs"][sign]["f1"].as_f64().unwrap();
        assert!(f1 >= least, "{sign}: F1 {f1}");
    }
    for sign in ["photo-search", "live-tutoring"] {
        assert_eq!(evaluation["signs"][sign]["worst"].as_array().unwrap().len(), 0, "{sign}: every line right");
    }
}
