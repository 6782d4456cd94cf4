//! A finding as the page shows it.

use super::markup::Markup;
use crate::model::{Audit, Cited, Contribution, Evidence, Finding};
use crate::report::clean::{self, clean};
use crate::report::facts;
use crate::report::law;
use crate::report::sum::{self, percent, signed};
use crate::report::words::{self, Lang, Phrase};

/// Longest clause shown.
const CLAUSE: usize = 2_000;

/// A card.
pub(super) struct FindingView {
    pub(super) id: String,
    pub(super) sign: Markup,
    pub(super) clause: Markup,
    pub(super) clause_text: Markup,
    /// What a reader must know of the first ground.
    pub(super) clause_marks: Vec<Markup>,
    /// All grounds, where there are several or the one has a sanction.
    pub(super) grounds: Vec<GroundView>,
    pub(super) grounds_title: Markup,
    pub(super) severity_id: &'static str,
    pub(super) severity: Markup,
    pub(super) confidence_id: &'static str,
    pub(super) confidence: Markup,
    pub(super) probability: String,
    pub(super) standing: Markup,
    pub(super) evidence: Vec<EvidenceView>,
    pub(super) more: Vec<EvidenceView>,
    pub(super) more_title: Markup,
    pub(super) bars: Vec<Bar>,
    pub(super) axis: String,
    pub(super) total: String,
    pub(super) written: Markup,
    /// What the page around it puts below the finding: the form to decide with.
    pub(super) slot: Markup,
}

impl FindingView {
    pub(super) fn new(audit: &Audit, finding: &Finding) -> Self {
        let mut evidence = EvidenceView::all(&finding.evidence);
        let more = evidence.split_off(evidence.len().min(facts::SHOWN));
        let scale = Scale::of(&finding.sum);
        let written = |lang: Lang| sum::written(&finding.sum, &finding.evidence, finding.probability, lang);
        Self {
            id: clean(&finding.id, 40),
            sign: Markup::phrase(&facts::sign_of(audit, finding)),
            clause: Markup::data(&clean(&finding.clause, 40)),
            clause_text: Markup::data(&clean(&finding.clause_text, CLAUSE)),
            clause_marks: finding.grounds.first().map(marks).unwrap_or_default(),
            grounds_title: Markup::phrase(&words::ui("grounds_n").with("n", &finding.grounds.len().to_string())),
            grounds: finding.grounds.iter().map(GroundView::new).collect(),
            severity_id: words::severity_id(finding.severity),
            severity: Markup::phrase(&words::severity(finding.severity)),
            confidence_id: words::confidence_id(finding.confidence),
            confidence: Markup::phrase(&words::confidence(finding.confidence)),
            probability: percent(finding.probability),
            standing: Markup::phrase(&words::standing(finding.standing)),
            evidence,
            more_title: Markup::phrase(&words::ui("more_evidence").with("n", &more.len().to_string())),
            more,
            bars: sum::lines(&finding.sum, &finding.evidence).iter().map(|line| Bar::new(line, &scale)).collect(),
            axis: scale.at(0),
            total: signed(sum::total(&finding.sum)),
            written: Markup::phrase(&Phrase::make(written)),
            slot: Markup::default(),
        }
    }
}

/// A ground of a finding.
pub(super) struct GroundView {
    pub(super) carries: bool,
    pub(super) clause: Markup,
    pub(super) title: Markup,
    pub(super) text: Markup,
    pub(super) marks: Vec<Markup>,
    /// What follows a breach: citation and words.
    pub(super) sanction: Option<(Markup, Markup)>,
}

impl GroundView {
    fn new(cited: &Cited) -> Self {
        let title = Phrase::from(&cited.title);
        Self {
            carries: cited.carries,
            clause: Markup::data(&clean(&cited.clause, clean::NAME)),
            title: Markup::phrase(&Phrase::make(|lang| clean(title.get(lang), clean::TEXT))),
            text: Markup::data(&clean(&cited.text, CLAUSE)),
            marks: marks(cited),
            sanction: cited.sanction.as_ref().map(|sanction| {
                (Markup::data(&clean(&sanction.clause, clean::NAME)), Markup::data(&clean(&sanction.text, CLAUSE)))
            }),
        }
    }
}

fn marks(cited: &Cited) -> Vec<Markup> {
    law::marks(cited).iter().map(Markup::phrase).collect()
}

/// A piece of evidence.
pub(super) struct EvidenceView {
    pub(super) number: usize,
    pub(super) weight: String,
    pub(super) counted: bool,
    pub(super) kind: Markup,
    pub(super) why: Markup,
    pub(super) text: Markup,
    pub(super) part: Markup,
    pub(super) place: String,
    pub(super) remarks: Vec<Markup>,
    /// What stands there in a picture, as a `data:` address; empty without one.
    pub(super) cut_out: String,
}

/// Whether this is a picture within the page, and nothing else: reports are kept, and come back.
fn is_cut_out(address: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    address.strip_prefix("data:image/jpeg;base64,").is_some_and(|bytes| bytes.chars().all(is_base64))
}

impl EvidenceView {
    pub(super) fn all(evidence: &[Evidence]) -> Vec<Self> {
        evidence.iter().enumerate().map(|(index, item)| Self::new(index + 1, item)).collect()
    }

    fn new(number: usize, item: &Evidence) -> Self {
        let why = Phrase::from(&item.why);
        let (part, place) = facts::place(item);
        let text = if item.text.is_empty() {
            Markup::default()
        } else {
            Markup::marked(&clean::marked(&item.text, item.mark))
        };
        Self {
            number,
            weight: signed(item.weight),
            counted: item.counted,
            kind: Markup::phrase(&words::evidence_kind(&clean(&item.kind, 40))),
            why: Markup::phrase(&Phrase::make(|lang| clean(why.get(lang), clean::TEXT))),
            text,
            part: Markup::phrase(&part),
            place,
            remarks: facts::remarks(item).iter().map(Markup::phrase).collect(),
            cut_out: item.cut_out.clone().filter(|address| is_cut_out(address)).unwrap_or_default(),
        }
    }
}

/// One bar of the sum.
pub(super) struct Bar {
    pub(super) label: Markup,
    pub(super) number: Option<usize>,
    pub(super) weight: String,
    pub(super) is_negative: bool,
    pub(super) left: String,
    pub(super) width: String,
}

impl Bar {
    fn new(line: &sum::Line, scale: &Scale) -> Self {
        Self {
            label: Markup::phrase(&line.label),
            number: line.number,
            weight: signed(line.weight),
            is_negative: line.weight < 0,
            left: scale.at(line.weight.min(0)),
            width: scale.share(line.weight),
        }
    }
}

/// Weights as per cents of the chart's width.
struct Scale {
    lowest: f64,
    span: f64,
}

impl Scale {
    fn of(sum: &[Contribution]) -> Self {
        let lowest = sum.iter().map(|part| part.weight).min().unwrap_or(0).min(0);
        let highest = sum.iter().map(|part| part.weight).max().unwrap_or(0).max(0);
        let (lowest, highest) = (f64::from(lowest), f64::from(highest));
        Self { lowest, span: (highest - lowest).max(1.0) }
    }

    fn at(&self, weight: i32) -> String {
        format!("{:.1}", (f64::from(weight) - self.lowest) / self.span * 100.0)
    }

    fn share(&self, weight: i32) -> String {
        format!("{:.1}", f64::from(weight).abs() / self.span * 100.0)
    }
}
