//! Sockets and the servers that listen on them, of each part of nginx.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::{Config, Directive, EntryId, Visibility};
use crate::nginx::Contexts;
use crate::nginx::listen::{Listen, Socket};
use crate::nginx::url::Host;

/// A socket with every `listen` that names it, in the order in which nginx reads them.
#[derive(Debug)]
pub struct Listening<'c> {
    /// The socket.
    pub socket: Socket,
    /// At least one.
    pub uses: Vec<Use<'c>>,
    /// False when others may listen here too: a server without any `listen` on the port that it gets by default, or one
    /// that names a host instead of an address.
    pub is_certain: bool,
}

/// A server that listens on a socket.
#[derive(Debug, Clone)]
pub struct Use<'c> {
    /// The `server` block.
    pub server: Directive<'c>,
    /// The `listen`.
    pub directive: Directive<'c>,
    /// What it says.
    pub listen: Rc<Listen>,
}

/// Why nginx refuses a second `listen` of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// The server listens there already.
    SameServer,
    /// Another server listens there, where a socket belongs to one.
    OtherServer,
    /// Both have parameters of the socket itself.
    Options,
    /// Both are the default server.
    Default,
}

impl<'c> Listening<'c> {
    /// The server that answers where none is asked for by name: the one marked so, else the first.
    pub fn default_server(&self) -> Option<&Use<'c>> {
        let marked = self.uses.iter().find(|one| one.listen.is_default);
        marked.or(self.uses.first())
    }

    /// Every `listen` that nginx refuses here, after the one that it clashes with (`ngx_http_add_addresses`); where a
    /// socket `belongs_to_one` server, any other's is refused.
    pub fn clashes(&self, belongs_to_one: bool) -> Vec<(Clash, &Use<'c>, &Use<'c>)> {
        let mut of_server: HashMap<EntryId, &Use<'c>> = HashMap::new();
        let (mut with_options, mut default) = (None, None);
        let mut clashes = Vec::new();
        for one in &self.uses {
            let known = [
                (Clash::SameServer, of_server.get(&one.server.id).copied()),
                (
                    Clash::OtherServer,
                    self.uses
                        .first()
                        .filter(|_| belongs_to_one && !of_server.is_empty()),
                ),
                (
                    Clash::Options,
                    with_options.filter(|_| one.listen.sets_socket),
                ),
                (Clash::Default, default.filter(|_| one.listen.is_default)),
            ];
            let clash = known
                .into_iter()
                .find_map(|(clash, first)| Some((clash, first?, one)));
            // Of the branches of a template one is left.
            clashes.extend(clash.filter(|_| !one.directive.is_incomplete()));
            of_server.entry(one.server.id).or_insert(one);
            if one.listen.sets_socket {
                with_options.get_or_insert(one);
            }
            if one.listen.is_default {
                default.get_or_insert(one);
            }
        }
        clashes
    }
}

impl Config {
    /// The sockets of the servers in blocks of a context, in the order of their first `listen`.
    ///
    /// A `listen` that nginx refuses is left out, and so is what a server without one listens on.
    pub fn listening(&self, servers: Contexts) -> Vec<Listening<'_>> {
        let mut sockets: Vec<Listening<'_>> = Vec::new();
        let mut known: HashMap<Socket, usize> = HashMap::new();
        let blocks = self
            .directives()
            .filter(|block| block.is("server") && block.inside() == servers && block.is_block());
        let mut has_silent_server = false;
        for server in blocks {
            has_silent_server |= server.own("listen").next().is_none();
            for directive in server.own("listen") {
                let Some(listen) = directive.listen().map(Rc::new) else {
                    continue;
                };
                for socket in listen.sockets() {
                    let index = *known.entry(socket.clone()).or_insert_with(|| {
                        sockets.push(Listening {
                            socket,
                            uses: Vec::new(),
                            is_certain: true,
                        });
                        sockets.len() - 1
                    });
                    sockets[index].uses.push(Use {
                        server,
                        directive,
                        listen: Rc::clone(&listen),
                    });
                }
            }
        }
        let of_name = |listening: &Listening<'_>| matches!(listening.socket.host, Host::Name(_));
        let named: HashSet<u16> = sockets
            .iter()
            .filter(|listening| of_name(listening))
            .map(|listening| listening.socket.port)
            .collect();
        for listening in &mut sockets {
            let port = listening.socket.port;
            // The second is what nginx takes when it is not started by root.
            let may_be_silent = has_silent_server && matches!(port, 80 | 8000);
            listening.is_certain = !may_be_silent && !named.contains(&port);
        }
        sockets
    }

    /// True when every file of a whole configuration was read and understood, so that what is absent is missing.
    pub fn is_whole(&self) -> bool {
        self.visibility_of_definitions() == Visibility::Whole
    }
}
