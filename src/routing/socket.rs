//! Which socket a request arrives at, and which of its servers answers.
//!
//! Follows `ngx_http_add_listen`, `ngx_http_server_names` and `ngx_http_find_virtual_server`.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use super::request::Request;
use crate::config::{Config, Server};
use crate::nginx::listen::{Host, Socket};

/// The port of a socket; a Unix one has none.
pub(crate) fn port(socket: &Socket) -> Option<u16> {
    (!matches!(socket.host, Host::Unix(_))).then_some(socket.port)
}

/// The address of a socket, which may be that of all.
pub(crate) fn ip(socket: &Socket) -> Option<IpAddr> {
    match socket.host {
        Host::V4(address) => Some(address.into()),
        Host::V6(address) => Some(address.into()),
        Host::Unix(_) | Host::Name(_) => None,
    }
}

fn is_wildcard(socket: &Socket) -> bool {
    ip(socket).is_some_and(|address| address.is_unspecified())
}

/// The one name whose address every machine knows is as good as the address.
pub(crate) fn resolved(mut socket: Socket) -> Socket {
    if matches!(&socket.host, Host::Name(name) if name == b"localhost") {
        socket.host = Host::V4(Ipv4Addr::LOCALHOST);
    }
    socket
}

/// A socket with the servers that listen at it.
#[derive(Debug)]
pub(crate) struct Entrance<'c> {
    pub(crate) socket: Socket,
    /// True when it speaks TLS.
    pub(crate) tls: bool,
    /// The server that answers when no name fits.
    pub(crate) default: Server<'c>,
    /// All servers that listen here, in the order of the file.
    pub(super) servers: Vec<Server<'c>>,
    /// Nothing when nginx looks at no names here, because one server has the socket for itself.
    names: Option<Names<'c>>,
}

/// How the name of a server fits a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    Exact,
    /// `*.name` or `.name`
    Leading(Vec<u8>),
    /// `name.*`
    Trailing(Vec<u8>),
    /// A regex, without its `~`.
    Regex(Vec<u8>),
}

/// A test of a regex of a server name; true when it matches.
pub(crate) type RegexTest<'t> = &'t mut dyn FnMut(&[u8], bool, &[u8]) -> Option<bool>;

impl<'c> Entrance<'c> {
    /// The socket as configurations write it: `*` for every address.
    pub(crate) fn shown(&self) -> String {
        match self.socket.host {
            Host::V4(Ipv4Addr::UNSPECIFIED) => format!("*:{}", self.socket.port),
            _ => self.socket.to_string(),
        }
    }

    /// The server of a host (`ngx_http_find_virtual_server`); nothing when the default one answers.
    pub(crate) fn server(&self, host: &[u8], matches: RegexTest<'_>) -> Option<(Server<'c>, Fit)> {
        self.names.as_ref()?.find(host, matches)
    }
}

