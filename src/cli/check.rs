//! `nginspect check`: from paths to findings and an exit code.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::fix::{self, Fixed};
use super::global::Global;
use super::input::{Found, Input};
use super::{CLEAN, FAILED, FOUND, Streams, Terminal};
use crate::config::Job;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lint;
use crate::report::{Description, Findings, Part, concise, json, printable, text};
use crate::rules::RULES;
use crate::source::{Origin, SourceFile};

/// Columns of a report that no terminal shows: nothing is wrapped.
const UNBOUNDED: usize = 10_000;

/// Find what is wrong with configurations
///
/// A path may be a root configuration, a file that one includes or will include, a fragment, or a folder. What is none
/// itself is looked at inside the nginx.conf that it belongs to.
#[derive(Debug, Args, Default)]
pub(super) struct Check {
    /// Files or folders; `-` is standard input, which may also be what `nginx -T` prints.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    /// How to print the findings.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// The file that standard input stands for, which need not exist.
    #[arg(long, value_name = "FILE")]
    pub(super) stdin_filename: Option<PathBuf>,

    /// Make the safe fixes; the fixed text of standard input goes to standard output.
    #[arg(long)]
    fix: bool,

    /// Make the unsafe fixes too: requests may be answered differently.
    #[arg(long)]
    unsafe_fixes: bool,

    /// Print what --fix, or --unsafe-fixes, would change, and change nothing.
    #[arg(long)]
    diff: bool,
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
}

pub(super) fn check(
    global: &Global,
    arguments: &Check,
    streams: &mut Streams,
    terminal: Terminal,
) -> Result<u8> {
    let mut input = Input::new(global, arguments, streams)?;
    let fixed = match arguments.fix || arguments.unsafe_fixes || arguments.diff {
        true => {
            input.can_be_fixed()?;
            Some(fix::fix(
                &mut input,
                &judge,
                arguments.unsafe_fixes,
                streams,
            ))
        }
        false => None,
    };
    if let Some(fixed) = fixed.as_ref().filter(|_| arguments.diff) {
        return show_changes(fixed, &input.find(), streams);
    }
    let refused = fixed
        .as_ref()
        .map_or(Ok(false), |fixed| input.keep(fixed, global, streams))?;
    let found = input.find();
    if global.verbose {
        let time = milliseconds(found.reading);
        streams.say(&format!("found and read in {time}"));
    }
    let mut seen = HashSet::new();
    let mut files = HashSet::new();
    let mut parts = Vec::new();
    for job in &found.jobs {
        let start = Instant::now();
        let mut diagnostics = judge(job);
        if global.verbose {
            tell(job, start.elapsed(), streams);
        }
        let sources = job.config.sources();
        // Two paths may lead to the same finding, each in a configuration of its own.
        diagnostics.retain(|diagnostic| {
            let file = identity(sources.file(diagnostic.span.file));
            let range = diagnostic.span.range();
            seen.insert((file, range, diagnostic.rule, diagnostic.message.clone()))
        });
        files.extend(sources.iter().filter_map(|(_, file)| identity(file)));
        parts.push(Part {
            sources,
            diagnostics,
        });
    }
    let findings = Findings {
        parts: &parts,
        files: files.len(),
        describe: &describe,
    };
    // The text that was fixed has taken the place of the findings.
    let to_stderr = fixed.is_some() && input.has_stdin();
    let out = if to_stderr {
        &mut *streams.stderr
    } else {
        &mut *streams.stdout
    };
    match arguments.format {
        Format::Text => {
            let color = global.colors(terminal);
            let options = text::Options {
                color,
                links: color && terminal.links,
                width: terminal.width.unwrap_or(UNBOUNDED),
                summary: !global.quiet && !parts.is_empty(),
            };
            text::write(out, &findings, &options)?;
        }
        Format::Concise => concise::write(out, &findings)?,
        Format::Json => json::write(out, &findings)?,
    }
    streams.stdout.flush()?;
    if complain(&found, streams) || refused {
        return Ok(FAILED);
    }
    let grave = findings
        .iter()
        .any(|(_, diagnostic)| diagnostic.severity >= Severity::Warning);
    Ok(if grave { FOUND } else { CLEAN })
}

/// What is wrong with a configuration, as far as it was asked for.
fn judge(job: &Job) -> Vec<Diagnostic> {
    lint::lint(&job.config, &job.scope)
}

/// Prints what would change, as a diff that `patch` takes.
fn show_changes(fixed: &Fixed, found: &Found, streams: &mut Streams) -> Result<u8> {
    for change in &fixed.changes {
        streams.stdout.write_all(&change.unified_diff())?;
    }
    streams.stdout.flush()?;
    if complain(found, streams) {
        return Ok(FAILED);
    }
    Ok(if fixed.changes.is_empty() {
        CLEAN
    } else {
        FOUND
    })
}

/// What the formats say about a rule besides its name.
pub fn describe(rule: &str) -> Description {
    let known = RULES.iter().find(|(name, _)| *name == rule);
    Description {
        category: known.map_or("", |(_, rule)| rule.category.as_str()),
        url: known.map_or_else(String::new, |(_, rule)| rule.see.to_owned()),
    }
}

/// What tells a file from others, also across configurations; nothing for the stock files that were not read.
fn identity(file: &SourceFile) -> Option<PathBuf> {
    match file.origin() {
        Origin::Disk(path) | Origin::Buffer(path) => Some(path.clone()),
        Origin::Dump => Some(PathBuf::from(file.name())),
        Origin::Stock => None,
    }
}

/// Says how a configuration was found and what belongs to it.
fn tell(job: &Job, linting: Duration, streams: &mut Streams) {
    for line in &job.story {
        streams.say(&printable(line));
    }
    for (_, file) in job.config.sources().iter() {
        let name = printable(file.name());
        streams.say(&match file.origin() {
            Origin::Disk(_) => format!("  read {name}"),
            Origin::Buffer(_) => format!("  read {name} from standard input"),
            Origin::Dump => format!("  read {name} from the dump"),
            Origin::Stock => format!("  took {name} as nginx ships it"),
        });
    }
    let (rules, time) = (RULES.len(), milliseconds(linting));
    let version = job.config.version();
    streams.say(&format!(
        "  checked {rules} rules for nginx {version} in {time}"
    ));
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// Names everything that could not be read; true when there was something.
fn complain(found: &Found, streams: &mut Streams) -> bool {
    let unreadable = found.jobs.iter().flat_map(|job| job.config.unreadable());
    let lost = found.lost.iter();
    let all: Vec<(&Path, &str)> = unreadable
        .map(|file| (file.path.as_path(), file.reason.as_str()))
        .chain(lost.map(|lost| (lost.path.as_path(), lost.reason.as_str())))
        .collect();
    let mut seen = HashSet::new();
    for (path, reason) in &all {
        if seen.insert((path, reason)) {
            streams.cannot_read(path, reason);
        }
    }
    !all.is_empty()
}
