//! How a client comes to the servers of two configurations: sockets and hosts.

use std::collections::{BTreeMap, BTreeSet};

use super::TEXTS;
use super::request;
use crate::config::Server;
use crate::nginx::listen::{Host, Listen, Socket};
use crate::routing::{Request, Tracer, resolved};
use crate::urispace::{Uris, texts};

/// Hosts that are tried for whatever no name fits.
const UNKNOWN: [&str; 2] = ["unknown.example", "unknown.invalid"];

/// Most pairs of a name with a star before and one with a star behind that are tried together.
const STARS: usize = 400;

/// How many ways to a pair of servers are kept.
const KEPT: usize = 6;

/// One way to a server of each configuration.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// The sockets that take the connection.
    pub(super) sockets: [Socket; 2],
    /// The host that is asked for; empty for none.
    pub(super) host: String,
    /// The address that the client has to connect to, where the host does not tell.
    pub(super) at: Option<String>,
    pub(super) tls: bool,
}

impl Way {
    /// The plain request for a decoded path.
    pub(super) fn request(&self, path: &[u8]) -> Request {
        request::plain(&self.host, self.sockets[0].port, self.tls, path)
    }
}

/// Two servers that answer the same requests.
#[derive(Debug)]
pub(super) struct Met<'c> {
    pub(super) old: Server<'c>,
    pub(super) new: Server<'c>,
    /// The default servers of the sockets, which read the first line of each request.
    pub(super) defaults: [Server<'c>; 2],
    pub(super) ways: Vec<Way>,
}

/// A socket that one side has only.
#[derive(Debug)]
pub(super) struct Lonely {
    pub(super) socket: Socket,
    /// 0 when the old side has it, 1 when the new one has.
    pub(super) side: usize,
    pub(super) request: Request,
    pub(super) at: Option<String>,
}

/// A parameter that is there or not.
type Flag = fn(&Listen) -> bool;

/// Parameters of `listen` that change how requests are read.
const PARAMETERS: [(&str, Flag); 3] = [
    ("http2", |listen| listen.http2),
    ("quic", |listen| listen.quic),
    ("proxy_protocol", |listen| listen.proxy_protocol),
];

/// True when some `listen` of a socket says so; what one says holds for all.
fn says(tracer: &Tracer<'_>, socket: &Socket, read: Flag) -> bool {
    let listening = tracer
        .servers(socket)
        .iter()
        .flat_map(|server| server.listening());
    let here = listening.filter(|(own, _)| resolved(own.clone()) == *socket);
    here.filter_map(|(_, listen)| listen)
        .any(|listen| read(&listen))
}

/// Who meets whom.
#[derive(Debug, Default)]
pub(super) struct Meetings<'c> {
    pub(super) met: Vec<Met<'c>>,
    pub(super) lonely: Vec<Lonely>,
    pub(super) undecided: Vec<String>,
}

/// Finds all pairs of servers of which some request meets one before and the other after.
pub(super) fn meetings<'c>(old: &Tracer<'c>, new: &Tracer<'c>) -> Meetings<'c> {
    let mut meetings = Meetings::default();
    let sockets: BTreeSet<Socket> = old.sockets().chain(new.sockets()).cloned().collect();
    let mut places: BTreeMap<(u32, u32, u32, u32), usize> = BTreeMap::new();
    for socket in &sockets {
        let here = [taking(old, socket), taking(new, socket)];
        let at = address(socket, &sockets);
        let (left, right) = match &here {
            [Some(left), Some(right)] => (left, right),
            [None, None] => continue,
            [found, _] => {
                let side = usize::from(found.is_none());
                let tracer = [old, new][side];
                let host = known_host(tracer.servers(socket));
                let tls = tracer.is_tls(socket);
                meetings.lonely.push(Lonely {
                    socket: socket.clone(),
                    side,
                    request: request::plain(&host, socket.port, tls, b"/"),
                    at,
                });
                continue;
            }
        };
        for (name, read) in PARAMETERS {
            let said =
                [(old, left), (new, right)].map(|(tracer, socket)| says(tracer, socket, read));
            if said[0] != said[1] {
                let side = if said[0] { "old" } else { "new" };
                meetings.undecided.push(format!(
                    "`{name}` of `listen` at {} stands only in the {side} configuration, and what it changes is not modelled",
                    shown(socket)
                ));
            }
        }
        let tls = old.is_tls(left) && new.is_tls(right);
        let servers = [old.servers(left), new.servers(right)];
        let defaults = [old.server(left, b"\0"), new.server(right, b"\0")];
        let [Some(first), Some(second)] = defaults else {
            continue;
        };
        for host in hosts(servers, &mut meetings.undecided) {
            let (Some(before), Some(after)) = (
                old.server(left, host.as_bytes()),
                new.server(right, host.as_bytes()),
            ) else {
                continue;
            };
            let key = (
                before.directive.number(),
                after.directive.number(),
                first.directive.number(),
                second.directive.number(),
            );
            let index = *places.entry(key).or_insert_with(|| {
                meetings.met.push(Met {
                    old: before,
                    new: after,
                    defaults: [first, second],
                    ways: Vec::new(),
                });
                meetings.met.len() - 1
            });
            let ways = &mut meetings.met[index].ways;
            if ways.len() < KEPT {
                ways.push(Way {
                    sockets: [left.clone(), right.clone()],
                    host,
                    at: at.clone(),
                    tls,
                });
            }
        }
    }
    for met in &mut meetings.met {
        // The plainest way first: a name that is written out, at a socket for all addresses.
        met.ways
            .sort_by_key(|way| (way.host.is_empty(), way.at.is_some()));
    }
    meetings
}

