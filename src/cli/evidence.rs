//! `xunjian evidence`: bags that a third party can verify.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_i18n::t;

use super::Exit;
use super::config::ConfigArgs;
use super::home::{HomeArgs, runtime};
use super::speech::SpeechArgs;
use super::usage::{OrUsage, ensure_usage};
use crate::acquire::Client;
use crate::preserve::stamp::Stamp;
use crate::preserve::{self, Difference, name};
use crate::report::clean;
use crate::runs::evidence::{self, EvidenceError, Stamping};
use crate::runs::sweep::now;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write what a finding rests on into a new folder: a BagIt bag.
    Export(ExportArgs),
    /// Check a bag with nothing but the bag: hashes, chain of custody, timestamp, and the audit done again.
    Verify(VerifyArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Id of the finding.
    #[arg(value_name = "FINDING")]
    finding: String,
    /// New folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Do without the timestamp of the configured authority; the bag says so.
    #[arg(long)]
    without_timestamp: bool,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    home: HomeArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// The bag.
    #[arg(value_name = "DIR")]
    bag: PathBuf,
    /// PEM file with certificates that the timestamp's must lead to. Without it, nothing says whose clock it was.
    #[arg(long, value_name = "FILE")]
    timestamp_ca: Option<PathBuf>,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Export(args) => runtime()?.block_on(export(args)),
        Command::Verify(args) => verify(args),
    }
}

async fn export(args: &ExportArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?;
    let home = args.home.open_by(&config).await?;
    let stamping = match Stamping::of(&config.evidence, &Arc::new(Client::new(&config)?)) {
        Stamping::By(_) if args.without_timestamp => Stamping::LeftOut,
        stamping => stamping,
    };
    // As a cell of the CSV has it, where a spreadsheet would take it for a number.
    let finding = args.finding.trim().trim_start_matches('\'');
    match evidence::export((&home.state, &home.vault), finding, &stamping, &args.out, now()).await {
        Err(error @ EvidenceError::NoFinding(_)) => {
            eprintln!("xunjian: {error}");
            Ok(Exit::Usage)
        }
        Err(error @ EvidenceError::NoTimestamp(..)) => {
            eprintln!("xunjian: {error}");
            eprintln!("no bag was written; nothing is lost: export again later, or now with --without-timestamp");
            Ok(Exit::Incomplete)
        }
        done => {
            done.or_usage(|| format!("--out {}", args.out.display()))?;
            println!("{}", args.out.display());
            Ok(Exit::Clean)
        }
    }
}

/// Characters of a signer's name that are told.
const NAME_MAX: usize = 300;
/// Characters of a file's name, and of what is wrong with it, that are told.
const FILE_NAME_MAX: usize = 300;
const WHAT_MAX: usize = 2_000;
/// Bytes of a file of trusted certificates: those of browsers have a fifth of a megabyte.
const TRUSTED_MAX: u64 = 8 << 20;

fn verify(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let (bag, lang) = (&args.bag, args.speech.lang.as_str());
    ensure_usage!(bag.is_dir(), "{}: no such folder", bag.display());
    let trusted = args.timestamp_ca.as_deref().map(trusted).transpose()?;
    let mut differences = preserve::verify(bag);
    // What is wrong with a timestamp stands among the differences already.
    let stamp = preserve::stamped(bag);
    let mut trust = "evidence.trust_unchecked";
    if let (Ok(stamp), Some(pem)) = (&stamp, &trusted) {
        let none = || Err("there is none in the bag".into());
        let checked = stamp.as_ref().map_or_else(none, |stamp| stamp.check_chain(pem));
        trust = if checked.is_ok() { "evidence.trust_checked" } else { "evidence.trust_failed" };
        let file = name::TIMESTAMP_REPLY.into();
        differences.extend(checked.err().map(|what| Difference { file, what }));
    }
    // Signatures that were tampered with are named; by those of a whole bag it is judged again.
    differences.extend(evidence::rerun(bag));
    for difference in &differences {
        // Names and texts of a bag are whatever a stranger wrote.
        println!("{}: {}", clean(&difference.file, FILE_NAME_MAX), clean(&difference.what, WHAT_MAX));
    }
    match stamp {
        Ok(Some(stamp)) => println!("{}", told(&stamp, trust, lang)),
        Ok(None) => println!("{}", t!("evidence.unstamped", locale = lang)),
        Err(_) => {}
    }
    let key = if differences.is_empty() { "evidence.whole" } else { "evidence.differs" };
    println!("{}", t!(key, locale = lang, n = differences.len()));
    Ok(if differences.is_empty() { Exit::Clean } else { Exit::Incomplete })
}

fn trusted(file: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read;
    let mut pem = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(TRUSTED_MAX).read_to_end(&mut pem));
    read.or_usage(|| format!("--timestamp-ca {}: cannot be read", file.display()))?;
    Ok(pem)
}

/// When, by whom, and what that is worth.
fn told(stamp: &Stamp, trust: &str, lang: &str) -> String {
    let at = preserve::timestamp(stamp.at.try_into().unwrap_or(i64::MAX));
    let who = clean(&stamp.signer_name(), NAME_MAX);
    let within = stamp.accuracy.map_or_else(String::new, |micros| {
        t!("evidence.within", locale = lang, seconds = micros as f64 / 1e6).into_owned()
    });
    let stamped = t!("evidence.stamped", locale = lang, at = at, within = within, who = who);
    format!("{stamped}{}", t!(trust, locale = lang))
}
