//! `nginspect check`: from paths to findings and an exit code.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::global::{Global, Nginx};
use super::installed::{self, Installed};
use super::settings::{self, InEffect, Lookup};
use super::{CLEAN, FAILED, FOUND, Streams, Terminal};
use crate::config::{Files, Finder, Job, LoadOptions, NotFound};
use crate::lint;
use crate::report::{Description, Findings, Part, concise, json, printable, text};
use crate::rules::RULES;
use crate::settings::FILE_NAME;
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

    /// Run these rules or categories only: a list, or one flag for each.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = settings::name)]
    select: Vec<String>,

    /// Do not run these rules or categories.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = settings::name)]
    ignore: Vec<String>,

    /// Print the settings that are in effect and where each comes from, and check nothing.
    #[arg(long)]
    show_settings: bool,

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
    /// Each with the settings of the path that led to it.
    jobs: Vec<(Job, Rc<InEffect>)>,
    lost: Vec<NotFound>,
    reading: Duration,
}

pub(super) fn check(
    global: &Global,
    arguments: &Check,
    streams: &mut Streams,
    terminal: Terminal,
) -> Result<u8> {
    let installed = match global.nginx_version {
        Some(Nginx::Installed) => Some(installed::ask()?),
        Some(Nginx::Version(_)) | None => None,
    };
    let version = match (global.nginx_version, &installed) {
        (Some(Nginx::Version(version)), _) => Some(version),
        (_, installed) => installed.as_ref().map(|installed| installed.version),
    };
    let mut lookup = Lookup::new(global, version, &arguments.select, &arguments.ignore);
    let groups = groups(global, arguments, installed, &mut lookup, streams)?;
    if arguments.show_settings {
        show(&groups, streams)?;
        return Ok(if lookup.has_failed() { FAILED } else { CLEAN });
    }
    let found = find(global, arguments, groups, &mut lookup, streams);
    if global.verbose {
        let time = milliseconds(found.reading);
        streams.say(&format!("found and read in {time}"));
    }
    let mut seen = HashSet::new();
    let mut files = HashSet::new();
    let mut parts = Vec::new();
    let mut fails = false;
    for (job, in_effect) in &found.jobs {
        let start = Instant::now();
        let mut diagnostics = lint::lint_as(&job.config, &job.scope, &in_effect.policy);
        if global.verbose {
            tell(job, in_effect, start.elapsed(), streams);
        }
        let sources = job.config.sources();
        // Two paths may lead to the same finding, each in a configuration of its own.
        diagnostics.retain(|diagnostic| {
            let file = identity(sources.file(diagnostic.span.file));
            let range = diagnostic.span.range();
            seen.insert((file, range, diagnostic.rule, diagnostic.message.clone()))
        });
        let fail_on = in_effect.settings.fail_on.unwrap_or_default();
        fails |= diagnostics
            .iter()
            .any(|diagnostic| fail_on.includes(diagnostic.severity));
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
    if complain(&found, streams) || lookup.has_failed() {
        return Ok(FAILED);
    }
    Ok(if fails { FOUND } else { CLEAN })
}

/// What the formats say about a rule besides its name.
pub fn describe(rule: &str) -> Description {
    let known = RULES.iter().find(|(name, _)| *name == rule);
    Description {
        category: known.map_or("", |(_, rule)| rule.category.as_str()),
        url: known.map_or_else(String::new, |(_, rule)| rule.see.to_owned()),
    }
}

/// Paths that have their settings in common.
struct Group {
    in_effect: Rc<InEffect>,
    paths: Vec<PathBuf>,
}

/// The paths by their settings; those with broken ones are left out.
fn groups(
    global: &Global,
    arguments: &Check,
    installed: Option<Installed>,
    lookup: &mut Lookup,
    streams: &mut Streams,
) -> Result<Vec<Group>> {
    let mut paths = arguments.paths.clone();
    let stdin = Path::new("-");
    match &arguments.stdin_filename {
        Some(_) if paths.is_empty() => paths.push(stdin.to_owned()),
        Some(_) if !paths.iter().any(|path| path == stdin) => {
            bail!("--stdin-filename names standard input, which is not among the paths: add `-`")
        }
        _ => {}
    }
    let mut groups = Vec::new();
    if paths.is_empty() {
        let quiet = global.quiet || arguments.show_settings;
        groups.extend(usual(quiet, installed, lookup, streams)?);
    }
    for path in paths {
        let place = match &arguments.stdin_filename {
            _ if path != stdin => &path,
            Some(name) => name,
            // A text without a name is looked at where the user is.
            None => Path::new("."),
        };
        let Some(in_effect) = lookup.of(place, streams) else {
            continue;
        };
        if !place.is_dir() && in_effect.policy.excluded.holds(place) {
            if !global.quiet {
                let place = place.to_string_lossy();
                let place = printable(&place);
                streams.say(&format!("{place} is passed over: the settings exclude it"));
            }
            continue;
        }
        add(&mut groups, in_effect, path);
    }
    Ok(groups)
}

/// Prints the settings of each group of paths.
fn show(groups: &[Group], streams: &mut Streams) -> Result<()> {
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            writeln!(streams.stdout)?;
        }
        for path in &group.paths {
            writeln!(streams.stdout, "# {}", printable(&path.to_string_lossy()))?;
        }
        for line in group.in_effect.settings.shown().lines() {
            writeln!(streams.stdout, "{}", printable(line))?;
        }
    }
    Ok(())
}

