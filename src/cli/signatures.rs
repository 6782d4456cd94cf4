//! `xunjian signatures`: for those who tend the signatures.

use std::io::Write;

use super::Exit;
use super::pack::PackArgs;
use super::speech::SpeechArgs;
use crate::audit;
use crate::model::About;
use crate::report::words::{self, Lang};
use crate::signature::Pack;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check every file and run every example.
    Check {
        #[command(flatten)]
        pack: PackArgs,
        #[command(flatten)]
        speech: SpeechArgs,
    },
    /// List the signatures.
    List {
        #[command(flatten)]
        pack: PackArgs,
        /// Only those of one sign, or of `education`.
        #[arg(long, value_parser = super::trial::about)]
        sign: Option<About>,
        #[command(flatten)]
        speech: SpeechArgs,
    },
    /// Show one signature: its clues, weights and reasons.
    Explain {
        /// Id, as `list` prints it.
        id: String,
        #[command(flatten)]
        pack: PackArgs,
        #[command(flatten)]
        speech: SpeechArgs,
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
        Command::Check { pack, speech } => check(pack, Lang::of(&speech.lang)),
        Command::List { pack, sign, speech } => list(&pack.load()?, *sign, &speech.lang),
        Command::Explain { id, pack, speech } => super::explain::run(&pack.load()?, id, &speech.lang),
        Command::Test(args) => super::trial::run(args),
        Command::Schema => schema(),
        Command::Calibrate(args) => super::calibrate::run(args),
        Command::Train(args) => super::train::run(args),
    }
}

fn check(args: &PackArgs, lang: Lang) -> anyhow::Result<Exit> {
    let pack = match Pack::load(&args.source()?) {
        Ok(pack) => pack,
        Err(fault) => {
            eprintln!("{fault}");
            return Ok(Exit::Usage);
        }
    };
    let cases = audit::lint(&pack);
    let faults: Vec<_> = cases.iter().flat_map(|case| &case.faults).collect();
    for fault in faults.iter().copied().chain(&pack.faults) {
        eprintln!("{fault}");
    }
    let faults = faults.len() + pack.faults.len();
    let examples = cases.len() - pack.signatures.len();
    let counts = [
        ("signatures", pack.signatures.len()),
        ("clues", pack.clues.len()),
        ("terms", pack.terms.patterns.len()),
        ("libraries", pack.libraries.all.len()),
        ("policies", pack.policies.len()),
        ("examples", examples),
        ("faults", faults),
    ];
    let summary = counts
        .iter()
        .fold(words::said("explain.checked", &[]), |phrase, (name, count)| phrase.with(name, &count.to_string()));
    writeln!(std::io::stdout(), "{}", summary.get(lang))?;
    Ok(if faults == 0 { Exit::Clean } else { Exit::Usage })
}

fn schema() -> anyhow::Result<Exit> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&crate::signature::schema())?)?;
    Ok(Exit::Clean)
}

fn list(pack: &Pack, sign: Option<About>, lang: &str) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    for signature in pack.signatures.iter().filter(|s| sign.is_none_or(|sign| s.about == sign)) {
        let clues = words::said("explain.clues", &[("n", &signature.clues.len().to_string())]);
        writeln!(out, "{}\t{}\t{}", signature.id, clues.get(Lang::of(lang)), signature.title().get(lang))?;
    }
    Ok(Exit::Clean)
}
