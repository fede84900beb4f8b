//! Where a `proxy_pass` leads to: a group, an address, a name; with its variables followed as far as they are written.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use super::{Config, Directive, Headers, Proxied, ProxyUrl, Visibility, Word};
use crate::diagnostic::Edit;
use crate::nginx::{self, Contexts};

/// Last labels of names that only one house knows.
const INTERNAL: [&str; 14] = [
    "local",
    "localhost",
    "localdomain",
    "internal",
    "intern",
    "intranet",
    "private",
    "lan",
    "home",
    "corp",
    "svc",
    "consul",
    "docker",
    "arpa",
];

/// Variables that are always an address.
const ADDRESSES: [&str; 4] = [
    "remote_addr",
    "realip_remote_addr",
    "server_addr",
    "proxy_protocol_addr",
];

/// What a host of an address is to nginx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer<'c> {
    /// An `upstream` of this configuration.
    Group(Directive<'c>),
    /// An IP address.
    Address,
    /// A socket in the file system.
    Unix,
    /// A name that somebody has to look up.
    Name,
}

/// What a `proxy_pass` leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend<'c> {
    /// True for `https://`.
    pub tls: bool,
    /// The host as it is written, without its port.
    pub host: String,
    /// The port, if one is written that is not a variable.
    pub port: Option<u16>,
    /// What the host is.
    pub peer: Peer<'c>,
    /// True when the address is put together for each request.
    pub evaluated: bool,
    /// True when the port is a variable.
    open_port: bool,
}

/// A text with its variables replaced, as far as they have one value.
enum Filled {
    /// All of it.
    Whole(Vec<u8>),
    /// Up to a variable that can be anything.
    Until(Vec<u8>, String),
}

