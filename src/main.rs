//! Parse, run, exit code.

use std::process::ExitCode;

use xunjian::cli::{Cli, Exit};

fn main() -> ExitCode {
    #[cfg(unix)]
    if std::env::args_os().nth(1).is_some_and(|first| first == xunjian::isolate::CHILD) {
        // Whoever started it hears of a fault by its end.
        return if xunjian::isolate::run_child().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    xunjian::isolate::enable();
    xunjian::isolate::give_stacks();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(told) = Cli::fault(&error) {
                eprintln!("xunjian: {told}");
            }
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage } else { Exit::Clean }.code());
        }
    };
    // What it holds back is sent when it is dropped, at the very end.
    let (_traces, ran) = match cli.observe() {
        Ok(traces) => (traces, cli.run()),
        Err(error) => (None, Err(error)),
    };
    match ran {
        Ok(exit) => ExitCode::from(exit.code()),
        // Whoever reads the answer has read enough: `| head`.
        Err(error) if xunjian::cli::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xunjian: {error:#}");
            ExitCode::from(xunjian::cli::exit_of(&error).code())
        }
    }
}
