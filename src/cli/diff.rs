//! `xunjian diff`: what changed between two versions of an app, and between its copies.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Exit;
use super::home::{HomeArgs, runtime};
use super::keeper::{Basis, Keeper};
use super::speech::SpeechArgs;
use crate::audit::Auditor;
use crate::model::Budget;
use crate::model::Sign;
use crate::model::config::Config;
use crate::preserve::timestamp;
use crate::report::words::{self, Lang};
use crate::runs::compare::{Comparison, Sets, Side, compare};
use crate::signature::{Pack, Source};
use crate::store::{AuditRow, Home, State};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The app: its package in all stores, or `STORE:PACKAGE`; or a package file.
    #[arg(value_name = "APP")]
    app: String,
    /// With a package file: the other, later one.
    #[arg(value_name = "FILE")]
    other: Option<PathBuf>,
    /// Earlier version, by name or code. Default: the one before the latest.
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
    /// Later version, by name or code. Default: the latest.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// JSON, one comparison a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    speech: SpeechArgs,
    #[command(flatten)]
    home: HomeArgs,
}

/// Audits of an app looked through for versions.
const HISTORY: u32 = 500;

/// Compares two files, which are audited for it and not remembered.
fn files(args: &Args, from: &Path, to: &Path) -> anyhow::Result<Exit> {
    let source = Source::embedded();
    let pack = Arc::new(Pack::load(&source)?);
    let policy = super::pack::policy(&pack, super::pack::DEFAULT_POLICY)?;
    let auditor = Auditor { pack, policy, budget: Budget::default(), registers: Arc::default() };
    let (as_of, timeout) = (crate::time::today(), TIMEOUT);
    let basis = Basis { auditor: &auditor, source: &source, registers: &[], as_of, timeout };
    let keeper = Keeper::new(None, &Config::default(), &basis)?;
    let (from, to) = (keeper.row(from)?, keeper.row(to)?);
    let (runtime, home) = keeper.parts();
    runtime.block_on(show(args, home, from, to))?;
    Ok(Exit::Clean)
}

/// Seconds that reading one file may take.
const TIMEOUT: u64 = 600;

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(other) = &args.other {
        return files(args, Path::new(&args.app), other);
    }
    runtime()?.block_on(async {
        let home = args.home.open().await?;
        // A store's id may hold colons: `fdroid+https://HOST/repo:PACKAGE`.
        let (store, name) = args.app.rsplit_once(':').unwrap_or(("", &args.app));
        let apps = home.state.find(store, name).await?;
        if apps.is_empty() {
            eprintln!("xunjian: {}: no such app in the state; sweep its store first", args.app);
            return Ok(Exit::Usage);
        }
        let mut latest: Vec<AuditRow> = Vec::new();
        for app in &apps {
            let mut versions = versions(home.state.history(app.id, HISTORY).await?);
            let to = take(&mut versions, args.to.as_deref());
            let from = take(&mut versions, args.from.as_deref());
            match (from, &to) {
                (Some(from), Some(to)) => show(args, &home, from, to.clone()).await?,
                (None, Some(_)) if apps.len() == 1 => {
                    eprintln!("xunjian: {}: {}", args.app, rust_i18n::t!("diff.one", locale = &args.speech.lang));
                }
                _ => {}
            }
            latest.extend(to);
        }
        let named = args.from.is_some() || args.to.is_some();
        let mut copies = latest.into_iter();
        if let Some(first) = copies.next().filter(|_| !named) {
            for other in copies {
                show(args, &home, first.clone(), other).await?;
            }
        }
        Ok(Exit::Clean)
    })
}

/// The latest audit of each version, latest first.
fn versions(history: Vec<AuditRow>) -> Vec<AuditRow> {
    let mut kept: Vec<AuditRow> = Vec::new();
    for row in history {
        if kept.iter().all(|k| (k.listing, &k.artifact) != (row.listing, &row.artifact)) {
            kept.push(row);
        }
    }
    kept
}

fn take(versions: &mut Vec<AuditRow>, version: Option<&str>) -> Option<AuditRow> {
    let is = |row: &AuditRow| {
        version.is_none_or(|v| row.audit.app.version_name == v || row.audit.app.version_code.to_string() == v)
    };
    let at = versions.iter().position(is)?;
    Some(versions.remove(at))
}

async fn show(args: &Args, home: &Home, from: AuditRow, to: AuditRow) -> anyhow::Result<()> {
    let comparison = compare((&home.state, &home.vault), from, to).await?;
    if args.json {
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        print!("{}", text(&comparison, &args.app, &args.speech.lang));
    }
    Ok(())
}

fn text(comparison: &Comparison, app: &str, lang: &str) -> String {
    let word = |key: &str| rust_i18n::t!(format!("diff.{key}"), locale = lang).into_owned();
    let mut out = format!("{app}  {} → {}\n", named(&comparison.from), named(&comparison.to));
    if comparison.is_empty() {
        let _ = writeln!(out, "  {}", word("same"));
    }
    for field in &comparison.listing {
        let _ =
            writeln!(out, "  {} {}: {:?} → {:?}", word("listing"), named_field(&field.name, lang), field.was, field.is);
    }
    let sign =
        |id: &str| Sign::from_id(id).map_or(id.to_owned(), |sign| words::sign(sign).get(Lang::of(lang)).to_owned());
    let plain = |text: &str| format!("{text:?}");
    sets(&mut out, &word("finding"), &comparison.findings, &sign);
    for moved in &comparison.moved {
        let (was, is) = (moved.was * 100.0, moved.is * 100.0);
        let _ = writeln!(out, "  {} {}: {was:.0} % → {is:.0} %", word("finding"), sign(&moved.sign));
    }
    if let (Some(was), Some(is)) = (&comparison.from.package_sha256, &comparison.to.package_sha256)
        && was != is
    {
        let _ = writeln!(out, "  {} {was} → {is}", word("package"));
    }
    sets(&mut out, &word("permission"), &comparison.permissions, &plain);
    sets(&mut out, &word("library"), &comparison.libraries, &str::to_owned);
    sets(&mut out, &word("certificate"), &comparison.certificates, &str::to_owned);
    sets(&mut out, &word("string"), &comparison.strings, &plain);
    out
}

/// A field of a listing as people call it.
fn named_field(name: &str, lang: &str) -> String {
    words::find(&format!("diff.field.{name}"))
        .map_or_else(|| name.to_owned(), |phrase| phrase.get(Lang::of(lang)).to_owned())
}

fn named(side: &Side) -> String {
    let day = timestamp(side.at.div_euclid(1000));
    let store = if side.store.is_empty() { String::new() } else { format!("{} ", side.store.escape_debug()) };
    // A name that a store or package gives may hold anything, and this goes to a terminal.
    format!("{store}{} ({}, {})", side.version_name.escape_debug(), side.version_code, &day[..10])
}

fn sets(out: &mut String, what: &str, sets: &Sets, say: &dyn Fn(&str) -> String) {
    for (mark, told, count) in [('+', &sets.added, sets.counts.0), ('-', &sets.removed, sets.counts.1)] {
        for text in told {
            let _ = writeln!(out, "  {mark} {what} {}", say(text));
        }
        if count > told.len() {
            let _ = writeln!(out, "  {mark} {what} … {}", count - told.len());
        }
    }
}