/// The names of one socket, as the combined hash of nginx holds them.
#[derive(Debug, Default)]
struct Names<'c> {
    exact: HashMap<Vec<u8>, Server<'c>>,
    /// By what follows `*.`; true when the name alone fits as well.
    leading: HashMap<Vec<u8>, (Server<'c>, bool)>,
    /// By what stands before `.*`.
    trailing: HashMap<Vec<u8>, Server<'c>>,
    regexes: Vec<(Vec<u8>, Server<'c>)>,
    taken: HashSet<Vec<u8>>,
}

impl<'c> Names<'c> {
    /// Adds a name unless it is taken (`ngx_hash_add_key`).
    fn add(&mut self, name: &[u8], server: Server<'c>) {
        if let Some(regex) = name.strip_prefix(b"~") {
            self.regexes.push((regex.to_vec(), server));
            return;
        }
        let name = name.to_ascii_lowercase();
        let stars = name.iter().filter(|byte| **byte == b'*').count();
        if stars > 1 || name.windows(2).any(|pair| pair == b"..") || name.contains(&0) {
            return;
        }
        match &name[..] {
            [b'.', bare @ ..] if !bare.is_empty() => {
                if self.taken.insert(bare.to_vec()) {
                    self.leading.entry(bare.to_vec()).or_insert((server, true));
                }
            }
            [b'*', b'.', bare @ ..] if !bare.is_empty() => {
                self.leading.entry(bare.to_vec()).or_insert((server, false));
            }
            [bare @ .., b'.', b'*'] if !bare.is_empty() => {
                self.trailing.entry(bare.to_vec()).or_insert(server);
            }
            _ if stars > 0 => {}
            _ => {
                if self.taken.insert(name.clone()) {
                    self.exact.insert(name, server);
                }
            }
        }
    }

    fn find(&self, host: &[u8], matches: RegexTest<'_>) -> Option<(Server<'c>, Fit)> {
        if let Some(server) = self.exact.get(host) {
            return Some((*server, Fit::Exact));
        }
        if host.is_empty() {
            return None;
        }
        if let Some((server, true)) = self.leading.get(host) {
            return Some((*server, Fit::Leading(host.to_vec())));
        }
        let dots = || (0..host.len()).filter(|at| host[*at] == b'.');
        if let Some((suffix, (server, _))) = dots()
            .map(|dot| &host[dot + 1..])
            .find_map(|suffix| Some((suffix, self.leading.get(suffix)?)))
        {
            return Some((*server, Fit::Leading(suffix.to_vec())));
        }
        if let Some((start, server)) = dots()
            .map(|dot| &host[..dot])
            .rev()
            .find_map(|start| Some((start, self.trailing.get(start)?)))
        {
            return Some((*server, Fit::Trailing(start.to_vec())));
        }
        self.regexes.iter().find_map(|(regex, server)| {
            let caseless = regex.iter().any(u8::is_ascii_uppercase);
            matches(regex, caseless, host)?.then(|| (*server, Fit::Regex(regex.clone())))
        })
    }
}

/// The names that nginx compares a host with: all of the server, or the empty one.
pub(super) fn names_of(server: Server<'_>) -> Vec<Vec<u8>> {
    let names: Vec<Vec<u8>> = server.names().map(|name| name.value.into_owned()).collect();
    if names.is_empty() {
        return vec![Vec::new()];
    }
    names
}

/// Every socket of the http part that takes connections, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Entrances<'c> {
    pub(crate) all: Vec<Entrance<'c>>,
    ports: HashMap<u16, Vec<usize>>,
    sockets: HashMap<Socket, usize>,
}

impl<'c> Entrances<'c> {
    /// Reads them from a configuration.
    pub(super) fn new(config: &'c Config) -> Self {
        let all = entrances(config);
        let mut ports: HashMap<u16, Vec<usize>> = HashMap::new();
        for (index, entrance) in all.iter().enumerate() {
            if let Some(port) = port(&entrance.socket) {
                ports.entry(port).or_default().push(index);
            }
        }
        let sockets = all.iter().map(|entrance| entrance.socket.clone());
        Self {
            sockets: sockets.zip(0..).collect(),
            all,
            ports,
        }
    }

    /// The one of a socket.
    pub(super) fn at(&self, socket: &Socket) -> Option<&Entrance<'c>> {
        let index = self.sockets.get(socket)?;
        self.all.get(*index)
    }

    /// The sockets with a port, in the order of the file.
    fn at_port(&self, port: u16) -> impl Iterator<Item = &Entrance<'c>> {
        let indices = self.ports.get(&port).map_or(&[][..], Vec::as_slice);
        indices.iter().filter_map(|index| self.all.get(*index))
    }
}

/// Every socket with its servers.
fn entrances(config: &Config) -> Vec<Entrance<'_>> {
    #[derive(Default)]
    struct Open<'c> {
        tls: bool,
        marked: Option<Server<'c>>,
        servers: Vec<Server<'c>>,
    }
    let mut places: HashMap<Socket, usize> = HashMap::new();
    let mut open: Vec<(Socket, Open<'_>)> = Vec::new();
    for server in config.servers() {
        let listening = server.listening().into_iter();
        for (socket, listen) in listening.filter(|(socket, _)| !socket.is_datagram) {
            let socket = resolved(socket);
            let at = *places.entry(socket.clone()).or_insert_with(|| {
                open.push((socket, Open::default()));
                open.len() - 1
            });
            let place = &mut open[at].1;
            if let Some(listen) = listen {
                place.tls |= listen.ssl;
                if listen.is_default {
                    place.marked.get_or_insert(server);
                }
            }
            if place.servers.last() != Some(&server) {
                place.servers.push(server);
            }
        }
    }
    open.into_iter()
        .map(|(socket, place)| {
            let default = place.marked.unwrap_or(place.servers[0]);
            let captures = || {
                let names = names_of(default);
                let last = names.iter().rfind(|name| name.starts_with(b"~"));
                last.is_some_and(|regex| has_captures(regex))
            };
            let names = (place.servers.len() > 1 || captures()).then(|| {
                let mut names = Names::default();
                for server in &place.servers {
                    for name in names_of(*server) {
                        names.add(&name, *server);
                    }
                }
                names
            });
            Entrance {
                socket,
                tls: place.tls,
                default,
                servers: place.servers,
                names,
            }
        })
        .collect()
}

