//! `signatures calibrate`: weights from labelled examples, written back into the files.

use crate::support;

use std::path::Path;
use std::sync::Arc;

use crate::support::{stderr, stdout, xunjian};
use xunjian::audit::Auditor;
use xunjian::measure;
use xunjian::model::{About, Budget};
use xunjian::score;
use xunjian::signature::{Pack, Source};
use xunjian::train::weights::Problem;

/// What is fitted is the sum that reports print, example by example.
#[test]
fn the_problem_adds_up_as_the_audit_does() {
    let pack = Arc::new(Pack::load(&Source::embedded()).unwrap());
    let policy = pack.policies["bj-2022-02-draft"].clone();
    let auditor = Auditor { pack: Arc::clone(&pack), policy, budget: Budget::default(), registers: Arc::default() };
    let mut compared = 0;
    for corpus in measure::read(&support::project("corpora/listings")).unwrap() {
        for example in corpus.examples {
            let (audit, detection) = auditor.weigh(example.listing.as_ref(), Vec::new());
            for sign in auditor.policy.spoken_of() {
                let about = About::Sign(sign);
                let mut problem = Problem::new(&pack, about, score::prior(&auditor.policy, about));
                problem.add(&example.id, "", true, &auditor.evidence(&detection, about));
                let check = audit.checks.iter().find(|check| check.sign == sign).unwrap();
                assert_eq!(
                    problem.total(0),
                    check.sum.iter().map(|line| line.weight).sum::<i32>(),
                    "{} {sign}",
                    example.id
                );
                compared += usize::from(check.sum.len() > 2);
            }
        }
    }
    assert!(compared > 300, "sums of several groups were among them: {compared}");
}

/// Our photo-search signatures with one weight spoilt, in a folder of their own.
fn spoilt() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("photo-search");
    std::fs::create_dir(&folder).unwrap();
    for file in std::fs::read_dir(support::project("signatures/photo-search")).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    let wording = folder.join("wording.toml");
    let text = std::fs::read_to_string(&wording).unwrap();
    // The first clue of the file, `named`.
    let first = text.lines().find(|line| line.starts_with("weight = ")).unwrap();
    std::fs::write(&wording, text.replacen(first, "weight = 2  # too low", 1)).unwrap();
    dir
}

fn wording(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("photo-search/wording.toml")).unwrap()
}

fn calibrate(dir: &Path, more: &[&str]) -> std::process::Output {
    let dir = dir.to_str().unwrap();
    let args = ["signatures", "calibrate", "corpora/listings", "--sign", "photo-search", "--signatures", dir];
    xunjian(&[&args, more].concat())
}

#[test]
fn a_spoilt_weight_is_found_and_written_with_comments_kept() {
    let dir = spoilt();
    let before = wording(dir.path());
    let shown = calibrate(dir.path(), &["--lang", "en"]);
    assert!(shown.status.success(), "{}", stderr(&shown));
    assert!(stdout(&shown).contains("Better out of fold"), "{}", stdout(&shown));
    assert_eq!(wording(dir.path()), before, "nothing is written unasked");
    let written = calibrate(dir.path(), &["--write"]);
    assert!(stdout(&written).contains("已写入") && stdout(&written).contains("wording.toml"), "{}", stdout(&written));
    let after = wording(dir.path());
    let weight = after.lines().find(|line| line.ends_with("# too low")).unwrap();
    let weight: i32 = weight.trim_start_matches("weight = ").split(' ').next().unwrap().parse().unwrap();
    assert!(weight > 2, "{weight}");
    let others = |text: &str| text.lines().filter(|l| !l.starts_with("weight")).collect::<Vec<_>>().join("\n");
    assert_eq!(others(&after), others(&before), "nothing but weights changed");
    let check = xunjian(&["signatures", "check", "--signatures", dir.path().to_str().unwrap()]);
    assert!(check.status.success(), "{}", stderr(&check));
}

#[test]
fn signs_with_too_few_examples_are_named() {
    let output = xunjian(&["signatures", "calibrate", "corpora/listings", "--sign", "minor-privacy"]);
    assert!(stdout(&output).contains("each needs at least 5"), "{}", stdout(&output));
    let output = xunjian(&["signatures", "calibrate", "corpora/listings", "--spread", "0"]);
    assert_eq!(output.status.code(), Some(2));
}

/// By models that have not seen the example, the present weights are worth less than they seem.
#[test]
fn with_folds_no_model_has_seen_what_it_judges() {
    let folds = tempfile::tempdir().unwrap();
    let folds = folds.path().to_str().unwrap();
    let data = "corpora/listings/subjects.jsonl";
    for model in ["education", "preschool-training", "subject-tutoring"] {
        let out = format!("{folds}/{model}.model");
        let args = ["signatures", "train", "--name", model, "--label", model, "--out", &out, "--folds-out", folds];
        let trained = xunjian(&[&args[..], &["--", data, "corpora/listings/preschool.jsonl"]].concat());
        assert!(trained.status.success(), "{}", stderr(&trained));
    }
    let args = ["signatures", "calibrate", data, "--sign", "subject-tutoring", "--lang", "en"];
    let loss = |more: &[&str]| -> f64 {
        let told = stdout(&xunjian(&[&args[..], more].concat()));
        let line = told.lines().find(|line| line.contains("present weights")).unwrap_or_else(|| panic!("{told}"));
        line.split("log-loss ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    let (seen, unseen) = (loss(&[]), loss(&["--folds", folds]));
    assert!(unseen > seen, "{unseen} out of fold, {seen} by models that have seen them");
}
