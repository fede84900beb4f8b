//! Connections to the servers of an `upstream` that `keepalive` keeps, and why none is kept.

use std::collections::HashSet;

use super::regex::compile;
use super::{Config, Directive, Peer, Proxied, Visibility};
use crate::diagnostic::Edit;
use crate::nginx::{self, Version};

/// Methods of balancing that take the place of `keepalive` when they stand after it.
const METHODS: [&str; 4] = ["ip_hash", "hash", "least_conn", "random"];

/// From here on the order of `keepalive` and the method is free.
const FREE_ORDER: Version = Version(1, 29, 7);

/// Why a connection is closed after a request, although the `upstream` keeps some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closing {
    /// Nothing is set, and nginx sends `Connection: close` by itself.
    Default,
    /// `Connection: close` is written.
    Written,
    /// A `map` of `$http_upgrade` makes `close` of requests that are no handshake.
    Mapped,
    /// Nothing is sent, and HTTP/1.0 keeps no connection unless it is asked to.
    Protocol,
}

impl<'c> Directive<'c> {
    /// The `keepalive` of an `upstream` that keeps connections.
    pub fn pool(self) -> Option<Self> {
        let keepalive = self.own("keepalive").next_back()?;
        let number = nginx::number(&keepalive.argument(0)?)?;
        (number > 0).then_some(keepalive)
    }

    /// The method of balancing that replaces the `keepalive` of an `upstream`, because it stands after it
    /// (`ngx_http_upstream_init_keepalive` takes the method that was set before, and each method sets its own).
    pub fn replaces_pool(self) -> Option<(Self, Self)> {
        let keepalive = self.pool()?;
        let methods = METHODS.iter().flat_map(|name| self.own(name));
        let later = methods
            .filter(|method| keepalive.precedes(*method))
            .min_by_key(|method| method.number())?;
        (self.config().version() < FREE_ORDER).then_some((keepalive, later))
    }

    /// Edits that put a method of balancing before the `keepalive`; nothing where they stand in different files.
    pub fn put_before(self, keepalive: Self) -> Vec<Edit> {
        if self.span().file != keepalive.span().file {
            return Vec::new();
        }
        vec![keepalive.prepend_lines(&[self.written()]), self.remove()]
    }
}

impl Config {
    /// The `upstream` blocks that may keep connections after requests from somewhere, by their numbers; all where the name
    /// of one comes from a variable.
    pub fn kept_pools(&self) -> HashSet<u32> {
        let mut kept = HashSet::new();
        for place in self.proxied().filter(|place| place.closing().is_none()) {
            match place.backend().map(|backend| backend.peer) {
                Some(Peer::Group(group)) => {
                    kept.insert(group.number());
                }
                Some(_) => {}
                None => kept.extend(self.upstreams_of_http().map(Directive::number)),
            }
        }
        kept
    }
}

impl<'c> Proxied<'c> {
    /// The `upstream` that requests go to from here, and why it keeps no connection after them; nothing where some may be
    /// kept.
    pub fn closing(&self) -> Option<(Directive<'c>, Closing)> {
        let group = match self.backend()?.peer {
            Peer::Group(group) => group,
            _ => return None,
        };
        group.pool()?;
        let config = self.scope.config();
        let speaks_1_0 = self.spoken() == "1.0";
        let Some(header) = self.headers().get("Connection") else {
            // A handshake that is forwarded without it is incomplete, which is told of elsewhere.
            let is_handshake = self.headers().sent("Upgrade").is_some();
            let is_default = config.version().default_proxy_http_version() == "1.0";
            return (is_default && !is_handshake).then_some((group, Closing::Default));
        };
        let value = header.argument(1)?;
        let closing = if value.is_empty() {
            speaks_1_0.then_some(Closing::Protocol)
        } else if value.eq_ignore_ascii_case(b"close") {
            Some(Closing::Written)
        } else {
            (!speaks_1_0 && self.closing_line().is_some()).then_some(Closing::Mapped)
        };
        Some((group, closing?))
    }

