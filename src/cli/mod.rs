//! The command line: flags, commands and exit codes, over streams that a test can hold.
//!
//! Only here are errors `anyhow`'s; whatever is wrong with a configuration is a finding instead.

mod accepted;
mod check;
mod diff;
mod fix;
mod global;
mod input;
mod installed;
mod output;
mod progress;
mod revision;
mod routes;
mod rule;
mod settings;
mod test;
mod trace;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Result;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::report::printable;
use global::Global;

pub use check::describe;

/// Nothing to report, or answered.
pub const CLEAN: u8 = 0;
/// There are findings at or above a warning, or what `fail-on` says.
pub const FOUND: u8 = 1;
/// A file could not be read, a flag or a setting is wrong, or nginspect has a bug.
pub const FAILED: u8 = 2;

/// Columns of help and pages where the width of the terminal is not known.
const USUAL_WIDTH: usize = 100;

/// Finds what nginx will do wrong with a configuration, and the edit that cures it.
#[derive(Debug, Parser)]
#[command(
    name = "nginspect",
    version,
    disable_help_subcommand = true,
    after_long_help = "\
Without a command, nginspect checks ./nginx.conf, or else /etc/nginx/nginx.conf.

Exit codes:
  0  nothing at or above a warning, or what `fail-on` says
  1  findings at or above that
  2  a file could not be read, or a flag or a setting is wrong; findings are still printed"
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Routes(routes::RoutesOf),
    Trace(trace::Trace),
    Diff(diff::Diff),
    Test(test::Test),
    Rule(rule::Rule),
}

/// Where the program reads and writes.
pub struct Streams<'a> {
    /// Standard input.
    pub stdin: &'a mut dyn Read,
    /// What was asked for.
    pub stdout: &'a mut dyn Write,
    /// Errors, and what is said about the run itself.
    pub stderr: &'a mut dyn Write,
}

impl Streams<'_> {
    /// Says something about the run; that nobody listens is no reason to end it.
    fn say(&mut self, text: &str) {
        let _ = writeln!(self.stderr, "{text}");
    }
}

/// What the standard streams are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal {
    /// Colours are welcome.
    pub color: bool,
    /// Hyperlinks are welcome, where colours are.
    pub links: bool,
    /// Columns, when it is a terminal.
    pub width: Option<usize>,
    /// The standard error is a terminal too, which may show how far a long run has come.
    pub progress: bool,
}

/// Runs the program; the first argument is its own name. Answers with the exit code.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    mut streams: Streams,
    terminal: Terminal,
) -> u8 {
    let outcome = dispatch(arguments, &mut streams, terminal).and_then(|code| {
        streams.stdout.flush()?;
        Ok(code)
    });
    outcome.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return CLEAN;
        }
        streams.say(&format!("error: {}", printable(&format!("{error:#}"))));
        FAILED
    })
}

/// The definition of all commands and flags, from which help and documentation are made.
pub fn command() -> clap::Command {
    Arguments::command()
}

fn dispatch(
    arguments: impl IntoIterator<Item = OsString>,
    streams: &mut Streams,
    terminal: Terminal,
) -> Result<u8> {
    let width = terminal.width.unwrap_or(USUAL_WIDTH);
    let parsed = command()
        .term_width(width)
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let Arguments { command, global } = match parsed {
        Ok(arguments) => arguments,
        Err(error) => return explain(error, streams, terminal),
    };
    match command {
        Some(Command::Check(arguments)) => check::check(&global, &arguments, streams, terminal),
        Some(Command::Routes(arguments)) => routes::routes(&global, &arguments, streams, terminal),
        Some(Command::Trace(arguments)) => trace::trace(&global, &arguments, streams),
        Some(Command::Diff(arguments)) => diff::diff(&global, &arguments, streams),
        Some(Command::Test(arguments)) => test::test(&global, &arguments, streams, terminal),
        Some(Command::Rule(arguments)) => rule::rule(&global, &arguments, streams, terminal),
        None => check::check(&global, &check::Check::default(), streams, terminal),
    }
}

/// Prints the help that was asked for, or what is wrong with the arguments.
fn explain(error: clap::Error, streams: &mut Streams, terminal: Terminal) -> Result<u8> {
    let text = error.render();
    if !error.use_stderr() {
        if terminal.color {
            write!(streams.stdout, "{}", text.ansi())?;
        } else {
            write!(streams.stdout, "{text}")?;
        }
        return Ok(CLEAN);
    }
    // An argument may be a file name, and a file name may hold anything.
    for line in text.to_string().trim_end().lines() {
        streams.say(&printable(line));
    }
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
        && Path::new(name).exists()
    {
        let name = printable(name);
        streams.say(&format!("\nTo check this file: nginspect check {name}"));
    }
    Ok(FAILED)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_of_the_flags_is_consistent() {
        super::command().debug_assert();
    }
}
