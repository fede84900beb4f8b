//! gRPC: where it is spoken to a backend that does not get it, and to clients that cannot bring it.

use std::collections::HashSet;

use super::websocket::MAX_SIBLINGS;
use super::{Backend, Config, Directive, Location, Modifier, Peer, Proxied, Server};
use crate::diagnostic::Edit;
use crate::nginx::Version;
use crate::nginx::listen::Socket;

/// The port that examples of gRPC servers listen on.
const USUAL_PORT: u16 = 50051;

/// From here on `http2` is a directive, and no parameter of `listen` any more.
const HTTP2_DIRECTIVE: Version = Version(1, 25, 1);

/// Words in a name for something that takes HTTP/1.1 in the place of gRPC.
const TRANSLATED: [&str; 13] = [
    "web",
    "grpcweb",
    "gateway",
    "gw",
    "ui",
    "http",
    "rest",
    "json",
    "transcoder",
    "envoy",
    "connect",
    "twirp",
    "metrics",
];

/// A server whose gRPC no client can ask for.
#[derive(Debug, Clone)]
pub struct Unreached<'c> {
    /// The server.
    pub server: Server<'c>,
    /// The first place in it that passes gRPC on.
    pub place: Proxied<'c>,
}

fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|letter: char| !letter.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
}

impl<'c> Proxied<'c> {
    /// The backend that by its name or its port speaks gRPC, which is asked in HTTP/1 here.
    pub fn grpc_backend(&self) -> Option<Backend<'c>> {
        if !self.pass.is("proxy_pass") {
            return None;
        }
        let backend = self.backend()?;
        let is_usual = |port: Option<u16>| port == Some(USUAL_PORT);
        let has_usual_ports = match backend.peer {
            Peer::Group(group) => {
                let mut servers = group.own("server").peekable();
                servers.peek().is_some()
                    && servers.all(|server| {
                        let address = server.argument(0);
                        let text = address.map(|address| address.text().into_owned());
                        let port = text.as_deref().and_then(|text| text.rsplit_once(':'));
                        is_usual(port.and_then(|(_, port)| port.parse().ok()))
                    })
            }
            _ => is_usual(backend.port),
        };
        let is_named = words(&backend.host).any(|word| word == "grpc" || word == "grpcs");
        let is_translated = |name: &str| words(name).any(|word| TRANSLATED.contains(&&*word));
        let speaks_http2 = self.scope.effective("proxy_http_version").directive();
        let speaks_http2 = speaks_http2.and_then(|version| version.argument(0));
        let is_grpc = (has_usual_ports || is_named)
            && !is_translated(&backend.host)
            && !is_translated(&self.location.path.text())
            && speaks_http2.is_none_or(|version| version != "2");
        is_grpc.then_some(backend)
    }

    /// An edit that passes requests on as gRPC; nothing where the address has a URI, which gRPC has no use for.
    pub fn pass_as_grpc(&self) -> Option<Edit> {
        let url = self
            .url()
            .filter(|url| url.uri().is_none() && !url.has_variables())?;
        let scheme = match url.scheme().len() {
            8 => "grpcs://",
            _ => "grpc://",
        };
        let host = url.base().split_off(url.scheme().len());
        let stands_well = self.pass.parent() == Some(self.location.directive);
        stands_well.then(|| Edit::replace(self.pass.span(), format!("grpc_pass {scheme}{host}")))
    }
}

impl Proxied<'_> {
    /// True for a method of its own beside a service whose time for reading is set: it was meant to have another.
    fn is_split_off(&self) -> bool {
        let own = &self.location;
        let is_service = |other: Location<'_>| {
            let sets = other.directive.own("grpc_read_timeout").next().is_some();
            other.is_prefix() && own.path.starts_with(&other.path) && sets
        };
        own.modifier == Modifier::Exact && own.level().iter().take(MAX_SIBLINGS).any(is_service)
    }
}

impl Config {
    /// The places that pass gRPC on and leave the time for reading as it is, in file order.
    pub fn quiet_grpc(&self) -> impl Iterator<Item = Proxied<'_>> {
        self.passed().filter(|place| {
            let set = place.scope.effective("grpc_read_timeout").directive();
            place.pass.is("grpc_pass") && set.is_none() && !place.is_split_off()
        })
    }

    /// The servers that pass gRPC on and speak HTTP/2 on none of their sockets, in file order.
    ///
    /// Nothing where something was not read: the parameter of another server holds for its socket as well.
    pub fn unreached_grpc(&self) -> Vec<Unreached<'_>> {
        if !self.is_whole() {
            return Vec::new();
        }
        let mut found: Vec<Unreached<'_>> = Vec::new();
        let mut seen = HashSet::new();
        for place in self.passed().filter(|place| place.pass.is("grpc_pass")) {
            let Some(server) = place.location.server() else {
                continue;
            };
            if !place.location.is_internal() && seen.insert(server.directive.number()) {
                found.push(Unreached { server, place });
            }
        }
        if !found.is_empty() {
            let with_http2: HashSet<Socket> = self.servers().flat_map(http2_sockets).collect();
            found.retain(|one| {
                let mut sockets = one.server.sockets().into_iter();
                let has_http2 = |socket| with_http2.contains(&socket);
                !one.server.is_local() && !one.server.speaks_http3() && !sockets.any(has_http2)
            });
        }
        found
    }
}

/// The sockets of a server on which it makes nginx speak HTTP/2.
fn http2_sockets(server: Server<'_>) -> Vec<Socket> {
    let everywhere = server.directive.flag("http2") == Some(true);
    let listening = server.listening().into_iter();
    listening
        .filter(|(_, listen)| everywhere || listen.as_ref().is_some_and(|listen| listen.http2))
        .map(|(socket, _)| socket)
        .collect()
}

impl<'c> Server<'c> {
    /// Edits after which the server speaks HTTP/2 on its sockets.
    pub fn speak_http2(self) -> Vec<Edit> {
        let config = self.directive.config();
        let listens: Vec<Directive<'c>> = self.listens().collect();
        if config.version() < HTTP2_DIRECTIVE {
            let last = |listen: &Directive<'c>| listen.arguments().next_back();
            return listens
                .iter()
                .filter_map(last)
                .map(|word| Edit::insert_after(word.span, " http2"))
                .collect();
        }
        let set = self.directive.own("http2").next_back();
        let own = set.and_then(|set| set.argument(0));
        let line = ["http2 on;"];
        let edit = match (own, listens.last()) {
            (Some(word), _) => Some(Edit::replace(word.span, "on")),
            (None, Some(listen)) => Some(listen.append_lines(&line)),
            (None, None) => {
                let first = self.directive.children().next();
                first.map(|first| first.prepend_lines(&line))
            }
        };
        edit.into_iter().collect()
    }
}
