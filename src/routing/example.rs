//! Requests that a person can send to see what a finding says.

use pcre2::bytes::Regex;

use super::choice::{Choice, choose, choose_without};
use super::uri::{Uri, escape};
use crate::config::{Directive, Location, Modifier, Server, Shape};
use crate::nginx::url::Host;

/// A request that reaches a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The target, as `/api/users`.
    pub target: String,
    /// Host and port to ask, and whether TLS is spoken there; nothing when no name certainly leads to the server.
    origin: Option<(String, bool)>,
}

impl Example {
    /// A request that the name of a location matches, whatever stands around it.
    pub(super) fn unseen(location: &Location<'_>, tail: &str) -> Self {
        let target = [&escape(&location.path), tail.as_bytes()].concat();
        Self {
            target: String::from_utf8_lossy(&target).into_owned(),
            origin: None,
        }
    }

    /// A request to a server, if no `if` of it could decide first; without a URL where no name certainly leads there.
    pub(super) fn of_server(server: Server<'_>, target: &str) -> Self {
        Self {
            target: target.to_owned(),
            origin: origin(server).filter(|_| is_certain(server)),
        }
    }

    /// A request for which nothing of a server decides before; without a URL where no name certainly leads there.
    pub(super) fn before_all(server: Server<'_>, target: &str) -> Self {
        Self {
            target: target.to_owned(),
            origin: origin(server),
        }
    }

    /// A request to the first port of a server, by which name is left open.
    pub(super) fn at_port(server: Server<'_>) -> Option<Self> {
        let socket = server.sockets().into_iter().next()?;
        let listen = server.listens().next().map(Directive::listen);
        let tls = matches!(&listen, Some(Some(listen)) if listen.ssl);
        if tls || matches!(socket.host, Host::Unix(_)) {
            return None;
        }
        let host = match socket.port {
            80 => "localhost".to_owned(),
            port => format!("localhost:{port}"),
        };
        Some(Self {
            target: "/".to_owned(),
            origin: Some((host, false)),
        })
    }

    /// The same with another target.
    pub(super) fn at(&self, target: String) -> Self {
        Self {
            target,
            origin: self.origin.clone(),
        }
    }

    /// The same, of which it is not certain what comes of it.
    pub(super) fn without_url(self) -> Self {
        Self {
            origin: None,
            ..self
        }
    }

    /// What would answer if `location`, with all that it holds, was not there.
    pub fn without<'c>(&self, location: &Location<'c>) -> Choice<'c> {
        let path = Uri::parse(self.target.as_bytes(), true).map(|uri| uri.path);
        match location.server().zip(path) {
            Some((server, path)) => choose_without(server, &path, location),
            None => Choice::Unknown,
        }
    }

    /// The host to ask, with its port unless that is the usual one, and whether TLS is spoken there.
    pub(crate) fn origin(&self) -> Option<(&str, bool)> {
        let (host, tls) = self.origin.as_ref()?;
        Some((host, *tls))
    }

    /// The whole URL, if it is certain which host leads here; `scheme` is `http` or `ws`.
    pub fn url(&self, scheme: &str) -> Option<String> {
        let (host, tls) = self.origin.as_ref()?;
        let s = if *tls { "s" } else { "" };
        Some(format!("{scheme}{s}://{host}{}", self.target))
    }
}

/// A request that a client can send and that this location certainly answers, among its own path with one of
/// `tails`, which are written as a client sends them.
///
/// Nothing when no such request was found: another location takes them all, or a rewrite or `return` of the server may.
pub fn example(location: &Location<'_>, tails: &[&str]) -> Option<Example> {
    let start = match location.modifier {
        Modifier::Regex | Modifier::CaselessRegex => {
            Shape::of(&location.path).map_or_else(Vec::new, |shape| shape.prefix)
        }
        _ => location.path.to_vec(),
    };
    let tails: &[&str] = if location.modifier == Modifier::Exact {
        &[""]
    } else {
        tails
    };
    tails
        .iter()
        .find_map(|tail| request(location, &[&escape(&start), tail.as_bytes()].concat()))
}

/// A decoded path as a client writes it.
pub fn target(path: &[u8]) -> String {
    String::from_utf8_lossy(&escape(path)).into_owned()
}

/// The request for a decoded path in the server of a location, if it is certain which host leads there; `scheme` is `http`
/// or `ws`.
pub fn request_url(location: &Location<'_>, path: &[u8], scheme: &str) -> Option<String> {
    let server = location.server()?;
    let example = Example {
        target: target(path),
        origin: origin(server).filter(|_| is_certain(server)),
    };
    example.url(scheme).map(|url| format!("GET {url}"))
}

