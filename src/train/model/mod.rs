//! Labelled listings in, a text model out.
//!
//! Logistic regression over hashed character n-grams. Every n-gram is first scaled by its
//! log-count ratio, so that rare and undecided ones stay small (Wang and Manning,
//! *Baselines and Bigrams*, 2012). The scores out of fold give the figures and the
//! calibration (Platt, 1999).

mod fit;
mod records;

pub use records::{Record, Records, describe};

use super::{FOLDS, TrainError, folds, logistic};
use crate::measure::{Figures, Judged, Label, figures};
use crate::signature::{Grams, Shape, TextModel};
use fit::{Example, Fit, Platt};

/// What can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How texts are cut.
    pub shape: Shape,
    /// What an error costs against the square of the weights.
    pub strength: f64,
    /// Count that every n-gram starts from in the log-count ratio.
    pub smoothing: f64,
    /// Weight of a record that is not judged by.
    pub support_weight: f64,
    /// Gives both classes the same total weight.
    pub balance: bool,
}

/// What came of a training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The model, calibrated, with its card.
    pub model: TextModel,
    /// Out-of-fold figures of the judged records.
    pub figures: Figures,
    /// Calibrated log-odds of each record, by a model that did not see it.
    pub out_of_fold: Vec<f64>,
    /// Which of `folds` has not seen each record.
    pub fold_of: Vec<usize>,
    /// The model of each fold, calibrated like `model`.
    pub folds: Vec<TextModel>,
}

/// Trains a model and measures it out of fold.
///
/// # Errors
/// When the judged records do not hold enough of both classes.
pub fn train(name: &str, records: &Records, options: &Options) -> Result<Trained, TrainError> {
    let count = |label| records.list.iter().filter(|r| r.judged && r.label == label).count();
    let (yes, no) = (count(Label::Yes), count(Label::No));
    if yes < FOLDS || no < FOLDS {
        return Err(TrainError::TooFew { yes, no, needed: FOLDS });
    }
    let grams: Vec<Grams> = records.list.iter().map(|r| Grams::of(&r.text, options.shape)).collect();
    let data = Data { records: &records.list, grams: &grams, options };
    let fold_of = data.fold_of();
    let fits = data.fits(&fold_of);
    let scores: Vec<f64> = grams.iter().zip(&fold_of).map(|(grams, &fold)| fits[fold].score(grams)).collect();
    let platt = Platt::fit(&data.judged(&scores));
    let out_of_fold: Vec<f64> = scores.iter().map(|&score| platt.log_odds(score)).collect();
    let figures = data.figures(&out_of_fold);
    let model_of = |fit: &Fit, card: Vec<(String, String)>| {
        let weights: Vec<f64> = fit.weights.iter().map(|weight| weight * platt.slope).collect();
        TextModel::new(name, options.shape, platt.log_odds(fit.bias), &weights, card)
    };
    let model = model_of(&Fit::new(&data.examples(|_| true), options), card(records, options, &figures));
    let folds = fits.iter().map(|fit| model_of(fit, Vec::new())).collect();
    Ok(Trained { model, figures, out_of_fold, fold_of, folds })
}

/// The records with their n-grams.
struct Data<'a> {
    records: &'a [Record],
    grams: &'a [Grams],
    options: &'a Options,
}

impl<'a> Data<'a> {
    /// Records to learn from among those that `wanted` numbers.
    fn examples(&self, wanted: impl Fn(usize) -> bool) -> Vec<Example<'a>> {
        let all = self.records.iter().zip(self.grams).enumerate();
        all.filter(|(index, _)| wanted(*index))
            .filter_map(|(_, (record, grams))| {
                let weight = if record.judged { 1.0 } else { self.options.support_weight };
                Some(Example { grams, is_yes: record.label.is_yes()?, weight })
            })
            .collect()
    }

    fn fold_of(&self) -> Vec<usize> {
        let texts: Vec<(&str, &str)> = self.records.iter().map(|r| (r.id.as_str(), r.text.as_str())).collect();
        folds::assign(&texts, FOLDS)
    }

    /// For each fold, what is learnt from the others.
    fn fits(&self, fold_of: &[usize]) -> Vec<Fit> {
        (0..FOLDS).map(|fold| Fit::new(&self.examples(|index| fold_of[index] != fold), self.options)).collect()
    }

    fn judged(&self, scores: &[f64]) -> Vec<(f64, bool)> {
        let all = self.records.iter().zip(scores).filter(|(record, _)| record.judged);
        all.filter_map(|(record, &score)| Some((score, record.label.is_yes()?))).collect()
    }

    /// Even odds and better count as called.
    fn figures(&self, log_odds: &[f64]) -> Figures {
        let judged = self.judged(log_odds).into_iter();
        let judged = judged.map(|(odds, truth)| Judged {
            id: String::new(),
            truth,
            called: odds >= 0.0,
            probability: logistic(odds),
        });
        figures(&judged.collect::<Vec<_>>())
    }
}

