//! `xunjian store`: the stores at hand, and whether their files still fit.

mod check;
mod replay;

use std::io::Write;

use rust_i18n::t;

use super::Exit;
use super::network::NetworkArgs;
use crate::cli::speech::SpeechArgs;
use crate::crawl::Store;

pub(super) use check::check_all;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the stores.
    List {
        #[command(flatten)]
        network: NetworkArgs,
        #[command(flatten)]
        speech: SpeechArgs,
    },
    /// Fetch a few known apps and say field by field what the store's file still finds.
    Check(Box<check::Args>),
    /// Read recorded answers by the stores' files as they are now; nothing is fetched.
    Test(replay::Args),
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::List { network, speech } => list(network, &speech.lang),
        Command::Check(args) => check::run(args),
        Command::Test(args) => replay::run(args),
    }
}

fn list(args: &NetworkArgs, lang: &str) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    for store in args.stores()?.all() {
        let title = if lang == "zh" { &store.title().zh } else { &store.title().en };
        let kinds = ["store.catalogue", "store.package", "store.words"];
        let known = kinds.iter().zip(store.starts()).filter(|(_, is)| *is).map(|(key, _)| t!(*key, locale = lang));
        let known: Vec<_> = known.map(std::borrow::Cow::into_owned).collect();
        let seen = t!("store.seen", locale = lang, when = store.seen());
        writeln!(out, "{}\t{title}\t{}\t{seen}", store.id, known.join(" "))?;
        unverified(&mut out, store, lang)?;
        for category in store.categories() {
            let title = if lang == "zh" { &category.title.zh } else { &category.title.en };
            writeln!(out, "  {}\t{title}", category.id)?;
        }
    }
    Ok(Exit::Clean)
}

/// Says so where nobody could check a store's file against the store itself, and where its facts are from.
fn unverified(out: &mut impl Write, store: &Store, lang: &str) -> std::io::Result<()> {
    if let Some(facts) = store.facts() {
        writeln!(out, "  {}", t!("store.facts", locale = lang, facts = facts))?;
    }
    let Some(why) = store.unverified() else { return Ok(()) };
    let why = if lang == "zh" { &why.zh } else { &why.en };
    writeln!(out, "  {}", t!("store.unverified", locale = lang, why = why))
}

/// Prints fields: `+` found, `-` absent, `!` required and absent.
fn told(out: &mut impl Write, fields: &[crate::runs::fit::Field], lang: &str) -> std::io::Result<()> {
    for field in fields {
        let value = field.value.replace('\n', " ");
        let mark = match (value.is_empty(), field.required) {
            (false, _) => "+",
            (true, true) => "!",
            (true, false) => "-",
        };
        let says = if value.is_empty() { t!("store.absent", locale = lang).into_owned() } else { value };
        writeln!(out, "  {mark} {}\t{says}", field.name)?;
    }
    Ok(())
}
