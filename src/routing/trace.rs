//! The whole way of a request, as an answer with its steps.

use std::path::PathBuf;

use super::assumption::{About, Assumption};
use super::disk::Disk;
use super::regexes::Regexes;
use super::request::{Request, validate_host};
use super::run::{self, REDIRECTED, REWRITTEN};
use super::socket::{Arrival, Entrance, Entrances, arrive};
use super::variation::Variation;
use crate::config::{Config, Directive, Location, Server, Visibility};
use crate::nginx::Version;
use crate::nginx::listen::Socket;
use crate::source::Span;

/// What else is given besides a configuration and a request.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What was said about files.
    pub disk: Disk,
    /// nginx's prefix, at which relative paths of files start.
    pub prefix: Option<PathBuf>,
}

/// What one request comes to.
#[derive(Debug, Clone)]
pub struct Trace<'c> {
    /// The request that was asked about.
    pub request: Request,
    /// The nginx that answers.
    pub version: Version,
    /// The server that answers; nothing when the connection ends before one is chosen.
    pub server: Option<Server<'c>>,
    /// True when no name fits and the server answers as the default one of its socket.
    pub is_default: bool,
    /// The name of the server that fits, or its first one.
    pub server_name: String,
    /// The URI at the end, after all rewrites.
    pub uri: Vec<u8>,
    /// The location that the first search for one has ended in.
    pub chosen: Option<Location<'c>>,
    /// The first status of an error that it was to end with, whatever an error page has made of it.
    pub refused: Option<u16>,
    /// The location that handles the request at the end.
    pub location: Option<Location<'c>>,
    /// The block whose settings are in force at the end: the location, an `if` or `limit_except` in it, or the server.
    pub scope: Directive<'c>,
    /// What nginx does, in order.
    pub steps: Vec<Step>,
    /// The directives that sent the request elsewhere, in order.
    pub turns: Vec<Turn<'c>>,
    /// The variables of what the client says of itself, as `http_user_agent`, that had a say in the answer.
    pub heard: Vec<String>,
    /// How much was visible of the blocks that the request came through.
    pub visibility: Visibility,
    /// What comes of it.
    pub outcome: Outcome,
    /// What cannot be known from the configuration and was taken to be so.
    pub assumptions: Vec<Assumption>,
    /// What may be another for another path or query.
    pub variation: Variation,
}

/// One thing that nginx does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The directive that says so.
    pub span: Option<Span>,
    /// What it does.
    pub text: String,
}

/// A directive that sends a request elsewhere: to another URI, to a named location, or by a redirect to another URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<'c> {
    /// The directive.
    pub directive: Directive<'c>,
    /// The URI, the name or the URL, as nginx makes it.
    pub to: String,
}

/// What comes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is passed on by `proxy_pass`.
    Proxy(Proxy),
    /// nginx answers by itself, as the configuration says.
    Return {
        /// The status.
        status: u16,
        /// The `Location` header.
        location: Option<String>,
        /// The body that is written in the configuration.
        body: Option<String>,
    },
    /// A file is served, or is not there.
    File {
        /// Its path.
        path: String,
        /// The status; nothing when it depends on what is unknown.
        status: Option<u16>,
    },
    /// It is passed on in another protocol than HTTP.
    Pass(Pass),
    /// A module answers that has nothing to look up.
    Handler {
        /// The directive that asks for it.
        name: String,
        /// The status, where an error page has set it.
        status: Option<u16>,
    },
    /// nginx refuses the request.
    Reject {
        /// The status.
        status: u16,
    },
    /// The connection is closed without an answer.
    Close,
    /// nginx fails.
    Error {
        /// The status.
        status: u16,
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// True when nginx gives up because the request comes back to itself again and again.
    pub fn is_cycle(&self) -> bool {
        matches!(self, Self::Error { reason, .. } if [REWRITTEN, REDIRECTED].contains(&&reason[..]))
    }

    /// The status of the answer, as far as nginx sets it by itself.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Return { status, .. } | Self::Reject { status } | Self::Error { status, .. } => {
                Some(*status)
            }
            Self::File { status, .. } | Self::Handler { status, .. } => *status,
            Self::Proxy(proxy) => proxy.status,
            Self::Pass(pass) => pass.status,
            Self::Close => None,
        }
    }
}

/// A request that an HTTP upstream receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is: scheme and host, as `http://127.0.0.1:8000`.
    pub upstream: String,
    /// The method.
    pub method: String,
    /// The target of the request line.
    pub uri: Vec<u8>,
    /// `1.0`, `1.1` or `2`.
    pub http_version: String,
    /// The headers in the order in which they are sent.
    pub headers: Vec<(String, String)>,
    /// What becomes of a WebSocket handshake.
    pub websocket: WebSocket,
    /// How long the upstream may be silent, in milliseconds.
    pub read_timeout: u64,
    /// The status that an error page puts in the place of the upstream's.
    pub status: Option<u16>,
}

/// A request that another program receives in its own protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// `fastcgi`, `uwsgi`, `scgi`, `grpc`, `memcached` or `tunnel`.
    pub protocol: String,
    /// Where it is.
    pub upstream: String,
    /// The parameters, or for gRPC the headers, that the configuration sets.
    pub params: Vec<(String, String)>,
    /// How long the upstream may be silent, in milliseconds.
    pub read_timeout: u64,
    /// The status that an error page puts in the place of the upstream's.
    pub status: Option<u16>,
}

