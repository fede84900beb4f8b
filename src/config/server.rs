//! Servers: where they listen and what they are called.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Config, Directive, EntryId, Word};
use crate::nginx::listen::{Host, Listen, Socket};
use crate::nginx::value::Setting;
use crate::nginx::{Contexts, Kind};

/// Which server answers for what, by socket.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    /// The first server of each name, in lower case.
    first: HashMap<(Socket, Vec<u8>), EntryId>,
    /// The server that answers for every other host: the one marked so, else the first.
    defaults: HashMap<Socket, EntryId>,
    /// The first server on each port, and whether others listen there too.
    ports: HashMap<Socket, (EntryId, bool)>,
}

/// The port of a socket, whatever the address; a Unix one is itself.
fn port(socket: Socket) -> Socket {
    match socket.host {
        Host::Unix(_) => socket,
        _ => Socket {
            port: socket.port,
            ..Socket::http_default()
        },
    }
}

impl Config {
    fn hosts(&self) -> &Hosts {
        self.hosts.get_or_init(|| {
            let mut hosts = Hosts::default();
            for server in self.servers() {
                for socket in server.sockets() {
                    let id = server.directive.id;
                    let owner = hosts.ports.entry(port(socket.clone()));
                    let owner = owner.or_insert((id, false));
                    owner.1 |= owner.0 != id;
                    for name in server.names() {
                        let key = (socket.clone(), name.to_ascii_lowercase());
                        hosts.first.entry(key).or_insert(server.directive.id);
                    }
                    hosts.defaults.entry(socket).or_insert(server.directive.id);
                }
            }
            for server in self.servers() {
                let marked = server.listens().filter_map(Directive::listen);
                for listen in marked.filter(|listen| listen.is_default) {
                    let sockets = listen.sockets();
                    hosts
                        .defaults
                        .extend(sockets.map(|socket| (socket, server.directive.id)));
                }
            }
            hosts
        })
    }
}

impl Directive<'_> {
    /// What a `listen` says; nothing when nginx refuses it, or it is no `listen`.
    pub fn listen(self) -> Option<Listen> {
        if !self.is("listen") {
            return None;
        }
        let words: Vec<Word<'_>> = self.arguments().collect();
        let arguments: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
        let setting = Setting {
            name: "listen",
            kind: Kind::Listen,
            context: self.context(),
            arguments: &arguments,
            version: self.config.told_version(),
        };
        Listen::parse(&setting).ok()
    }
}

/// A `server` block of the http part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server<'c> {
    /// The block.
    pub directive: Directive<'c>,
}

impl<'c> Server<'c> {
    pub(super) fn new(directive: Directive<'c>) -> Self {
        Self { directive }
    }

    /// Every `server_name`, in order.
    pub fn names(self) -> impl Iterator<Item = Word<'c>> {
        self.directive
            .own("server_name")
            .flat_map(Directive::arguments)
    }

    /// The `listen` directives.
    pub fn listens(self) -> impl DoubleEndedIterator<Item = Directive<'c>> {
        self.directive.own("listen")
    }

    /// The sockets it listens on, each with what names it; nginx's default, and nothing, when there is no `listen`.
    ///
    /// A `listen` that nginx refuses is left out.
    pub fn listening(self) -> Vec<(Socket, Option<Rc<Listen>>)> {
        if self.listens().next().is_none() {
            return vec![(Socket::http_default(), None)];
        }
        let mut listening = Vec::new();
        for listen in self.listens().filter_map(Directive::listen).map(Rc::new) {
            let sockets = listen.sockets();
            listening.extend(sockets.map(|socket| (socket, Some(Rc::clone(&listen)))));
        }
        listening
    }

    /// The sockets it listens on; nginx's default when there is no `listen`.
    pub fn sockets(self) -> Vec<Socket> {
        let listening = self.listening().into_iter();
        listening.map(|(socket, _)| socket).collect()
    }

    /// True when it answers on its first socket whatever host is asked for (`ngx_http_add_server`).
    pub fn is_default(self) -> bool {
        let socket = self.sockets().into_iter().next();
        socket.is_some_and(|socket| {
            self.directive.config.hosts().defaults.get(&socket) == Some(&self.directive.id)
        })
    }

    /// True when no earlier server of its first socket has the name, which would take its requests.
    pub fn is_first_of(self, name: &str) -> bool {
        let Some(socket) = self.sockets().into_iter().next() else {
            return false;
        };
        let first = self
            .directive
            .config
            .hosts()
            .first
            .get(&(socket, name.as_bytes().to_ascii_lowercase()));
        first.is_none_or(|first| *first == self.directive.id)
    }

    /// True when no other server of the http part listens on one of its ports.
    pub fn has_ports_alone(self) -> bool {
        let ports = &self.directive.config.hosts().ports;
        let is_shared = |socket| ports.get(&port(socket)).is_some_and(|(_, shared)| *shared);
        !self.sockets().into_iter().any(is_shared)
    }

    /// A host that a client can ask for to reach this server: its first plain name, or one that fits a wildcard.
    pub fn example_host(self) -> Option<String> {
        self.names().find_map(|name| {
            let name = std::str::from_utf8(&name).ok()?;
            let host = match name.strip_prefix("*.").or(name.strip_prefix('.')) {
                Some(rest) => format!("www.{rest}"),
                None => name
                    .strip_suffix(".*")
                    .map_or_else(|| name.to_owned(), |rest| format!("{rest}.example")),
            };
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            (!host.is_empty() && host.bytes().all(plain)).then(|| host.to_lowercase())
        })
    }

    /// The block of the http level that it stands in; nothing for a lone server.
    pub fn http(self) -> Option<Directive<'c>> {
        self.directive
            .parent()
            .filter(|block| block.inside() == Contexts::HTTP)
    }
}
