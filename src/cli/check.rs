//! `nginspect check`: from paths to findings and an exit code.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use super::accepted::Accepted;
use super::fix::{self, Fixed};
use super::global::Global;
use super::input::{Found, Input};
use super::output::{self, Output};
use super::progress::Progress;
use super::settings::{self, InEffect};
use super::{CLEAN, FAILED, FOUND, Streams, Terminal};
use crate::config::Job;
use crate::diagnostic::Diagnostic;
use crate::lint;
use crate::report::{Description, Findings, Part, printable, story};
use crate::rules::RULES;
use crate::source::{Origin, SourceFile, Sources};

/// Find what is wrong with configurations
///
/// A path may be a root configuration, a file that one includes or will include, a fragment, or a folder. What is none
/// itself is looked at inside the nginx.conf that it belongs to.
#[derive(Debug, Args, Default)]
pub(super) struct Check {
    /// Files or folders; `-` is standard input, which may also be what `nginx -T` prints.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) output: Output,

    /// Run these rules or categories only: a list, or one flag for each.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = settings::name)]
    pub(super) select: Vec<String>,

    /// Do not run these rules or categories.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = settings::name)]
    pub(super) ignore: Vec<String>,

    /// Print the settings that are in effect and where each comes from, and check nothing.
    #[arg(long)]
    pub(super) show_settings: bool,

    /// The file that standard input stands for, which need not exist.
    #[arg(long, value_name = "FILE")]
    pub(super) stdin_filename: Option<PathBuf>,

    #[command(flatten)]
    accepted: Accepted,

    /// Make the safe fixes; the fixed text of standard input goes to standard output.
    #[arg(long)]
    fix: bool,

    /// Make the unsafe fixes too: requests may be answered differently.
    #[arg(long)]
    unsafe_fixes: bool,

    /// Print what --fix, or --unsafe-fixes, would change, and change nothing.
    #[arg(long, conflicts_with_all = ["output", "write_baseline"])]
    diff: bool,
}

pub(super) fn check(
    global: &Global,
    arguments: &Check,
    streams: &mut Streams,
    terminal: Terminal,
) -> Result<u8> {
    let mut baseline = arguments.accepted.read()?;
    let mut input = Input::new(global, arguments, streams)?;
    if arguments.show_settings {
        input.show_settings(streams)?;
        return Ok(if input.has_broken_settings() {
            FAILED
        } else {
            CLEAN
        });
    }
    let fixed = match arguments.fix || arguments.unsafe_fixes || arguments.diff {
        true => {
            input.can_be_fixed(streams)?;
            let accepted = baseline.as_ref();
            Some(fix::fix(
                &mut input,
                arguments.unsafe_fixes,
                accepted,
                streams,
            ))
        }
        false => None,
    };
    if let Some(fixed) = fixed.as_ref().filter(|_| arguments.diff) {
        return show_changes(fixed, &mut input, streams);
    }
    let refused = match &fixed {
        Some(fixed) => input.keep(fixed, global, streams)?,
        None => false,
    };
    // What is said about the run would land in the middle of the line.
    let progress = Progress::new(terminal.progress && !global.quiet && !global.verbose);
    progress.say(|| "reading".to_owned());
    let found = input.find(streams);
    if global.verbose {
        let time = milliseconds(found.reading);
        streams.say(&format!("found and read in {time}"));
    }
    let mut seen = HashMap::new();
    let mut files = HashSet::new();
    let mut parts = Vec::new();
    for (index, (job, in_effect)) in found.jobs.iter().enumerate() {
        let (number, all) = (index + 1, found.jobs.len());
        progress.say(|| format!("checking configuration {number} of {all}"));
        let start = Instant::now();
        let mut diagnostics = judge(job, in_effect);
        if global.verbose {
            tell(job, in_effect, start.elapsed(), streams);
        }
        let sources = job.config.sources();
        // Two paths may lead to the same finding, each in a configuration of its own.
        diagnostics.retain(|diagnostic| {
            let times = seen.entry(known_by(sources, diagnostic)).or_insert(0);
            *times += 1;
            *times == 1
        });
        files.extend(sources.iter().filter_map(|(_, file)| identity(file)));
        parts.push(Part {
            sources,
            diagnostics,
        });
    }
    drop(progress);
    if let Some(file) = arguments.output.file() {
        output::keep_apart(file, &files)?;
    }
    let mut fails = false;
    for (part, (_, in_effect)) in parts.iter_mut().zip(&found.jobs) {
        let sources = part.sources;
        part.diagnostics.retain(|diagnostic| {
            let times = seen[&known_by(sources, diagnostic)];
            !lint::must_agree(diagnostic.rule) || times == readers(&found, sources, diagnostic)
        });
        if let Some(baseline) = &mut baseline {
            arguments.accepted.filter(baseline, part);
        }
        // A comment or a baseline accepts one place at a time.
        if !arguments.accepted.writes() {
            part.diagnostics = story::together(std::mem::take(&mut part.diagnostics));
        }
        let fail_on = in_effect.settings.fail_on.unwrap_or_default();
        let levels = part
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic.severity);
        fails |= levels
            .into_iter()
            .any(|severity| fail_on.includes(severity));
    }
    let base = std::env::current_dir().and_then(|folder| folder.canonicalize());
    let failures = failures(&found);
    if arguments.accepted.writes() {
        tell_failures(&failures, streams);
        arguments
            .accepted
            .write(&parts, failures.is_empty(), streams)?;
        return Ok(CLEAN);
    }
    let findings = Findings {
        parts: &parts,
        files: files.len(),
        describe: &describe,
        rules: RULES,
        base: base.as_deref().ok(),
        failures: &failures,
    };
    // The text that was fixed has taken the place of the findings.
    if fixed.is_some() && input.has_stdin() {
        let mut aside = Vec::new();
        let mut diverted = Streams {
            stdin: &mut *streams.stdin,
            stdout: &mut aside,
            stderr: &mut *streams.stderr,
        };
        arguments
            .output
            .write(&findings, global, &mut diverted, terminal)?;
        streams.stderr.write_all(&aside)?;
    } else {
        arguments
            .output
            .write(&findings, global, streams, terminal)?;
    }
    if let Some(baseline) = baseline.as_ref().filter(|_| !global.quiet) {
        arguments
            .accepted
            .say_unmatched(baseline, &found, global.verbose, streams);
    }
    tell_failures(&failures, streams);
    if !failures.is_empty() || refused || input.has_broken_settings() {
        return Ok(FAILED);
    }
    Ok(if fails { FOUND } else { CLEAN })
}

