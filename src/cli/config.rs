//! `xunjian config`: the configuration in force.

use std::path::PathBuf;

use rust_i18n::t;

use super::speech::SpeechArgs;
use super::usage::OrUsage;
use super::{Exit, choice};
use crate::isolate;
use crate::model::config::{Config, WhichPictures};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print every key with its value and what it does; secrets are masked.
    Show {
        #[command(flatten)]
        config: ConfigArgs,
        #[command(flatten)]
        speech: SpeechArgs,
    },
}

/// Which configuration file holds.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ConfigArgs {
    /// Configuration file. Default: `XUNJIAN_CONFIG`, else `config.toml` in the home (`--home`, `XUNJIAN_HOME`).
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Also connect to private, loopback and link-local addresses: for mirrors of your own.
    #[arg(long)]
    pub(super) allow_private: bool,
    /// Pictures read for words: off; listing (what a store shows); some (and what people see large of each
    /// package); all. Default: `read` of `[pictures]` in the configuration, which is some.
    #[arg(long, value_name = "WHICH", value_parser = choice::pictures())]
    pub(super) pictures: Option<WhichPictures>,
}

impl ConfigArgs {
    /// The configuration in force: the file's keys over the defaults.
    ///
    /// # Errors
    /// When a file was named and cannot be read, or says something unknown.
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        let mut config = self.read()?;
        config.network.allow_private |= self.allow_private;
        if let Some(pictures) = self.pictures {
            config.pictures.read = pictures;
        }
        crate::time::set_zone(config.zone_minutes());
        Ok(config)
    }

    fn read(&self) -> anyhow::Result<Config> {
        let Some(path) = self.path() else { return Ok(Config::default()) };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).or_usage(|| format!("--config {name}: cannot be read"))?;
        Ok(Config::parse(&name, text.trim_start_matches('\u{feff}'))?)
    }

    fn path(&self) -> Option<PathBuf> {
        let named = self.config.clone().or_else(|| std::env::var_os("XUNJIAN_CONFIG").map(PathBuf::from));
        // The file of the home folder need not be there; one that was named must.
        named.or_else(|| {
            let home = super::home::given().map(|home| home.join("config.toml"));
            home.filter(|path| path.is_file())
        })
    }
}

/// What holds the processes in that read packages, on this system, as comments.
fn guards(lang: &str) -> String {
    let held = isolate::guards();
    let mut lines = vec![t!("reading.title", locale = lang).into_owned()];
    for (key, holds) in held.iter().flatten() {
        let state = if *holds { "reading.holds" } else { "reading.lacks" };
        let name = t!(format!("reading.{key}"), locale = lang);
        lines.push(format!("{name}: {}", t!(state, locale = lang)));
    }
    if held.is_none() {
        lines.push(t!("reading.none", locale = lang).into_owned());
    } else if held.is_some_and(|held| held.iter().any(|(_, holds)| !holds)) {
        lines.push(t!("reading.less", locale = lang).into_owned());
    }
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Show { config, speech } => {
            use std::io::Write;
            let mut out = std::io::stdout();
            out.write_all(config.load()?.show(&speech.lang).as_bytes())?;
            out.write_all(guards(&speech.lang).as_bytes())?;
            Ok(Exit::Clean)
        }
    }
}
