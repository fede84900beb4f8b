//! The `nginspect` program.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use nginspect::cli::{self, Streams, Terminal};

/// Columns of a terminal that does not tell.
const USUAL_WIDTH: usize = 100;

fn main() -> ExitCode {
    panic::set_hook(Box::new(ask_for_a_report));
    let code = panic::catch_unwind(|| {
        let stdout = io::stdout();
        let terminal = terminal(&stdout);
        let streams = Streams {
            stdin: &mut io::stdin().lock(),
            stdout: &mut BufWriter::new(stdout.lock()),
            // Not locked: a progress line is written from a thread of its own.
            stderr: &mut io::stderr(),
        };
        cli::run(std::env::args_os(), streams, terminal)
    });
    ExitCode::from(code.unwrap_or(cli::FAILED))
}

fn terminal(stdout: &io::Stdout) -> Terminal {
    let is_terminal = stdout.is_terminal();
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let measured = || terminal_size::terminal_size_of(stdout).map(|(width, _)| width.0.into());
    Terminal {
        color: AutoStream::choice(stdout) != ColorChoice::Never,
        links: is_terminal,
        width: is_terminal.then(|| told.or_else(measured).unwrap_or(USUAL_WIDTH)),
        progress: io::stderr().is_terminal(),
    }
}

fn ask_for_a_report(panic: &PanicHookInfo) {
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(
        io::stderr(),
        "nginspect {version} has a bug and stops; please report it, with the configuration if you may.\n{panic}"
    );
}
