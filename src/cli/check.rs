//! `nginspect check`: from paths to findings and an exit code.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::global::{Global, Nginx};
use super::{CLEAN, FAILED, FOUND, Streams, Terminal, installed};
use crate::config::{Files, Finder, Job, LoadOptions, NotFound};
use crate::diagnostic::Severity;
use crate::lint;
use crate::report::{Description, Findings, Part, concise, json, printable, text};
use crate::rules::RULES;
use crate::source::{self, Origin, SourceFile};

/// Columns of a report that no terminal shows: nothing is wrapped.
const UNBOUNDED: usize = 10_000;

/// The name of a text that came without one.
const STDIN: &str = "<stdin>";

/// Find what is wrong with configurations
///
/// A path may be a root configuration, a file that one includes or will include, a fragment, or a folder. What is none
/// itself is looked at inside the nginx.conf that it belongs to.
#[derive(Debug, Args, Default)]
pub(super) struct Check {
    /// Files or folders; `-` is standard input, which may also be what `nginx -T` prints.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How to print the findings.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// The file that standard input stands for, which need not exist.
    #[arg(long, value_name = "FILE")]
    stdin_filename: Option<PathBuf>,
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

/// What was found, and how long that took.
#[derive(Default)]
struct Found {
    jobs: Vec<Job>,
    lost: Vec<NotFound>,
    reading: Duration,
}

pub(super) fn check(
    global: &Global,
    arguments: &Check,
    streams: &mut Streams,
    terminal: Terminal,
) -> Result<u8> {
    let found = find(global, arguments, streams)?;
    if global.verbose {
        let time = milliseconds(found.reading);
        streams.say(&format!("found and read in {time}"));
    }
    let mut seen = HashSet::new();
    let mut files = HashSet::new();
    let mut parts = Vec::new();
    for job in &found.jobs {
        let start = Instant::now();
        let mut diagnostics = lint::lint(&job.config, &job.scope);
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
    let out = &mut *streams.stdout;
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
    if complain(&found, streams) {
        return Ok(FAILED);
    }
    let grave = findings
        .iter()
        .any(|(_, diagnostic)| diagnostic.severity >= Severity::Warning);
    Ok(if grave { FOUND } else { CLEAN })
}

/// What the formats say about a rule besides its name.
pub fn describe(rule: &str) -> Description {
    let known = RULES.iter().find(|(name, _)| *name == rule);
    Description {
        category: known.map_or("", |(_, rule)| rule.category.as_str()),
        url: known.map_or_else(String::new, |(_, rule)| rule.see.to_owned()),
    }
}

fn find(global: &Global, arguments: &Check, streams: &mut Streams) -> Result<Found> {
    let mut options = LoadOptions {
        files: Files {
            root: global.root.clone(),
            size_limit: global.max_file_size,
            ..Files::default()
        },
        ..LoadOptions::default()
    };
    let mut usual = PathBuf::from("/etc/nginx/nginx.conf");
    match global.nginx_version {
        Some(Nginx::Version(version)) => options.version = version,
        Some(Nginx::Installed) => {
            let installed = installed::ask()?;
            options.version = installed.version;
            usual = installed.config;
        }
        None => {}
    }
    let mut finder = Finder {
        options,
        config: global.root_configuration(),
        context: global.context,
        nameless: false,
        ..Finder::default()
    };

    let start = Instant::now();
    let mut paths = arguments.paths.clone();
    if paths.is_empty() && arguments.stdin_filename.is_some() {
        paths.push(PathBuf::from("-"));
    }
    if paths.is_empty() {
        let path = match finder.config.take() {
            Some(config) => config,
            None => default_path(global, &usual)?,
        };
        if !global.quiet {
            let path = path.to_string_lossy();
            streams.say(&format!("checking {}", printable(&path)));
        }
        paths.push(path);
    }
    let mut found = Found::default();
    let has_stdin = paths.iter().any(|path| path == Path::new("-"));
    if has_stdin {
        found.add_stdin(&mut finder, &mut paths, arguments, streams);
    } else if arguments.stdin_filename.is_some() {
        bail!("--stdin-filename names standard input, which is not among the paths: add `-`");
    }
    found.add(finder.find(&paths));
    found.reading = start.elapsed();
    Ok(found)
}

impl Found {
    /// Reads standard input, which is one of the paths: under its name it is a path like others, without one it is
    /// looked at right away.
    fn add_stdin(
        &mut self,
        finder: &mut Finder,
        paths: &mut Vec<PathBuf>,
        arguments: &Check,
        streams: &mut Streams,
    ) {
        paths.retain(|path| path != Path::new("-"));
        let name = arguments.stdin_filename.as_deref();
        let files = &mut finder.options.files;
        match (
            source::read_stream(&mut *streams.stdin, files.size_limit),
            name,
        ) {
            (Ok(text), Some(name)) => {
                files.replace(name, text);
                paths.insert(0, name.to_owned());
            }
            (Ok(text), None) => {
                let mut nameless = Finder {
                    options: finder.options.clone(),
                    config: finder.config.clone(),
                    context: finder.context,
                    nameless: true,
                    ..Finder::default()
                };
                let name = PathBuf::from(STDIN);
                nameless.options.files.replace(&name, text);
                self.add(nameless.find(&[name]));
            }
            (Err(error), name) => self.lost.push(NotFound {
                path: name.unwrap_or(Path::new(STDIN)).to_owned(),
                reason: error.reason,
            }),
        }
    }

    fn add(&mut self, (jobs, lost): (Vec<Job>, Vec<NotFound>)) {
        self.jobs.extend(jobs);
        self.lost.extend(lost);
    }
}

/// The configuration that is checked when none is named.
fn default_path(global: &Global, usual: &Path) -> Result<PathBuf> {
    let candidates = match (&global.prefix, &global.root) {
        (Some(prefix), _) => vec![prefix.join("nginx.conf"), prefix.join("conf/nginx.conf")],
        (None, Some(root)) => {
            let inside = usual.strip_prefix("/").unwrap_or(usual);
            vec![root.join(inside), root.join("nginx.conf")]
        }
        (None, None) => vec![PathBuf::from("./nginx.conf"), usual.to_owned()],
    };
    let names: Vec<String> = candidates
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    candidates
        .into_iter()
        .find(|path| path.exists())
        .with_context(|| {
            format!(
                "no configuration found: there is neither {}; name one, or a folder",
                names.join(" nor ")
            )
        })
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
