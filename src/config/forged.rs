//! Whose word is taken for the address of a client.

use super::{Config, Directive, Network, Proxied, Word};
use crate::diagnostic::Edit;
use crate::nginx::{Contexts, closest};

/// Headers in which proxies tell the address of a client.
const OF_PROXIES: [&str; 20] = [
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Original-Forwarded-For",
    "X-Envoy-External-Address",
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "True-Client-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "Akamai-Client-IP",
    "Ali-CDN-Real-IP",
    "Client-IP",
    "DO-Connecting-IP",
    "EO-Connecting-IP",
    "X-Azure-ClientIP",
    "X-Azure-SocketIP",
    "X-ClientIP",
    "X-Original-Client-IP",
];

/// Directives of one level by which too many may tell the address of the client.
#[derive(Debug, Clone)]
pub struct OpenTrust<'c> {
    /// Each `set_real_ip_from` of the level that trusts too many; at least one.
    pub directives: Vec<Directive<'c>>,
    /// The network of the first one, as it is written.
    pub network: Word<'c>,
    /// The header that they tell it in.
    pub header: String,
}

/// How the addresses that a client tells get to a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<'c> {
    /// By a header that puts the client's own behind them.
    Appended(Directive<'c>),
    /// By a header that repeats what the client sent.
    Copied(Directive<'c>),
    /// As the client sent them.
    Passed,
}

impl Told<'_> {
    /// What is the same where one edit changes it.
    pub fn key(&self) -> Option<u32> {
        match self {
            Self::Appended(header) | Self::Copied(header) => Some(header.number()),
            Self::Passed => None,
        }
    }
}

impl OpenTrust<'_> {
    /// Edits that put the proxies that were told in the place of all that are trusted; nothing where none were.
    pub fn name_proxies(&self) -> Vec<Edit> {
        let Some((first, others)) = self.directives.split_first() else {
            return Vec::new();
        };
        let proxies = first.config().trusted_proxies().iter();
        let lines: Vec<String> = proxies
            .map(|proxy| format!("set_real_ip_from {}/{};", proxy.address, proxy.bits))
            .collect();
        let text = lines.join(" ");
        let Some(text) = text.strip_suffix(';') else {
            return Vec::new();
        };
        let mut edits = vec![Edit::replace(first.span(), text)];
        edits.extend(others.iter().map(|other| other.remove()));
        edits
    }
}

impl Network {
    /// True when every address of `other` is one of this network.
    pub fn holds(&self, other: &Self) -> bool {
        use std::net::IpAddr::{V4, V6};
        let (own, others, width) = match (self.address, other.address) {
            (V4(own), V4(others)) => (u32::from(own).into(), u32::from(others).into(), 32),
            (V6(own), V6(others)) => (u128::from(own), u128::from(others), 128),
            _ => return false,
        };
        let rest = width - u32::from(self.bits);
        let high = |address: u128| address.checked_shr(rest).unwrap_or(0);
        self.bits <= other.bits && high(own) == high(others)
    }
}

