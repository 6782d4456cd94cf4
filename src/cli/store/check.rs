//! `xunjian store check`: asks stores for a few known apps.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_i18n::t;

use super::super::Exit;
use super::super::home::{HomeArgs, runtime};
use super::super::network::{Network, NetworkArgs};
use super::{told, unverified};
use crate::acquire::Client;
use crate::cli::speech::SpeechArgs;
use crate::cli::usage::usage;
use crate::crawl::{Start, Store};
use crate::model::config::Config;
use crate::model::fetch::{Fault, Outcome};
use crate::runs::fit::{self, Fixture, StoreFit};
use crate::store::Home;
use crate::time;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Store id, or fdroid+http(s)://HOST/repo.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    store: Option<String>,
    /// Packages, or `?words`, to fetch. Default: those that the store's file names.
    apps: Vec<String>,
    /// Look at every store, and remember in the home how each stands.
    #[arg(long)]
    all: bool,
    /// Remember in the home how the store stands, for the reviewers' page.
    #[arg(long)]
    remember: bool,
    /// Keep pages that do not fit in this folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Write what the store answered into this folder, for `store test`: cut down to what is read, without what
    /// names people, where it fits; whole where it does not.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let known = args.network.stores()?;
    let stores: Vec<Store> = match &args.store {
        Some(word) => vec![known.by_word(word).map_err(|why| usage!("--stores: {why}"))?],
        None => known.all().filter(|store| !store.known().is_empty()).cloned().collect(),
    };
    let config = args.network.config.load()?;
    // Whoever remembers has the home for itself: no sweep asks the same hosts beside it.
    let is_kept = args.all || args.remember;
    let runtime = runtime()?;
    let held = if is_kept { Some(runtime.block_on(args.home.take(&config))?) } else { None };
    let network = Network::new(&args.network)?;
    let mut fits = BTreeMap::new();
    let mut worst = Exit::Clean;
    for store in &stores {
        let fit = one(args, &network, store)?;
        worst = if fit.as_ref().is_some_and(StoreFit::is_good) { worst } else { Exit::Incomplete };
        fits.extend(fit.map(|fit| (store.id.clone(), fit)));
    }
    if let Some((home, _lock)) = &held {
        let all = runtime.block_on(fit::remember(&home.state, fits))?;
        let mut out = std::io::stdout().lock();
        all.iter().try_for_each(|(id, fit)| writeln!(out, "{}", line(id, fit, &args.speech.lang)))?;
    }
    Ok(worst)
}

/// Looks at every store that names apps to look for, and remembers how each stands; one line a store.
pub(in crate::cli) async fn check_all(
    config: &Config,
    home: &Home,
    stores: &[Arc<Store>],
    lang: &str,
) -> anyhow::Result<String> {
    let client = Client::new(config)?;
    let mut fits = BTreeMap::new();
    for store in stores.iter().filter(|store| !store.known().is_empty()) {
        let mut looked = Vec::new();
        for app in store.known() {
            looked.push(fit::look(&client, store, &start_of(app)).await);
        }
        fits.insert(store.id.clone(), StoreFit::of(store, &looked, &time::today()));
    }
    let names: Vec<String> = fits.keys().cloned().collect();
    let all = fit::remember(&home.state, fits).await?;
    let lines = names.iter().filter_map(|id| Some(line(id, all.get(id)?, lang)));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// A package, or `?words`.
fn start_of(app: &str) -> Start {
    app.strip_prefix('?').map_or_else(|| Start::Package(app.to_owned()), |words| Start::Words(words.to_owned()))
}

/// How a store stands, in a line.
fn line(id: &str, fit: &StoreFit, lang: &str) -> String {
    let fitted = if fit.fitted.is_empty() { t!("store.never", locale = lang).into_owned() } else { fit.fitted.clone() };
    let first = fit.faults.first().cloned().unwrap_or_default();
    let why = if fit.lacks.is_empty() { first } else { fit.lacks.join(", ") };
    match (fit.is_good(), fit.is_broken) {
        (true, _) => t!("store.fits", locale = lang, store = id, day = fit.day),
        (_, true) => t!("store.broken", locale = lang, store = id, day = fit.day, fitted = fitted, why = why),
        _ => t!("store.unclear", locale = lang, store = id, day = fit.day, fitted = fitted, why = why),
    }
    .into_owned()
}

fn one(args: &Args, network: &Network, store: &Store) -> anyhow::Result<Option<StoreFit>> {
    let apps = if args.apps.is_empty() { store.known() } else { &args.apps };
    let mut out = std::io::stdout().lock();
    unverified(&mut out, store, &args.speech.lang)?;
    if apps.is_empty() {
        writeln!(out, "{}", t!("store.nothing_known", locale = &args.speech.lang, store = &store.id))?;
        return Ok(None);
    }
    let mut all = Vec::new();
    for app in apps {
        let start = start_of(app);
        let looked = network.look(store, &start)?;
        for found in &looked.visit.found {
            writeln!(out, "{}:{}  {}", store.id, found.listing.package, Outcome::Ok)?;
            told(&mut out, &fit::fields(store, found), &args.speech.lang)?;
        }
        for (number, fault) in looked.visit.faults.iter().enumerate() {
            let says = t!(format!("fetch.{}", fault.outcome), locale = &args.speech.lang);
            writeln!(out, "{}:{app}  {}  {says}\n  {}", store.id, fault.outcome, fault.detail)?;
            if let Some(path) = keep(args, store, app, number, fault)? {
                writeln!(out, "  {}", t!("store.kept", locale = &args.speech.lang, path = path))?;
            }
        }
        if let Some(folder) = args.record.as_deref().filter(|_| !looked.exchanges.is_empty()) {
            let fixture = Fixture::of(store, &start, &time::today(), looked.exchanges.clone());
            let path = record(folder, store, app, &fixture)?;
            let key = if fixture.is_whole { "store.recorded_whole" } else { "store.recorded" };
            writeln!(out, "  {}", t!(key, locale = &args.speech.lang, path = path))?;
        }
        all.push(looked);
    }
    Ok(Some(StoreFit::of(store, &all, &time::today())))
}

/// A name that any file system takes; words in other letters are told apart by their hash.
fn plain(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
    let name: String = text.chars().map(|c| if fits(c) { c } else { '_' }).take(80).collect();
    let name = name.trim_matches('.').to_owned();
    if text.chars().all(fits) { name } else { format!("{name}-{}", &crate::audit::sha256(text.as_bytes())[..8]) }
}

/// Keeps the page of a fault where `--keep` says.
fn keep(args: &Args, store: &Store, app: &str, number: usize, fault: &Fault) -> anyhow::Result<Option<String>> {
    let (Some(folder), Some(page)) = (&args.keep, &fault.page) else { return Ok(None) };
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}-{}-{number}.page", plain(&store.id), plain(app)));
    std::fs::write(&path, &page.body)?;
    Ok(Some(path.display().to_string()))
}

fn record(folder: &Path, store: &Store, app: &str, fixture: &Fixture) -> anyhow::Result<String> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}-{}.json", plain(&store.id), plain(app)));
    let mut text = serde_json::to_string_pretty(fixture)?;
    text.push('\n');
    std::fs::write(&path, text)?;
    Ok(path.display().to_string())
}
