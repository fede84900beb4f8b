//! Whether another proxy stands before a server, as far as its configuration tells.

use super::{Config, Directive, Server, Word};
use crate::nginx::Contexts;
use crate::nginx::url::Host;

impl Server<'_> {
    /// True when the configuration says that requests come through another proxy: addresses of clients are taken from it
    /// (`set_real_ip_from`, `proxy_protocol`), a variable is made of what it says about the scheme, or only this machine
    /// can connect.
    pub fn is_behind_a_proxy(self) -> bool {
        let config = self.directive.config();
        self.trusts_a_proxy() || self.is_local() || config.forwarded_scheme().is_some()
    }

    /// True when the server trusts what another proxy says about clients: their addresses, or the scheme that it asks for
    /// by a directive of its own level.
    pub fn trusts_a_proxy(self) -> bool {
        let asks = |directive: Directive<'_>| {
            let map = self.directive.config().forwarded_scheme();
            directive.arguments().any(|word| {
                let text = word.text();
                text.contains("$http_x_forwarded_proto")
                    || map.as_ref().is_some_and(|map| text.contains(map))
            })
        };
        let mut conditions = ["if", "set"]
            .iter()
            .flat_map(|name| self.directive.own(name));
        let listening = self.listening();
        let mut listens = listening.iter().filter_map(|(_, listen)| listen.as_ref());
        self.directive
            .effective("set_real_ip_from")
            .directive()
            .is_some()
            || listens.any(|listen| listen.proxy_protocol)
            || conditions.any(asks)
    }

    /// True when all of its sockets are those of the machine itself.
    pub fn is_local(self) -> bool {
        self.sockets().iter().all(|socket| match &socket.host {
            Host::V4(address) => address.is_loopback(),
            Host::V6(address) => address.is_loopback(),
            Host::Unix(_) => true,
            Host::Name(name) => name.eq_ignore_ascii_case(b"localhost"),
        })
    }

    /// True when TLS ends at one of its sockets.
    pub fn speaks_tls(self) -> bool {
        let listening = self.listening();
        let mut listens = listening.iter().filter_map(|(_, listen)| listen.as_ref());
        self.switches_tls_on() || listens.any(|listen| listen.ssl || listen.quic)
    }

    /// True where `ssl on` of an nginx before 1.25.1 makes all of its sockets speak TLS.
    pub fn switches_tls_on(self) -> bool {
        self.directive.flag("ssl") == Some(true)
    }

    /// True when it answers HTTP/3.
    pub fn speaks_http3(self) -> bool {
        let listening = self.listening();
        let mut listens = listening.iter().filter_map(|(_, listen)| listen.as_ref());
        listens.any(|listen| listen.quic) && self.directive.flag("http3") != Some(false)
    }
}

impl<'c> Server<'c> {
    /// Every `return` of the server and its locations that stands in no `if`.
    pub fn redirects(self) -> impl Iterator<Item = Directive<'c>> {
        let blocks = Contexts::SERVER.union(Contexts::LOCATION);
        let inside = self.directive.descendants();
        inside.filter(move |answer| answer.is("return") && answer.context().intersects(blocks))
    }
}

impl Config {
    /// The name of a variable that a `map` makes of `X-Forwarded-Proto`.
    pub fn forwarded_scheme(&self) -> Option<String> {
        let blocks = self.on_level(None, "http");
        let maps = blocks
            .flat_map(|http| http.own("map"))
            .chain(self.on_level(None, "map"));
        let is_source = |word: Word<'_>| word.eq_ignore_ascii_case(b"$http_x_forwarded_proto");
        maps.filter(|map| map.argument(0).is_some_and(is_source))
            .find_map(|map| Some(map.argument(1)?.text().into_owned()))
    }
}
