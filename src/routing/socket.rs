//! Which socket a request arrives at, and which of its servers answers.
//!
//! Follows `ngx_http_add_listen`, `ngx_http_server_names` and `ngx_http_find_virtual_server`.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::{Config, Directive, Server};

/// Where a socket listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Address {
    /// An address, which may be that of all, and a port.
    Ip(IpAddr, u16),
    /// A name that has to be looked up, and a port.
    Name(String, u16),
    /// The path of a socket.
    Unix(String),
}

impl Address {
    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Self::Ip(_, port) | Self::Name(_, port) => Some(*port),
            Self::Unix(_) => None,
        }
    }

    fn is_wildcard(&self) -> bool {
        matches!(self, Self::Ip(address, _) if address.is_unspecified())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port) => write!(formatter, "*:{port}"),
            Self::Ip(IpAddr::V4(address), port) => write!(formatter, "{address}:{port}"),
            Self::Ip(IpAddr::V6(address), port) => write!(formatter, "[{address}]:{port}"),
            Self::Name(name, port) => write!(formatter, "{name}:{port}"),
            Self::Unix(path) => write!(formatter, "unix:{path}"),
        }
    }
}

/// A `listen` as nginx understands it.
#[derive(Debug)]
pub(super) struct Listen {
    pub(super) addresses: Vec<Address>,
    pub(super) is_default: bool,
    pub(super) tls: bool,
}

impl Listen {
    pub(super) fn of(directive: Directive<'_>) -> Option<Self> {
        let mut arguments = directive.arguments();
        let address = arguments.next()?.text().into_owned();
        let options: Vec<String> = arguments.map(|word| word.text().into_owned()).collect();
        let has = |name: &str| options.iter().any(|option| option == name);
        if has("quic") {
            return None;
        }
        Some(Self {
            addresses: addresses(&address)?,
            is_default: has("default_server") || has("default"),
            tls: has("ssl"),
        })
    }
}

/// The addresses that a `listen` names: several for a range of ports.
fn addresses(text: &str) -> Option<Vec<Address>> {
    if let Some(path) = text.strip_prefix("unix:") {
        return Some(vec![Address::Unix(path.to_owned())]);
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let ports = match port.strip_prefix(':') {
            Some(port) => ports(port)?,
            None => 80..=80,
        };
        let address = IpAddr::V6(address);
        return Some(ports.map(|port| Address::Ip(address, port)).collect());
    }
    let (host, ports) = match text.split_once(':') {
        Some((host, port)) => (host, ports(port)?),
        None => match ports(text) {
            Some(ports) => ("*", ports),
            None => (text, 80..=80),
        },
    };
    let address = match host {
        "*" => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        host => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    let at = |port| match address {
        Some(address) => Address::Ip(address, port),
        None => Address::Name(host.to_owned(), port),
    };
    Some(ports.map(at).collect())
}

fn ports(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let range = port(first)?..=port(last)?;
    (!range.is_empty()).then_some(range)
}

/// A socket with the servers that listen at it.
#[derive(Debug)]
pub(super) struct Socket<'c> {
    pub(super) address: Address,
    /// True when it speaks TLS.
    pub(super) tls: bool,
    /// The server that answers when no name fits.
    pub(super) default: Server<'c>,
    /// Nothing when nginx looks at no names here, because one server has the socket for itself.
    names: Option<Names<'c>>,
}

/// How the name of a server fits a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    Exact,
    /// `*.name` or `.name`
    Leading(Vec<u8>),
    /// `name.*`
    Trailing(Vec<u8>),
    /// A regex, without its `~`.
    Regex(Vec<u8>),
}

/// A test of a regex of a server name; true when it matches.
pub(super) type RegexTest<'t> = &'t mut dyn FnMut(&[u8], bool, &[u8]) -> Option<bool>;

