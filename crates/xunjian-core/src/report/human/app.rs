//! One app in a terminal.

use super::paint::Paint;
use crate::model::{Audit, Evidence, Finding, Outcome};
use crate::report::clean::{self, clean};
use crate::report::detail;
use crate::report::facts;
use crate::report::law;
use crate::report::origin;
use crate::report::sum::{self, percent, signed};
use crate::report::words::{self, Lang, Phrase, ui};

/// Characters of a clause in the heading of a finding.
const CLAUSE: usize = 28;
/// Places of one limit named at most.
const PLACES: usize = 3;

/// Lines in the making.
struct Page {
    lang: Lang,
    paint: Paint,
    text: String,
}

/// An audit as lines.
pub(super) fn page(audit: &Audit, lang: Lang, paint: Paint, is_long: bool) -> String {
    let mut page = Page { lang, paint, text: String::new() };
    page.head(audit);
    if audit.findings.is_empty() {
        page.line(1, &page.word(&facts::no_findings(audit)));
    }
    for finding in &audit.findings {
        page.finding(audit, finding);
    }
    page.out_of_scope(&audit.out_of_scope);
    page.favour(audit);
    if is_long {
        page.inside(audit);
    }
    page.coverage(audit);
    for (outcome, key) in [(Outcome::NotFound, "not_found_line"), (Outcome::NotAssessable, "not_assessable_line")] {
        let signs = facts::with_outcome(audit, outcome);
        if !signs.get(lang).is_empty() {
            page.line(1, &page.paint.dim(&page.pair(&ui(key), &signs)));
        }
    }
    let silent = facts::silent(audit);
    if !silent.get(lang).is_empty() {
        page.line(1, &page.paint.dim(&page.pair(&ui("silent"), &silent)));
    }
    page.text
}

