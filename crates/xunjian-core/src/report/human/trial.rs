//! A signature on trial, in a terminal.

use super::paint::Paint;
use crate::model::{Lack, NearMiss, Sighting, Trial, Tried, Weighed};
use crate::report::clean::{self, clean};
use crate::report::sum::{self, signed};
use crate::report::words::{self, Lang, Phrase, find, ui};

/// A trial as lines.
pub(in crate::report) fn page(trial: &Trial, lang: Lang, paint: Paint) -> String {
    let mut page = Page { lang, paint, text: String::new() };
    let title = Phrase::from(&trial.title);
    page.line(0, &format!("■ {}  {}", page.paint.bold(&clean(&trial.signature, clean::NAME)), title.get(lang)));
    page.line(1, &page.paint.dim(&page.pair(&word("on"), &clean(&trial.on, clean::NAME))));
    for clue in &trial.clues {
        page.clue(clue);
    }
    page.weighed("alone", &trial.alone);
    page.weighed("together", &trial.together);
    if !trial.in_scope {
        page.line(1, &page.paint.warn(word("out_of_scope").get(lang)));
    }
    page.text
}

/// A phrase of trials.
fn word(key: &str) -> Phrase {
    find(&format!("trial.{key}")).unwrap_or_else(|| Phrase::same(&format!("⟦{key}⟧")))
}

/// Lines in the making.
struct Page {
    lang: Lang,
    paint: Paint,
    text: String,
}

impl Page {
    fn line(&mut self, depth: usize, text: &str) {
        self.text.push_str(&"  ".repeat(depth));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn pair(&self, label: &Phrase, value: &str) -> String {
        format!("{}{}{value}", label.get(self.lang), ui("label_sep").get(self.lang))
    }

    fn clue(&mut self, clue: &Tried) {
        let mark = if clue.holds { self.paint.bold("✓") } else { self.paint.dim("✗") };
        let why = Phrase::from(&clue.why);
        self.line(0, "");
        self.line(1, &format!("{mark} {}  {}  {}", clue.clue, self.weight(clue), why.get(self.lang)));
        for sighting in &clue.sightings {
            self.sighting(sighting);
        }
        // A combination, a library or a model has no place of its own, but it has evidence.
        if let Some(evidence) = clue.evidence.as_ref().filter(|_| clue.sightings.is_empty()) {
            let text = self.paint.marked(&clean::marked(&evidence.text, evidence.mark));
            let place = self.paint.dim(&clean(&evidence.place, clean::TEXT));
            self.line(3, &format!("{text}  {place}"));
        }
        if clue.times > clue.sightings.len() {
            self.line(3, word("more").with("n", &(clue.times - clue.sightings.len()).to_string()).get(self.lang));
        }
        for miss in &clue.near_misses {
            self.near_miss(miss);
        }
        let is_explained = matches!(clue.lacks, Some(Lack::Match)) && !clue.near_misses.is_empty();
        if let Some(lack) = clue.lacks.as_ref().filter(|_| !is_explained) {
            self.line(3, self.lack(lack).get(self.lang));
        }
    }

    /// As the file has it; what a disguise or a model made of it, beside it.
    fn weight(&self, clue: &Tried) -> String {
        match &clue.evidence {
            Some(evidence) if evidence.weight != clue.weight => {
                format!("{} → {}", signed(clue.weight), signed(evidence.weight))
            }
            _ if clue.weight == 0 => "0".into(),
            _ => signed(clue.weight),
        }
    }

    fn sighting(&mut self, sighting: &Sighting) {
        let text = self.paint.marked(&clean::marked(&sighting.text, Some(sighting.quote())));
        let written = sighting.written_as.as_ref().map_or_else(String::new, |w| {
            let phrase = ui("written_as").with_phrase("trick", &words::trick(w.trick));
            format!(" · {}", phrase.with("term", &clean(&w.term, clean::NAME)).get(self.lang))
        });
        let place = self.paint.dim(&format!("{}{written}", clean(&sighting.place, clean::TEXT)));
        self.line(3, &format!("{text}  {place}"));
    }

    fn near_miss(&mut self, miss: &NearMiss) {
        let cause = word(&format!("cause.{}", miss.cause.id())).with("by", &clean(&miss.by, clean::NAME));
        let text = self.paint.marked(&clean::marked(&miss.sighting.text, Some(miss.sighting.mark)));
        self.line(3, &self.paint.warn(cause.get(self.lang)));
        self.line(4, &format!("{text}  {}", self.paint.dim(&clean(&miss.sighting.place, clean::TEXT))));
    }

    fn lack(&self, lack: &Lack) -> Phrase {
        let listed = |key: &str, names: &[String]| word(key).with("names", &names.join(", "));
        match lack {
            Lack::Facts(kinds) => word("lack.facts")
                .with_phrase("kinds", &Phrase::list(&kinds.iter().map(|k| words::kind_of(k)).collect::<Vec<_>>())),
            Lack::Match => word("lack.match"),
            Lack::Library(category) => word("lack.library").with_phrase("category", &words::library(category)),
            Lack::Verdict(name) => word("lack.verdict").with("name", name),
            Lack::Clues(names) => listed("lack.clues", names),
            Lack::AnyOf(names) => listed("lack.any-of", names),
            Lack::Barred(names) => listed("lack.barred", names),
            Lack::Unsearched(names) => listed("lack.unsearched", names),
        }
    }

    fn weighed(&mut self, key: &str, weighed: &Weighed) {
        self.line(0, "");
        self.line(1, &self.paint.bold(word(key).get(self.lang)));
        for (index, item) in weighed.evidence.iter().enumerate() {
            let weight = if item.counted { signed(item.weight) } else { format!("({})", signed(item.weight)) };
            let why = Phrase::from(&item.why);
            let source = self.paint.dim(&format!("{}#{}", item.signature, item.clue));
            self.line(2, &format!("[{}] {weight}  {}  {source}", index + 1, why.get(self.lang)));
        }
        let written = sum::written(&weighed.sum, &weighed.evidence, weighed.probability, self.lang);
        self.line(2, &self.pair(&ui("written"), &written));
    }
}
