//! Upstreams: what they are called, and what nginx refuses of a directive because of one.

use std::collections::{HashMap, HashSet};

use super::{Config, Directive, EntryId, Refusal};
use crate::nginx::url::{Host, Shape, Url};
use crate::nginx::value::Flaw;
use crate::nginx::{Contexts, Subsystem, closest, has_variables};

/// The upstreams and addresses of a configuration, by the part of nginx that they belong to and their name in lower case.
#[derive(Debug, Default)]
pub(super) struct Upstreams {
    blocks: HashMap<(Subsystem, Vec<u8>), EntryId>,
    /// The first directive that passes something to this host at a port, be it that of the scheme.
    with_port: HashMap<(Subsystem, Vec<u8>), EntryId>,
    /// The hosts and ports of the http part that are written out, and so are looked up when nginx starts.
    written: HashSet<(Vec<u8>, Option<u16>)>,
}

/// Where a directive passes something.
struct Target {
    /// The host in lower case, as nginx compares it with the names of upstreams.
    host: Vec<u8>,
    /// The port that is written.
    port: Option<u16>,
    /// True when there is a port all the same: that of the scheme.
    has_default_port: bool,
    /// True when the scheme is `https://`.
    is_tls: bool,
}

impl Target {
    fn default_port(&self) -> u16 {
        if self.is_tls { 443 } else { 80 }
    }
}

impl Config {
    /// The `upstream` of a part of nginx with this name, in any case.
    pub fn upstream_block(&self, of: Subsystem, name: &[u8]) -> Option<Directive<'_>> {
        let key = (of, name.to_ascii_lowercase());
        let block = self.upstreams().blocks.get(&key)?;
        Some(self.directive(*block))
    }

    /// The names of the upstreams of the http part, in lower case.
    pub fn upstream_names(&self) -> impl Iterator<Item = &str> {
        let blocks = self.upstreams().blocks.keys();
        blocks
            .filter(|(of, _)| *of == Subsystem::Http)
            .filter_map(|(_, name)| str::from_utf8(name).ok())
    }

    /// True when a directive of the http part names this host and port without variables, or the host with any port:
    /// an address that is put together later finds what nginx looked up for it (`ngx_http_upstream_add`).
    pub(super) fn is_written_address(&self, host: &[u8], port: Option<u16>) -> bool {
        let key = (host.to_ascii_lowercase(), port);
        self.upstreams().written.contains(&key)
    }

    fn upstreams(&self) -> &Upstreams {
        self.upstreams.get_or_init(|| {
            let mut upstreams = Upstreams::default();
            for directive in self.directives() {
                let Some(subsystem) = directive.subsystem() else {
                    continue;
                };
                if directive.is("upstream") && directive.is_block() {
                    let name = directive.argument(0).unwrap_or_else(|| directive.name());
                    let key = (subsystem, name.to_ascii_lowercase());
                    upstreams.blocks.entry(key).or_insert(directive.id);
                } else if let Some(target) = directive.target()
                    && (target.port.is_some() || target.has_default_port)
                {
                    if subsystem == Subsystem::Http {
                        let port = target.port.unwrap_or(target.default_port());
                        upstreams.written.insert((target.host.clone(), Some(port)));
                        upstreams.written.insert((target.host.clone(), None));
                    }
                    let key = (subsystem, target.host);
                    upstreams.with_port.entry(key).or_insert(directive.id);
                }
            }
            upstreams
        })
    }

    /// The `upstream` block of the http part that has a name.
    pub fn upstream(&self, name: &str) -> Option<Directive<'_>> {
        self.upstream_block(Subsystem::Http, name.as_bytes())
    }
}