impl<'c> Proxied<'c> {
    /// What the address leads to; nothing where a variable of the host or the port may be anything or the address is a
    /// template's.
    pub fn backend(&self) -> Option<Backend<'c>> {
        let word = self.pass.argument(0)?;
        let backend = self.backend_at(&word, None).ok();
        backend.filter(|backend| !backend.open_port)
    }

    /// The backends that an address may lead to with each value that is written for the variable in it, or the name of the
    /// variable of which nothing is known; nothing for an address that is none.
    pub fn backends(&self) -> Option<Result<Vec<Backend<'c>>, String>> {
        let word = self.pass.argument(0)?;
        let name = match self.backend_at(&word, None) {
            Ok(backend) => return Some(Ok(vec![backend])),
            Err(name) => name?,
        };
        let config = self.scope.config();
        let values: Vec<Vec<u8>> = match &*name {
            "scheme" => vec![b"http".to_vec(), b"https".to_vec()],
            _ => match config.written_values(&name) {
                Some(values) => values.iter().map(|value| value.to_vec()).collect(),
                None => return Some(Err(name)),
            },
        };
        let backends = values
            .iter()
            .map(|value| self.backend_at(&word, Some((&name, value))).ok());
        Some(backends.collect::<Option<Vec<_>>>().ok_or(name))
    }

    /// The backend of an address; the error is the variable that may be anything, or nothing for a template and what is
    /// no address.
    fn backend_at(
        &self,
        word: &Word<'c>,
        given: Option<(&str, &[u8])>,
    ) -> Result<Backend<'c>, Option<String>> {
        if word.has_placeholder() {
            return Err(None);
        }
        let (text, unknown) = match self.fill(word, given) {
            Filled::Whole(text) => (text, None),
            Filled::Until(text, name) => (text, Some(name)),
        };
        let word = word.standing_for(text);
        let evaluated = self
            .pass
            .argument(0)
            .is_some_and(|word| word.has_variables());
        let Some(url) = ProxyUrl::evaluated(word) else {
            return Err(unknown);
        };
        let authority = String::from_utf8_lossy(url.authority()).into_owned();
        let tls = url.scheme().eq_ignore_ascii_case(b"https://");
        let (host, port) = match authority.rfind(':') {
            _ if authority.starts_with("unix:") => (authority.as_str(), None),
            Some(colon) if !authority[colon..].contains(']') => {
                (&authority[..colon], Some(&authority[colon + 1..]))
            }
            _ => (authority.as_str(), None),
        };
        // What stands before the first variable is the host when its end is written.
        let open_port = match unknown {
            // Nobody looks up a socket, whatever its name is.
            Some(_) if authority.starts_with("unix:") => return Err(None),
            Some(name) if url.uri().is_none() && port.is_none() => return Err(Some(name)),
            Some(_) => url.uri().is_none(),
            None => false,
        };
        let port = match port {
            Some(port) if !open_port => Some(port.parse::<u16>().map_err(|_| None)?),
            _ => None,
        };
        if host.is_empty() {
            return Err(None);
        }
        let config = self.scope.config();
        let group = (port.is_none() && !open_port)
            .then(|| config.upstream(host))
            .flatten();
        let peer = match group {
            Some(group) => Peer::Group(group),
            None if host.starts_with("unix:") => Peer::Unix,
            None if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() => Peer::Address,
            None => Peer::Name,
        };
        Ok(Backend {
            tls,
            host: host.to_owned(),
            port,
            peer,
            evaluated,
            open_port,
        })
    }

    /// Replaces the variables of an address by what they certainly are; the URI of the request is `/`.
    fn fill(&self, word: &[u8], given: Option<(&str, &[u8])>) -> Filled {
        let mut text = Vec::new();
        let mut at = 0;
        for reference in nginx::references(word) {
            text.extend(&word[at..reference.range.start]);
            at = reference.range.end;
            let name = reference.name.to_ascii_lowercase();
            match name.as_str() {
                "request_uri" | "uri" | "document_uri" => text.push(b'/'),
                "is_args" | "args" | "query_string" => {}
                name if ADDRESSES.contains(&name) => text.extend(b"127.0.0.1"),
                name => match given.filter(|(known, _)| *known == name) {
                    Some((_, value)) => text.extend(value),
                    None => match self.scope.literal(name) {
                        Some(value) => text.extend(&*value),
                        None => return Filled::Until(text, name.to_owned()),
                    },
                },
            }
        }
        text.extend(&word[at..]);
        Filled::Whole(text)
    }
}

impl Backend<'_> {
    /// True when nginx looks the name up for each request, for which it needs a `resolver`: an address with variables
    /// whose host is no group and no address that is written out elsewhere (`ngx_http_upstream_init_request`).
    pub fn is_resolved_late(&self, config: &Config) -> bool {
        let port = self.port.unwrap_or(if self.tls { 443 } else { 80 });
        let is_known = || match self.open_port {
            true => config.is_written_address(self.host.as_bytes(), None),
            false => config.is_written_address(self.host.as_bytes(), Some(port)),
        };
        self.evaluated && self.peer == Peer::Name && !is_known()
    }

    /// What `$proxy_host` is: the port is left out where it is that of the scheme (`ngx_http_proxy_set_vars`).
    pub fn proxy_host(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        match self.port {
            _ if self.peer == Peer::Unix => "localhost".to_owned(),
            Some(port) if port != usual => format!("{}:{port}", self.host),
            _ => self.host.clone(),
        }
    }

    /// The one name that all requests go to: the host itself, or that of every server of the group.
    pub fn name(&self) -> Option<String> {
        match self.peer {
            Peer::Name => Some(self.host.to_ascii_lowercase()),
            Peer::Group(group) => {
                let mut names = group.own("server").map(|server| {
                    let address = server.argument(0)?;
                    let text = address.text();
                    let (host, _) = text.rsplit_once(':').unwrap_or((&text, ""));
                    let is_name = host.parse::<IpAddr>().is_err()
                        && !host.contains([':', '[', '/'])
                        && !address.starts_with(b"unix:")
                        && !address.has_placeholder();
                    is_name.then(|| host.to_ascii_lowercase())
                });
                let first = names.next()??;
                names
                    .all(|name| name.as_ref() == Some(&first))
                    .then_some(first)
            }
            Peer::Address | Peer::Unix => None,
        }
    }
}