impl<'c> Socket<'c> {
    /// The server of a host (`ngx_http_find_virtual_server`); nothing when the default one answers.
    pub(super) fn server(&self, host: &[u8], matches: RegexTest<'_>) -> Option<(Server<'c>, Fit)> {
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

/// Every socket of the http part with its servers, in the order of the file.
pub(super) fn sockets(config: &Config) -> Vec<Socket<'_>> {
    struct Open<'c> {
        tls: bool,
        marked: Option<Server<'c>>,
        servers: Vec<Server<'c>>,
    }
    let mut places: HashMap<Address, usize> = HashMap::new();
    let mut open: Vec<(Address, Open<'_>)> = Vec::new();
    for server in config.servers() {
        let mut listens: Vec<Listen> = server.listens().filter_map(Listen::of).collect();
        if server.listens().next().is_none() {
            listens.push(Listen {
                addresses: vec![Address::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 80)],
                is_default: false,
                tls: false,
            });
        }
        for listen in listens {
            for address in listen.addresses {
                let at = *places.entry(address.clone()).or_insert_with(|| {
                    let fresh = Open {
                        tls: false,
                        marked: None,
                        servers: Vec::new(),
                    };
                    open.push((address, fresh));
                    open.len() - 1
                });
                let socket = &mut open[at].1;
                socket.tls |= listen.tls;
                if listen.is_default {
                    socket.marked.get_or_insert(server);
                }
                if socket.servers.last() != Some(&server) {
                    socket.servers.push(server);
                }
            }
        }
    }
    open.into_iter()
        .map(|(address, socket)| {
            let default = socket.marked.unwrap_or(socket.servers[0]);
            let captures = || {
                let names = names_of(default);
                let last = names.iter().rfind(|name| name.starts_with(b"~"));
                last.is_some_and(|regex| has_captures(regex))
            };
            let names = (socket.servers.len() > 1 || captures()).then(|| {
                let mut names = Names::default();
                for server in &socket.servers {
                    for name in names_of(*server) {
                        names.add(&name, *server);
                    }
                }
                names
            });
            Socket {
                address,
                tls: socket.tls,
                default,
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
    pub(super) socket: &'s Socket<'c>,
    /// True when the client's TLS ends at nginx.
    pub(super) tls: bool,
    pub(super) assumption: Option<String>,
}

/// Finds the socket that a client reaches by a host and a port.
///
/// An address of its own goes before that of all. A port that nothing listens at leads to a plain socket, behind what
/// ends TLS or passes ports on. `score` tells how well a socket knows the host that is asked for.
pub(super) fn arrive<'s, 'c>(
    sockets: &'s [Socket<'c>],
    host: &str,
    port: u16,
    tls: bool,
    score: impl Fn(&Socket<'c>) -> u8,
) -> Option<Arrival<'s, 'c>> {
    let address = match host.to_ascii_lowercase().as_str() {
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        host => host.parse::<IpAddr>().ok(),
    };
    let at_port: Vec<&Socket<'c>> = sockets
        .iter()
        .filter(|socket| socket.address.port() == Some(port))
        .collect();
    if let Some(address) = address {
        let own = |socket: &&&Socket<'c>| socket.address == Address::Ip(address, port);
        let all = |socket: &&&Socket<'c>| match (&socket.address, address) {
            (Address::Ip(IpAddr::V4(all), _), IpAddr::V4(_)) => all.is_unspecified(),
            (Address::Ip(IpAddr::V6(all), _), IpAddr::V6(_)) => all.is_unspecified(),
            _ => false,
        };
        let found = at_port
            .iter()
            .find(own)
            .or_else(|| at_port.iter().find(all));
        if let Some(socket) = found {
            return Some(Arrival {
                socket,
                tls: tls && socket.tls,
                assumption: None,
            });
        }
    }
    if let Some(best) = best(&at_port, &score) {
        let others = at_port
            .iter()
            .any(|other| other.default != best.default && !std::ptr::eq(*other, best));
        let certain = best.address.is_wildcard() && !others;
        return Some(Arrival {
            socket: best,
            tls: tls && best.tls,
            assumption: (!certain).then(|| format!("the client connects to {}", best.address)),
        });
    }
    let plain: Vec<&Socket<'c>> = sockets.iter().filter(|socket| !socket.tls).collect();
    let behind = best(&plain, &score)?;
    let before = match tls {
        true => "TLS ends in front of nginx".to_owned(),
        false => format!("something in front of nginx listens at port {port}"),
    };
    Some(Arrival {
        socket: behind,
        tls: false,
        assumption: Some(format!(
            "{before}, and passes the request on to {} as it is",
            behind.address
        )),
    })
}

fn best<'s, 'c>(
    sockets: &[&'s Socket<'c>],
    score: &impl Fn(&Socket<'c>) -> u8,
) -> Option<&'s Socket<'c>> {
    let rank = |socket: &Socket<'c>| {
        let usual = match &socket.address {
            Address::Ip(IpAddr::V4(address), _) if address.is_unspecified() => 3,
            Address::Ip(IpAddr::V6(address), _) if address.is_unspecified() => 2,
            Address::Unix(_) => 0,
            _ => 1,
        };
        (score(socket), usual)
    };
    let mut best: Option<&'s Socket<'c>> = None;
    for socket in sockets {
        if best.is_none_or(|known| rank(socket) > rank(known)) {
            best = Some(socket);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_nginx_reads_them() {
        let read = |text: &str| {
            let all = addresses(text)?;
            Some(
                all.iter()
                    .map(Address::to_string)
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        for (text, expected) in [
            ("80", Some("*:80")),
            ("*:80", Some("*:80")),
            ("0.0.0.0:80", Some("*:80")),
            ("127.0.0.1", Some("127.0.0.1:80")),
            ("localhost:8080", Some("127.0.0.1:8080")),
            ("8000-8002", Some("*:8000 *:8001 *:8002")),
            ("[::]:80", Some("[::]:80")),
            ("[::1]", Some("[::1]:80")),
            ("unix:/run/a.sock", Some("unix:/run/a.sock")),
            ("a.example:1", Some("a.example:1")),
            ("0", Some("0:80")),
            ("a:b", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }
}
