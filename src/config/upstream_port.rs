//! Ports of backends, and whether TLS is spoken there.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{Backend, Config, Directive, Peer, Proxied, Visibility};
use crate::nginx::Contexts;
use crate::nginx::url::Host;

/// Ports at which servers speak TLS by custom.
const TLS: [u16; 2] = [443, 8443];

/// Ports at which servers speak plain HTTP by custom.
const PLAIN: [u16; 5] = [80, 3000, 5000, 8000, 8080];

/// Why the scheme of a `proxy_pass` is likely not what is spoken at its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortMismatch<'c> {
    /// The port.
    pub port: u16,
    /// The scheme that fits it, without `://`.
    pub fitting: &'static str,
    /// The `listen` of this configuration that makes it certain; nothing where it is only custom.
    pub listen: Option<Directive<'c>>,
    /// How much is visible of what could listen there.
    pub visibility: Visibility,
}

/// What this nginx listens for itself on the machine's own addresses, by port: the address, the first `listen`, and whether
/// TLS is spoken; nothing where both are, or something else.
#[derive(Debug, Default)]
pub struct OwnPorts<'c>(HashMap<u16, Vec<(Host, Spoken<'c>)>>);

/// What is spoken at a socket: the first `listen`, and whether that is TLS; nothing where it is not known.
type Spoken<'c> = Option<(Directive<'c>, bool)>;

impl Config {
    /// The ports that servers of this configuration listen on.
    pub fn own_ports(&self) -> OwnPorts<'_> {
        let mut ports: HashMap<u16, Vec<(Host, Spoken<'_>)>> = HashMap::new();
        for listening in self.listening(Contexts::SERVER) {
            let is_reached = match &listening.socket.host {
                Host::V4(address) => address.is_unspecified() || address.is_loopback(),
                Host::V6(address) => address.is_unspecified() || address.is_loopback(),
                Host::Name(name) => name.eq_ignore_ascii_case(b"localhost"),
                Host::Unix(_) => false,
            };
            if !is_reached || listening.socket.is_datagram {
                continue;
            }
            let first = listening.uses.first();
            let first = first.map(|one| (one.directive, one.listen.ssl));
            let is_clear = listening.uses.iter().all(|one| {
                let switched = one.server.flag("ssl") == Some(true);
                !one.listen.proxy_protocol
                    && !switched
                    && first.is_some_and(|(_, tls)| tls == one.listen.ssl)
            });
            let sockets = ports.entry(listening.socket.port).or_default();
            sockets.push((listening.socket.host.clone(), first.filter(|_| is_clear)));
        }
        for listening in self.listening(Contexts::STREAM_SERVER) {
            let sockets = ports.entry(listening.socket.port).or_default();
            sockets.push((listening.socket.host.clone(), None));
        }
        OwnPorts(ports)
    }
}

impl<'c> OwnPorts<'c> {
    /// What is spoken at a port of a local address, if this nginx listens there: nothing inside where it is not known, or
    /// where it listens at this port of another address only.
    fn at(&self, port: u16, host: &str) -> Option<Spoken<'c>> {
        let sockets = self.0.get(&port)?;
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let takes = |socket: &Host| match (socket, address) {
            (Host::V4(own), Some(IpAddr::V4(other))) => own.is_unspecified() || *own == other,
            (Host::V6(own), Some(IpAddr::V6(other))) => own.is_unspecified() || *own == other,
            (Host::Name(_), _) | (_, None) => true,
            _ => false,
        };
        let mut taking = sockets.iter().filter(|(socket, _)| takes(socket));
        let Some((_, first)) = taking.next() else {
            return Some(None);
        };
        let tls = |spoken: &Spoken<'_>| spoken.map(|(_, tls)| tls);
        let is_same = taking.all(|(_, other)| tls(other) == tls(first));
        Some(first.filter(|_| is_same))
    }
}

impl<'c> Proxied<'c> {
    /// Why the scheme of the address does not fit its port.
    ///
    /// What a server of this configuration says of its port decides over custom. Nothing is said where TLS with the backend
    /// is tuned, nor of a group whose servers have different ports.
    pub fn port_mismatch(&self, own: &OwnPorts<'c>) -> Option<PortMismatch<'c>> {
        let backend = self.backend()?;
        let (port, host) = port(&backend)?;
        let is_local = is_local(&host);
        let is_meant = [
            "proxy_ssl_verify",
            "proxy_ssl_certificate",
            "proxy_ssl_trusted_certificate",
            "proxy_ssl_server_name",
            "proxy_ssl_name",
        ]
        .iter()
        .any(|name| backend.tls && self.scope.effective(name).directive().is_some());
        let known = is_local.then(|| own.at(port, &host)).flatten();
        let (tls, listen) = match known {
            Some(Some((listen, tls))) => (tls, Some(listen)),
            Some(None) => return None,
            None if TLS.contains(&port) => (true, None),
            None if PLAIN.contains(&port) => (false, None),
            None => return None,
        };
        (tls != backend.tls && (!is_meant || listen.is_some())).then_some(PortMismatch {
            port,
            fitting: if tls { "https" } else { "http" },
            listen,
            visibility: match is_local && listen.is_none() {
                true => self.location.visibility(),
                false => Visibility::Whole,
            },
        })
    }
}

/// The port that all requests for a backend go to, and the first host; all of them are this machine's, or none.
fn port(backend: &Backend<'_>) -> Option<(u16, String)> {
    if let Peer::Group(group) = backend.peer {
        let mut ports = group.own("server").map(|server| {
            let address = server.argument(0)?;
            let text = address.text();
            let (host, port) = text.rsplit_once(':')?;
            let port = port.parse().ok()?;
            (!text.starts_with("unix:")).then(|| (port, host.to_owned()))
        });
        let (first, host) = ports.next()??;
        let is_same = ports.all(|other| {
            other.is_some_and(|(port, other)| port == first && is_local(&other) == is_local(&host))
        });
        return (is_same && !group.is_incomplete()).then_some((first, host));
    }
    let port = backend.port?;
    (!matches!(backend.peer, Peer::Unix)).then(|| (port, backend.host.clone()))
}

/// True for the addresses of this machine.
fn is_local(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
