//! Requests that are worth trying on a server: each is followed to its end, so nothing relies on them.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::config::{Config, Directive, Location, Modifier, Server};
use crate::nginx::{self, Contexts};
use crate::routing::{Disk, Options, Request, Tracer, escape, ip, resolved};
use crate::urispace::{Uris, texts};

/// A name that nobody has given to a file.
const NOWHERE: &str = "no-such-file";

/// Most hosts that are asked for.
const HOSTS: usize = 4;

/// Most paths of one regex that are tried.
const TEXTS: usize = 4;

/// Most targets that are tried on one server.
const TARGETS: usize = 300;

/// A way in: scheme, host and port as a client names them, and the address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Door {
    scheme: &'static str,
    host: String,
    port: u16,
    address: IpAddr,
}

/// Requests to a server.
#[derive(Debug)]
pub(super) struct Tries {
    doors: Vec<Door>,
    targets: Vec<String>,
}

/// Follows requests up to what nginx itself makes of them; no file has the name that is in them.
pub(super) fn tracer(config: &Config) -> Tracer<'_> {
    let mut disk = Disk::default();
    disk.exclude(NOWHERE.as_bytes());
    let options = Options { disk, prefix: None };
    let mut tracer = Tracer::new(config, options);
    tracer.ends_at_handlers = true;
    tracer
}

impl Tries {
    /// Requests that probably come to one of some directives of a server.
    pub(super) fn new(server: Server<'_>, directives: &[Directive<'_>]) -> Self {
        Self {
            doors: doors(server),
            targets: targets(server, directives),
        }
    }

    /// The requests, the simplest first: `/` for every host, and each other target for the first one.
    pub(super) fn requests(&self) -> impl Iterator<Item = Request> + '_ {
        let all = self.targets.iter().filter(|target| *target == "/");
        let all = all.flat_map(|target| self.doors.iter().map(move |door| (door, &target[..])));
        let first = self.doors.first().map(|door| &door.host);
        let usual = self
            .doors
            .iter()
            .filter(move |door| Some(&door.host) == first);
        let each = self.targets.iter().filter(|target| *target != "/");
        let each = each.flat_map(move |target| usual.clone().map(move |door| (door, &target[..])));
        all.chain(each)
            .filter_map(|(door, target)| door.ask(target))
    }
}

impl Door {
    fn ask(&self, target: &str) -> Option<Request> {
        let url = format!("{}://{}:{}{target}", self.scheme, self.host, self.port);
        let mut request = Request::get(&url).ok()?;
        request.address = Some(self.address);
        Some(request)
    }
}

/// A request for each host of a server at the port where others are asked over TLS.
pub(super) fn over_tls(server: Server<'_>) -> impl Iterator<Item = Request> {
    let doors = doors(server).into_iter().map(|door| Door {
        scheme: "https",
        port: 443,
        ..door
    });
    doors.filter_map(|door| door.ask("/"))
}

/// Hosts that lead to a server: the first of its names, or else one that a wildcard fits, or any.
///
/// One that fits a wildcard is none that a redirect would name: that may lead to somewhere else.
fn hosts(server: Server<'_>) -> Vec<String> {
    let mut exact = Vec::new();
    let mut fitting = Vec::new();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    for name in server.names() {
        let name = name.text().to_lowercase();
        let (hosts, host) = if let Some(rest) = name.strip_prefix("*.") {
            (&mut fitting, format!("any.{rest}"))
        } else if let Some(rest) = name.strip_prefix('.') {
            (&mut exact, rest.to_owned())
        } else if let Some(rest) = name.strip_suffix(".*") {
            (&mut fitting, format!("{rest}.example"))
        } else {
            (&mut exact, name)
        };
        if hosts.len() < HOSTS && !host.is_empty() && host.bytes().all(plain) {
            hosts.push(host);
        }
    }
    if !exact.is_empty() {
        return exact;
    }
    if fitting.is_empty() && server.is_default() {
        fitting.push("localhost".to_owned());
    }
    fitting
}

/// The hosts of a server at each of its ports.
fn doors(server: Server<'_>) -> Vec<Door> {
    let hosts = hosts(server);
    let mut doors: Vec<Door> = Vec::new();
    let sockets = server.listening().into_iter();
    for (socket, listen) in sockets.filter(|(socket, _)| !socket.is_datagram) {
        let socket = resolved(socket);
        let is_tls = listen.is_some_and(|listen| listen.ssl);
        let scheme = if is_tls { "https" } else { "http" };
        let known = |door: &Door| door.scheme == scheme && door.port == socket.port;
        let Some(address) = ip(&socket).filter(|_| !doors.iter().any(known)) else {
            continue;
        };
        doors.extend(hosts.iter().map(|host| Door {
            scheme,
            host: host.clone(),
            port: socket.port,
            address,
        }));
    }
    doors
}