fn add(groups: &mut Vec<Group>, in_effect: Rc<InEffect>, path: PathBuf) {
    let same = |group: &&mut Group| Rc::ptr_eq(&group.in_effect, &in_effect);
    match groups.iter_mut().find(same) {
        Some(group) => group.paths.push(path),
        None => groups.push(Group {
            in_effect,
            paths: vec![path],
        }),
    }
}

/// What is checked when no path is named.
fn usual(
    quiet: bool,
    installed: Option<Installed>,
    lookup: &mut Lookup,
    streams: &mut Streams,
) -> Result<Option<Group>> {
    let Some(here) = lookup.of(Path::new("."), streams) else {
        return Ok(None);
    };
    let settings = &here.settings;
    let usual = installed.map_or_else(
        || PathBuf::from("/etc/nginx/nginx.conf"),
        |installed| installed.config,
    );
    let path = match &settings.config {
        Some(config) => config.clone(),
        None => default_path(settings.prefix.as_deref(), settings.root.as_deref(), &usual)?,
    };
    if !quiet {
        let path = path.to_string_lossy();
        streams.say(&format!("checking {}", printable(&path)));
    }
    // What led to the configuration is in force for it, wherever it lies.
    let leads = settings.config.is_some() || settings.prefix.is_some() || settings.root.is_some();
    let in_effect = if leads {
        Some(here)
    } else {
        lookup.of(&path, streams)
    };
    Ok(in_effect.map(|in_effect| Group {
        in_effect,
        paths: vec![path],
    }))
}

fn find(
    global: &Global,
    arguments: &Check,
    groups: Vec<Group>,
    lookup: &mut Lookup,
    streams: &mut Streams,
) -> Found {
    let start = Instant::now();
    let mut found = Found::default();
    let mut groups = VecDeque::from(groups);
    while let Some(Group {
        in_effect,
        mut paths,
    }) = groups.pop_front()
    {
        let settings = &in_effect.settings;
        let mut finder = Finder {
            options: LoadOptions {
                files: Files {
                    root: settings.root.clone(),
                    size_limit: global.max_file_size,
                    ..Files::default()
                },
                version: settings.nginx_version.unwrap_or_default(),
                assumptions: settings.assumptions(),
                ..LoadOptions::default()
            },
            config: settings.config.clone(),
            context: global.context,
            excluded: in_effect.policy.excluded.clone(),
            apart: global.settings.is_none().then_some(FILE_NAME),
            ..Finder::default()
        };
        if paths.iter().any(|path| path == Path::new("-")) {
            found.add_stdin(&mut finder, &in_effect, &mut paths, arguments, streams);
        }
        found.add(finder.find(&paths), &in_effect);
        for folder in finder.left {
            if let Some(in_effect) = lookup.of(&folder, streams) {
                let paths = vec![folder];
                groups.push_back(Group { in_effect, paths });
            }
        }
    }
    found.reading = start.elapsed();
    found
}

impl Found {
    /// Reads standard input, which is one of the paths: under its name it is a path like others, without one it is
    /// looked at right away.
    fn add_stdin(
        &mut self,
        finder: &mut Finder,
        in_effect: &Rc<InEffect>,
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
                self.add(nameless.find(&[name]), in_effect);
            }
            (Err(error), name) => self.lost.push(NotFound {
                path: name.unwrap_or(Path::new(STDIN)).to_owned(),
                reason: error.reason,
            }),
        }
    }

    fn add(&mut self, (jobs, lost): (Vec<Job>, Vec<NotFound>), in_effect: &Rc<InEffect>) {
        let jobs = jobs.into_iter().map(|job| (job, Rc::clone(in_effect)));
        self.jobs.extend(jobs);
        self.lost.extend(lost);
    }
}

/// The configuration that is checked when none is named.
fn default_path(prefix: Option<&Path>, root: Option<&Path>, usual: &Path) -> Result<PathBuf> {
    let candidates = match (prefix, root) {
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

/// Names everything that could not be read; true when there was something.
fn complain(found: &Found, streams: &mut Streams) -> bool {
    let unreadable = found
        .jobs
        .iter()
        .flat_map(|(job, _)| job.config.unreadable());
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
