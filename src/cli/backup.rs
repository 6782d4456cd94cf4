//! `xunjian backup` and `xunjian restore`: a copy of an embedded home, and a home made of one.

use std::path::PathBuf;

use rust_i18n::t;

use super::Exit;
use super::config::ConfigArgs;
use super::home::{HomeArgs, runtime};
use super::speech::SpeechArgs;
use super::usage::OrUsage;
use crate::runs::backup::{Copied, backup, restore};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// New folder for the copy.
    out: PathBuf,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// Folder that `xunjian backup` wrote.
    from: PathBuf,
    /// New folder for the home. Default: `XUNJIAN_HOME`.
    #[arg(long, value_name = "DIR", env = "XUNJIAN_HOME")]
    home: PathBuf,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = args.config.load()?;
    runtime()?.block_on(async {
        let home = args.home.open_by(&config).await?;
        let copied = backup(&home, &args.out).await.or_usage(|| format!("--home {}", home.root.display()))?;
        Ok(tell(&copied, "backup.done", &args.speech.lang))
    })
}

pub(super) fn run_restore(args: &RestoreArgs) -> anyhow::Result<Exit> {
    runtime()?.block_on(async {
        let copied = restore(&args.from, &args.home).await?;
        Ok(tell(&copied, "backup.restored", &args.speech.lang))
    })
}

fn tell(copied: &Copied, key: &str, lang: &str) -> Exit {
    let size = indicatif::HumanBytes(copied.bytes).to_string();
    println!("{}", t!(key, locale = lang, files = copied.files, size = size));
    if copied.missing == 0 {
        return Exit::Clean;
    }
    println!("{}", t!("backup.missing", locale = lang, n = copied.missing));
    Exit::Incomplete
}