impl Config {
    /// The networks that may tell the address of a client and should not: all of the internet, or, where the proxies in
    /// front were told, any that is not theirs.
    pub fn open_trust(&self) -> Vec<OpenTrust<'_>> {
        let known = self.trusted_proxies();
        let is_open = |network: &Network| match known {
            [] => network.bits == 0,
            known => !known.iter().any(|one| one.holds(network)),
        };
        let blocks = Contexts::HTTP
            .union(Contexts::SERVER)
            .union(Contexts::LOCATION);
        let mut found: Vec<OpenTrust<'_>> = Vec::new();
        for directive in self.directives() {
            if !directive.is("set_real_ip_from") || !directive.context().intersects(blocks) {
                continue;
            }
            let Some(network) = directive.argument(0) else {
                continue;
            };
            let text = network.text();
            let is_trusted = text.parse().is_ok_and(|network| is_open(&network));
            let level = directive.parent();
            let is_void =
                |level: Directive<'_>| self.is_local_level(level) || self.is_replaced_below(level);
            if !is_trusted || level.is_some_and(is_void) {
                continue;
            }
            let beside = |trust: &&mut OpenTrust<'_>| trust.directives[0].parent() == level;
            if let Some(trust) = found.last_mut().filter(beside) {
                trust.directives.push(directive);
                continue;
            }
            let set = level.and_then(|level| level.effective("real_ip_header").directive());
            let header = set.and_then(|set| set.argument(0));
            let header = header.map(|header| header.text().into_owned());
            found.push(OpenTrust {
                directives: vec![directive],
                network: network.clone(),
                header: header.unwrap_or_else(|| "X-Real-IP".to_owned()),
            });
        }
        found
    }

    /// True for an http block in which every server trusts others: the innermost level counts
    /// (`ngx_http_realip_merge_loc_conf`).
    fn is_replaced_below(&self, level: Directive<'_>) -> bool {
        let mut servers = self.servers().peekable();
        level.inside() == Contexts::HTTP
            && servers.peek().is_some()
            && servers.all(|server| server.directive.own("set_real_ip_from").next().is_some())
    }

    /// True when only this machine can connect to the servers that a block belongs to or holds.
    fn is_local_level(&self, level: Directive<'_>) -> bool {
        let is_around = |inner: Directive<'_>, outer: Directive<'_>| {
            inner == outer || inner.ancestors().any(|block| block == outer)
        };
        let mut servers = self.servers().filter(|server| {
            is_around(server.directive, level) || is_around(level, server.directive)
        });
        servers.all(|server| server.is_local())
    }

    /// Every `real_ip_header` whose name is nearly that of a header of proxies, with that name.
    pub fn misspelled_real_ip(&self) -> impl Iterator<Item = (Word<'_>, &'static str)> {
        let headers = self
            .directives()
            .filter(|directive| directive.is("real_ip_header"));
        headers.filter_map(|directive| {
            let word = directive.argument(0)?;
            let name = word.text().to_ascii_lowercase();
            let known = OF_PROXIES.map(str::to_ascii_lowercase);
            let meant = closest(&name, known.iter().map(String::as_str))?;
            let meant = OF_PROXIES
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(&meant))?;
            if word.is_header(meant) || name == "proxy_protocol" {
                return None;
            }
            Some((word, meant))
        })
    }
}

impl<'c> Proxied<'c> {
    /// How addresses that a client makes up get to the backend in `X-Forwarded-For`; nothing where this nginx stands behind
    /// another proxy, as far as anybody told.
    pub fn forged_addresses(&self) -> Option<Told<'c>> {
        let config = self.scope.config();
        let server = self.location.server()?;
        let trust = self.scope.effective("set_real_ip_from").directive();
        if !config.trusted_proxies().is_empty()
            || trust.is_some()
            || server.is_behind_a_proxy()
            || self.location.is_internal()
        {
            return None;
        }
        let Some(header) = self.headers().get("X-Forwarded-For") else {
            let passed = self.scope.flag("proxy_pass_request_headers") != Some(false);
            return passed.then_some(Told::Passed);
        };
        let value = header.argument(1)?.text().to_ascii_lowercase();
        let copied = value.find("$http_x_forwarded_for");
        let has_own = |start: usize| value[start..].contains("$remote_addr");
        match copied {
            _ if value.contains("$proxy_add_x_forwarded_for") => Some(Told::Appended(header)),
            Some(start) if has_own(start) => Some(Told::Appended(header)),
            Some(_) if value == "$http_x_forwarded_for" => Some(Told::Copied(header)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_parts() {
        let holds = |outer: &str, inner: &str| {
            let outer: Network = outer.parse().expect("a network");
            outer.holds(&inner.parse().expect("a network"))
        };
        assert!(holds("10.0.0.0/8", "10.1.0.0/16"));
        assert!(holds("10.0.0.0/8", "10.1.2.3"));
        assert!(holds("0.0.0.0/0", "0.0.0.0/0"));
        assert!(holds("::/0", "2001:db8::1"));
        assert!(!holds("10.0.0.0/8", "0.0.0.0/0"));
        assert!(!holds("10.0.0.0/8", "11.0.0.0/8"));
        assert!(!holds("0.0.0.0/0", "::1"));
    }
}
