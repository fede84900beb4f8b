//! What an upstream receives: the request line, the headers, and whether a WebSocket handshake survives.

use super::assumption::About;
use super::content::Content;
use super::mapping::joined;
use super::regexes::exec;
use super::run::{Run, Status};
use super::script::{Engine, parts};
use super::trace::{Outcome, Pass, Proxy, WebSocket};
use super::value::Value;
use super::variation::{By, Form, Part, Varies};
use crate::config::{Directive, Headers, Location, Modifier, ProxyUrl, Word};
use crate::nginx::{self, Subsystem, Version};

/// How long an upstream may be silent unless something else is set.
pub(crate) const READ_TIMEOUT: u64 = 60_000;

/// A `proxy_pass` address at a moment of a request.
struct Target {
    /// Scheme and host, for people.
    base: Value,
    /// The URI part; empty when there is none.
    uri: Value,
    host_header: Value,
    port: String,
}

/// A header that `proxy_set_header` or a default asks for.
struct Wanted {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl<'c> Run<'_, 'c> {
    /// Passes the request on, by the directive of this name that is in force.
    pub(super) fn pass(&mut self, name: &str) -> Content<'c> {
        // Another `if` may have taken the place of the one whose handler stays.
        let Some(pass) = self.scope.effective(name).directive() else {
            self.step(
                Some(self.scope),
                format!("no `{name}` is in force in this block"),
            );
            return Content::Status(Status::error(500, format!("no `{name}` is in force")));
        };
        match name {
            "proxy_pass" => self.proxy(pass),
            _ => self.other(name, pass),
        }
    }

    /// `ngx_http_proxy_handler`
    fn proxy(&mut self, pass: Directive<'c>) -> Content<'c> {
        let Some(word) = pass.argument(0) else {
            return Content::Status(Status::error(500, "`proxy_pass` names no address"));
        };
        let Some(target) = self.target(&word) else {
            self.step(Some(pass), "the address is invalid");
            return Content::Status(Status::error(500, "the address of `proxy_pass` is invalid"));
        };
        if word.has_variables()
            && let Some(refused) = self.unresolved(pass, &target)
        {
            return Content::Status(refused);
        }
        let (uri, form) = self.upstream_uri(pass, &word, &target);
        self.variation.uri = form;
        self.vary(Part::Upstream, &target.base);
        if uri.bytes.is_empty() {
            self.step(Some(pass), "the upstream would be asked for nothing");
            return Content::Status(Status::error(500, "the URI for the upstream is empty"));
        }
        self.assume_names(&uri);
        self.assume_names(&target.base);
        let cached = self.cached();
        let converts = cached && self.scope.flag("proxy_cache_convert_head") != Some(false);
        let set_method = self.scope.effective("proxy_method").directive();
        let method = match set_method.and_then(|method| method.argument(0)) {
            _ if converts && self.method == "HEAD" => Value::new("GET"),
            Some(method) => self.evaluate(&method),
            None => Value::new(self.method.clone()),
        };
        self.assume_names(&method);
        self.vary(Part::Method, &method);
        let version = self.scope.effective("proxy_http_version").directive();
        let http_version = match version.and_then(|version| version.argument(0)) {
            Some(word) => word.text().into_owned(),
            None => self.version.default_proxy_http_version().to_owned(),
        };
        let headers = self.headers_for(&target, cached, &http_version);
        let in_handshake = |part: &Part| {
            let Part::Header(name) = part else {
                return *part == Part::Method;
            };
            matches!(name.as_str(), "upgrade" | "connection")
        };
        if self.variation.parts.iter().any(in_handshake) {
            self.fork(Some(pass), By::Other);
        }
        let websocket = self.handshake(&method, &http_version, &headers);
        let shown = uri.text();
        self.step(
            Some(pass),
            format!(
                "passed to {} as `{} {shown}`",
                target.base.text(),
                method.text()
            ),
        );
        let (host, port) = split_port(&target.host_header.bytes);
        if port.is_none() {
            self.tell_group(host);
        }
        let read_timeout = self.timeout("proxy_read_timeout");
        Content::Outcome(Outcome::Proxy(Proxy {
            upstream: target.base.text(),
            method: method.text(),
            uri: uri.bytes,
            http_version,
            headers,
            websocket,
            read_timeout,
            status: self.err_status,
        }))
    }

    fn timeout(&self, name: &str) -> u64 {
        let set = self.scope.effective(name).directive();
        set.and_then(|set| set.argument(0))
            .and_then(|time| time.milliseconds())
            .unwrap_or(READ_TIMEOUT)
    }

    /// The address with its variables evaluated (`ngx_http_proxy_eval`, `ngx_http_proxy_set_vars`).
    fn target(&mut self, word: &Word<'c>) -> Option<Target> {
        let value = match word.has_variables() {
            true => self.script(word),
            false => Value::new(&word[..]),
        };
        let url = ProxyUrl::evaluated(word.standing_for(value.bytes.clone()));
        let fixed = url
            .as_ref()
            .map(|url| url.scheme().len() + url.authority().len());
        // Another path could make the address invalid, or one that cannot be looked up.
        let is_fixed = fixed.is_some_and(|fixed| value.is_fixed(fixed));
        let place = self.scope.effective("proxy_pass").directive();
        if value.is_varied() && !(is_fixed && matches!(value.varies, Varies::Target(_))) {
            self.fork(place, By::Other);
        }
        let url = url?;
        let own = |bytes: Vec<u8>| {
            let varies = match is_fixed {
                true => Varies::No,
                false => value.varies.changed(),
            };
            value.with(bytes).varied(varies)
        };
        let mut uri = url.uri().unwrap_or_default().to_vec();
        if word.has_variables() && uri.starts_with(b"?") {
            uri.insert(0, b'/');
        }
        let default = if url.scheme().eq_ignore_ascii_case(b"https://") {
            "443"
        } else {
            "80"
        };
        let authority = url.authority();
        let (host_header, port) = match authority.strip_prefix(b"unix:") {
            Some(_) => (b"localhost".to_vec(), String::new()),
            None => {
                let (host, port) = split_port(authority);
                let is_port = |port: &[u8]| {
                    let text = std::str::from_utf8(port).unwrap_or_default();
                    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                    digits && text.parse::<u16>().is_ok_and(|port| port > 0)
                };
                if value.is_known() && port.is_some_and(|port| !is_port(port)) {
                    return None;
                }
                match port {
                    Some(port) if port != default.as_bytes() => (
                        authority.to_vec(),
                        String::from_utf8_lossy(port).into_owned(),
                    ),
                    _ => (host.to_vec(), default.to_owned()),
                }
            }
        };
        if host_header.is_empty() {
            return None;
        }
        let base = [url.scheme(), authority].concat();
        let base = base
            .strip_suffix(b":")
            .filter(|_| authority.starts_with(b"unix:"))
            .map_or(base.clone(), <[u8]>::to_vec);
        Some(Target {
            base: own(base),
            uri: match (value.varies, fixed) {
                (Varies::Target(at), Some(fixed)) if is_fixed => {
                    value.with(uri).varied(Varies::Target(at - fixed))
                }
                _ => value.with(uri),
            },
            host_header: own(host_header),
            port,
        })
    }

    /// A text whose captures are read when it is filled (`ngx_http_script_run`).
    fn script(&mut self, text: &[u8]) -> Value {
        let parts = parts(text, false);
        let mut engine = Engine::default();
        let (room, values) = self.measure(&parts, engine);
        self.fill(text, &parts, &values, room, &mut engine)
    }

    /// The `upstream` block of a name.
    fn group(&self, name: &[u8]) -> Option<Directive<'c>> {
        self.tracer.config.upstream_block(Subsystem::Http, name)
    }

    /// Says which servers a name stands for.
    fn tell_group(&mut self, name: &[u8]) {
        let Some(group) = self.group(name) else {
            return;
        };
        let servers: Vec<String> = group
            .own("server")
            .filter_map(|server| server.argument(0))
            .map(|address| address.text().into_owned())
            .collect();
        let name = String::from_utf8_lossy(name);
        self.step(
            Some(group),
            format!("`{name}` stands for {}", servers.join(", ")),
        );
    }

    /// Why an address that was put together cannot be connected to, if that is certain
    /// (`ngx_http_upstream_init_request`).
    fn unresolved(&mut self, pass: Directive<'c>, target: &Target) -> Option<Status> {
        let is_unix = target.base.bytes.windows(8).any(|part| part == b"://unix:");
        if !target.host_header.is_known() || is_unix {
            return None;
        }
        let (host, port) = split_port(&target.host_header.bytes);
        let text = String::from_utf8_lossy(host).into_owned();
        let is_address = text
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok();
        let config = self.tracer.config;
        let is_group = || self.group(host).is_some();
        // A literal address elsewhere makes a group of its own.
        let is_literal = || {
            config
                .directives()
                .filter(|other| other.is("proxy_pass"))
                .any(|other| {
                    let url = other
                        .argument(0)
                        .filter(|word| !word.has_variables())
                        .and_then(ProxyUrl::parse);
                    url.is_some_and(|url| {
                        let default: &[u8] = if url.scheme().len() == 8 {
                            b"443"
                        } else {
                            b"80"
                        };
                        let (other_host, other_port) = split_port(url.authority());
                        other_host.eq_ignore_ascii_case(host)
                            && other_port.unwrap_or(default) == target.port.as_bytes()
                    })
                })
        };
        if is_address || port.is_none() && is_group() || is_literal() {
            return None;
        }
        if self.scope.effective("resolver").directive().is_some() {
            let text = format!("the resolver finds an address of {text}");
            self.assume_about(About::Outside, text);
            return None;
        }
        self.step(Some(pass), format!("no resolver is set to look {text} up"));
        Some(Status::error(
            502,
            format!("no resolver is set to look {text} up"),
        ))
    }

    /// The URI of `ngx_http_proxy_create_request`, and how it is made.
    fn upstream_uri(&self, pass: Directive<'c>, word: &Word<'c>, target: &Target) -> (Value, Form) {
        if word.has_variables() && !target.uri.bytes.is_empty() {
            return (target.uri.clone(), self.form(&target.uri));
        }
        if target.uri.bytes.is_empty() && self.valid_unparsed_uri {
            let uri = Value::new(self.unparsed_uri.clone()).varied(Varies::Target(0));
            let form = self.form(&uri);
            return (uri, form);
        }
        let part = match self.valid_location {
            true => target.uri.clone(),
            false => Value::default(),
        };
        let mut cut = 0;
        if !part.bytes.is_empty() {
            let location = pass.parent().and_then(Location::of);
            let name = location.filter(|location| location.modifier != Modifier::Named);
            let name = name.filter(|location| !location.is_regex());
            let length = name.map_or(0, |name| name.path.len());
            cut = length.min(self.uri.bytes.len());
        }
        let escaped = (self.quoted_uri || self.internal).then_some(self.version);
        let rest = &self.uri.bytes[cut..];
        let mut uri = part.with(joined(&part.bytes, rest, &self.args.bytes, escaped));
        uri.learn(&self.uri);
        uri.learn(&self.args);
        let form = match (self.uri.varies, self.args.varies) {
            (Varies::No, Varies::No) => Form::Constant,
            (Varies::Path, Varies::Query) => Form::Rest {
                start: part.bytes,
                from: cut,
            },
            _ => Form::Other,
        };
        (uri, form)
    }

    /// True when the answer may come from a cache, for which the request is made fit.
    fn cached(&mut self) -> bool {
        let Some(cache) = self.scope.effective("proxy_cache").directive() else {
            return false;
        };
        let methods = self.scope.effective("proxy_cache_methods").directive();
        let named = methods.is_some_and(|methods| {
            methods
                .arguments()
                .any(|word| word.eq_ignore_ascii_case(self.method.as_bytes()))
        });
        let cached = cache.argument(0).is_some_and(|zone| zone != "off")
            && (matches!(self.method.as_str(), "GET" | "HEAD") || named);
        if cached {
            let text = format!("the cache at {} holds no answer", self.place(cache));
            self.assume_about(About::Outside, text);
        }
        cached
    }

    /// The headers in the order in which they are sent (`ngx_http_proxy_create_request`).
    fn headers_for(
        &mut self,
        target: &Target,
        cached: bool,
        http_version: &str,
    ) -> Vec<(String, String)> {
        let wanted = self.wanted_headers(cached);
        self.variables
            .insert("proxy_host".to_owned(), target.host_header.clone());
        self.variables
            .insert("proxy_port".to_owned(), Value::new(target.port.clone()));
        let length = self.body_length();
        self.variables
            .insert("proxy_internal_body_length".to_owned(), length);
        // All lengths are taken before the first value is written.
        let mut measured = Vec::new();
        for header in &wanted {
            let parts = parts(&header.value, false);
            let (length, values) = self.measure(&parts, Engine::default());
            let unknown = values.iter().any(|value| !value.is_known());
            let built = self.build(&parts, &values, &mut Engine::default()).value;
            self.vary(header_part(&header.name), &built);
            measured.push((parts, length, values, unknown));
        }
        let mut sent: Vec<(String, String)> = Vec::new();
        for (header, (parts, length, values, unknown)) in wanted.iter().zip(&measured) {
            if *length == 0 && !unknown {
                continue;
            }
            let mut engine = Engine::default();
            let value = self.fill(&header.value, parts, values, *length, &mut engine);
            self.assume_names(&value);
            sent.push((
                String::from_utf8_lossy(&header.name).into_owned(),
                value.text(),
            ));
        }
        for name in ["proxy_host", "proxy_port", "proxy_internal_body_length"] {
            self.variables.remove(name);
        }
        if self.scope.flag("proxy_pass_request_headers") != Some(false) {
            let hidden = |name: &str| {
                wanted
                    .iter()
                    .any(|header| header.name.eq_ignore_ascii_case(name.as_bytes()))
            };
            let passed: Vec<_> = self
                .headers
                .iter()
                .filter(|(name, _)| !hidden(name))
                .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
                .collect();
            sent.extend(passed);
        }
        if http_version == "2" {
            sent.retain(|(name, _)| {
                ![
                    "connection",
                    "upgrade",
                    "keep-alive",
                    "transfer-encoding",
                    "proxy-connection",
                ]
                .iter()
                .any(|hop| name.eq_ignore_ascii_case(hop))
            });
        }
        sent
    }

    /// `ngx_http_proxy_init_headers`: the list in force, and the defaults that it does not name.
    fn wanted_headers(&self, cached: bool) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Headers::of(self.scope)
            .directives()
            .iter()
            .filter_map(|header| {
                Some(Wanted {
                    name: header.argument(0)?.value.into_owned(),
                    value: header.argument(1)?.value.into_owned(),
                })
            })
            .collect();
        let connection = match self.version < Version::HTTP_1_1_UPSTREAM {
            true => "close",
            false => "",
        };
        let mut defaults = vec![
            ("Host", "$proxy_host"),
            ("Connection", connection),
            ("Content-Length", "$proxy_internal_body_length"),
            ("Transfer-Encoding", ""),
            ("TE", ""),
            ("Keep-Alive", ""),
            ("Expect", ""),
            ("Upgrade", ""),
        ];
        if self.version >= Version(1, 31, 0) {
            defaults.push(("Proxy-Connection", ""));
        }
        if cached {
            defaults.extend([
                ("If-Modified-Since", ""),
                ("If-Unmodified-Since", ""),
                ("If-None-Match", ""),
                ("If-Match", ""),
                ("Range", ""),
                ("If-Range", ""),
            ]);
        }
        for (name, value) in defaults {
            let set = |header: &Wanted| header.name.eq_ignore_ascii_case(name.as_bytes());
            if !wanted.iter().any(set) {
                wanted.push(Wanted {
                    name: name.as_bytes().to_vec(),
                    value: value.as_bytes().to_vec(),
                });
            }
        }
        if self.version >= Version(1, 31, 4) {
            host_first(&mut wanted);
        }
        wanted
    }

    /// `ngx_http_proxy_internal_body_length_variable`
    fn body_length(&mut self) -> Value {
        let body = self.scope.effective("proxy_set_body").directive();
        if let Some(body) = body.and_then(|body| body.argument(0)) {
            let value = self.script(&body);
            return match value.is_known() {
                true => Value::new(value.bytes.len().to_string()),
                false => Value::unknown("content_length"),
            };
        }
        if self.chunked {
            return Value::unknown("content_length");
        }
        match self.content_length {
            Some(length) => Value::new(length.to_string()),
            None => Value::default(),
        }
    }

    /// Whether a handshake that was asked for reaches the upstream whole.
    fn handshake(
        &mut self,
        method: &Value,
        http_version: &str,
        headers: &[(String, String)],
    ) -> WebSocket {
        let asked = self
            .header("upgrade")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"));
        if !asked {
            return WebSocket::NotRequested;
        }
        let sent = |name: &'static str| {
            let named = move |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
            headers.iter().filter(named)
        };
        let mut missing = Vec::new();
        if method.bytes != b"GET" {
            missing.push(format!("the method is {}", method.text()));
        }
        let says = |name: &'static str, token: &str| {
            sent(name).any(|(_, value)| {
                value
                    .split(',')
                    .any(|word| word.trim().eq_ignore_ascii_case(token))
            })
        };
        let mut unsure = false;
        for (name, token) in [("Upgrade", "websocket"), ("Connection", "upgrade")] {
            if says(name, token) {
                continue;
            }
            match sent(name).next() {
                None => missing.push(format!("no {name}")),
                Some((_, value)) if nginx::has_variables(value.as_bytes()) => unsure = true,
                Some((_, value)) => missing.push(format!("{name} is `{value}`")),
            }
        }
        if http_version != "1.1" {
            missing.push(match http_version {
                "1.0" => "HTTP/1.0, which a strict backend refuses".to_owned(),
                version => format!("HTTP/{version}"),
            });
        }
        if !missing.is_empty() {
            return WebSocket::Incomplete(missing.join(", "));
        }
        if unsure {
            self.assume("the values that are not known say `websocket` and `upgrade`");
        }
        WebSocket::Complete
    }

    /// The handlers of the other protocols.
    fn other(&mut self, name: &str, pass: Directive<'c>) -> Content<'c> {
        let protocol = name.trim_end_matches("_pass");
        let upstream = match pass.argument(0) {
            Some(word) => self.script(&word),
            None => Value::unknown("host"),
        };
        self.assume_names(&upstream);
        self.vary(Part::Upstream, &upstream);
        let (list, timeout) = match protocol {
            "grpc" => ("grpc_set_header".to_owned(), "grpc_read_timeout".to_owned()),
            _ => (
                format!("{protocol}_param"),
                format!("{protocol}_read_timeout"),
            ),
        };
        let directives = self.scope.effective(&list).directives;
        let mut params = Vec::new();
        for directive in directives {
            let (Some(key), Some(text)) = (directive.argument(0), directive.argument(1)) else {
                continue;
            };
            let value = self.script(&text);
            self.vary(header_part(&key), &value);
            let may_lack = directive
                .argument(2)
                .is_some_and(|word| word == "if_not_empty");
            if value.is_empty() && (may_lack || protocol == "grpc") {
                continue;
            }
            self.assume_names(&value);
            params.push((key.text().into_owned(), value.text()));
        }
        self.step(
            Some(pass),
            format!("passed to {} by {protocol}", upstream.text()),
        );
        let schemes = ["grpc://", "grpcs://", "uwsgi://", "suwsgi://"];
        let host = schemes
            .iter()
            .find_map(|scheme| upstream.bytes.strip_prefix(scheme.as_bytes()))
            .unwrap_or(&upstream.bytes);
        self.tell_group(host);
        Content::Outcome(Outcome::Pass(Pass {
            protocol: protocol.to_owned(),
            upstream: upstream.text(),
            params,
            read_timeout: self.timeout(&timeout),
            status: self.err_status,
        }))
    }

    /// `ngx_http_fastcgi_split`, and the variables of what it finds.
    pub(super) fn fastcgi_variable(&mut self, name: &str) -> Value {
        let split = self.scope.effective("fastcgi_split_path_info").directive();
        let mut script = self.uri.clone();
        let mut info = Value::default();
        if let Some(pattern) = split.and_then(|split| split.argument(0))
            && let Some(regex) = self.tracer.regexes.get(&pattern, false)
            && let Some(Some(found)) = exec(&regex, &self.uri.bytes)
        {
            script = self.uri.with(found.captures.get(1).to_vec());
            info = self.uri.with(found.captures.get(2).to_vec());
        }
        if name == "fastcgi_path_info" {
            return info;
        }
        if script.bytes.ends_with(b"/") {
            let index = self.scope.effective("fastcgi_index").directive();
            if let Some(index) = index.and_then(|index| index.argument(0)) {
                script.bytes.extend(&index[..]);
            }
        }
        script
    }
}

fn header_part(name: &[u8]) -> Part {
    Part::Header(String::from_utf8_lossy(name).to_ascii_lowercase())
}

/// From 1.31.4 on, `Host` stands first; the last one counts, and an empty one is that of the address.
fn host_first(wanted: &mut Vec<Wanted>) {
    let is_host = |header: &Wanted| header.name.eq_ignore_ascii_case(b"host");
    let Some(last) = wanted.iter().rposition(is_host) else {
        return;
    };
    let mut host = wanted.remove(last);
    if host.value.is_empty() {
        host.value = b"$proxy_host".to_vec();
    }
    wanted.retain(|header| !is_host(header));
    wanted.insert(0, host);
}

/// Host and port of an authority.
fn split_port(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let from = authority
        .iter()
        .rposition(|byte| *byte == b']')
        .unwrap_or(0);
    match authority[from..].iter().position(|byte| *byte == b':') {
        Some(colon) => (
            &authority[..from + colon],
            Some(&authority[from + colon + 1..]),
        ),
        None => (authority, None),
    }
}
