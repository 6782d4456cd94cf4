//! `xunjian store`: the stores at hand, and whether their adapters still fit.

use std::io::Write;

use rust_i18n::t;

use super::Exit;
use super::network::{Network, NetworkArgs};
use crate::crawl::{Start, Store};
use crate::model::fetch::{Fault, Outcome};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the stores.
    List {
        #[command(flatten)]
        network: NetworkArgs,
        /// Language of the words.
        #[arg(long, default_value = "zh", value_parser = ["zh", "en"])]
        lang: String,
    },
    /// Fetch a few known apps and say field by field what the adapter still finds.
    Check(Box<CheckArgs>),
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// Store id, or fdroid+http(s)://HOST/repo.
    store: String,
    /// Packages, or `?words`, to fetch. Default: those that the store's file names.
    apps: Vec<String>,
    /// Keep pages that do not fit in this folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<std::path::PathBuf>,
    #[command(flatten)]
    network: NetworkArgs,
    /// Language of the words.
    #[arg(long, default_value = "zh", value_parser = ["zh", "en"])]
    lang: String,
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::List { network, lang } => list(network, lang),
        Command::Check(args) => check(args),
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

/// Says so where nobody could check a store's file against the store itself.
fn unverified(out: &mut impl Write, store: &Store, lang: &str) -> std::io::Result<()> {
    let Some(why) = store.unverified() else { return Ok(()) };
    let why = if lang == "zh" { &why.zh } else { &why.en };
    writeln!(out, "  {}", t!("store.unverified", locale = lang, why = why))
}

/// Apps of one search that are looked at.
const APPS_MAX: usize = 5;

fn check(args: &CheckArgs) -> anyhow::Result<Exit> {
    let store = args.network.stores()?.by_word(&args.store).map_err(|why| anyhow::anyhow!("--stores: {why}"))?;
    let network = Network::new(&args.network)?;
    let apps = if args.apps.is_empty() { store.known().to_vec() } else { args.apps.clone() };
    let mut worst = Exit::Clean;
    let mut out = std::io::stdout().lock();
    unverified(&mut out, &store, &args.lang)?;
    if apps.is_empty() {
        writeln!(out, "{}", t!("store.nothing_known", locale = &args.lang, store = &store.id))?;
        return Ok(Exit::Incomplete);
    }
    for app in &apps {
        let start = app.strip_prefix('?').map_or_else(|| Start::Package(app.clone()), |w| Start::Words(w.to_owned()));
        let visit = network.visit(&store, &start, APPS_MAX)?;
        for found in &visit.found {
            writeln!(out, "{}:{}  {}", store.id, found.listing.package, Outcome::Ok)?;
            if !fields(&mut out, &store, found, &args.lang)? {
                worst = Exit::Incomplete;
            }
        }
        for (number, fault) in visit.faults.iter().enumerate() {
            worst = Exit::Incomplete;
            let says = t!(format!("fetch.{}", fault.outcome), locale = &args.lang);
            writeln!(out, "{}:{app}  {}  {says}\n  {}", store.id, fault.outcome, fault.detail)?;
            if let Some(path) = keep(args, &store, app, number, fault)? {
                writeln!(out, "  {}", t!("store.kept", locale = &args.lang, path = path))?;
            }
        }
    }
    Ok(worst)
}

/// Prints the fields of an app; whether every required one is there.
fn fields(out: &mut impl Write, store: &Store, found: &crate::model::fetch::Found, lang: &str) -> anyhow::Result<bool> {
    let mut whole = true;
    for field in store.check(found) {
        let value = field.value.replace('\n', " ");
        let mark = match (value.is_empty(), field.required) {
            (false, _) => "+",
            (true, true) => "!",
            (true, false) => "-",
        };
        whole &= !(value.is_empty() && field.required);
        let says = if value.is_empty() { t!("store.absent", locale = lang).into_owned() } else { value };
        writeln!(out, "  {mark} {}\t{says}", field.name)?;
    }
    Ok(whole)
}

/// Keeps the page of a fault where `--keep` says.
fn keep(args: &CheckArgs, store: &Store, app: &str, number: usize, fault: &Fault) -> anyhow::Result<Option<String>> {
    let (Some(folder), Some(page)) = (&args.keep, &fault.page) else { return Ok(None) };
    std::fs::create_dir_all(folder)?;
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' }).take(80).collect()
    };
    let path = folder.join(format!("{}-{}-{number}.page", plain(&store.id), plain(app).trim_matches('.')));
    std::fs::write(&path, &page.body)?;
    Ok(Some(path.display().to_string()))
}
