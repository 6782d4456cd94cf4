//! `human`: for reading in a terminal.
//!
//! Every text that an app or a store wrote goes through [`super::clean`] before it is
//! printed, so that no escape, control or direction mark reaches the terminal.

mod app;
mod fold;
mod paint;
mod trial;

use std::collections::BTreeMap;
use std::io::{self, Write};

use self::fold::Folded;
use self::paint::Paint;
use super::clean::{self, clean};
use super::words::{self, Lang, Phrase, ui};
use super::{ReportWriter, Style, facts, law, origin};
use crate::model::{Audit, Basis, MadeBy, Sign, Skipped, Trial};

/// A trial of a signature as lines.
pub(super) fn trial(trial: &Trial, style: &Style) -> String {
    trial::page(trial, Lang::of(&style.lang), Paint { colour: style.colour })
}

/// Different reasons for skips that are counted apart; the rest are one line.
const REASONS: usize = 50;

/// Writes for a terminal.
pub(super) struct Human {
    out: Box<dyn Write + Send>,
    lang: Lang,
    paint: Paint,
    made_by: MadeBy,
    at: String,
    is_long: bool,
    is_open: bool,
    tally: Tally,
}

/// What the summary counts; its size does not grow with the run.
#[derive(Default)]
struct Tally {
    apps: usize,
    with_findings: usize,
    unread: usize,
    skipped: usize,
    signs: BTreeMap<Sign, usize>,
    reasons: BTreeMap<String, usize>,
}

impl Human {
    pub(super) fn new(out: Box<dyn Write + Send>, style: Style, made_by: MadeBy) -> Self {
        Self {
            out: match style.width {
                Some(width) => Box::new(Folded::new(out, width)),
                None => out,
            },
            lang: Lang::of(&style.lang),
            paint: Paint { colour: style.colour },
            made_by,
            at: style.at,
            is_long: style.is_long,
            is_open: false,
            tally: Tally::default(),
        }
    }

    fn word(&self, phrase: &Phrase) -> String {
        phrase.get(self.lang).to_owned()
    }

    /// `label：value`
    fn pair(&self, label: &Phrase, value: &str) -> String {
        format!("{}{}{value}", label.get(self.lang), ui("label_sep").get(self.lang))
    }

    fn open(&mut self, basis: &[Basis]) -> io::Result<()> {
        if std::mem::replace(&mut self.is_open, true) {
            return Ok(());
        }
        let title = self.paint.bold(ui("report").get(self.lang));
        match self.at.is_empty() {
            true => writeln!(self.out, "{title}")?,
            false => writeln!(self.out, "{title}  {}", self.pair(&ui("made_at"), &clean(&self.at, 40)))?,
        }
        let policies: Vec<Phrase> = basis.iter().map(origin::policy).collect();
        let policies = if policies.is_empty() { vec![law::names(basis, &self.made_by.policy)] } else { policies };
        for policy in policies {
            writeln!(self.out, "{}", self.pair(&ui("basis"), policy.get(self.lang)))?;
        }
        if let Some(banner) = law::banner(basis) {
            writeln!(self.out, "{}", self.paint.bold(banner.get(self.lang)))?;
        }
        writeln!(self.out, "{}", words::not_a_verdict().get(self.lang))
    }

    fn summary(&mut self) -> io::Result<()> {
        let count = |key: &str, n: usize| self.word(&ui(key).with("n", &n.to_string()));
        let head = [
            count("apps", self.tally.apps),
            count("apps_with", self.tally.with_findings),
            count("apps_unread", self.tally.unread),
            count("skipped_n", self.tally.skipped),
        ];
        let sep = if self.lang == Lang::Zh { "，" } else { ", " };
        let mut lines = vec![format!("{}  {}", self.paint.bold(ui("summary").get(self.lang)), head.join(sep))];
        if !self.tally.signs.is_empty() {
            lines.push(format!("  {}", self.word(&ui("by_sign"))));
            let mut signs: Vec<(&Sign, &usize)> = self.tally.signs.iter().collect();
            signs.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            lines.extend(signs.iter().map(|(sign, n)| format!("  {n:>6}  {}", words::sign(**sign).get(self.lang))));
        }
        if !self.tally.reasons.is_empty() {
            lines.push(format!("  {}", self.word(&ui("skipped"))));
            lines.extend(self.tally.reasons.iter().map(|(reason, n)| format!("  {n:>6}  {reason}")));
        }
        lines.push(format!("{} {}", self.word(&words::not_a_verdict()), self.word(&words::not_a_verdict_more())));
        let made_by = self.word(&ui("made_by").with("version", &clean(&self.made_by.version, 40)));
        let pack = self.pair(&ui("pack"), &clean(&self.made_by.pack_sha256, 64));
        lines.push(self.paint.dim(&format!("{made_by} · {pack}")));
        writeln!(self.out, "\n{}", lines.join("\n"))
    }
}

impl ReportWriter for Human {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        self.open(&audit.basis)?;
        self.tally.apps += 1;
        self.tally.with_findings += usize::from(!audit.findings.is_empty());
        self.tally.unread += usize::from(facts::is_unread(&audit));
        for finding in &audit.findings {
            *self.tally.signs.entry(finding.sign).or_default() += 1;
        }
        let page = app::page(&audit, self.lang, self.paint, self.is_long);
        self.out.write_all(page.as_bytes())
    }

    fn skipped(&mut self, skipped: Skipped) -> io::Result<()> {
        self.open(&[])?;
        self.tally.skipped += 1;
        let stage = words::skip_stage(&clean(&skipped.stage, 40));
        let reason = super::table::why(&skipped, self.lang);
        let target = clean(&skipped.target, clean::TEXT);
        let mut lines = vec![
            String::new(),
            format!("{} {}", self.paint.warn(&self.pair(&ui("skipped"), "")), self.paint.bold(&target)),
            format!("  {}", self.pair(&ui("at_stage"), stage.get(self.lang))),
            format!("  {}", self.pair(&ui("reason"), &reason)),
        ];
        if let Some(step) = words::skip_step(&skipped.code, &skipped.stage) {
            lines.push(format!("  {}", self.pair(&ui("next_step"), step.get(self.lang))));
        }
        let is_new = !self.tally.reasons.contains_key(&reason);
        let key = if is_new && self.tally.reasons.len() >= REASONS { "…".into() } else { reason };
        *self.tally.reasons.entry(key).or_default() += 1;
        writeln!(self.out, "{}", lines.join("\n"))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.open(&[])?;
        self.summary()?;
        self.out.flush()
    }
}