/// What is wrong with a configuration, as far as it was asked for.
pub(super) fn judge(job: &Job, in_effect: &InEffect) -> Vec<Diagnostic> {
    lint::lint_as(&job.config, &job.scope, &in_effect.policy)
}

/// Prints what would change, as a diff that `patch` takes.
fn show_changes(fixed: &Fixed, input: &mut Input, streams: &mut Streams) -> Result<u8> {
    let base = std::env::current_dir().and_then(|folder| folder.canonicalize());
    for change in &fixed.changes {
        let diff = change.unified_diff(base.as_deref().ok());
        streams.stdout.write_all(&diff)?;
    }
    streams.stdout.flush()?;
    let failures = failures(&input.find(streams));
    tell_failures(&failures, streams);
    Ok(match fixed.changes.is_empty() {
        _ if !failures.is_empty() || input.has_broken_settings() => FAILED,
        true => CLEAN,
        false => FOUND,
    })
}

pub(super) fn tell_failures(failures: &[String], streams: &mut Streams) {
    for failure in failures {
        streams.say(&printable(&format!("error: {failure}")));
    }
}

/// What the formats say about a rule besides its name.
pub fn describe(rule: &str) -> Description {
    let known = RULES.iter().find(|(name, _)| *name == rule);
    Description {
        category: known.map_or("", |(_, rule)| rule.category.as_str()),
        url: known.map_or_else(String::new, |(_, rule)| rule.see.to_owned()),
    }
}

/// What tells a finding from others, also across configurations.
pub(super) fn known_by(
    sources: &Sources,
    diagnostic: &Diagnostic,
) -> (Option<PathBuf>, Range<usize>, &'static str, String) {
    let file = identity(sources.file(diagnostic.span.file));
    let message = diagnostic.message.clone();
    (file, diagnostic.span.range(), diagnostic.rule, message)
}

/// How many configurations hold the file of a finding.
fn readers(found: &Found, sources: &Sources, diagnostic: &Diagnostic) -> usize {
    let file = identity(sources.file(diagnostic.span.file));
    let holds = |(job, _): &&(Job, _)| {
        let mut files = job.config.sources().iter();
        files.any(|(_, other)| identity(other) == file)
    };
    found.jobs.iter().filter(holds).count()
}

/// What tells a file from others, also across configurations; nothing for the stock files that were not read.
pub(super) fn identity(file: &SourceFile) -> Option<PathBuf> {
    match file.origin() {
        Origin::Disk(path) | Origin::Buffer(path) => Some(path.clone()),
        Origin::Dump => Some(PathBuf::from(file.name())),
        Origin::Stock => None,
    }
}

/// Says how a configuration was found and what belongs to it.
fn tell(job: &Job, in_effect: &InEffect, linting: Duration, streams: &mut Streams) {
    for line in &job.story {
        streams.say(&printable(line));
    }
    if let Some(file) = &in_effect.settings.file {
        let file = file.to_string_lossy();
        streams.say(&format!("  settings of {}", printable(&file)));
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

/// Names everything that could not be read, each once.
pub(super) fn failures(found: &Found) -> Vec<String> {
    let unreadable = found
        .jobs
        .iter()
        .flat_map(|(job, _)| job.config.unreadable());
    let lost = found.lost.iter();
    let mut seen = HashSet::new();
    unreadable
        .map(|file| (file.path.as_path(), file.reason.as_str()))
        .chain(lost.map(|lost| (lost.path.as_path(), lost.reason.as_str())))
        .filter(|failure| seen.insert(*failure))
        .map(|(path, reason)| format!("cannot read {}: {reason}", path.to_string_lossy()))
        .collect()
}
