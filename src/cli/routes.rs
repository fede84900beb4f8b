//! `nginspect routes`: every server with its locations, in the order in which nginx decides.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use super::check::{self, Check};
use super::global::Global;
use super::input::Input;
use super::output;
use super::{CLEAN, FAILED, Streams, Terminal};
use crate::report::printable;
use crate::report::routes::{dot, html, json, mermaid, text};
use crate::routes::Routes;

/// Show the locations of each server, in the order in which nginx decides
///
/// Each comes with what answers there, who may come in, what becomes of a WebSocket, and a request that certainly comes
/// there, or why none does.
#[derive(Debug, Args)]
#[command(name = "routes")]
pub(super) struct RoutesOf {
    /// Files or folders, as for `check`; `-` is standard input, which may also be what `nginx -T` prints.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Show the server that answers for a host only; there may be one for each socket.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,

    /// How to print the routes.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Write to FILE instead of the standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The file that standard input stands for, which need not exist.
    #[arg(long, value_name = "FILE")]
    stdin_filename: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: a tree.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// A graph for Graphviz.
    Dot,
    /// A flowchart for Mermaid.
    Mermaid,
    /// A page for a browser, with pictures and tables.
    Html,
}

pub(super) fn routes(
    global: &Global,
    arguments: &RoutesOf,
    streams: &mut Streams,
    terminal: Terminal,
) -> Result<u8> {
    let mut named = Check::default();
    named.paths.clone_from(&arguments.paths);
    named.stdin_filename.clone_from(&arguments.stdin_filename);
    let is_usual = named.paths.is_empty() && named.stdin_filename.is_none();
    let quiet = Global {
        quiet: global.quiet || is_usual,
        ..global.clone()
    };
    let mut input = Input::new(&quiet, &named, streams)?;
    let found = input.find(streams);
    let mut read = HashSet::new();
    let mut parts = Vec::new();
    for (job, _) in &found.jobs {
        if global.verbose {
            for line in &job.story {
                streams.say(&printable(line));
            }
        }
        let sources = job.config.sources();
        if let Some((_, root)) = sources.iter().next().filter(|_| is_usual && !global.quiet) {
            streams.say(&format!("looking at {}", printable(root.name())));
        }
        read.extend(sources.iter().filter_map(|(_, file)| check::identity(file)));
        let mut routes = Routes::new(&job.config);
        routes.keep_scope(&job.scope);
        if let Some(host) = &arguments.server
            && routes.keep_host(host).is_none()
        {
            bail!("`{host}` is no host that a client can ask for");
        }
        parts.push(routes);
    }
    let failures = check::failures(&found);
    let is_empty = parts.iter().all(|part| part.sites.is_empty());
    match &arguments.output {
        Some(file) => {
            output::keep_apart(file, &read)?;
            let mut report = Vec::new();
            arguments.print(&mut report, &parts, false)?;
            output::replace(file, &report)?;
        }
        None => {
            arguments.print(streams.stdout, &parts, global.colors(terminal))?;
            streams.stdout.flush()?;
        }
    }
    check::tell_failures(&failures, streams);
    if is_empty && failures.is_empty() {
        streams.say("error: there is no server and no location in it");
    }
    let failed = is_empty || !failures.is_empty() || input.has_broken_settings();
    Ok(if failed { FAILED } else { CLEAN })
}

impl RoutesOf {
    fn print(&self, out: &mut dyn Write, parts: &[Routes<'_>], color: bool) -> io::Result<()> {
        match self.format {
            Format::Text => text::write(out, parts, text::Options { color }),
            Format::Json => json::write(out, parts),
            Format::Dot => dot::write(out, parts),
            Format::Mermaid => mermaid::write(out, parts),
            Format::Html => html::write(out, parts),
        }
    }
}