/// True when a regex may hold a group that captures.
fn has_captures(regex: &[u8]) -> bool {
    regex.contains(&b'(')
}

/// Where a request arrives, and what was assumed for it.
pub(super) struct Arrival<'s, 'c> {
    pub(super) entrance: &'s Entrance<'c>,
    /// True when the client's TLS ends at nginx.
    pub(crate) tls: bool,
    pub(super) assumption: Option<String>,
}

/// Finds the socket that a client reaches by a host and a port.
///
/// An address of its own goes before that of all. A port that nothing listens at leads to a plain socket, behind what
/// ends TLS or passes ports on. `score` tells how well a socket knows the host that is asked for.
pub(super) fn arrive<'s, 'c>(
    entrances: &'s Entrances<'c>,
    request: &Request,
    score: impl Fn(&Entrance<'c>) -> u8,
) -> Option<Arrival<'s, 'c>> {
    let (at, tls) = (request.port, request.is_tls());
    let address = match request.host.to_ascii_lowercase().as_str() {
        _ if request.address.is_some() => request.address,
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        host => host.parse::<IpAddr>().ok(),
    };
    let at_port: Vec<&Entrance<'c>> = entrances.at_port(at).collect();
    if let Some(address) = address {
        let own = |entrance: &&&Entrance<'c>| ip(&entrance.socket) == Some(address);
        let all = |entrance: &&&Entrance<'c>| {
            ip(&entrance.socket)
                .is_some_and(|all| all.is_unspecified() && all.is_ipv4() == address.is_ipv4())
        };
        let found = at_port
            .iter()
            .find(own)
            .or_else(|| at_port.iter().find(all));
        if let Some(entrance) = found {
            // Which addresses the machine has is not known.
            let other = |other: &&&Entrance<'c>| {
                let same = ip(&other.socket).is_some_and(|ip| ip.is_ipv4() == address.is_ipv4());
                same && other.default != entrance.default
            };
            let certain = !address.is_unspecified() || !at_port.iter().any(|one| other(&one));
            let assumption = || format!("the client connects to {}", entrance.shown());
            return Some(Arrival {
                entrance,
                tls: tls && entrance.tls,
                assumption: (!certain).then(assumption),
            });
        }
    }
    if let Some(best) = best(&at_port, &score) {
        let others = at_port
            .iter()
            .any(|other| other.default != best.default && !std::ptr::eq(*other, best));
        let certain = is_wildcard(&best.socket) && !others;
        let assumption = || format!("the client connects to {}", best.shown());
        return Some(Arrival {
            entrance: best,
            tls: tls && best.tls,
            assumption: (!certain).then(assumption),
        });
    }
    let plain: Vec<&Entrance<'c>> = entrances
        .all
        .iter()
        .filter(|entrance| !entrance.tls)
        .collect();
    let behind = best(&plain, &score)?;
    let before = match tls {
        true => "TLS ends in front of nginx".to_owned(),
        false => format!("something in front of nginx listens at port {at}"),
    };
    Some(Arrival {
        entrance: behind,
        tls: false,
        assumption: Some(format!(
            "{before}, and passes the request on to {} as it is",
            behind.shown()
        )),
    })
}

fn best<'s, 'c>(
    entrances: &[&'s Entrance<'c>],
    score: &impl Fn(&Entrance<'c>) -> u8,
) -> Option<&'s Entrance<'c>> {
    let rank = |entrance: &Entrance<'c>| {
        let usual = match &entrance.socket.host {
            Host::V4(address) if address.is_unspecified() => 3,
            Host::V6(address) if address.is_unspecified() => 2,
            Host::Unix(_) => 0,
            _ => 1,
        };
        (score(entrance), usual)
    };
    let mut best: Option<&'s Entrance<'c>> = None;
    for entrance in entrances {
        if best.is_none_or(|known| rank(entrance) > rank(known)) {
            best = Some(entrance);
        }
    }
    best
}