/// The socket that takes a connection to the address of another one.
fn taking(tracer: &Tracer<'_>, socket: &Socket) -> Option<Socket> {
    let all = match socket.host {
        Host::V4(_) => Host::V4(std::net::Ipv4Addr::UNSPECIFIED),
        Host::V6(_) => Host::V6(std::net::Ipv6Addr::UNSPECIFIED),
        Host::Unix(_) | Host::Name(_) => socket.host.clone(),
    };
    let wide = Socket {
        host: all,
        ..socket.clone()
    };
    [socket.clone(), wide]
        .into_iter()
        .find(|socket| !tracer.servers(socket).is_empty())
}

/// The address to connect to, where the port alone does not tell the socket.
fn address(socket: &Socket, all: &BTreeSet<Socket>) -> Option<String> {
    let others = all
        .iter()
        .any(|other| other != socket && other.port == socket.port);
    let wide = match socket.host {
        Host::V4(address) => address.is_unspecified(),
        Host::V6(address) => address.is_unspecified(),
        Host::Unix(_) | Host::Name(_) => false,
    };
    (!wide || others).then(|| shown(socket))
}

/// A socket as configurations write it: `*` for every address.
pub(super) fn shown(socket: &Socket) -> String {
    match socket.host {
        Host::V4(std::net::Ipv4Addr::UNSPECIFIED) => format!("*:{}", socket.port),
        _ => socket.to_string(),
    }
}

fn known_host(servers: &[Server<'_>]) -> String {
    let known = servers.iter().find_map(|server| server.example_host());
    known.unwrap_or_else(|| UNKNOWN[0].to_owned())
}

/// Hosts that lead to every pair of servers that any host leads to.
fn hosts(servers: [&[Server<'_>]; 2], undecided: &mut Vec<String>) -> Vec<String> {
    let mut literal = BTreeSet::new();
    let mut leading = BTreeSet::new();
    let mut trailing = BTreeSet::new();
    let mut regexes: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
    let mut stars: [BTreeSet<Vec<u8>>; 2] = Default::default();
    for (side, server) in
        (0..2).flat_map(|side| servers[side].iter().map(move |server| (side, server)))
    {
        for name in server.names() {
            let text = name.to_ascii_lowercase();
            match &text[..] {
                [b'~', ..] => regexes[side].push(name[1..].to_vec()),
                [b'.', rest @ ..] => {
                    literal.insert(rest.to_vec());
                    leading.insert(rest.to_vec());
                    stars[side].insert(text.clone());
                }
                [b'*', b'.', rest @ ..] => {
                    leading.insert(rest.to_vec());
                    stars[side].insert(text.clone());
                }
                [rest @ .., b'.', b'*'] => {
                    trailing.insert(rest.to_vec());
                    stars[side].insert(text.clone());
                }
                text => drop(literal.insert(text.to_vec())),
            }
        }
    }
    let mut all: Vec<Vec<u8>> = literal.iter().cloned().collect();
    all.extend(leading.iter().map(|rest| [b"www.", &rest[..]].concat()));
    all.extend(leading.iter().map(|rest| [b"some.", &rest[..]].concat()));
    all.extend(
        trailing
            .iter()
            .map(|rest| [&rest[..], b".example"].concat()),
    );
    match leading.len() * trailing.len() <= STARS {
        true => {
            for start in &trailing {
                all.extend(leading.iter().map(|rest| [start, &b".some."[..], rest].concat()));
                all.extend(leading.iter().map(|rest| [start, &b"."[..], rest].concat()));
            }
        }
        false => undecided.push(
            "which hosts fit names with a star before and names with a star behind: there are too many"
                .to_owned(),
        ),
    }
    for pattern in regexes.iter().flatten() {
        all.extend(
            texts(pattern, false, Uris::Any, TEXTS)
                .into_iter()
                .map(|text| text.to_ascii_lowercase()),
        );
    }
    if regexes[0] != regexes[1] {
        undecided.push(
            "whether the regexes of server names fit other hosts than those that were tried"
                .to_owned(),
        );
    } else if !regexes[0].is_empty() && stars[0] != stars[1] {
        undecided.push("which hosts reach the servers whose names are regexes, beside names with stars that have changed".to_owned());
    }
    all.extend(UNKNOWN.map(|host| host.as_bytes().to_vec()));
    all.push(Vec::new());
    let usable = |host: &Vec<u8>| {
        host.iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte))
    };
    let mut known = BTreeSet::new();
    all.into_iter()
        .filter(usable)
        .filter(|host| known.insert(host.clone()))
        .filter_map(|host| String::from_utf8(host).ok())
        .collect()
}
