//! `xunjian evidence`: bags that a third party can verify.

use std::path::PathBuf;

use anyhow::Context;

use super::Exit;
use super::home::{HomeArgs, runtime};
use crate::pipeline::evidence::{self, EvidenceError};
use crate::pipeline::sweep::now;
use crate::preserve;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write what a finding rests on into a new folder: a BagIt bag.
    Export {
        /// Id of the finding.
        #[arg(value_name = "FINDING")]
        finding: String,
        /// New folder.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        home: HomeArgs,
    },
    /// Check a bag with nothing but the bag: hashes, chain of custody, and the audit done again.
    Verify {
        /// The bag.
        #[arg(value_name = "DIR")]
        bag: PathBuf,
        /// Language of words for people.
        #[arg(long, default_value = "zh", value_parser = ["zh", "en"])]
        lang: String,
    },
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Export { finding, out, home } => runtime()?.block_on(async {
            let home = home.open().await?;
            match evidence::export((&home.state, &home.vault), finding, out, now()).await {
                Err(error @ EvidenceError::NoFinding(_)) => {
                    eprintln!("xunjian: {error}");
                    Ok(Exit::Usage)
                }
                done => {
                    done.with_context(|| format!("--out {}", out.display()))?;
                    println!("{}", out.display());
                    Ok(Exit::Clean)
                }
            }
        }),
        Command::Verify { bag, lang } => {
            anyhow::ensure!(bag.is_dir(), "--: {}: no such folder", bag.display());
            let mut differences = preserve::verify(bag);
            // Signatures that were tampered with are named; by those of a whole bag it is judged again.
            differences.extend(evidence::rerun(bag));
            for difference in &differences {
                println!("{}: {}", difference.file, difference.what);
            }
            let key = if differences.is_empty() { "evidence.whole" } else { "evidence.differs" };
            println!("{}", rust_i18n::t!(key, locale = lang, n = differences.len()));
            Ok(if differences.is_empty() { Exit::Clean } else { Exit::Incomplete })
        }
    }
}