/// True for a name that the whole internet knows: several labels, the last of which is no house's own.
pub fn is_public_name(name: &str) -> bool {
    let Some((rest, last)) = name.trim_end_matches('.').rsplit_once('.') else {
        return false;
    };
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    last.len() > 1
        && !last.bytes().all(|byte| byte.is_ascii_digit())
        && last.bytes().all(is_label)
        && !INTERNAL.contains(&last)
        && !rest
            .split('.')
            .any(|label| label == "svc" || label.is_empty())
}

impl<'c> Directive<'c> {
    /// The value of a variable inside this block, if there is one only: the innermost block around with a `set` for it has
    /// just that one, in itself and without a condition, and nothing else defines it in there.
    ///
    /// For the methods of a `limit_except` nothing of its location's script is run (`ngx_http_update_location_config`).
    pub fn literal(self, name: &str) -> Option<Word<'c>> {
        let config = self.config;
        if config.is_captured_variable(name) {
            return None;
        }
        let definitions = config.definitions(name);
        let blocks = Contexts::SERVER.union(Contexts::LOCATION);
        let skipped = self.parent().filter(|_| self.is("limit_except"));
        for block in std::iter::once(self).chain(self.ancestors()) {
            if block.is_incomplete() {
                return None;
            }
            let inside = definitions.partition_point(|definition| {
                config.definition(*definition).number() <= block.number()
            });
            let ends = block.entry().end;
            let mut within = definitions[inside..]
                .iter()
                .map(|definition| config.definition(*definition))
                .take_while(|definition| definition.number() < ends);
            let Some(set) = within.next() else { continue };
            let is_only = within.next().is_none()
                && set.is("set")
                && set.parent() == Some(block)
                && Some(block) != skipped
                && set.context().intersects(blocks);
            return set
                .argument(1)
                .filter(|value| is_only && !value.has_variables() && !value.has_placeholder());
        }
        None
    }
}

impl<'c> Proxied<'c> {
    /// The `Host` that the backend gets: the value of the header in effect, or nothing for the default, which is
    /// `$proxy_host`.
    pub fn host_header(&self) -> Option<Word<'c>> {
        self.headers().get("Host")?.argument(1)
    }

    /// True for a backend whose `Host` is certainly that of `proxy_pass`.
    pub fn sends_own_host(&self) -> bool {
        let is_own = |host: Word<'_>| host == "$proxy_host";
        self.host_header().is_none_or(is_own) && !self.headers().is_repeated("Host")
    }

    /// How much is visible of what could set a header.
    pub fn header_visibility(&self) -> Visibility {
        self.headers().visibility()
    }

    /// Edits that send a header from here with a value: what the list in effect says of it is replaced, and a list that was
    /// inherited so far is copied before it grows. Nothing where there is no place for it.
    pub fn send(&self, name: &str, value: &str) -> Vec<Edit> {
        self.send_each(&[(name, value)])
    }

    /// Edits as those of [`Proxied::send`], for several headers at once.
    pub fn send_each(&self, wanted: &[(&str, &str)]) -> Vec<Edit> {
        let headers = self.headers();
        let is_own = headers.level() == Some(self.home());
        let mut edits = Vec::new();
        let mut lines = Vec::new();
        if !is_own {
            let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
            lines.extend(self.inherited(&headers, &names));
        }
        for (name, value) in wanted {
            let own = headers.get(name).filter(|_| is_own);
            match own.and_then(|header| header.argument(1)) {
                Some(word) => edits.push(Edit::replace(word.span, *value)),
                None => lines.push(format!("proxy_set_header {name} {value};")),
            }
        }
        let last = headers.directives().last().filter(|_| is_own);
        if !lines.is_empty() {
            edits.extend(match last {
                Some(last) => Some(last.append_lines(&lines)),
                None => self.scope.grow(self.pass, &lines),
            });
        }
        edits
    }

    /// Edits as those of [`Proxied::send`], but where the list stands in the server or between it and this place, it grows
    /// there, for all that inherit it.
    pub fn send_with_list(&self, name: &str, value: &str) -> Vec<Edit> {
        let headers = self.headers();
        let server = self.location.server().map(|server| server.directive);
        let is_near = headers.level().is_some_and(|level| {
            server.is_some_and(|server| {
                level == server || level.ancestors().any(|outer| outer == server)
            })
        });
        match headers
            .directives()
            .last()
            .filter(|_| is_near && headers.get(name).is_none())
        {
            Some(last) => vec![last.append_lines(&[format!("proxy_set_header {name} {value};")])],
            None => self.send(name, value),
        }
    }

    /// The block that lines for this place are written into: few directives may stand in an `if` or a `limit_except`, and
    /// what stands around them is inherited.
    pub(super) fn home(&self) -> Directive<'c> {
        let is_inner = self.scope.is("if") || self.scope.is("limit_except");
        self.scope
            .parent()
            .filter(|_| is_inner)
            .unwrap_or(self.scope)
    }

    /// The lines of a list from further out, without those for some headers.
    pub(super) fn inherited(&self, headers: &Headers<'c>, without: &[&str]) -> Vec<String> {
        let is_without = |known: Word<'_>| without.iter().any(|name| known.is_header(name));
        let others = headers
            .directives()
            .iter()
            .filter(|header| !header.argument(0).is_some_and(is_without));
        others.map(|header| header.written()).collect()
    }
}