fn card(records: &Records, options: &Options, figures: &Figures) -> Vec<(String, String)> {
    let Options { shape, strength, smoothing, support_weight, balance } = options;
    let method = format!(
        "logistic regression on character {}-{}-grams scaled by log-count ratio (smoothing {smoothing}), \
         strength {strength}, support weight {support_weight}, classes {}, Platt scaling out of fold",
        shape.min,
        shape.max,
        if *balance { "balanced" } else { "as they are" }
    );
    let mut card = vec![("method".to_owned(), method)];
    card.extend(records.sources.iter().map(|source| ("data".to_owned(), source.clone())));
    card.push(("figures".to_owned(), format!("{FOLDS}-fold, near copies together, {figures}")));
    card
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::measure::Corpus;

    fn records() -> Records {
        let subjects = ["数学", "语文", "物理", "化学", "英语", "历史"];
        let others = ["天气", "股票", "地图", "音乐", "购物", "相册"];
        let lines: Vec<String> = (0..60)
            .map(|i| {
                let (word, label) = if i % 2 == 0 { (subjects[i % 6], "y") } else { (others[i % 6], "n") };
                format!(r#"{{"id":"r{i}","text":"{}{word}第{i}课{}","subject":"{label}"}}"#, i * 7, i * i)
            })
            .collect();
        let corpus = Corpus::parse("made.jsonl".into(), &lines.join("\n")).unwrap();
        let mut records = Records::default();
        records.add(&corpus, "subject-tutoring", &Default::default(), true);
        records
    }

    fn options() -> Options {
        let shape = Shape { min: 1, max: 2, bits: 12 };
        Options { shape, strength: 100.0, smoothing: 1.0, support_weight: 0.3, balance: false }
    }

    #[test]
    fn learns_what_was_labelled_twice_the_same() {
        let one = train("subject", &records(), &options()).unwrap();
        let two = train("subject", &records(), &options()).unwrap();
        assert_eq!(one.model.to_text(), two.model.to_text());
        assert!(one.figures.f1 > 0.9, "{}", one.figures);
        let says = |text: &str| one.model.log_odds(&Grams::of(text, options().shape));
        assert!(says("小学数学题库") > 0.0);
        assert!(says("股票地图天气") < 0.0);
    }

    #[test]
    fn a_record_is_judged_by_a_model_that_has_not_seen_it() {
        let records = records();
        let trained = train("subject", &records, &options()).unwrap();
        for ((record, fold), log_odds) in records.list.iter().zip(&trained.fold_of).zip(&trained.out_of_fold) {
            let by_fold = trained.folds[*fold].log_odds(&Grams::of(&record.text, options().shape));
            assert!((by_fold - log_odds).abs() < 0.5, "{}: {by_fold}, {log_odds}", record.id);
        }
    }

    #[test]
    fn the_file_says_what_it_rests_on() {
        let text = train("subject", &records(), &options()).unwrap().model.to_text();
        assert!(text.contains("data: made.jsonl (sha256 ") && text.contains("30 y, 30 n of 60, judged by"));
        assert!(TextModel::parse("models/subject.model", &text).is_ok());
    }

    #[test]
    fn one_class_is_not_enough() {
        let mut records = records();
        records.list.retain(|r| r.label == Label::Yes);
        assert!(matches!(train("subject", &records, &options()), Err(TrainError::TooFew { no: 0, .. })));
    }
}
