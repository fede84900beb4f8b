//! `nginspect test`: from files of statements to whether they hold.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};

use super::check::{self, describe};
use super::global::{Color, Global};
use super::input::Found;
use super::trace::{configuration, only};
use super::{CLEAN, FAILED, FOUND, Streams, Terminal, output};
use crate::assertion::{self, Decision, Judge, Suite};
use crate::config::Config;
use crate::report::asserted::{Part, json, junit, text};
use crate::report::{Findings, printable};
use crate::routing::Options;
use crate::rules::RULES;
use crate::source::{self, Asked};

/// Larger files are no statements.
const LARGEST_FILE: u64 = 16 << 20;

/// Hold statements about requests against the configuration
///
/// Each FILE is TOML with a `[[route]]` for each statement: a request, or all below a path, and what is expected of it.
/// Nothing is sent. The exit code is 0 when all hold, 1 when one does not or could not be decided, and 2 when a file or
/// the configuration could not be read.
///
/// The configuration is that of --config, or else the nginx.conf beside FILE, ./nginx.conf or /etc/nginx/nginx.conf.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Files of statements, such as routes.toml.
    #[arg(value_name = "FILE", required_unless_present = "write")]
    files: Vec<PathBuf>,

    /// Write FILE instead: a statement for each location, all of which hold now; without FILE, to the standard output.
    #[arg(long)]
    write: bool,

    /// With --write, replace a FILE that exists.
    #[arg(long, requires = "write")]
    force: bool,

    /// How to print what was found.
    #[arg(long, value_enum, default_value_t, conflicts_with = "write")]
    format: Format,

    /// Write what was found to FILE instead of the standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "write")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: a line for each statement, then what is wrong.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// JUnit's XML: a suite for each file, a test for each statement.
    Junit,
}

pub(super) fn test(
    global: &Global,
    arguments: &Test,
    streams: &mut Streams,
    terminal: Terminal,
) -> Result<u8> {
    if arguments.write {
        return write(global, arguments, streams);
    }
    let mut suites = Vec::new();
    let mut failed = false;
    for file in &arguments.files {
        match suite(file, global, streams)? {
            Some(suite) => suites.push((file, suite)),
            None => failed = true,
        }
    }
    // Files of one folder have their configuration in common.
    let mut found: Vec<(Option<PathBuf>, Found)> = Vec::new();
    for (file, _) in &suites {
        let beside = beside(file, global);
        if !found.iter().any(|(known, _)| *known == beside) {
            let configuration = configuration(global, beside.as_deref(), streams)?;
            found.push((beside, configuration));
        }
    }
    let mut judges = Vec::new();
    for (beside, found) in &found {
        let config = only(found)?;
        judges.push((beside, Judge::new(config, options(global))));
    }
    let mut parts = Vec::new();
    for (file, suite) in &suites {
        let beside = beside(file, global);
        let judge = judges.iter().find(|(known, _)| **known == beside);
        let Some((_, judge)) = judge else { continue };
        let judged = suite.routes.iter().map(|route| judge.judge(route));
        parts.push(Part {
            suite,
            config: judge.tracer().config(),
            judged: judged.collect(),
        });
    }
    let options = text::Options {
        color: global.colors(terminal),
        quiet: global.quiet,
        verbose: global.verbose,
    };
    match &arguments.output {
        Some(file) => {
            let configs = judges.iter().map(|(_, judge)| judge.tracer().config());
            let read = configs
                .flat_map(identities)
                .chain(suites.iter().map(|(file, _)| source::canonical(file)));
            output::keep_apart(file, &read.collect::<HashSet<_>>())?;
            let mut report = Vec::new();
            let plain = text::Options {
                color: false,
                ..options
            };
            arguments.print(&mut report, &parts, plain)?;
            output::replace(file, &report)?;
            if !global.quiet {
                let summary = text::summary(&parts);
                let name = file.to_string_lossy();
                streams.say(&printable(&format!("{summary}, written to {name}")));
            }
        }
        None => {
            arguments.print(streams.stdout, &parts, options)?;
            streams.stdout.flush()?;
        }
    }
    let holds = |part: &Part<'_, '_>| part.count(Decision::Held) == part.judged.len();
    Ok(match (failed, parts.iter().all(holds)) {
        (true, _) => FAILED,
        (false, true) => CLEAN,
        (false, false) => FOUND,
    })
}

