//! `xunjian register`: licences, filings and lists.

use std::path::{Path, PathBuf};

use super::Exit;
use crate::model::RegisterKind;
use crate::register::{Register, Registers, import, keep, read_all};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Import a register from CSV or XLSX; it replaces the one before, which is kept as history.
    Import {
        /// Which register.
        #[arg(value_enum)]
        kind: RegisterKind,
        /// The table; columns are found by their headers, Chinese or English.
        file: PathBuf,
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
    /// Folder of imported registers. Default: `registers` under `XUNJIAN_HOME`.
    #[arg(long, value_name = "DIR")]
    registers: Option<PathBuf>,
}

impl RegisterArgs {
    /// The folder.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.registers
            .clone()
            .or_else(|| std::env::var_os("XUNJIAN_HOME").map(|home| PathBuf::from(home).join("registers")))
    }

    /// The registers at hand; none where no folder was named.
    pub(super) fn load(&self, as_of: &str) -> anyhow::Result<Registers> {
        Ok(Registers::new(self.all()?, as_of))
    }

    /// The registers at hand as they were imported.
    pub(super) fn all(&self) -> anyhow::Result<Vec<Register>> {
        let Some(folder) = self.folder() else { return Ok(Vec::new()) };
        if self.registers.is_some() && !folder.is_dir() {
            anyhow::bail!("--registers {}: no such folder; `xunjian register import` makes it", folder.display());
        }
        Ok(read_all(&folder, RegisterKind::ALL)?)
    }
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Import { kind, file, home } => import_file(*kind, file, home),
        Command::List { home } => {
            for register in read_all(&home.folder().unwrap_or_else(|| "registers".into()), RegisterKind::ALL)? {
                println!("{}\t{} rows\t{}", register.kind.id(), register.rows.len(), register.sha256);
            }
            Ok(Exit::Clean)
        }
    }
}

fn import_file(kind: RegisterKind, file: &Path, home: &RegisterArgs) -> anyhow::Result<Exit> {
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
    keep(&folder, &imported.register)?;
    println!("{}: {} rows kept, {} left out", kind.id(), imported.register.rows.len(), imported.bad.len());
    Ok(if imported.bad.is_empty() { Exit::Clean } else { Exit::Incomplete })
}

/// Today as `YYYY-MM-DD`, in UTC.
pub(super) fn today() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    civil(seconds / 86_400)
}

/// Day since 1970 as a date, by Hinnant's algorithm for the proleptic Gregorian calendar.
fn civil(day: u64) -> String {
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_as_dates() {
        assert_eq!(civil(0), "1970-01-01");
        assert_eq!(civil(11_016), "2000-02-29");
        assert_eq!(civil(20_780), "2026-11-23");
    }
}