impl Page {
    fn line(&mut self, depth: usize, text: &str) {
        self.text.push_str(&"  ".repeat(depth));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn word(&self, phrase: &Phrase) -> String {
        phrase.get(self.lang).to_owned()
    }

    fn pair(&self, label: &Phrase, value: &Phrase) -> String {
        format!("{}{}{}", label.get(self.lang), ui("label_sep").get(self.lang), value.get(self.lang))
    }

    fn pairs(&self, pairs: &[(Phrase, Phrase)]) -> String {
        pairs.iter().map(|(label, value)| self.pair(label, value)).collect::<Vec<_>>().join(" · ")
    }

    fn head(&mut self, audit: &Audit) {
        let title = self.paint.bold(facts::title(&audit.app).get(self.lang));
        self.line(0, "");
        self.line(0, &format!("■ {title}"));
        let identity = facts::identity(&audit.app);
        if !identity.is_empty() {
            self.line(1, &self.pairs(&identity));
        }
        if !audit.app.url.is_empty() {
            self.line(1, &self.pair(&ui("store_page"), &Phrase::same(&clean(&audit.app.url, clean::TEXT))));
        }
        for (label, value) in origin::rows(audit) {
            self.line(1, &self.paint.dim(&self.pair(&label, &value)));
        }
        self.line(1, &self.pairs(&facts::profile(audit)));
    }

    /// What speaks for the provider, of the app as a whole.
    fn favour(&mut self, audit: &Audit) {
        let told = origin::in_favour(audit, None);
        if !told.is_empty() {
            self.line(0, "");
            self.line(1, &self.pair(&ui("in_favour"), &Phrase::list(&told)));
        }
    }

    /// Permissions and libraries, a line each.
    fn inside(&mut self, audit: &Audit) {
        if let Some(asks) = &audit.profile.asks {
            self.line(1, &self.pair(&ui("levels"), &origin::levels(asks)));
            let all: Vec<Phrase> = asks.permissions.iter().map(|name| origin::permission(name)).collect();
            let all = if all.is_empty() { ui("none_named") } else { Phrase::list(&all) };
            self.line(1, &self.pair(&ui("permissions"), &all));
        }
        for library in &audit.profile.libraries {
            let category = words::library(&clean(&library.category, 40));
            let faint = if library.faint { format!(" · {}", ui("faint").get(self.lang)) } else { String::new() };
            let (name, vendor) = (clean(&library.name, clean::NAME), clean(&library.vendor, clean::NAME));
            let line = Phrase::make(|lang| format!("{name}（{vendor}）· {}{faint}", category.get(lang)));
            self.line(1, &self.pair(&ui("libraries"), &line));
        }
    }

    fn finding(&mut self, audit: &Audit, finding: &Finding) {
        let (sign, clause) = (facts::sign_of(audit, finding), clean(&finding.clause, 40));
        let head = format!("▲ {}", sign.get(self.lang));
        let badges = format!(
            "{} · {} {} · {} {clause}{}{}",
            self.pair(&ui("severity"), &words::severity(finding.severity)),
            self.pair(&ui("confidence"), &words::confidence(finding.confidence)),
            percent(finding.probability),
            self.word(&ui("clause")),
            ui("label_sep").get(self.lang),
            clean(&finding.clause_text, CLAUSE),
        );
        self.line(0, "");
        self.line(1, &format!("{}  {badges}", self.paint.severity(finding.severity, &head)));
        if finding.clause_text.chars().count() > CLAUSE {
            self.line(2, &self.pair(&ui("clause_text"), &Phrase::same(&clean(&finding.clause_text, 2_000))));
        }
        for (index, cited) in finding.grounds.iter().enumerate() {
            // The first is told above; what a reader must know of it is not.
            let marks = law::marks(cited);
            if index == 0 && marks.is_empty() && cited.sanction.is_none() {
                continue;
            }
            self.line(2, &self.paint.dim(&format!("§ {}", law::citation(cited, self.lang))));
        }
        for (index, item) in finding.evidence.iter().enumerate() {
            self.evidence(index + 1, item, index < facts::SHOWN);
        }
        let written = sum::brief(&finding.sum, &finding.evidence, finding.probability, self.lang);
        self.line(2, &self.pair(&ui("score"), &Phrase::same(&written)));
        // Of a sign that no register bears on, none is spoken of.
        let standing = finding.sign.register().map(|_| format!("{} · ", self.word(&words::standing(finding.standing))));
        let id = format!("{} {}", self.word(&ui("finding_id")), clean(&finding.id, 40));
        self.line(2, &self.paint.dim(&format!("{}{id}", standing.unwrap_or_default())));
    }

    /// The words and their place, too, where it is shown in full.
    fn evidence(&mut self, number: usize, item: &Evidence, in_full: bool) {
        let signed = signed(item.weight);
        let weight = if item.counted { signed } else { self.word(&ui("uncounted_by").with("weight", &signed)) };
        let why = Phrase::from(&item.why);
        let kind = words::evidence_kind(&clean(&item.kind, 40));
        let why = clean(why.get(self.lang), clean::TEXT);
        self.line(2, &format!("[{number}] {weight}  {why} · {}", kind.get(self.lang)));
        if !in_full {
            return;
        }
        let text = self.paint.marked(&clean::marked(&item.text, item.mark));
        if !text.is_empty() {
            self.line(4, &text);
        }
        let (part, exact) = facts::place(item);
        let place = if exact.is_empty() { self.word(&part) } else { format!("{} · {exact}", part.get(self.lang)) };
        let remarks: String = facts::remarks(item).iter().map(|r| format!(" · {}", r.get(self.lang))).collect();
        self.line(4, &format!("{}{remarks}", self.paint.dim(&place)));
    }

    /// One line: kept for the record, marked as not covered.
    fn out_of_scope(&mut self, findings: &[Finding]) {
        if findings.is_empty() {
            return;
        }
        let names: Vec<Phrase> = findings
            .iter()
            .map(|f| {
                let sign = words::sign(f.sign);
                Phrase::make(|lang| format!("{} {}", sign.get(lang), percent(f.probability)))
            })
            .collect();
        let line = self.pair(&ui("out_of_scope"), &Phrase::list(&names));
        self.line(1, &self.paint.dim(&format!("○ {line}")));
    }

    fn coverage(&mut self, audit: &Audit) {
        let level = words::reading(facts::reading(audit));
        let read = facts::read(&audit.coverage.read);
        self.line(0, "");
        self.line(1, &format!("{} · {}", self.pair(&ui("coverage"), &level), read.get(self.lang)));
        for (code, limits) in facts::limits(audit) {
            let limit = words::limit(code);
            let name = self.paint.warn(limit.name.get(self.lang));
            self.line(2, &format!("! {name}{}{}", ui("label_sep").get(self.lang), limit.meaning.get(self.lang)));
            self.line(3, &self.pair(&ui("next_step"), &limit.step));
            for one in facts::told(&limits).take(PLACES) {
                let detail = detail(&clean(&one.detail, clean::TEXT));
                let place = clean(&one.place, clean::TEXT);
                let dot = if place.is_empty() { "" } else { " · " };
                let text = format!("{place}{dot}{}", detail.get(self.lang));
                self.line(3, &self.paint.dim(&text));
            }
            if limits.len() > PLACES {
                self.line(3, &self.paint.dim(&format!("… {}", limits.len())));
            }
        }
    }
}