/// Targets that the locations around some directives, or their patterns, probably match.
fn targets(server: Server<'_>, directives: &[Directive<'_>]) -> Vec<String> {
    let mut targets = Targets::default();
    let mut blocks = HashSet::new();
    for directive in directives {
        let around = directive.ancestors().find_map(Location::of);
        match &around {
            Some(location) => {
                // A `return` is the same for what lies below.
                let has_tail = !directive.is("return");
                if blocks.insert((location.directive.number(), has_tail)) {
                    targets.of(location, has_tail);
                }
            }
            None if directive.is("rewrite") && !is_conditional(*directive) => {}
            None => targets.add(b"/"),
        }
        if directive.is("rewrite")
            && let Some(pattern) = directive.argument(0)
        {
            for path in texts(&pattern, false, Uris::Client, TEXTS) {
                targets.add(&path);
            }
            // A slash that a server's own rewrite takes away may be what a location adds.
            if around.is_none() && ends_in_slash(&pattern) {
                let level = server.directive.locations();
                let adds = |location: &Location<'_>| location.path.ends_with(b"/");
                for location in level.iter().filter(adds) {
                    targets.of(&location, false);
                }
            }
        }
    }
    targets.all
}

/// True for what stands in an `if`.
fn is_conditional(directive: Directive<'_>) -> bool {
    directive.parent().is_some_and(|block| block.is("if"))
}

/// True for a pattern with a slash before its end, as `^/(.*)/$`.
fn ends_in_slash(pattern: &[u8]) -> bool {
    let end = pattern.strip_suffix(b"$").unwrap_or_default();
    let end = end.strip_suffix(b")").unwrap_or(end);
    let end = end.strip_suffix(b"+").or(end.strip_suffix(b"*"));
    let end = end.unwrap_or(pattern.strip_suffix(b"$").unwrap_or_default());
    end.ends_with(b"/")
}

#[derive(Debug, Default)]
struct Targets {
    all: Vec<String>,
    known: HashSet<String>,
}

impl Targets {
    /// What a location matches, and with `has_tail` also what lies below.
    fn of(&mut self, location: &Location<'_>, has_tail: bool) {
        match location.modifier {
            Modifier::Named => {}
            Modifier::Exact => self.add(&location.path),
            Modifier::Prefix | Modifier::PreferentialPrefix => {
                let path = &location.path[..];
                self.add(path);
                let folder = path.strip_suffix(b"/").unwrap_or(path);
                if has_tail {
                    self.add(&[folder, b"/", NOWHERE.as_bytes()].concat());
                }
                if !folder.is_empty() {
                    self.add(folder);
                }
            }
            Modifier::Regex | Modifier::CaselessRegex => {
                let caseless = location.modifier == Modifier::CaselessRegex;
                for path in texts(&location.path, caseless, Uris::Client, TEXTS) {
                    self.add(&path);
                    if has_tail {
                        self.add(&[b"/", NOWHERE.as_bytes(), &path].concat());
                        self.add(&[&path, &b"/"[..], NOWHERE.as_bytes()].concat());
                    }
                }
            }
        }
    }

    fn add(&mut self, path: &[u8]) {
        if !path.starts_with(b"/") || self.all.len() >= TARGETS {
            return;
        }
        if let Ok(target) = String::from_utf8(escape(path))
            && self.known.insert(target.clone())
        {
            self.all.push(target);
        }
    }
}

/// Modules that may answer a request before the directives that are followed here, or change the answer or the client's
/// next request.
const MEDDLERS: [&str; 19] = [
    "ngx_http_app_protect_module",
    "ngx_http_auth_jwt_module",
    "ngx_http_auth_ldap_module",
    "ngx_http_auth_pam_module",
    "ngx_http_auth_require_module",
    "ngx_http_auth_spnego_module",
    "ngx_http_degradation_module",
    "ngx_http_dynamic_limit_req_module",
    "ngx_http_echo_module",
    "ngx_http_headers_more_filter_module",
    "ngx_http_internal_redirect_module",
    "ngx_http_js_module",
    "ngx_http_lua_module",
    "ngx_http_modsecurity_module",
    "ngx_http_naxsi_module",
    "ngx_http_oidc_module",
    "ngx_http_random_index_module",
    "ngx_http_shibboleth_module",
    "ngx_http_userid_filter_module",
];

/// True when something has a say in what a server answers that is not followed here: a module of another kind, or a
/// cookie, without which the client does not come again.
pub(super) fn is_meddled_with(config: &Config, server: Server<'_>) -> bool {
    let unnamed = [
        Contexts::SERVER_IF,
        Contexts::LOCATION_IF,
        Contexts::LIMIT_EXCEPT,
    ];
    let phases = unnamed
        .into_iter()
        .fold(Contexts::HTTP_LEVELS, Contexts::union);
    let meddles = |directive: Directive<'_>| {
        // Rows of tables have no names of directives.
        if !directive.context().intersects(phases) {
            return false;
        }
        let name = directive.name();
        let Some(known) = nginx::directive(&name) else {
            return true;
        };
        let header = directive.argument(0);
        let sets = |name: &str| header.as_ref().is_some_and(|header| header.is_header(name));
        known
            .forms
            .iter()
            .any(|form| MEDDLERS.contains(&form.module))
            || directive.is("add_header") && (sets("Set-Cookie") || sets("Location"))
    };
    let around = match server.http() {
        Some(http) => http.children(),
        None => config.top(),
    };
    around
        .filter(|child| !child.is_block() && !child.is("include"))
        .chain(server.directive.descendants())
        .any(meddles)
}
