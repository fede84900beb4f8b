//! Groups of servers that each client has to stay at one of, and whether it does.

use super::{Backend, Config, Directive, Peer, Proxied};
use crate::diagnostic::Edit;

/// Endpoints of libraries that keep a session in one process and come to it by several requests, and what they are called.
const SESSIONS: [(&str, &str); 6] = [
    ("/socket.io", "Socket.IO"),
    ("/engine.io", "Engine.IO"),
    ("/sockjs", "SockJS"),
    ("/signalr", "SignalR"),
    ("/_blazor", "Blazor Server"),
    ("/chathub", "SignalR"),
];

/// Methods by which one client may come to any server.
const ROAMING: [&str; 3] = ["least_conn", "random", "least_time"];

/// A group of servers between which the requests of one session are spread.
#[derive(Debug)]
pub struct Spread<'c> {
    /// The `upstream`.
    pub group: Directive<'c>,
    /// Its method, if one is written.
    pub method: Option<Directive<'c>>,
    /// The library whose sessions are spread.
    pub library: &'static str,
}

impl<'c> Proxied<'c> {
    /// The group that sessions of a known library are spread over from here; nothing where something keeps a client at one
    /// server, may do so, or where not all servers can be seen.
    ///
    /// The methods are those of nginx's own modules; of what another module does nothing is known.
    pub fn spread(&self) -> Option<Spread<'c>> {
        let path = self.location.path.text().to_lowercase();
        let path = path.strip_suffix('/').unwrap_or(&path);
        let (_, library) = SESSIONS
            .iter()
            .find(|(endpoint, _)| !self.location.is_regex() && path.ends_with(endpoint))?;
        let Some(Backend {
            peer: Peer::Group(group),
            ..
        }) = self.backend()
        else {
            return None;
        };
        let mut method = None;
        let mut servers = 0;
        for child in group.children() {
            let is = |name: &&str| child.is(name);
            if ROAMING.iter().any(is) {
                method = Some(child);
            } else if child.is("server") {
                let waits = |word: super::Word<'_>| word == "backup" || word == "down";
                servers += usize::from(!child.arguments().skip(1).any(waits));
            } else if !PLAIN.iter().any(is) {
                return None;
            }
        }
        (servers > 1 && !group.is_incomplete()).then_some(Spread {
            group,
            method,
            library,
        })
    }
}

/// What an `upstream` may hold without choosing the server.
const PLAIN: [&str; 7] = [
    "zone",
    "keepalive",
    "keepalive_requests",
    "keepalive_time",
    "keepalive_timeout",
    "resolver",
    "include",
];

impl<'c> Spread<'c> {
    /// An edit that keeps each address at one server; nothing where nginx would refuse it, as with `backup`.
    pub fn stick(&self) -> Option<Edit> {
        let is_backup = |server: Directive<'_>| server.arguments().any(|word| word == "backup");
        let first = self.group.children().next()?;
        let is_here = first.full_span().file == self.group.full_span().file;
        if self.group.own("server").any(is_backup) {
            return None;
        }
        match self.method {
            Some(method) => Some(Edit::replace(method.span(), "ip_hash")),
            None => is_here.then(|| first.prepend_lines(&["ip_hash;"])),
        }
    }
}

impl Config {
    /// The groups that sessions are spread over, each with the places from which they are.
    pub fn spreads(&self) -> Vec<(Directive<'_>, Vec<Proxied<'_>>)> {
        self.proxied_under(|place| place.spread().map(|spread| spread.group))
    }
}
