//! What becomes of the findings of a run: their format, where they go, and whether they fail it.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::global::Global;
use super::{Streams, Terminal};
use crate::fix;
use crate::report::{
    Findings, checkstyle, concise, github, gitlab, json, junit, printable, sarif, statistics, text,
};
use crate::settings::FailOn;
use crate::source::ReadError;

/// Columns of a report that no terminal shows: nothing is wrapped.
const UNBOUNDED: usize = 10_000;

#[derive(Debug, Args, Default)]
pub(super) struct Output {
    /// How to print the findings.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Write the findings to FILE instead of the standard output.
    ///
    /// The file is replaced as a whole when the run ends; one line on the terminal counts the findings.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Count the findings of each rule, after the findings.
    ///
    /// With formats for programs and with --output, the counts go to the standard error.
    #[arg(long)]
    statistics: bool,

    /// Exit with 1 when there is a finding of this level or a graver one [default: warning]
    #[arg(long, value_name = "LEVEL", value_parser = fail_on())]
    pub(super) fail_on: Option<FailOn>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the places with what is wrong there, and the edit that cures it.
    #[default]
    Text,
    /// One line for each finding.
    Concise,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning services and editors.
    Sarif,
    /// Workflow commands of GitHub Actions, which annotate the lines.
    Github,
    /// GitLab's Code Quality report.
    Gitlab,
    /// JUnit's XML: a suite for each file, a test for each finding.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
}

/// The levels of `--fail-on`, by their names in the settings.
fn fail_on() -> impl TypedValueParser<Value = FailOn> {
    let names = FailOn::NAMES.map(|(name, _)| name);
    PossibleValuesParser::new(names).map(|wanted| {
        let known = FailOn::NAMES.iter().find(|(name, _)| *name == wanted);
        known.map_or_else(FailOn::default, |(_, level)| *level)
    })
}

/// Puts a report in the place of a file.
pub(super) fn replace(path: &Path, report: &[u8]) -> Result<()> {
    let name = path.to_string_lossy();
    fix::replace(path, report)
        .map_err(ReadError::from)
        .map_err(|error| anyhow!("cannot write {name}: {}", error.reason))
}

/// Refuses a file for a report that is one of those that were read.
pub(super) fn keep_apart(file: &Path, read: &HashSet<PathBuf>) -> Result<()> {
    if file.canonicalize().is_ok_and(|file| read.contains(&file)) {
        bail!("{} is one of the files that are checked", file.display());
    }
    Ok(())
}

impl Output {
    /// The file that gets the findings.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// Prints the findings, or writes them to the file that was asked for.
    pub(super) fn write(
        &self,
        findings: &Findings,
        global: &Global,
        streams: &mut Streams,
        terminal: Terminal,
    ) -> Result<()> {
        let summary = !global.quiet && !findings.parts.is_empty();
        if let Some(path) = &self.output {
            let mut report = Vec::new();
            let nowhere = Terminal::default();
            self.print(&mut report, findings, global, nowhere, summary)?;
            replace(path, &report)?;
            if summary {
                let name = path.to_string_lossy();
                let summary = text::summary(findings);
                streams.say(&printable(&format!("{summary}, written to {name}")));
            }
        } else {
            self.print(streams.stdout, findings, global, terminal, summary)?;
        }
        streams.stdout.flush()?;
        if self.statistics {
            let people = matches!(self.format, Format::Text | Format::Concise);
            let mut counts = Vec::new();
            statistics::write(&mut counts, findings)?;
            if counts.is_empty() {
                return Ok(());
            }
            if people && self.output.is_none() {
                writeln!(streams.stdout)?;
                streams.stdout.write_all(&counts)?;
                streams.stdout.flush()?;
            } else {
                streams.say(String::from_utf8_lossy(&counts).trim_end());
            }
        }
        Ok(())
    }

    fn print(
        &self,
        out: &mut dyn Write,
        findings: &Findings,
        global: &Global,
        terminal: Terminal,
        summary: bool,
    ) -> io::Result<()> {
        match self.format {
            Format::Text => {
                let color = global.colors(terminal);
                let options = text::Options {
                    color,
                    links: color && terminal.links,
                    width: terminal.width.unwrap_or(UNBOUNDED),
                    summary,
                };
                text::write(out, findings, &options)
            }
            Format::Concise => concise::write(out, findings),
            Format::Json => json::write(out, findings),
            Format::Sarif => sarif::write(out, findings),
            Format::Github => github::write(out, findings),
            Format::Gitlab => gitlab::write(out, findings),
            Format::Junit => junit::write(out, findings),
            Format::Checkstyle => checkstyle::write(out, findings),
        }
    }
}