/// A request for the name of a location without its last slash, if nginx certainly redirects it to the one with it.
///
/// That is done where the location is looked for, before any `rewrite` in it (`ngx_http_core_find_config_phase`).
pub fn redirected(location: &Location<'_>) -> Option<Example> {
    let name = location.path.strip_suffix(b"/")?;
    let pages = location.directive.effective("error_page").directives;
    let is_replaced = pages
        .into_iter()
        .any(|page| page.arguments().any(|code| code == "301"));
    if is_replaced {
        return None;
    }
    let wanted = Choice::Redirect(location.clone());
    asking(location, &escape(name), &wanted).filter(|_| !name.is_empty())
}

/// The request that the name of a location reads like, and the other location that certainly answers it.
///
/// For a name such as `/a%20b/` or `/s?page=1`, which is no path but what a client sends. Of a regex the text is taken that
/// it begins with and that has no other meaning there.
pub fn meant_request<'c>(location: &Location<'c>) -> Option<(Example, Location<'c>)> {
    let name = match location.is_regex() {
        false => location.path.to_vec(),
        true => Shape::of(&location.path)?.prefix,
    };
    let mut target = Vec::new();
    for byte in name {
        match byte {
            // What no client may send as it is.
            0..=b' ' | 0x7f => target.extend(format!("%{byte:02X}").bytes()),
            _ => target.push(byte),
        }
    }
    let path = Uri::parse(&target, true)?.path;
    match choose(location.server()?, &path) {
        Choice::Location(taker) if taker != *location => Some((request(&taker, &target)?, taker)),
        _ => None,
    }
}

/// The request for a target, if a client can send it and this location certainly answers.
pub fn request(location: &Location<'_>, target: &[u8]) -> Option<Example> {
    let found = asking(location, target, &Choice::Location(location.clone()))?;
    let path = Uri::parse(target, true)?.path;
    (!rewrites(location.directive, &path)).then_some(found)
}

/// The request for a target, if a client can send it and it certainly comes to this location, whatever a `rewrite` there
/// makes of it.
pub(super) fn arriving(location: &Location<'_>, target: &[u8]) -> Option<Example> {
    asking(location, target, &Choice::Location(location.clone()))
}

/// The request for a target, if a client can send it and the search for a location certainly ends so.
fn asking(location: &Location<'_>, target: &[u8], wanted: &Choice<'_>) -> Option<Example> {
    let server = location.server()?;
    if location.is_internal() || server.directive.own("return").next().is_some() {
        return None;
    }
    // Whether slashes are merged is up to the default server of the socket, which has no name to be told from yet.
    let uri = Uri::parse(target, true).filter(|uri| {
        let unmerged = Uri::parse(target, false);
        unmerged.is_some_and(|unmerged| unmerged.path == uri.path)
    })?;
    let reached = choose(server, &uri.path) == *wanted;
    let rewritten = rewrites(server.directive, &uri.path);
    let origin = origin(server).filter(|_| is_certain(server));
    let target = String::from_utf8(target.to_vec()).ok()?;
    (reached && !rewritten).then_some(Example { target, origin })
}

/// True when no `if` of the server decides over a request before its location is looked for.
fn is_certain(server: Server<'_>) -> bool {
    let decides = |block: Directive<'_>| {
        block
            .children()
            .any(|child| child.is("return") || child.is("rewrite"))
    };
    !server.directive.own("if").any(decides)
}

/// True when a rewrite of a block matches the path, or may.
pub(super) fn rewrites(block: Directive<'_>, path: &[u8]) -> bool {
    block.own("rewrite").any(|rewrite| {
        let pattern = rewrite.argument(0);
        let text = pattern
            .as_ref()
            .and_then(|pattern| std::str::from_utf8(pattern).ok());
        let matched = text
            .and_then(|text| Regex::new(text).ok())
            .and_then(|regex| regex.is_match(path).ok());
        matched.unwrap_or(true)
    })
}

fn origin(server: Server<'_>) -> Option<(String, bool)> {
    let host = match server
        .example_host()
        .filter(|host| server.is_first_of(host))
    {
        Some(host) => host,
        None if server.is_default() => "localhost".to_owned(),
        None => return None,
    };
    let listen = server.listens().next().map(Directive::listen);
    let tls = matches!(&listen, Some(Some(listen)) if listen.ssl);
    let socket = server.sockets().into_iter().next()?;
    if matches!(socket.host, Host::Unix(_)) {
        return None;
    }
    let port = socket.port;
    let usual = if tls { 443 } else { 80 };
    let host = if port == usual {
        host
    } else {
        format!("{host}:{port}")
    };
    Some((host, tls))
}
