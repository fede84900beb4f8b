//! What becomes of the findings of a run: their format, where they go, and whether they fail it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::global::Global;
use super::{Streams, Terminal};
use crate::diagnostic::Severity;
use crate::report::{
    Findings, checkstyle, concise, github, gitlab, json, junit, printable, sarif, statistics, text,
};

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
    #[arg(long, value_enum, value_name = "LEVEL")]
    fail_on: Option<FailOn>,
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

/// From which level on findings fail a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Errors only.
    Error,
    /// Warnings and errors.
    #[default]
    Warning,
    /// Every finding.
    Note,
    /// None: only what cannot be read fails the run.
    Never,
}

impl FailOn {
    /// True when a finding of this level fails the run.
    pub(super) fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Note => true,
            Self::Never => false,
        }
    }
}

impl Output {
    /// The file that gets the findings.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// From which level on findings fail the run.
    pub(super) fn fail_on(&self) -> FailOn {
        self.fail_on.unwrap_or_default()
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
            let name = path.to_string_lossy();
            replace(path, &report).with_context(|| format!("cannot write {name}"))?;
            if summary {
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

/// Puts `content` in the place of a file, of which a reader sees the old or the new, never a part. A link stays one;
/// pipes and devices are written to.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(content);
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = OsString::from(".");
    name.push(target.file_name().ok_or(io::ErrorKind::IsADirectory)?);
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = target.with_file_name(name);
    let written = File::create_new(&temporary).and_then(|mut file| {
        if let Some(old) = old {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(content)?;
        fs::rename(&temporary, &target)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
