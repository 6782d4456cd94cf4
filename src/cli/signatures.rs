//! `xunjian signatures`: for those who tend the signatures.

use std::io::Write;

use toml::Spanned;

use super::Exit;
use super::pack::PackArgs;
use crate::model::About;
use crate::pipeline;
use crate::signature::{ClueFile, Condition, Pack, Signature};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check every file and run every example.
    Check {
        #[command(flatten)]
        pack: PackArgs,
    },
    /// List the signatures.
    List {
        #[command(flatten)]
        pack: PackArgs,
        /// Only those of one sign.
        #[arg(long)]
        sign: Option<String>,
        /// Language of the titles.
        #[arg(long, default_value = "zh", value_parser = ["zh", "en"])]
        lang: String,
    },
    /// Show one signature: its clues, weights and reasons.
    Explain {
        /// Id, as `list` prints it.
        id: String,
        #[command(flatten)]
        pack: PackArgs,
        /// Language of the words.
        #[arg(long, default_value = "zh", value_parser = ["zh", "en"])]
        lang: String,
    },
    /// Try one signature file on a text, a package or listings, and show clue by clue what
    /// held, what undid it, and the sum.
    Test(Box<super::trial::Args>),
    /// Print the JSON schema of signature files, for editors.
    Schema,
    /// Fit the weights of clues to labelled examples and judge them out of fold.
    Calibrate(Box<super::calibrate::Args>),
    /// Train a text model from labelled listings and judge it out of fold.
    Train(Box<super::train::Args>),
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Check { pack } => check(pack),
        Command::List { pack, sign, lang } => list(&pack.load()?, sign.as_deref(), lang),
        Command::Explain { id, pack, lang } => explain(&pack.load()?, id, lang),
        Command::Test(args) => super::trial::run(args),
        Command::Schema => schema(),
        Command::Calibrate(args) => super::calibrate::run(args),
        Command::Train(args) => super::train::run(args),
    }
}

fn check(args: &PackArgs) -> anyhow::Result<Exit> {
    let pack = match Pack::load(&args.source()?) {
        Ok(pack) => pack,
        Err(fault) => {
            eprintln!("{fault}");
            return Ok(Exit::Usage);
        }
    };
    let cases = pipeline::lint(&pack);
    let faults: Vec<_> = cases.iter().flat_map(|case| &case.faults).collect();
    for fault in &faults {
        eprintln!("{fault}");
    }
    let examples = cases.len() - pack.signatures.len();
    println!(
        "{} signatures, {} clues, {} terms, {} libraries, {} policies; {examples} examples run, {} faults",
        pack.signatures.len(),
        pack.clues.len(),
        pack.terms.patterns.len(),
        pack.libraries.all.len(),
        pack.policies.len(),
        faults.len()
    );
    Ok(if faults.is_empty() { Exit::Clean } else { Exit::Usage })
}

fn schema() -> anyhow::Result<Exit> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&crate::signature::schema())?)?;
    Ok(Exit::Clean)
}

fn list(pack: &Pack, sign: Option<&str>, lang: &str) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    for signature in pack.signatures.iter().filter(|s| sign.is_none_or(|sign| s.about.id() == sign)) {
        writeln!(out, "{}\t{} clues\t{}", signature.id, signature.clues.len(), signature.title().get(lang))?;
    }
    Ok(Exit::Clean)
}

fn explain(pack: &Pack, id: &str, lang: &str) -> anyhow::Result<Exit> {
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
            writeln!(out, "  {}  {}  {}", policy.id, rule.clause, rule.clause_text)?;
        }
    }
    for (_, clue) in pack.clues_of(signature) {
        writeln!(out, "\n  {}  {:+} db  [{}]\n    {}", clue.id, clue.weight, clue.group, clue.why.get(lang))?;
        writeln!(out, "    {}", condition(pack, signature, clue))?;
    }
    Ok(Exit::Clean)
}

fn condition(pack: &Pack, signature: &Signature, clue: &crate::signature::Clue) -> String {
    let names = |list: &[usize]| list.iter().map(|&n| pack.name_of(n, signature)).collect::<Vec<_>>().join(", ");
    match &clue.condition {
        Condition::Observed(observed) => {
            let kinds = observed.kinds.each().map(|k| k.id()).collect::<Vec<_>>().join(", ");
            let regex = observed.regex.as_ref().map_or_else(String::new, |r| format!("  /{r}/"));
            let file = signature.file.clues.iter().find(|c| *c.id.get_ref() == clue.id);
            format!("in {kinds}: {}{regex}", file.map_or_else(String::new, terms))
        }
        Condition::Library { category, faint } => {
            format!("a library of category {category}{}", if *faint { ", a trace of it" } else { "" })
        }
        Condition::Model(name) => format!("text model {name}"),
        Condition::Derived { all, any_of, none, not } => {
            format!("all [{}]  one of [{}]  none of [{}]  not [{}]", names(all), names(any_of), names(none), names(not))
        }
    }
}

/// The terms of a clue, and those that must or must not stand near them.
fn terms(clue: &ClueFile) -> String {
    let words = |list: &[Spanned<String>]| list.iter().map(|t| t.get_ref().as_str()).collect::<Vec<_>>().join(" ");
    let mut out = words(&clue.any);
    if let Some(several) = clue.at_least {
        let scope = if clue.across { " in one file" } else { "" };
        out.push_str(&format!("\n    at least {several} of them{scope}"));
    }
    if let Some(near) = &clue.near {
        out.push_str(&format!("\n    near, within {}: {}", near.within, words(&near.any)));
    }
    if let Some(unless) = &clue.unless {
        let (before, after) = (words(&unless.before), words(&unless.after));
        out.push_str(&format!("\n    unless, within {}: before [{before}]  after [{after}]", unless.within));
    }
    if !clue.negatable {
        out.push_str("\n    negated or not");
    }
    out
}
