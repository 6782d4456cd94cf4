//! `xunjian signatures explain`: what a signature looks for, what undoes it and what it weighs.

use std::io::Write;

use toml::Spanned;

use super::Exit;
use crate::model::About;
use crate::report::words::{self, Lang, Phrase, said};
use crate::signature::{Clue, ClueFile, Condition, Observed, Pack, Signature};

pub(super) fn run(pack: &Pack, id: &str, lang: &str) -> anyhow::Result<Exit> {
    let Some(signature) = pack.signature(id) else {
        eprintln!("no signature `{id}`; `xunjian signatures list` names them all");
        return Ok(Exit::Usage);
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}  {}", signature.id, signature.title().get(lang))?;
    for policy in pack.policies.values() {
        if let About::Sign(sign) = signature.about
            && let Some(rule) = policy.of(sign)
        {
            for cited in rule.rules.iter().map(|rule| &rule.cited) {
                writeln!(out, "  {}  {}  {}", policy.id, cited.clause, cited.text)?;
            }
        }
    }
    for (_, clue) in pack.clues_of(signature) {
        let head = said("explain.clue", &[("weight", &format!("{:+}", clue.weight)), ("group", &clue.group)]);
        writeln!(out, "\n  {}  {}\n    {}", clue.id, head.get(Lang::of(lang)), clue.why.get(lang))?;
        for line in condition(pack, signature, clue) {
            writeln!(out, "    {}", line.get(Lang::of(lang)))?;
        }
    }
    Ok(Exit::Clean)
}

/// What must be so for a clue to hold, a line each.
fn condition(pack: &Pack, signature: &Signature, clue: &Clue) -> Vec<Phrase> {
    match &clue.condition {
        Condition::Observed(observed) => {
            let file = signature.file.clues.iter().find(|c| *c.id.get_ref() == clue.id);
            let mut lines = looked_at(observed);
            lines.extend(file.map(terms).unwrap_or_default());
            lines
        }
        Condition::Library { category, faint } => {
            let key = if *faint { "explain.library-trace" } else { "explain.library" };
            vec![said(key, &[]).with_phrase("category", &words::library(category))]
        }
        Condition::Model(name) => vec![said("explain.model", &[("name", name)])],
        Condition::Derived { all, any_of, none, not } => {
            let names = |list: &[usize]| list.iter().map(|&n| pack.name_of(n, signature)).collect::<Vec<_>>().join(" ");
            let parts = [("all", all), ("any-of", any_of), ("none", none), ("not", not)];
            let told = parts.iter().filter(|(_, list)| !list.is_empty());
            told.map(|(key, list)| said(&format!("explain.{key}"), &[("names", &names(list))])).collect()
        }
    }
}

fn looked_at(observed: &Observed) -> Vec<Phrase> {
    let kinds: Vec<Phrase> = observed.kinds.each().map(words::kind).collect();
    let mut lines = vec![said("explain.in", &[]).with_phrase("kinds", &Phrase::list(&kinds))];
    if let Some(expression) = &observed.regex {
        lines.push(said("explain.regex", &[("regex", expression.source.as_str())]));
    }
    lines
}

/// The terms of a clue, and those that must or must not stand near them.
fn terms(clue: &ClueFile) -> Vec<Phrase> {
    let words = |list: &[Spanned<String>]| list.iter().map(|t| t.get_ref().as_str()).collect::<Vec<_>>().join(" ");
    let mut lines = Vec::new();
    if !clue.any.is_empty() {
        lines.push(said("explain.any", &[("terms", &words(&clue.any))]));
    }
    if let Some(several) = clue.at_least {
        let key = if clue.across { "explain.at-least-across" } else { "explain.at-least" };
        lines.push(said(key, &[("n", &several.to_string())]));
    }
    if let Some(near) = &clue.near {
        let within = near.within.to_string();
        lines.push(said("explain.near", &[("n", &within), ("terms", &words(&near.any))]));
    }
    if let Some(unless) = &clue.unless {
        let within = unless.within.to_string();
        for (key, list) in [("explain.before", &unless.before), ("explain.after", &unless.after)] {
            if !list.is_empty() {
                lines.push(said(key, &[("n", &within), ("terms", &words(list))]));
            }
        }
    }
    if !clue.negatable {
        lines.push(said("explain.negated", &[]));
    }
    lines
}
