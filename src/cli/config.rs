//! `xunjian config`: the configuration in force.

use std::path::PathBuf;

use anyhow::Context;

use super::Exit;
use crate::model::config::Config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print every key with its value and what it does; secrets are masked.
    Show {
        #[command(flatten)]
        config: ConfigArgs,
        /// Language of the comments.
        #[arg(long, default_value = "zh", value_parser = ["zh", "en"])]
        lang: String,
    },
}

/// Which configuration file holds.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ConfigArgs {
    /// Configuration file. Default: `XUNJIAN_CONFIG`, else `config.toml` under `XUNJIAN_HOME`.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Also connect to private, loopback and link-local addresses: for mirrors of your own.
    #[arg(long)]
    pub(super) allow_private: bool,
}

impl ConfigArgs {
    /// The configuration in force: the file's keys over the defaults.
    ///
    /// # Errors
    /// When a file was named and cannot be read, or says something unknown.
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        let mut config = self.read()?;
        config.network.allow_private |= self.allow_private;
        Ok(config)
    }

    fn read(&self) -> anyhow::Result<Config> {
        let Some(path) = self.path() else { return Ok(Config::default()) };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(|| format!("--config {name}: cannot be read"))?;
        Ok(Config::parse(&name, text.trim_start_matches('\u{feff}'))?)
    }

    fn path(&self) -> Option<PathBuf> {
        let named = self.config.clone().or_else(|| std::env::var_os("XUNJIAN_CONFIG").map(PathBuf::from));
        // The file of the home folder need not be there; one that was named must.
        named.or_else(|| {
            let home = std::env::var_os("XUNJIAN_HOME").map(|home| PathBuf::from(home).join("config.toml"));
            home.filter(|path| path.is_file())
        })
    }
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Show { config, lang } => {
            use std::io::Write;
            std::io::stdout().write_all(config.load()?.show(lang).as_bytes())?;
            Ok(Exit::Clean)
        }
    }
}