impl Test {
    fn print(
        &self,
        out: &mut dyn Write,
        parts: &[Part<'_, '_>],
        options: text::Options,
    ) -> io::Result<()> {
        match self.format {
            Format::Text => text::write(out, parts, options),
            Format::Json => json::write(out, parts),
            Format::Junit => junit::write(out, parts),
        }
    }
}

/// Writes a file of statements that hold.
fn write(global: &Global, arguments: &Test, streams: &mut Streams) -> Result<u8> {
    let file = match &arguments.files[..] {
        [] => None,
        [file] if file.as_os_str() == "-" => None,
        [file] => Some(file),
        _ => bail!("--write writes one file"),
    };
    if let Some(file) = file.filter(|file| file.exists() && !arguments.force) {
        bail!(
            "{} exists already: name another file, or replace it with --force",
            file.display()
        );
    }
    let beside = file.and_then(|file| beside(file, global));
    let found = configuration(global, beside.as_deref(), streams)?;
    let config = only(&found)?;
    let root = config.sources().iter().next();
    let root = root.map_or("", |(_, file)| file.name());
    if file.is_none() && !global.quiet && global.config.is_none() {
        streams.say(&format!("looking at {}", printable(root)));
    }
    let draft = assertion::draft(&Judge::new(config, options(global)));
    if draft.routes == 0 {
        bail!("no request is known of which something is certain, so there is nothing to state");
    }
    let Some(file) = file else {
        streams.stdout.write_all(draft.text.as_bytes())?;
        return Ok(CLEAN);
    };
    output::keep_apart(file, &identities(config).collect())?;
    output::replace(file, draft.text.as_bytes())?;
    if !global.quiet {
        let routes = if draft.routes == 1 { "route" } else { "routes" };
        let name = file.to_string_lossy();
        let line = format!("{} {routes} of {root}, written to {name}", draft.routes);
        streams.say(&printable(&line));
    }
    Ok(CLEAN)
}

fn options(global: &Global) -> Options {
    Options {
        prefix: global.prefix.clone(),
        ..Options::default()
    }
}

/// Reads a file of statements; nothing when it holds mistakes, which have been told.
fn suite(file: &Path, global: &Global, streams: &mut Streams) -> Result<Option<Suite>> {
    let name = file.display();
    let text = source::read(file, Asked::ByName, LARGEST_FILE)
        .map_err(|error| anyhow!(error.reason))
        .with_context(|| format!("cannot read {name}"))?;
    let broken = match assertion::read(file, text) {
        Ok(suite) => return Ok(Some(suite)),
        Err(broken) => broken,
    };
    let findings = Findings {
        parts: &[crate::report::Part {
            sources: &broken.sources,
            diagnostics: broken.diagnostics,
        }],
        files: 1,
        describe: &describe,
        rules: RULES,
        base: None,
        failures: &[],
    };
    let options = crate::report::text::Options {
        color: global.color == Color::Always,
        width: super::USUAL_WIDTH,
        links: false,
        summary: false,
    };
    // That nobody listens is no reason to end.
    let _ = crate::report::text::write(streams.stderr, &findings, &options);
    Ok(None)
}

/// The `nginx.conf` in the folder of a file, unless flags name another configuration.
fn beside(file: &Path, global: &Global) -> Option<PathBuf> {
    if global.config.is_some() || global.prefix.is_some() || global.root.is_some() {
        return None;
    }
    Some(file.with_file_name("nginx.conf")).filter(|path| path.is_file())
}

fn identities(config: &Config) -> impl Iterator<Item = PathBuf> {
    config
        .sources()
        .iter()
        .filter_map(|(_, file)| check::identity(file))
}
