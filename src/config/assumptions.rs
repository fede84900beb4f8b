//! What a person knows about the place that a configuration is for, and the configuration does not tell.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Config, Location, Shape, glob};
use crate::nginx;

/// Times up to this many milliseconds are taken for short unless a person says otherwise.
const SHORT_TIMEOUT: u64 = 5000;

/// What is known besides the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumptions {
    /// Paths of locations that are certainly meant for WebSockets.
    pub websocket_paths: Vec<PathPattern>,
    /// Paths of locations that are never meant for WebSockets.
    pub not_websocket_paths: Vec<PathPattern>,
    /// Times up to this many milliseconds are short.
    pub short_timeout: u64,
    /// Modules whose directives and variables are listed here, by the names of their files without `.so`.
    pub modules: BTreeSet<String>,
    /// Directives of such modules.
    pub directives: BTreeSet<String>,
    /// Variables of such modules, in lower case and without their `$`.
    pub variables: BTreeSet<String>,
    /// Addresses of the proxies in front, whose headers may be believed.
    pub trusted_proxies: Vec<Network>,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            websocket_paths: Vec::new(),
            not_websocket_paths: Vec::new(),
            short_timeout: SHORT_TIMEOUT,
            modules: BTreeSet::new(),
            directives: BTreeSet::new(),
            variables: BTreeSet::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// A pattern of locations' paths: `*` and `?` stay inside a segment, `**` stands for any number of segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String);

impl PathPattern {
    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for a location that is named so; a regex is known by the text that it begins with.
    fn covers(&self, location: &Location<'_>) -> bool {
        let pattern = self.0.as_bytes();
        if location.is_regex() {
            return Shape::of(&location.path)
                .is_some_and(|shape| glob::covers(pattern, &shape.prefix));
        }
        glob::covers(pattern, &location.path)
    }
}

impl FromStr for PathPattern {
    type Err = String;

    /// Reads `/ws/**`; a named location is called `@name`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with(['/', '@', '*']) {
            Ok(Self(text.to_owned()))
        } else {
            Err("the path of a location begins with `/`, as in `/ws/**`".to_owned())
        }
    }
}

/// An address, or a network of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The address, or any of the network.
    pub address: IpAddr,
    /// How many leading bits are the network's.
    pub bits: u8,
}

impl FromStr for Network {
    type Err = String;

    /// Reads `10.0.0.0/8`, `192.0.2.1` or `2001:db8::/32`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither an address nor a network such as 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| wrong())?,
            None => most,
        };
        if bits > most {
            return Err(format!("{address} has {most} bits, not {bits}"));
        }
        Ok(Self { address, bits })
    }
}

impl Config {
    /// Times up to this many milliseconds are taken for short.
    pub fn short_timeout(&self) -> u64 {
        self.assumptions.short_timeout
    }

    /// Addresses of the proxies in front, as far as they were told.
    pub fn trusted_proxies(&self) -> &[Network] {
        &self.assumptions.trusted_proxies
    }

    /// True for a directive of nginx, of a well-known module, or of a module that a person described.
    pub fn knows_directive(&self, name: &[u8]) -> bool {
        let described = |name: &[u8]| {
            str::from_utf8(name).is_ok_and(|name| self.assumptions.directives.contains(name))
        };
        nginx::directive(name).is_some() || described(name)
    }

    /// True when the directives and variables of the module in this file are known.
    pub(super) fn knows_module(&self, path: &[u8]) -> bool {
        let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let file = str::from_utf8(file).unwrap_or_default();
        let name = file.strip_suffix(".so").unwrap_or(file);
        nginx::is_known_module(path) || self.assumptions.modules.contains(name)
    }

    /// True when a module that a person described defines this variable.
    pub(super) fn is_described_variable(&self, name: &str) -> bool {
        !self.assumptions.variables.is_empty()
            && self
                .assumptions
                .variables
                .contains(&name.to_ascii_lowercase())
    }
}

impl Location<'_> {
    /// The pattern by which a person called this location one for WebSockets.
    pub(super) fn known_for_websockets(&self) -> Option<&PathPattern> {
        let known = &self.directive.config().assumptions.websocket_paths;
        known.iter().find(|pattern| pattern.covers(self))
    }

    /// True when a person called the name of this location, without its last slash, one for WebSockets.
    pub(super) fn is_known_without_slash(&self) -> bool {
        let known = &self.directive.config().assumptions.websocket_paths;
        let name = self.path.strip_suffix(b"/");
        let is_literal = |text: &&[u8]| !text.contains(&b'*') && !text.contains(&b'?');
        known
            .iter()
            .map(|pattern| pattern.0.as_bytes())
            .filter(is_literal)
            .any(|pattern| Some(pattern) == name)
    }

    /// True when a person said that no handshake is meant to come here.
    pub fn is_never_websocket(&self) -> bool {
        let known = &self.directive.config().assumptions.not_websocket_paths;
        known.iter().any(|pattern| pattern.covers(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_addresses_with_or_without_a_length() {
        for text in [
            "10.0.0.0/8",
            "192.0.2.1",
            "2001:db8::/32",
            "::1",
            "0.0.0.0/0",
        ] {
            assert!(text.parse::<Network>().is_ok(), "{text}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "localhost",
            "::/129",
            "10.0.0.0/x",
            "10.0.0.0/-1",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
