//! `xunjian register`: licences, filings and lists.

use std::path::{Path, PathBuf};

use super::usage::usage;
use super::{Exit, choice};
use crate::model::RegisterKind;
use crate::register::{Register, Registers, import, keep, read_all, undo};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Import a register from CSV or XLSX; it replaces the one before, which is kept as history.
    Import {
        /// Which register.
        #[arg(value_parser = choice::register())]
        kind: RegisterKind,
        /// The table; columns are found by their headers, Chinese or English.
        file: PathBuf,
        /// Only say what it would keep and leave out.
        #[arg(long)]
        dry_run: bool,
        /// Replace the one before even by nothing, or by less than half of it.
        #[arg(long)]
        replace_anyway: bool,
        #[command(flatten)]
        home: RegisterArgs,
    },
    /// Put back the register that the last import replaced.
    Undo {
        /// Which register.
        #[arg(value_parser = choice::register())]
        kind: RegisterKind,
        #[command(flatten)]
        home: RegisterArgs,
    },
    /// List the registers at hand.
    List {
        #[command(flatten)]
        home: RegisterArgs,
    },
}

/// Where registers are kept.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RegisterArgs {
    /// Folder of imported registers. Default: `registers` in the home (`--home`, `XUNJIAN_HOME`).
    #[arg(long, value_name = "DIR")]
    registers: Option<PathBuf>,
}

impl RegisterArgs {
    /// The folder.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.registers.clone().or_else(|| super::home::given().map(|home| home.join("registers")))
    }

    /// The registers at hand; none where no folder was named.
    pub(super) fn load(&self, as_of: &str) -> anyhow::Result<Registers> {
        Ok(Registers::new(self.all()?, as_of))
    }

    /// The registers at hand as they were imported.
    pub(super) fn all(&self) -> anyhow::Result<Vec<Register>> {
        let Some(folder) = self.folder() else { return Ok(Vec::new()) };
        if self.registers.is_some() && !folder.is_dir() {
            return Err(usage!("--registers {}: no such folder; `xunjian register import` makes it", folder.display()));
        }
        Ok(read_all(&folder, RegisterKind::ALL)?)
    }
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Import { kind, file, dry_run, replace_anyway, home } => {
            import_file(*kind, file, (*dry_run, *replace_anyway), home)
        }
        Command::Undo { kind, home } => {
            let folder = home.folder().unwrap_or_else(|| "registers".into());
            if undo(&folder, *kind)? {
                println!("{}: the one before is back", kind.id());
                return Ok(Exit::Clean);
            }
            eprintln!("{}: there is none before it in {}", kind.id(), folder.join("history").display());
            Ok(Exit::Usage)
        }
        Command::List { home } => {
            for register in read_all(&home.folder().unwrap_or_else(|| "registers".into()), RegisterKind::ALL)? {
                println!("{}\t{} rows\t{}", register.kind.id(), register.rows.len(), register.sha256);
            }
            Ok(Exit::Clean)
        }
    }
}

fn import_file(
    kind: RegisterKind,
    file: &Path,
    (is_dry, replaces_anyway): (bool, bool),
    home: &RegisterArgs,
) -> anyhow::Result<Exit> {
    let Some(folder) = home.folder() else {
        eprintln!("say where registers are kept: --registers DIR, or set XUNJIAN_HOME");
        return Ok(Exit::Usage);
    };
    let imported = match std::fs::read(file)
        .map_err(|e| e.to_string())
        .and_then(|b| import(kind, &b).map_err(|e| e.to_string()))
    {
        Ok(imported) => imported,
        Err(reason) => {
            eprintln!("{}: {reason}", file.display());
            return Ok(Exit::Usage);
        }
    };
    for bad in &imported.bad {
        eprintln!("{}: row {}: {}; left out", file.display(), bad.row, bad.reason);
    }
    for (header, used) in imported.columns.iter().filter(|(header, _)| !header.is_empty()) {
        eprintln!("{}: column {header}: {}", file.display(), used.unwrap_or("not used"));
    }
    let kept = imported.register.rows.len();
    let before = read_all(&folder, &[kind])?.first().map_or(0, |register| register.rows.len());
    // A file that lost its codes must not take everybody's licence away.
    let is_poor = kept == 0 || kept * 2 < before;
    if is_poor && !replaces_anyway {
        eprintln!(
            "{}: {kept} rows can be kept, where {before} are at hand: nothing was replaced; mend the file, or say --replace-anyway",
            file.display()
        );
        return Ok(Exit::Incomplete);
    }
    if is_dry {
        println!("{}: {kept} rows would be kept, {} left out; nothing was written", kind.id(), imported.bad.len());
        return Ok(if imported.bad.is_empty() { Exit::Clean } else { Exit::Incomplete });
    }
    keep(&folder, &imported.register)?;
    println!("{}: {} rows kept, {} left out", kind.id(), imported.register.rows.len(), imported.bad.len());
    Ok(if imported.bad.is_empty() { Exit::Clean } else { Exit::Incomplete })
}
