//! Requests that may show what two blocks do differently.

use std::net::IpAddr;

use super::TEXTS;
use super::effect;
use super::meaning::Change;
use crate::config::{Config, Directive};
use crate::nginx;
use crate::routing::{Protocol, Request};
use crate::urispace::{Uris, texts};

/// How many values of one kind are tried.
const VALUES: usize = 12;

/// The largest body that is let in unless something else is set.
const DEFAULT_BODY: u64 = 1 << 20;

/// How deep variables are followed that are defined by others.
const DEPTH: usize = 4;

/// What a client can vary, as far as changed directives ask for it.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    headers: Vec<String>,
    cookies: Vec<String>,
    arguments: Vec<String>,
    methods: bool,
    upgrade: bool,
    password: bool,
    /// The size of a body that is larger than is let in on one side.
    body: Option<u64>,
    clients: Vec<IpAddr>,
    /// Texts with which values are compared.
    values: Vec<String>,
    /// URIs that conditions and rewrites ask for.
    pub(super) uris: Vec<Vec<u8>>,
    /// Hosts that conditions ask for.
    pub(super) hosts: Vec<String>,
}

impl Inputs {
    /// Reads what changed directives look at.
    pub(super) fn of(changes: &[Change<'_>]) -> Self {
        let mut inputs = Self::default();
        for directive in changes
            .iter()
            .flat_map(|change| [change.old, change.new])
            .flatten()
        {
            inputs.read(directive, 0);
            if directive.is("client_max_body_size") && alone(changes, directive) {
                inputs.limit(DEFAULT_BODY);
            }
            // All rewriting of a block is one change, of which the first directive is told.
            let siblings = directive
                .parent()
                .filter(|_| effect::is_rewriting(directive));
            for sibling in siblings.into_iter().flat_map(Directive::children) {
                if effect::is_rewriting(sibling) {
                    inputs.read(sibling, 0);
                }
            }
            if directive.is("allow") || directive.is("deny") {
                for rule in directive
                    .parent()
                    .map(Directive::access_rules)
                    .unwrap_or_default()
                {
                    inputs
                        .clients
                        .extend(rule.argument(0).and_then(|word| member(&word.text())));
                }
            }
        }
        inputs.clients.sort_unstable();
        inputs.clients.dedup();
        inputs
    }

    fn read(&mut self, directive: Directive<'_>, depth: usize) {
        if depth > DEPTH {
            return;
        }
        self.upgrade |= directive.is("proxy_set_header") || directive.is("proxy_http_version");
        self.password |= directive.name().starts_with(b"auth_basic");
        if directive.is("client_max_body_size") {
            let limit = directive.argument(0).and_then(|word| nginx::size(&word));
            self.limit(limit.unwrap_or(DEFAULT_BODY));
        }
        if directive.is("limit_except") {
            self.methods = true;
            self.values
                .extend(directive.arguments().map(|word| word.text().into_owned()));
        }
        if directive.is("rewrite")
            && let Some(pattern) = directive.argument(0)
        {
            self.uris.extend(texts(&pattern, false, Uris::Any, TEXTS));
        }
        if directive.is("if") {
            self.condition(directive);
        }
        let config = directive.config();
        for word in directive.arguments() {
            self.variables(config, &word, depth);
        }
        for child in directive.children() {
            if directive.is("map") {
                self.value(&child.name());
                let value = child.argument(0);
                if let Some(value) = value {
                    self.variables(config, &value, depth);
                }
            } else if directive.is("geo") {
                self.clients.extend(member(&child.name().text()));
            } else {
                self.read(child, depth + 1);
            }
        }
    }

    /// Keeps the size of a body that the smallest limit, which is none when it is 0, does not let in.
    fn limit(&mut self, limit: u64) {
        let size = Some(limit)
            .filter(|limit| *limit > 0)
            .map(|limit| limit.saturating_add(1));
        self.body = self.body.into_iter().chain(size).min();
    }

    /// What an `if` compares: an operand may be a regex, of which a text is made that it matches.
    fn condition(&mut self, condition: Directive<'_>) {
        let words: Vec<Vec<u8>> = condition.arguments().map(|word| word.to_vec()).collect();
        let Some(last) = words.last() else { return };
        let operand = last.strip_suffix(b")").unwrap_or(last);
        let is_regex = words
            .iter()
            .any(|word| matches!(&word[..], b"~" | b"~*" | b"!~" | b"!~*"));
        let texts = match is_regex {
            true => texts(operand, false, Uris::Any, TEXTS),
            false => vec![operand.to_vec()],
        };
        let first = words.first().map(Vec::as_slice).unwrap_or_default();
        let about = |name: &[u8]| {
            first
                .strip_prefix(b"($")
                .is_some_and(|rest| rest.starts_with(name))
        };
        if about(b"uri") || about(b"request_uri") || about(b"document_uri") {
            self.uris.extend(texts);
        } else if about(b"host") || about(b"http_host") {
            let hosts = texts
                .into_iter()
                .filter_map(|text| String::from_utf8(text).ok());
            self.hosts.extend(hosts);
        } else {
            let texts = texts
                .into_iter()
                .filter_map(|text| String::from_utf8(text).ok());
            self.values.extend(texts);
        }
    }

    fn value(&mut self, key: &[u8]) {
        let texts = match key {
            b"default" | b"hostnames" | b"volatile" | b"include" => return,
            [b'~', b'*', pattern @ ..] | [b'~', pattern @ ..] => {
                texts(pattern, false, Uris::Any, TEXTS)
            }
            [b'\\', text @ ..] => vec![text.to_vec()],
            text => vec![text.to_vec()],
        };
        for text in texts
            .into_iter()
            .filter_map(|text| String::from_utf8(text).ok())
        {
            self.uris
                .extend(text.starts_with('/').then(|| text.clone().into_bytes()));
            if !self.values.contains(&text) {
                self.values.push(text);
            }
        }
    }

    fn variables(&mut self, config: &Config, text: &[u8], depth: usize) {
        for reference in nginx::references(text) {
            let name = reference.name.to_ascii_lowercase();
            if name == "http_upgrade" {
                self.upgrade = true;
            } else if let Some(header) = name.strip_prefix("http_") {
                push(&mut self.headers, header.replace('_', "-"));
            } else if let Some(cookie) = name.strip_prefix("cookie_") {
                push(&mut self.cookies, cookie.to_owned());
            } else if let Some(argument) = name.strip_prefix("arg_") {
                push(&mut self.arguments, argument.to_owned());
            } else if name == "args" || name == "query_string" {
                push(&mut self.arguments, "x".to_owned());
            } else if name == "request_method" {
                self.methods = true;
            }
            let definitions = config.definitions(&name).iter();
            for definition in definitions.map(|definition| config.definition(*definition)) {
                self.read(definition, depth + 1);
            }
        }
    }

    /// The requests to try, the plainest first.
    pub(super) fn requests(&self, plain: &Request) -> Vec<Request> {
        let mut all = vec![plain.clone()];
        let target = |target: Vec<u8>| Request {
            target,
            ..plain.clone()
        };
        let has_query = plain.target.contains(&b'?');
        let with = |name: &str, value: &str| {
            let mut request = plain.clone();
            request
                .headers
                .push((name.to_owned(), value.as_bytes().to_vec()));
            request
        };
        let mut values: Vec<&str> = vec!["1"];
        values.extend(
            self.values
                .iter()
                .map(String::as_str)
                .filter(|value| is_printable(value)),
        );
        values.truncate(VALUES);
        if !has_query {
            all.push(target([&plain.target[..], b"?x=1"].concat()));
        }
        if self.upgrade {
            let mut request = with("Connection", "Upgrade");
            for (name, value) in [
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ] {
                request
                    .headers
                    .push((name.to_owned(), value.as_bytes().to_vec()));
            }
            request.scheme = if plain.is_tls() { "wss" } else { "ws" }.to_owned();
            all.push(request);
        }
        for header in &self.headers {
            all.extend(
                values
                    .iter()
                    .filter(|value| !value.is_empty())
                    .map(|value| match header.as_str() {
                        "host" => plain.clone(),
                        header => with(&capitalised(header), value),
                    }),
            );
        }
        for cookie in &self.cookies {
            all.extend(
                values
                    .iter()
                    .map(|value| with("Cookie", &format!("{cookie}={value}"))),
            );
        }
        for argument in self.arguments.iter().filter(|_| !has_query) {
            let with = |value: &&str| {
                let query = format!("?{argument}={value}");
                target([&plain.target[..], query.as_bytes()].concat())
            };
            all.extend(values.iter().filter(|value| is_plain(value)).map(with));
        }
        let mut methods = vec!["POST"];
        if self.methods {
            methods.extend(["HEAD", "PUT", "DELETE"]);
            let named = |value: &&&str| value.bytes().all(|byte| byte.is_ascii_uppercase());
            methods.extend(
                values
                    .iter()
                    .filter(named)
                    .filter(|value| !value.is_empty())
                    .copied(),
            );
        }
        for method in methods {
            let mut request = with("Content-Length", "0");
            request.method = method.to_owned();
            all.push(request);
        }
        if self.password {
            all.push(with("Authorization", "Basic dXNlcjpwYXNzd29yZA=="));
        }
        if let Some(size) = self.body {
            let mut request = with("Content-Length", &size.to_string());
            request.method = "POST".to_owned();
            all.push(request);
        }
        for client in self.clients.iter().take(VALUES) {
            all.push(Request {
                client: Some(*client),
                ..plain.clone()
            });
        }
        all
    }
}

/// The plain request for a path that is decoded; without a host it is one of HTTP/1.0.
pub(super) fn plain(host: &str, port: u16, tls: bool, path: &[u8]) -> Request {
    let usual = if tls { 443 } else { 80 };
    let shown = match port == usual {
        true => host.to_owned(),
        false => format!("{host}:{port}"),
    };
    let headers = match host.is_empty() {
        true => Vec::new(),
        false => vec![("Host".to_owned(), shown.into_bytes())],
    };
    Request {
        method: "GET".to_owned(),
        scheme: if tls { "https" } else { "http" }.to_owned(),
        host: host.to_owned(),
        port,
        target: crate::routing::escape(path),
        protocol: match host.is_empty() {
            true => Protocol::Http10,
            false => Protocol::Http11,
        },
        headers,
        client: None,
        address: None,
    }
}

/// True when one side does not say anything about what a directive is about.
fn alone(changes: &[Change<'_>], directive: Directive<'_>) -> bool {
    let mut about = changes
        .iter()
        .filter(|change| change.old == Some(directive) || change.new == Some(directive));
    about.any(|change| change.old.is_none() || change.new.is_none())
}

fn push(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) {
        list.push(text);
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..0x7f).contains(&byte))
}

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
}

/// `x-forwarded-proto` as it is usually written.
fn capitalised(header: &str) -> String {
    let parts = header.split('-').map(|part| {
        let mut letters = part.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    });
    parts.collect::<Vec<_>>().join("-")
}

/// An address that lies in a network, or is it.
fn member(network: &str) -> Option<IpAddr> {
    let (address, _) = network.split_once('/').unwrap_or((network, ""));
    let address: IpAddr = address.parse().ok()?;
    let IpAddr::V4(v4) = address else {
        return Some(address);
    };
    // The first host of a network, as people know it.
    let bits = u32::from(v4);
    let is_network = network.contains('/') && bits & 0xff == 0 && !network.ends_with("/32");
    Some(IpAddr::V4((bits + u32::from(is_network)).into()))
}
