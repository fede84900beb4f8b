//! Servers: where they listen and what they are called.

use super::{Directive, Location, Word};
use crate::nginx::Contexts;

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

    /// The locations of the server itself, without nested ones.
    pub fn locations(self) -> impl DoubleEndedIterator<Item = Location<'c>> {
        self.directive.own("location").filter_map(Location::of)
    }

    /// The sockets it listens on, as written without their parameters; nginx's default when there is no `listen`.
    pub fn sockets(self) -> Vec<String> {
        let mut sockets: Vec<String> = self
            .listens()
            .filter_map(|listen| listen.argument(0))
            .map(|socket| match socket.text().into_owned() {
                port if port.bytes().all(|byte| byte.is_ascii_digit()) => format!("*:{port}"),
                address => address.replacen("0.0.0.0:", "*:", 1),
            })
            .collect();
        if sockets.is_empty() {
            sockets.push("*:80".to_owned());
        }
        sockets
    }

    /// True when it answers on its first socket whatever host is asked for (`ngx_http_add_server`).
    pub fn is_default(self) -> bool {
        let Some(socket) = self.sockets().into_iter().next() else {
            return false;
        };
        let marked = |server: &Self| {
            server.listens().any(|listen| {
                listen
                    .arguments()
                    .any(|word| word == "default_server" || word == "default")
            })
        };
        let sharing: Vec<Self> = self
            .directive
            .config
            .servers()
            .filter(|other| other.sockets().contains(&socket))
            .collect();
        sharing
            .iter()
            .find(|server| marked(server))
            .or(sharing.first())
            == Some(&self)
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
