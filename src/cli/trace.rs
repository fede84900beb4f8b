//! `nginspect trace`: from requests to the way that each of them takes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::check::Check;
use super::global::Global;
use super::input::{Found, Input};
use super::{CLEAN, FAILED, Streams};
use crate::config::Config;
use crate::report::{printable, trace as shown};
use crate::routing::{Disk, Options, Request, Tracer};
use crate::source::{self, Asked};

/// Say what nginx does with a request: which server and location answer, and what the upstream receives
///
/// Nothing is sent. What the configuration does not tell, such as whether a file exists or what a name resolves to, is
/// assumed and named. `ws` and `wss` bring the headers of a WebSocket handshake. A URL at whose port nothing listens is
/// taken to arrive at a plain socket, behind something that ends TLS or passes ports on.
///
/// The configuration is that of --config, or else ./nginx.conf or /etc/nginx/nginx.conf.
#[derive(Debug, Args)]
pub(super) struct Trace {
    /// What to ask for, such as wss://shop.example/api/ws/7.
    #[arg(value_name = "URL", required_unless_present = "requests")]
    urls: Vec<String>,

    /// Read requests from a file, one on each line: a URL, or a method and a URL; `-` is standard input.
    ///
    /// Empty lines, and lines that begin with `#`, are passed over.
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,

    /// The method of requests that name none.
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET")]
    method: String,

    /// Add a header such as `Cookie: a=b`, or put it in the place of the client's own; without a value, leave that one
    /// out.
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,

    /// A file that exists, or with a slash at its end a folder.
    #[arg(long, value_name = "PATH")]
    exists: Vec<String>,

    /// A file or folder that does not exist.
    #[arg(long, value_name = "PATH")]
    missing: Vec<String>,

    /// The address of the client, as nginx sees it.
    #[arg(long, value_name = "ADDR")]
    client: Option<IpAddr>,

    /// How to print: for people, or one JSON document on each line.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Numbered steps.
    Text,
    /// A document for each request.
    Json,
}

pub(super) fn trace(global: &Global, arguments: &Trace, streams: &mut Streams) -> Result<u8> {
    let requests = arguments.requests(global, streams)?;
    let found = configuration(global, None, streams)?;
    let config = only(&found)?;
    if !global.quiet
        && global.config.is_none()
        && let Some((_, root)) = config.sources().iter().next()
    {
        streams.say(&format!("looking at {}", printable(root.name())));
    }
    let tracer = Tracer::new(config, arguments.options(global));
    let mut code = CLEAN;
    for (index, request) in requests.iter().enumerate() {
        let trace = match tracer.trace(request) {
            Ok(trace) => trace,
            Err(reason) => {
                let url = request.url();
                streams.say(&printable(&format!("error: cannot trace {url}: {reason}")));
                code = FAILED;
                continue;
            }
        };
        match arguments.format {
            Format::Text => {
                let between = if index > 0 { "\n" } else { "" };
                write!(streams.stdout, "{between}{}", shown::text(&trace, config))?;
            }
            Format::Json => writeln!(streams.stdout, "{}", shown::json(&trace, config))?,
        }
    }
    Ok(code)
}

impl Trace {
    fn requests(&self, global: &Global, streams: &mut Streams) -> Result<Vec<Request>> {
        let mut requests = Vec::new();
        for url in &self.urls {
            requests.push(self.request(&self.method, url)?);
        }
        let Some(file) = &self.requests else {
            return Ok(requests);
        };
        let name = file.display();
        let bytes = match file.as_os_str() == "-" {
            true => source::read_stream(&mut *streams.stdin, global.max_file_size),
            false => source::read(file, Asked::ByName, global.max_file_size),
        };
        let bytes = bytes
            .map_err(|error| anyhow::anyhow!(error.reason))
            .with_context(|| format!("cannot read {name}"))?;
        let text = String::from_utf8(bytes).with_context(|| format!("cannot read {name}"))?;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (method, url) = match line.split_once(char::is_whitespace) {
                Some((method, url)) => (method, url.trim()),
                None => (&self.method[..], line),
            };
            let request = self.request(method, url);
            requests.push(request.with_context(|| format!("{name}:{}", index + 1))?);
        }
        if requests.is_empty() {
            bail!("{name} holds no request");
        }
        Ok(requests)
    }

    fn request(&self, method: &str, url: &str) -> Result<Request> {
        let mut request = Request::get(url).map_err(anyhow::Error::msg)?;
        request.method = method.to_owned();
        request.client = self.client;
        for header in &self.headers {
            request.header(header).map_err(anyhow::Error::msg)?;
        }
        Ok(request)
    }

    fn options(&self, global: &Global) -> Options {
        let mut disk = Disk::default();
        for path in &self.exists {
            disk.add(path.as_bytes());
        }
        for path in &self.missing {
            disk.remove(path.as_bytes());
        }
        Options {
            disk,
            prefix: global.prefix.clone(),
        }
    }
}

/// Finds the configuration: the one that was named, or else this one, or the usual one.
pub(super) fn configuration(
    global: &Global,
    other: Option<&Path>,
    streams: &mut Streams,
) -> Result<Found> {
    let mut named = global.root_configuration();
    let mut global = Global {
        quiet: true,
        ..global.clone()
    };
    if named.as_ref().is_some_and(|path| path.ends_with("-")) {
        global.config = None;
        named = Some(PathBuf::from("-"));
    }
    let mut check = Check::default();
    check.paths.extend(named.or(other.map(Path::to_owned)));
    let mut input = Input::new(&global, &check, streams)?;
    let found = input.find(streams);
    if input.has_broken_settings() {
        bail!("the settings cannot be used");
    }
    Ok(found)
}

/// The one configuration that was found.
pub(super) fn only(found: &Found) -> Result<&Config> {
    if let Some(lost) = found.lost.first() {
        bail!("cannot read {}: {}", lost.path.display(), lost.reason);
    }
    match &found.jobs[..] {
        [(job, _)] => Ok(&job.config),
        [] => bail!("no configuration found"),
        _ => bail!("several configurations found: name one of them with --config"),
    }
}