impl<'c> Directive<'c> {
    /// What nginx refuses of its arguments because of an upstream.
    pub(super) fn refused_by_upstream(self) -> Option<Refusal<'c>> {
        // What may not stand here is refused for that.
        self.fitting_forms().next()?;
        if self.is("server") {
            return self.refused_backup();
        }
        let target = self.target()?;
        let subsystem = self.subsystem()?;
        let word = self.argument(0)?;
        let (config, upstreams) = (self.config, self.config.upstreams());
        let shown = String::from_utf8_lossy(&target.host).into_owned();
        let key = (subsystem, target.host);
        if let Some(block) = upstreams.blocks.get(&key) {
            let port = target.port?;
            let problem = format!("`{shown}` is an upstream, which has no port `{port}` itself");
            let flaw = Flaw {
                argument: 0,
                problem,
                meant: word
                    .text()
                    .rsplit_once(&format!(":{port}"))
                    .map(|(start, end)| format!("{start}{end}")),
                help: Some("The ports stand at the servers of the upstream.".to_owned()),
            };
            return Some(Refusal {
                other: Some(config.directive(*block).span()),
                ..Refusal::new(word, flaw)
            });
        }
        let has_port = target.port.is_some() || target.has_default_port;
        // An earlier directive for the same host lends its port.
        if has_port || upstreams.with_port.contains_key(&key) || !config.is_whole() {
            return None;
        }
        let names = upstreams.blocks.keys().filter(|(of, _)| *of == subsystem);
        let names = names.filter_map(|(_, name)| str::from_utf8(name).ok());
        let meant = closest(&shown, names);
        let flaw = Flaw {
            argument: 0,
            problem: format!("`{shown}` is no upstream, and an address needs a port"),
            meant: meant.map(|meant| word.text().to_lowercase().replace(&shown, &meant)),
            help: Some("There is no default port: write `host:port`.".to_owned()),
        };
        Some(Refusal::new(word, flaw))
    }

    /// A `backup` after a balancing method that knows none.
    fn refused_backup(self) -> Option<Refusal<'c>> {
        let upstream = self.parent()?;
        let upstreams = Contexts::UPSTREAM.union(Contexts::STREAM_UPSTREAM);
        if !upstream.inside().intersects(upstreams) {
            return None;
        }
        let backup = self.arguments().skip(1).find(|word| word == "backup")?;
        // The last method above the server is the one that nginx asks.
        let is_method = |child: &Self| {
            let methods = ["hash", "ip_hash", "random", "least_conn"];
            child.id < self.id && methods.iter().any(|name| child.is(name))
        };
        let method = upstream.children().filter(is_method).last()?;
        if method.is("least_conn") || !upstream.holds_only_nginx() {
            return None;
        }
        let flaw = Flaw {
            argument: 0,
            problem: format!("`{}` knows no `backup`", method.name()),
            meant: None,
            help: None,
        };
        Some(Refusal {
            other: Some(method.span()),
            ..Refusal::new(backup, flaw)
        })
    }

    fn target(self) -> Option<Target> {
        let in_http = self.subsystem() == Some(Subsystem::Http);
        let name = self.name();
        let (schemes, default, shape): (&[(&str, bool)], _, _) = match &*name {
            b"proxy_pass" if in_http => (
                &[("http://", true), ("https://", true)],
                false,
                Shape::WithUri,
            ),
            b"grpc_pass" => (
                &[("grpc://", false), ("grpcs://", false)],
                true,
                Shape::Plain,
            ),
            b"uwsgi_pass" => (
                &[("uwsgi://", false), ("suwsgi://", false)],
                true,
                Shape::Plain,
            ),
            b"fastcgi_pass" | b"scgi_pass" | b"memcached_pass" | b"proxy_pass" => {
                (&[], true, Shape::Plain)
            }
            _ => return None,
        };
        let value = self.argument(0).filter(|value| !has_variables(value))?;
        let after = |(scheme, has_port): &(&str, bool)| {
            let (start, rest) = value.split_at_checked(scheme.len())?;
            let is_scheme = start.eq_ignore_ascii_case(scheme.as_bytes());
            is_scheme.then_some((rest, *has_port))
        };
        let found = schemes.iter().find_map(after);
        let (address, has_default_port) = found.or(default.then_some((&*value, false)))?;
        let url = Url::parse(address, shape).ok()?;
        let host = match &url.host {
            Host::Unix(_) => return None,
            Host::Name(name) => name.to_ascii_lowercase(),
            // As it is written, which is how nginx compares it.
            _ => {
                let end = address
                    .iter()
                    .rposition(|byte| *byte == b']')
                    .map_or(0, |end| end + 1);
                let rest = &address[end..];
                let length = rest
                    .iter()
                    .position(|byte| matches!(byte, b':' | b'/' | b'?'));
                address[..end + length.unwrap_or(rest.len())].to_ascii_lowercase()
            }
        };
        Some(Target {
            host,
            port: url.port,
            has_default_port,
            is_tls: value.len() >= 8 && value[..8].eq_ignore_ascii_case(b"https://"),
        })
    }
}