    /// The line of a `map` of `$http_upgrade` that says `close` for requests that are no handshake, where `Connection` is
    /// that map's variable.
    pub fn closing_line(&self) -> Option<Directive<'c>> {
        let config = self.scope.config();
        let value = self.headers().get("Connection")?.argument(1)?;
        let [reference] = &nginx::references(&value)[..] else {
            return None;
        };
        let [definition] = config.definitions(&reference.name) else {
            return None;
        };
        let map = config.definition(*definition);
        // Of several variables together, no one line is for all requests that are no handshake.
        let source = map.argument(0)?;
        let [read] = &nginx::references(&source)[..] else {
            return None;
        };
        if read.range != (0..source.len())
            || reference.range != (0..value.len())
            || !config.is_map_of(&reference.name, "http_upgrade")
        {
            return None;
        }
        // A regex comes before the default.
        let may_match = || map.children().any(|line| may_match_nothing(&line.name()));
        let line = match map.own_entry(b"") {
            Some(line) => line,
            None if may_match() => return None,
            None => map.own_entry(b"default")?,
        };
        let closes = |value: super::Word<'_>| value.eq_ignore_ascii_case(b"close");
        line.argument(0).is_some_and(closes).then_some(line)
    }

    /// How much is visible of what decides whether a connection is kept.
    pub fn closing_visibility(&self) -> Visibility {
        let version = self.scope.effective("proxy_http_version").visibility;
        version.max(self.header_visibility())
    }

    /// The version of HTTP that is spoken with the backend.
    pub fn spoken(&self) -> String {
        let version = self.scope.effective("proxy_http_version").directive();
        let written = version.and_then(|version| version.argument(0));
        match written {
            Some(written) => written.text().into_owned(),
            None => self
                .scope
                .config()
                .version()
                .default_proxy_http_version()
                .to_owned(),
        }
    }

    /// Edits after which connections are kept here: what says otherwise is replaced where it stands, and what is missing is
    /// added beside the list of headers in effect.
    pub fn keep_edits(&self, why: Closing) -> Vec<Edit> {
        let headers = self.headers();
        let connection = headers
            .get("Connection")
            .and_then(|header| header.argument(1));
        let mut edits = Vec::new();
        let mut lines = Vec::new();
        match (why, connection) {
            (Closing::Mapped, _) => {
                let word = self.closing_line().and_then(|line| line.argument(0));
                return word
                    .map(|word| Edit::replace(word.span, "''"))
                    .into_iter()
                    .collect();
            }
            (Closing::Written, Some(word)) => edits.push(Edit::replace(word.span, "\"\"")),
            (Closing::Default, _) => lines.push("proxy_set_header Connection \"\";".to_owned()),
            _ => {}
        }
        let version = self.scope.effective("proxy_http_version").directive();
        match version.and_then(|version| version.argument(0)) {
            Some(written) if written == "1.0" => edits.push(Edit::replace(written.span, "1.1")),
            None if self.spoken() == "1.0" => lines.insert(0, "proxy_http_version 1.1;".to_owned()),
            _ => {}
        }
        if lines.is_empty() {
            return edits;
        }
        let server = self.location.server().map(|server| server.directive);
        let is_near = headers.level().is_some_and(|level| {
            let mut around = std::iter::once(level).chain(level.ancestors());
            server.is_some_and(|server| around.any(|outer| outer == server))
        });
        match headers.directives().last().filter(|_| is_near) {
            Some(last) => edits.push(last.append_lines(&lines)),
            None if why == Closing::Default => {
                lines.extend(headers.directives().iter().map(|header| header.written()));
                edits.extend(self.scope.grow(self.pass, &lines));
            }
            None => edits.extend(self.scope.grow(self.pass, &lines)),
        }
        edits
    }
}

/// True for a regex of a `map` that matches the empty value, or may.
fn may_match_nothing(key: &[u8]) -> bool {
    let Some(pattern) = key.strip_prefix(b"~") else {
        return false;
    };
    let caseless = pattern.strip_prefix(b"*");
    let regex = compile(caseless.unwrap_or(pattern), caseless.is_some());
    let matches = regex.and_then(|regex| regex.ok()?.is_match(b"").ok());
    matches.unwrap_or(true)
}

impl<'c> Directive<'c> {
    /// The line of a `map` for a value.
    fn own_entry(self, key: &[u8]) -> Option<Self> {
        self.children().find(|line| *line.name() == *key)
    }
}