impl Config {
    /// The places of [`Config::proxied`] that have a key, those of one server with the same one together; in file order.
    pub fn proxied_alike<'c, K: Eq + Hash>(
        &'c self,
        key: impl Fn(&Proxied<'c>) -> Option<K>,
    ) -> Vec<Vec<Proxied<'c>>> {
        let mut groups: Vec<Vec<Proxied<'c>>> = Vec::new();
        let mut known: HashMap<(Option<u32>, K), usize> = HashMap::new();
        for place in self.proxied() {
            let Some(own) = key(&place) else { continue };
            let server = place.location.server();
            let key = (server.map(|server| server.directive.number()), own);
            let group = *known.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(place);
        }
        groups
    }

    /// The places of [`Config::proxied`] for which a directive is at fault, those of the same one together; in the order of
    /// the first places.
    pub fn proxied_under<'c>(
        &'c self,
        at_fault: impl Fn(&Proxied<'c>) -> Option<Directive<'c>>,
    ) -> Vec<(Directive<'c>, Vec<Proxied<'c>>)> {
        let mut groups: Vec<(Directive<'c>, Vec<Proxied<'c>>)> = Vec::new();
        let mut known: HashMap<u32, usize> = HashMap::new();
        for place in self.proxied() {
            let Some(directive) = at_fault(&place) else {
                continue;
            };
            let group = *known.entry(directive.number()).or_insert_with(|| {
                groups.push((directive, Vec::new()));
                groups.len() - 1
            });
            groups[group].1.push(place);
        }
        groups
    }
}

impl<'c> Directive<'c> {
    /// Puts lines into this block: after `place` where that stands in it itself, else at its end. What is written for an
    /// `if` or a `limit_except` goes into the block around it, from which these inherit: few directives may stand in them.
    pub fn grow(self, place: Self, lines: &[String]) -> Option<Edit> {
        if self.is("if") || self.is("limit_except") {
            let around = self.parent()?;
            return around.grow(around.handler().unwrap_or(self), lines);
        }
        let own = |child: &Self| child.full_span().file == self.full_span().file;
        let place = Some(place)
            .filter(|place| place.parent() == Some(self) && own(place))
            .or_else(|| self.children().filter(own).last())?;
        Some(place.append_lines(lines))
    }
}
