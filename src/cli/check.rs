//! `xunjian check`: is what is remembered whole?

use rust_i18n::t;

use super::Exit;
use super::config::ConfigArgs;
use super::home::{HomeArgs, runtime};
use super::run::stop_on_interrupt;
use super::speech::SpeechArgs;
use crate::runs::check::{Checked, check};

/// Names told of one sort; the rest is counted.
const TOLD: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Take damaged files away, and mark lost packages so that the next sweep fetches them again.
    #[arg(long)]
    mend: bool,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = args.config.load()?;
    runtime()?.block_on(async {
        let home = args.home.open_by(&config).await?;
        let checked = check((&home.state, &home.vault), args.mend, &stop_on_interrupt()).await?;
        print!("{}", told(&checked, args));
        Ok(if checked.is_whole() && checked.is_done { Exit::Clean } else { Exit::Incomplete })
    })
}

fn told(checked: &Checked, args: &Args) -> String {
    let lang = args.speech.lang.as_str();
    let size = indicatif::HumanBytes(checked.bytes).to_string();
    let mut out =
        format!("{}\n", t!("check.files", locale = lang, files = checked.files, size = size, idle = checked.idle));
    for line in checked.state.iter().take(TOLD) {
        out.push_str(&format!("{}\n", t!("check.state", locale = lang, what = line)));
    }
    for (key, names) in [("check.damaged", &checked.damaged), ("check.missing", &checked.missing)] {
        for name in names.iter().take(TOLD) {
            out.push_str(&format!("{}\n", t!(key, locale = lang, name = name)));
        }
        if names.len() > TOLD {
            out.push_str(&format!("{}\n", t!("check.more", locale = lang, n = names.len() - TOLD)));
        }
    }
    let key = match () {
        () if checked.is_whole() => "check.whole",
        () if args.mend => "check.mended",
        () => "check.broken",
    };
    out.push_str(&format!("{}\n", t!(key, locale = lang, n = checked.wanted)));
    out
}
