//! `xunjian store test`: recorded answers, read by the stores' files as they are now.

use std::io::Write;
use std::path::{Path, PathBuf};

use rust_i18n::t;

use super::super::Exit;
use super::super::network::NetworkArgs;
use super::told;
use crate::cli::speech::SpeechArgs;
use crate::runs::fit::{Fixture, FixtureError};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Fixtures that `store check --record` wrote, or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let stores = args.network.stores()?;
    let mut out = std::io::stdout().lock();
    let (mut worst, mut all) = (Exit::Clean, 0);
    for path in files(&args.paths)? {
        all += 1;
        let fixture = Fixture::read(&path)?;
        let at = path.display();
        let fail = |why| FixtureError { path: at.to_string(), why };
        let store = stores.by_word(&fixture.store).map_err(fail)?;
        let replayed = fixture.replay(&store);
        if replayed.fits() {
            writeln!(out, "{at}: {}", t!("store.test_fits", locale = &args.speech.lang, n = replayed.apps.len()))?;
            continue;
        }
        worst = Exit::Incomplete;
        writeln!(out, "{at}: {}", t!("store.test_broken", locale = &args.speech.lang, store = &store.id))?;
        for (name, fields) in &replayed.apps {
            writeln!(out, "{}:{name}", store.id)?;
            told(&mut out, fields, &args.speech.lang)?;
        }
        if !replayed.lost.is_empty() {
            writeln!(
                out,
                "  {}",
                t!("store.test_lost", locale = &args.speech.lang, fields = replayed.lost.join(", "))
            )?;
        }
        replayed.faults.iter().try_for_each(|fault| writeln!(out, "  {fault}"))?;
    }
    if all == 0 {
        let path = args.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
        return Err(FixtureError { path, why: "no fixture (.json) there".into() }.into());
    }
    Ok(worst)
}

fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let is_fixture = |path: &Path| path.extension().is_some_and(|ext| ext == "json");
        let entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        found.extend(entries.into_iter().map(|entry| entry.path()).filter(|path| is_fixture(path)));
    }
    found.sort();
    Ok(found)
}