/// What becomes of a WebSocket handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebSocket {
    /// It reaches the upstream whole.
    Complete,
    /// It does not, for this reason.
    Incomplete(String),
    /// The request is none.
    NotRequested,
}

impl WebSocket {
    /// As it stands in machine-readable output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Complete => "ok",
            Self::Incomplete(_) => "incomplete",
            Self::NotRequested => "not-requested",
        }
    }
}

/// Answers for many requests to one configuration.
#[derive(Debug)]
pub struct Tracer<'c> {
    pub(crate) config: &'c Config,
    pub(super) options: Options,
    pub(crate) entrances: Entrances<'c>,
    pub(crate) regexes: Regexes,
    /// True when it is enough to know that another program gets a request, and not what it gets.
    pub(crate) ends_at_handlers: bool,
    /// What of the configuration was left out, which holds for every request.
    pub(crate) skipped: Vec<Assumption>,
}

impl<'c> Tracer<'c> {
    /// Prepares what all requests have in common.
    pub fn new(config: &'c Config, options: Options) -> Self {
        let mut skipped = Vec::new();
        let mut skip = |about, text| skipped.push(Assumption { text, about });
        let place = |span: Span| {
            let file = config.sources().file(span.file);
            format!("{}:{}", file.name(), file.position(span.start).line)
        };
        for mistake in config.mistakes() {
            let text = format!(
                "what is wrong at {} is skipped and changes nothing else",
                place(mistake.span)
            );
            skip(About::Other, text);
        }
        let listens = config.servers().flat_map(Server::listens);
        for refused in listens.filter(|listen| listen.listen().is_none()) {
            let text = format!(
                "the `listen` at {} is skipped: nginx does not take it",
                place(refused.span())
            );
            skip(About::Other, text);
        }
        for (include, problem) in config.include_problems() {
            let text = format!(
                "what {} would include changes nothing: {} was not read",
                place(include.span()),
                problem.path.display()
            );
            skip(About::Unread, text);
        }
        for file in config.unreadable() {
            let text = format!(
                "{} changes nothing: it was not read, {}",
                file.path.display(),
                file.reason
            );
            skip(About::Unread, text);
        }
        Self {
            config,
            entrances: Entrances::new(config),
            options,
            regexes: Regexes::default(),
            ends_at_handlers: false,
            skipped,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &'c Config {
        self.config
    }

    /// True when nothing was assumed for an answer, but that what was left out of the configuration changes nothing.
    pub(crate) fn is_certain(&self, trace: &Trace<'c>) -> bool {
        trace.assumptions.len() <= self.skipped.len()
    }

    /// The server that certainly answers a request, if it is at a socket of the configuration.
    pub(crate) fn server_of(&self, request: &Request) -> Option<Server<'c>> {
        let arrival = arrive(&self.entrances, request, |_| 0)?;
        let name = validate_host(&request.headers.first()?.1)?;
        let mut test = |pattern: &[u8], caseless: bool, host: &[u8]| {
            self.regexes.get(pattern, caseless)?.is_match(host).ok()
        };
        let chosen = arrival.entrance.server(&name, &mut test);
        let server = chosen.map_or(arrival.entrance.default, |(server, _)| server);
        arrival.assumption.is_none().then_some(server)
    }

    /// Follows a request to its end; the error says why there is no answer.
    pub fn trace(&self, request: &Request) -> Result<Trace<'c>, String> {
        run::run(self, request, &self.options.disk)
    }

    /// Like [`Tracer::trace`], with this in the place of what the options say about files.
    pub fn trace_on(&self, request: &Request, disk: &Disk) -> Result<Trace<'c>, String> {
        run::run(self, request, disk)
    }

    /// The sockets that take connections, in the order of the file.
    pub fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.entrances.all.iter().map(|entrance| &entrance.socket)
    }

    /// True when a socket speaks TLS.
    pub fn is_tls(&self, socket: &Socket) -> bool {
        self.entrance(socket).is_some_and(|entrance| entrance.tls)
    }

    /// The server that answers at a socket for a host, which is normalised and may be empty; nothing when none listens
    /// there.
    pub fn server(&self, socket: &Socket, host: &[u8]) -> Option<Server<'c>> {
        let entrance = self.entrance(socket)?;
        let mut test = |pattern: &[u8], caseless: bool, host: &[u8]| {
            self.regexes.get(pattern, caseless)?.is_match(host).ok()
        };
        let named = entrance.server(host, &mut test);
        Some(named.map_or(entrance.default, |(server, _)| server))
    }

    /// All servers that listen at a socket, in the order of the file.
    pub fn servers(&self, socket: &Socket) -> &[Server<'c>] {
        self.entrance(socket)
            .map_or(&[], |entrance| &entrance.servers)
    }

    /// Follows a request that arrives at a socket, whatever its host stands for; nothing when none listens there.
    pub fn trace_at(&self, socket: &Socket, request: &Request) -> Option<Trace<'c>> {
        let entrance = self.entrance(socket)?;
        let arrival = Arrival {
            entrance,
            tls: request.is_tls() && entrance.tls,
            assumption: None,
        };
        Some(run::run_from(self, request, &self.options.disk, arrival))
    }

    fn entrance(&self, socket: &Socket) -> Option<&Entrance<'c>> {
        self.entrances.at(socket)
    }
}

/// Follows one request through a configuration; the error says why there is no answer.
///
/// For several requests, [`Tracer`] does only once what they have in common.
pub fn trace<'c>(
    config: &'c Config,
    request: &Request,
    options: &Options,
) -> Result<Trace<'c>, String> {
    Tracer::new(config, options.clone()).trace(request)
}
