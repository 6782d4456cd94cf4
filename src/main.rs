//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use xunjian::cli::{Cli, Exit};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage } else { Exit::Clean }.code());
        }
    };
    // What it holds back is sent when it is dropped, at the very end.
    let traces = cli.observe();
    match traces.as_ref().map_or_else(|error| Err(anyhow::anyhow!("{error:#}")), |_| cli.run()) {
        Ok(exit) => ExitCode::from(exit.code()),
        // Whoever reads the answer has read enough: `| head`.
        Err(error) if xunjian::cli::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xunjian: {error:#}");
            ExitCode::from(xunjian::cli::exit_of(&error).code())
        }
    }
}
