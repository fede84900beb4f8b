//! One request on its way through nginx's phases.
//!
//! The fields of [`Run`] are those of nginx's `ngx_http_request_t` and are called as there; the loop in [`Run::phases`] is
//! `ngx_http_core_run_phases`.

use std::collections::HashMap;

use super::assumption::{About, Assumption};
use super::choice::{Choice, choose};
use super::content::Content;
use super::disk::{Disk, Entry};
use super::regexes::{Captures, Match, exec};
use super::request::{
    HeaderLine, Protocol, Refused, Request, header_line, is_unique, request_line, validate_host,
};
use super::socket::{Arrival, Entrance, Fit, arrive, names_of, port};
use super::supposed::Supposed;
use super::trace::{Outcome, Step, Trace, Tracer, Turn};
use super::uri::{Uri, escape_for};
use super::value::Value;
use super::variation::{By, Fork, Form, Part, Variation, Varies};
use crate::config::{Directive, Location, Server, Visibility, Word};
use crate::nginx::Version;
use crate::nginx::listen::Socket;

/// How often a URI may change, plus one (`NGX_HTTP_MAX_URI_CHANGES`).
const URI_CHANGES: u8 = 11;

/// Why a request fails that is rewritten again and again, or goes round in internal redirects.
pub(super) const REWRITTEN: &str = "the URI was rewritten more than ten times";
pub(super) const REDIRECTED: &str = "there were more than ten internal redirects";

/// Characters after which the text of a step is cut.
const LONGEST_STEP: usize = 500;

/// A request between its arrival and its answer.
#[derive(Clone)]
pub(super) struct Run<'t, 'c> {
    pub(super) tracer: &'t Tracer<'c>,
    pub(super) request: &'t Request,
    pub(super) disk: &'t Disk,
    pub(super) version: Version,
    pub(super) socket: Socket,
    /// True when the client's TLS ends at nginx.
    pub(super) tls: bool,
    pub(super) server: Server<'c>,
    is_default: bool,
    fit: Option<Fit>,
    /// The host that chose the server, normalised; empty when there is none.
    pub(super) host: Vec<u8>,
    /// The headers that nginx has taken.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// True when the request line could be read to its end.
    pub(super) has_line: bool,
    /// The length of the body, once nginx has read it.
    pub(super) content_length: Option<u64>,
    /// True when the body tells its length by itself.
    pub(super) chunked: bool,

    pub(super) method: String,
    pub(super) uri: Value,
    pub(super) args: Value,
    pub(super) unparsed_uri: Vec<u8>,
    pub(super) valid_unparsed_uri: bool,
    pub(super) quoted_uri: bool,
    pub(super) plus_in_uri: bool,
    pub(super) internal: bool,
    pub(super) valid_location: bool,
    pub(super) uri_changed: bool,
    pub(super) uri_changes: u8,
    pub(super) add_uri_to_alias: bool,
    pub(super) error_page: bool,
    pub(super) err_status: Option<u16>,
    /// The `Location` header that was set on the way, which stays beside an error page.
    pub(super) redirect: Option<Value>,
    pub(super) is_subrequest: bool,
    /// The block whose settings are in force (`r->loc_conf`).
    pub(super) scope: Directive<'c>,
    pub(super) location: Option<Location<'c>>,
    pub(super) content_handler: Option<Directive<'c>>,
    pub(super) captures: Captures,
    /// The values of variables that were set, captured, or looked up and kept.
    pub(super) variables: HashMap<String, Value>,
    /// What was assumed about files, so that it stays so.
    pub(super) guessed: HashMap<Vec<u8>, Entry>,
    /// True when the configuration itself has named the URI, by an internal redirect.
    pub(super) is_named: bool,
    /// How deep variables are being looked up in each other.
    pub(super) depth: usize,
    /// How many variables have been looked up.
    pub(super) lookups: u32,
    /// What depends on the path and the query.
    pub(super) variation: Variation,

    /// What is supposed besides what the configuration says.
    pub(super) supposed: Supposed<'c>,
    /// The location that the first search has ended in.
    chosen: Option<Location<'c>>,
    /// The first status of an error that it was to end with.
    pub(super) refused: Option<u16>,
    steps: Vec<Step>,
    turns: Vec<Turn<'c>>,
    /// The variables of the client's headers that were looked up.
    pub(super) heard: Vec<String>,
    visibility: Visibility,
    assumptions: Vec<Assumption>,
}

/// What comes next.
pub(super) enum Next<'c> {
    ServerRewrite,
    FindLocation,
    LocationRewrite,
    PostRewrite,
    Access,
    Content,
    /// The request ends with this status, for which there may be an error page.
    Finalize(Status),
    /// The request is taken up again at a named location.
    Named(Value, Directive<'c>),
    Done(Outcome),
}

/// A status that a request ends with.
pub(super) struct Status {
    pub(super) code: u16,
    /// The outcome that it has when no error page takes its place.
    pub(super) outcome: Outcome,
}

impl Status {
    pub(super) fn reject(code: u16) -> Self {
        Self {
            code,
            outcome: Outcome::Reject { status: code },
        }
    }

    pub(super) fn error(code: u16, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            code,
            outcome: Outcome::Error {
                status: code,
                reason,
            },
        }
    }

    /// An answer that says nothing but its status.
    pub(super) fn answer(code: u16) -> Self {
        Self {
            code,
            outcome: Outcome::Return {
                status: code,
                location: None,
                body: None,
            },
        }
    }
}

/// Follows a request from its connection to its answer.
pub(super) fn run<'c>(
    tracer: &Tracer<'c>,
    request: &Request,
    disk: &Disk,
) -> Result<Trace<'c>, String> {
    if tracer.config.servers().next().is_none() {
        return Err("the configuration has no server".to_owned());
    }
    let wanted = || -> Option<Vec<u8>> {
        let line = request_line(request);
        if let Ok(Some(host)) = line.as_ref().map(|target| target.host) {
            return validate_host(host);
        }
        let host = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        validate_host(&host?.1)
    };
    let wanted = wanted().unwrap_or_default();
    let score = |entrance: &Entrance<'c>| {
        let mut test = |pattern: &[u8], caseless: bool, host: &[u8]| {
            tracer.regexes.get(pattern, caseless)?.is_match(host).ok()
        };
        let named = entrance.server(&wanted, &mut test).is_some()
            || names_of(entrance.default).contains(&wanted);
        u8::from(named)
    };
    let arrival = arrive(&tracer.entrances, request, score).ok_or_else(|| {
        format!(
            "no server listens at port {}, and none without TLS",
            request.port
        )
    })?;
    Ok(run_from(tracer, request, disk, arrival))
}

/// Follows a request from the socket where it arrives to its answer.
pub(super) fn run_from<'c>(
    tracer: &Tracer<'c>,
    request: &Request,
    disk: &Disk,
    arrival: Arrival<'_, 'c>,
) -> Trace<'c> {
    let Arrival {
        entrance,
        tls,
        assumption,
    } = arrival;
    let line = request_line(request);
    let mut test = |pattern: &[u8], caseless: bool, host: &[u8]| {
        tracer.regexes.get(pattern, caseless)?.is_match(host).ok()
    };
    // The server that reads the request line: of TLS it is known by the name that the handshake asks for.
    let sni = tls
        .then(|| validate_host(request.host.as_bytes()))
        .flatten()
        .filter(|host| request.host.parse::<std::net::IpAddr>().is_err() && !host.is_empty());
    let first = sni
        .as_ref()
        .and_then(|name| entrance.server(name, &mut test))
        .map_or(entrance.default, |(server, _)| server);
    let mut run = Run::new(tracer, request, disk, entrance.socket.clone(), tls, first);
    run.is_default = first == entrance.default;
    run.has_line = line.is_ok();
    if let Some(assumption) = assumption {
        run.assume_about(About::Outside, assumption);
    }
    if entrance.tls
        && request.is_tls()
        && first.directive.flag("ssl_reject_handshake") == Some(true)
    {
        run.step(
            first
                .directive
                .effective("ssl_reject_handshake")
                .directive(),
            "the TLS handshake is refused",
        );
        return run.finish(Outcome::Close);
    }
    if request.is_tls() && !tls && port(&entrance.socket) == Some(request.port) {
        run.step(
            Some(entrance.default.directive),
            format!(
                "{} does not speak TLS, so the client's handshake is no request",
                entrance.shown()
            ),
        );
        return run.finish(Outcome::Reject { status: 400 });
    }
    let next = match line
        .and_then(|target| run.read_uri(&target).map(|()| target))
        .and_then(|target| run.read_headers(entrance, target.host))
    {
        Err(refused) => {
            run.scope = run.server.directive;
            run.step(None, refused.reason);
            Next::Finalize(Status::reject(refused.status))
        }
        Ok(()) if entrance.tls && !tls => {
            run.step(None, "plain HTTP was sent to a socket that speaks TLS");
            Next::Finalize(Status {
                code: 497,
                outcome: Outcome::Reject { status: 400 },
            })
        }
        Ok(()) => Next::ServerRewrite,
    };
    let verified = run
        .server
        .directive
        .effective("ssl_verify_client")
        .directive();
    let verifies = |word: Word<'_>| word == "on";
    if tls
        && verified
            .and_then(|verified| verified.argument(0))
            .is_some_and(verifies)
    {
        run.assume_about(About::Outside, "the certificate of the client is accepted");
    }
    let outcome = run.phases(next);
    run.finish(outcome)
}

/// Follows a request in a server, whatever host and socket lead there; nothing where nginx does not accept its target.
pub(super) fn run_in<'c>(
    tracer: &Tracer<'c>,
    server: Server<'c>,
    request: &Request,
    supposed: Supposed<'c>,
) -> Option<Trace<'c>> {
    let (socket, listen) = server.listening().into_iter().next()?;
    let tls = listen.is_some_and(|listen| listen.ssl);
    let target = request_line(request).ok()?;
    let mut run = Run::new(tracer, request, &tracer.options.disk, socket, tls, server);
    run.read_uri(&target).ok()?;
    run.host = validate_host(request.host.as_bytes())?;
    run.headers = request.headers.clone();
    run.supposed = supposed;
    let outcome = run.phases(Next::ServerRewrite);
    Some(run.finish(outcome))
}

impl<'t, 'c> Run<'t, 'c> {
    /// A request that has arrived at a socket, of which nothing has been read.
    fn new(
        tracer: &'t Tracer<'c>,
        request: &'t Request,
        disk: &'t Disk,
        socket: Socket,
        tls: bool,
        server: Server<'c>,
    ) -> Self {
        Self {
            tracer,
            request,
            disk,
            version: tracer.config.version(),
            socket,
            tls,
            server,
            is_default: false,
            fit: None,
            host: Vec::new(),
            headers: Vec::new(),
            has_line: true,
            content_length: None,
            chunked: false,
            method: request.method.clone(),
            uri: Value::default(),
            args: Value::default(),
            unparsed_uri: Vec::new(),
            valid_unparsed_uri: true,
            quoted_uri: false,
            plus_in_uri: false,
            internal: false,
            valid_location: true,
            uri_changed: false,
            uri_changes: URI_CHANGES,
            add_uri_to_alias: false,
            error_page: false,
            err_status: None,
            redirect: None,
            is_subrequest: false,
            scope: server.directive,
            location: None,
            content_handler: None,
            captures: Captures::default(),
            variables: HashMap::new(),
            guessed: HashMap::new(),
            is_named: false,
            depth: 0,
            lookups: 0,
            variation: Variation::default(),
            supposed: Supposed::default(),
            chosen: None,
            refused: None,
            steps: Vec::new(),
            turns: Vec::new(),
            heard: Vec::new(),
            visibility: Visibility::Whole,
            assumptions: tracer.skipped.clone(),
        }
    }

    pub(super) fn step(&mut self, place: Option<Directive<'c>>, text: impl Into<String>) {
        let mut text = text.into();
        if let Some((end, _)) = text.char_indices().nth(LONGEST_STEP) {
            text.truncate(end);
            text.push('…');
        }
        self.steps.push(Step {
            span: place.map(Directive::span),
            text,
        });
    }

    pub(super) fn assume(&mut self, text: impl Into<String>) {
        self.assume_about(About::Other, text);
    }

    pub(super) fn assume_about(&mut self, about: About, text: impl Into<String>) {
        let text = text.into();
        let known = |known: &Assumption| known.text == text;
        if !self.assumptions.iter().any(known) {
            self.assumptions.push(Assumption { text, about });
        }
    }

    /// Notes that nginx decides by something of the path or the query.
    pub(super) fn fork(&mut self, place: Option<Directive<'c>>, by: By) {
        let span = place.map(Directive::span);
        let fork = Fork { span, by };
        if !self.variation.forks.contains(&fork) {
            self.variation.forks.push(fork);
        }
    }

    /// Notes that nginx decides by a value.
    pub(super) fn decide_by(&mut self, place: Directive<'c>, value: &Value) {
        if value.is_varied() {
            self.fork(Some(place), By::Other);
        }
    }

    /// Notes that nginx looks at a path of the disk.
    pub(super) fn note_looked(&mut self, path: &Value) {
        let looked = (path.bytes.clone(), path.is_varied());
        if !self.variation.looked.contains(&looked) {
            self.variation.looked.push(looked);
        }
    }

    /// Notes that a part of the outcome holds something of the path or the query.
    pub(super) fn vary(&mut self, part: Part, value: &Value) {
        if value.is_varied() && !self.variation.parts.contains(&part) {
            self.variation.parts.push(part);
        }
    }

    /// How a text is made of the path and the query.
    pub(super) fn form(&self, value: &Value) -> Form {
        match value.varies {
            Varies::No => Form::Constant,
            Varies::Target(at) if value.bytes.get(at..) == Some(&self.unparsed_uri) => Form::Rest {
                start: value.bytes[..at].to_vec(),
                from: 0,
            },
            _ => Form::Other,
        }
    }

    /// Takes over what a subrequest rests on.
    pub(super) fn learn_from(&mut self, other: Self) {
        self.variation = other.variation;
        self.visibility = other.visibility;
        self.heard = other.heard;
        for assumption in other.assumptions {
            if assumption.about != About::Name {
                self.assume_about(assumption.about, assumption.text);
            }
        }
    }

    /// Notes that a directive sends the request elsewhere.
    pub(super) fn turn(&mut self, directive: Directive<'c>, to: String) {
        self.turns.push(Turn { directive, to });
    }

    /// Notes that what stands in a block has a say in the answer.
    pub(super) fn see(&mut self, block: Directive<'c>) {
        self.visibility = self.visibility.max(block.visibility());
    }

    /// The end of a request with a redirect by a directive, unless an error page takes its place.
    pub(super) fn redirected(&mut self, by: Option<Directive<'c>>, code: u16, to: Value) -> Status {
        if let Some(directive) = by {
            self.turn(directive, to.text());
        }
        self.redirect = Some(to);
        Status::answer(code)
    }

    /// Says which values are shown by the names of their variables.
    pub(super) fn assume_names(&mut self, value: &Value) {
        for name in &value.unknown {
            let text = format!("`{name}` stands for a value that is not known here");
            self.assume_about(About::Name, text);
        }
    }

    /// A subrequest (`ngx_http_subrequest`), which knows the variables of its parent.
    pub(super) fn subrequest_of(&self) -> Self {
        Self {
            method: "GET".to_owned(),
            args: Value::default(),
            valid_unparsed_uri: false,
            quoted_uri: false,
            plus_in_uri: false,
            internal: true,
            valid_location: true,
            uri_changed: false,
            uri_changes: URI_CHANGES,
            add_uri_to_alias: false,
            error_page: false,
            err_status: None,
            redirect: None,
            is_subrequest: true,
            scope: self.server.directive,
            ..self.clone()
        }
    }

    fn finish(mut self, mut outcome: Outcome) -> Trace<'c> {
        if let Outcome::Return { location, .. } = &mut outcome
            && let Some(redirect) = self.redirect.take()
        {
            *location = Some(self.absolute(&redirect));
            self.variation.redirect = self.form(&redirect);
        }
        let uri = self.uri.clone();
        self.assume_names(&uri);
        let name = match &self.fit {
            Some(Fit::Exact) => self.host.clone(),
            Some(Fit::Leading(rest)) => [b"*.", &rest[..]].concat(),
            Some(Fit::Trailing(rest)) => [&rest[..], b".*"].concat(),
            Some(Fit::Regex(regex)) => [b"~", &regex[..]].concat(),
            None if !self.is_default => self.host.clone(),
            None => names_of(self.server).swap_remove(0),
        };
        Trace {
            request: self.request.clone(),
            version: self.version,
            server: Some(self.server),
            is_default: self.is_default,
            server_name: String::from_utf8_lossy(&name).into_owned(),
            uri: self.uri.bytes,
            chosen: self.chosen,
            refused: self.refused,
            location: self.location,
            scope: self.scope,
            steps: self.steps,
            turns: self.turns,
            heard: self.heard,
            visibility: self.visibility,
            outcome,
            assumptions: self.assumptions,
            variation: self.variation,
        }
    }

    /// `ngx_http_process_request_uri`: the server that is known by now says whether slashes are merged.
    fn read_uri(&mut self, target: &super::request::Target<'_>) -> Result<(), Refused> {
        let merge_slashes = self.server.directive.flag("merge_slashes") != Some(false);
        let written = match target.empty_path {
            true => [b"/", target.uri].concat(),
            false => target.uri.to_vec(),
        };
        let uri = Uri::parse(&written, merge_slashes)
            .ok_or_else(|| Refused::bad("the path of the target is invalid"))?;
        let raw = written
            .split(|byte| matches!(byte, b'?' | b'#'))
            .next()
            .unwrap_or_default();
        let plus = |window: &[u8]| window.eq_ignore_ascii_case(b"%2b");
        self.plus_in_uri = raw.contains(&b'+') || raw.windows(3).any(plus);
        self.quoted_uri = uri.is_quoted;
        self.unparsed_uri = target.uri.to_vec();
        self.valid_unparsed_uri = !target.empty_path;
        self.uri = Value::new(uri.path).varied(Varies::Path);
        self.args = Value::new(uri.arguments.unwrap_or_default()).varied(Varies::Query);
        Ok(())
    }

    /// `ngx_http_process_request_headers`: the host chooses the server on the way.
    fn read_headers(
        &mut self,
        entrance: &Entrance<'c>,
        host: Option<&[u8]>,
    ) -> Result<(), Refused> {
        let invalid = || Refused::bad("the host is invalid");
        if let Some(host) = host {
            self.set_server(entrance, validate_host(host).ok_or_else(invalid)?);
        }
        let mut header_host = false;
        for (name, value) in &self.request.headers {
            let underscores = self.server.directive.flag("underscores_in_headers") == Some(true);
            let line = header_line(name, value, underscores);
            let ignored = self.server.directive.flag("ignore_invalid_headers") != Some(false);
            match line {
                HeaderLine::Refused => {
                    return Err(Refused::bad(format!("the header `{name}` is invalid")));
                }
                HeaderLine::Invalid if ignored => {
                    self.step(
                        None,
                        format!("the header `{name}` is left out: its name is not valid"),
                    );
                    continue;
                }
                HeaderLine::Valid | HeaderLine::Invalid => {}
            }
            let value = trimmed(value);
            let known = |(known, _): &&(String, Vec<u8>)| known.eq_ignore_ascii_case(name);
            let again = self.headers.iter().any(|header| known(&header));
            // A header that is refused is there all the same when an error page is asked for.
            self.headers.push((name.clone(), value.to_vec()));
            if again && is_unique(name, self.version) {
                return Err(Refused::bad(format!("the header `{name}` stands twice")));
            }
            if name.eq_ignore_ascii_case("host") {
                if header_host {
                    return Err(Refused::bad("the header `Host` stands twice"));
                }
                header_host = true;
                let host = validate_host(value).ok_or_else(invalid)?;
                if self.host.is_empty() {
                    self.set_server(entrance, host);
                }
            }
        }
        if self.host.is_empty() {
            self.set_server(entrance, Vec::new());
        }
        if !header_host && self.request.protocol > Protocol::Http10 {
            return Err(Refused::bad("HTTP/1.1 wants a `Host`"));
        }
        self.read_length()?;
        if matches!(self.method.as_str(), "CONNECT" | "TRACE") {
            return Err(Refused {
                status: 405,
                reason: format!("the method {} is not answered", self.method),
            });
        }
        Ok(())
    }

    /// What `ngx_http_process_request_header` asks of the headers that tell the length of a body.
    fn read_length(&mut self) -> Result<(), Refused> {
        if let Some(length) = self.header("content-length") {
            let text = std::str::from_utf8(length).ok();
            let length = text.and_then(length_of);
            let length =
                length.ok_or_else(|| Refused::bad("the header `Content-Length` is no number"))?;
            self.content_length = Some(length);
        }
        let Some(encoding) = self.header("transfer-encoding") else {
            return Ok(());
        };
        if self.request.protocol < Protocol::Http11 {
            return Err(Refused::bad("HTTP/1.0 has no `Transfer-Encoding`"));
        }
        if !encoding.eq_ignore_ascii_case(b"chunked") {
            return Err(Refused {
                status: 501,
                reason: "the `Transfer-Encoding` is unknown".to_owned(),
            });
        }
        if self.content_length.is_some() {
            return Err(Refused::bad(
                "`Content-Length` and `Transfer-Encoding` stand together",
            ));
        }
        self.chunked = true;
        Ok(())
    }

    /// The value of the first header of a name.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// `ngx_http_set_virtual_server`
    fn set_server(&mut self, entrance: &Entrance<'c>, host: Vec<u8>) {
        let tracer = self.tracer;
        let mut found = None;
        let mut undecided = false;
        let mut test = |pattern: &[u8], caseless: bool, host: &[u8]| {
            let matched = tracer
                .regexes
                .get(pattern, caseless)
                .and_then(|regex| exec(&regex, host));
            undecided |= matched.is_none();
            let matched = matched?;
            let hit = matched.is_some();
            found = matched.or(found.take());
            Some(hit)
        };
        let chosen = entrance.server(&host, &mut test);
        if let Some(matched) = found {
            self.capture(matched, false);
        }
        if undecided {
            self.assume("a name of a server that is no regex for PCRE2 matches nothing");
        }
        // With TLS, what the handshake has chosen stays unless another name fits.
        let (server, fit) = match chosen {
            Some((server, fit)) => (server, Some(fit)),
            None if self.tls => (entrance.default, None),
            None => (self.server, None),
        };
        let is_named = names_of(server)
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&host));
        self.is_default = fit.is_none() && !is_named;
        self.see(server.directive);
        self.server = server;
        self.scope = server.directive;
        self.fit = fit;
        let shown = String::from_utf8_lossy(&host).into_owned();
        let reason = match &self.fit {
            Some(Fit::Exact) if host.is_empty() => {
                "it is the one for requests without a host".to_owned()
            }
            Some(Fit::Exact) => format!("`{shown}` is its name"),
            Some(Fit::Leading(rest)) => {
                format!("`{shown}` fits its `*.{}`", String::from_utf8_lossy(rest))
            }
            Some(Fit::Trailing(rest)) => {
                format!("`{shown}` fits its `{}.*`", String::from_utf8_lossy(rest))
            }
            Some(Fit::Regex(regex)) => {
                format!(
                    "`{shown}` matches its `~{}`",
                    String::from_utf8_lossy(regex)
                )
            }
            None if is_named && !host.is_empty() => {
                format!("`{shown}` is its name, and no other server listens there")
            }
            None if is_named => "no other server listens there".to_owned(),
            None if host.is_empty() => "it is the default one there".to_owned(),
            None => format!("no name fits `{shown}`, and it is the default one there"),
        };
        self.step(
            Some(server.directive),
            format!("the server of {} is chosen: {reason}", entrance.shown()),
        );
        self.host = host;
    }

    /// Keeps what a regex has captured; `varied` when that depends on the path or the query.
    pub(super) fn capture(&mut self, matched: Match, varied: bool) {
        self.captures = matched.captures;
        self.captures.varied = varied;
        let varies = match varied {
            true => Varies::From(0),
            false => Varies::No,
        };
        for (name, text) in matched.named {
            self.variables.insert(name, Value::new(text).varied(varies));
        }
    }

    /// Runs the phases up to an answer.
    pub(super) fn phases(&mut self, mut next: Next<'c>) -> Outcome {
        loop {
            next = match next {
                Next::ServerRewrite => {
                    self.content_handler = None;
                    self.rewrite(self.server.directive)
                        .unwrap_or(Next::FindLocation)
                }
                Next::FindLocation => self.find_location(),
                Next::LocationRewrite => {
                    // Skipped for the server's own settings (`ngx_http_rewrite_handler`).
                    if self.scope == self.server.directive {
                        Next::PostRewrite
                    } else {
                        self.rewrite(self.scope).unwrap_or(Next::PostRewrite)
                    }
                }
                Next::PostRewrite => self.post_rewrite(),
                Next::Access => match self.access() {
                    Some(status) => Next::Finalize(status),
                    None => Next::Content,
                },
                Next::Content => match self.content() {
                    Content::Outcome(outcome) => Next::Done(outcome),
                    Content::Status(status) => Next::Finalize(status),
                    Content::Redirect(place, uri, args) => self.internal_redirect(place, uri, args),
                    Content::Named(name, place) => Next::Named(name, place),
                },
                Next::Named(name, place) => self.named_location(&name, place),
                Next::Finalize(status) => self.finalize(status),
                Next::Done(outcome) => return outcome,
            };
        }
    }

    /// `ngx_http_core_find_config_phase`
    fn find_location(&mut self) -> Next<'c> {
        self.content_handler = None;
        self.uri_changed = false;
        self.location = None;
        let uri = self.uri.clone();
        if !uri.is_known() {
            self.assume_names(&uri);
            self.assume("the location of a URI that is not known");
        }
        match uri.varies {
            // The choice of the path of the client is told apart.
            Varies::No | Varies::Path => {}
            Varies::Index => self.fork(None, By::Index),
            Varies::Query | Varies::Target(_) | Varies::From(_) => self.fork(None, By::Other),
        }
        let mut redirect = None;
        let supposed = self.supposed.choice.take();
        match supposed.unwrap_or_else(|| choose(self.server, &uri.bytes)) {
            Choice::Location(location) => self.enter(location, &uri.bytes),
            Choice::Redirect(location) => {
                redirect = Some(location.clone());
                self.see(location.directive);
                self.scope = location.directive;
                self.location = Some(location);
            }
            Choice::Server => {
                self.scope = self.server.directive;
                let text = format!("no location fits `{}`", self.uri.text());
                self.step(Some(self.server.directive), text);
            }
            Choice::Unknown => {
                return Next::Finalize(Status::error(
                    500,
                    "a regex of a location cannot be compiled, so nginx does not start",
                ));
            }
        }
        if self.chosen.is_none() {
            self.chosen.clone_from(&self.location);
        }
        let is_let_in = self.internal || self.supposed.is_let_in;
        if !is_let_in && self.scope_flag("internal") {
            let internal = self.scope.effective("internal").directive();
            self.step(internal, "only internal redirects may come here");
            return Next::Finalize(Status::reject(404));
        }
        self.update_location_config();
        if let Some(too_large) = self.body_too_large() {
            return Next::Finalize(too_large);
        }
        let Some(location) = redirect else {
            return Next::LocationRewrite;
        };
        let name = match self.version >= Version(1, 21, 0) {
            true => escape_for(&location.path, self.version),
            false => location.path.to_vec(),
        };
        let mut target = Value::new(name);
        let args = self.args.clone();
        if !args.bytes.is_empty() {
            target.push(&Value::new("?"));
            target.push(&args);
        }
        target.varies = target.varies.or(args.varies);
        self.step(
            Some(location.directive),
            format!("`{location}` passes requests on, so its URI without the slash is redirected"),
        );
        Next::Finalize(self.redirected(Some(location.directive), 301, target))
    }

    /// Takes a location that was chosen, with what the regexes on the way to it capture.
    fn enter(&mut self, location: Location<'c>, uri: &[u8]) {
        let mut way: Vec<Location<'c>> =
            std::iter::successors(Some(location.clone()), Location::parent).collect();
        way.reverse();
        for regex in way.iter().filter(|step| step.is_regex()) {
            let matched = regex.regex().and_then(|regex| exec(&regex, uri)).flatten();
            if let Some(matched) = matched {
                self.capture(matched, self.uri.is_varied());
            }
        }
        let reason = match location.modifier.as_str() {
            "=" => "it is exactly this URI",
            "~" | "~*" => "it is the first regex that matches",
            "^~" => "it is the longest prefix, and the regexes beside it are not tried",
            _ => "it is the longest prefix",
        };
        self.step(
            Some(location.directive),
            format!(
                "location `{location}` answers `{}`: {reason}",
                self.uri.text()
            ),
        );
        self.see(location.directive);
        self.scope = location.directive;
        self.location = Some(location);
    }

    /// `ngx_http_update_location_config`
    pub(super) fn update_location_config(&mut self) {
        if let Some(except) = self.limit_except() {
            self.step(
                Some(except),
                format!("{} is none of the methods that are excepted", self.method),
            );
            self.scope = except;
            if let Some(handler) = except.handler().or_else(|| self.inherited_handler(except)) {
                self.content_handler = Some(handler);
            }
            return;
        }
        if let Some(handler) = self.scope.handler() {
            self.content_handler = Some(handler);
        }
    }

    /// The `limit_except` of the block in force, if it limits the method (`ngx_http_core_limit_except`).
    fn limit_except(&self) -> Option<Directive<'c>> {
        let except = self.scope.own("limit_except").next()?;
        let named = |name: &str| {
            except
                .arguments()
                .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        let allowed = named(&self.method) || self.method == "HEAD" && named("GET");
        (!allowed).then_some(except)
    }

    /// The handler that a `limit_except` has from its location: that of the first module that passes requests on.
    fn inherited_handler(&self, except: Directive<'c>) -> Option<Directive<'c>> {
        const INHERITED: [&str; 5] = [
            "proxy_pass",
            "fastcgi_pass",
            "uwsgi_pass",
            "scgi_pass",
            "grpc_pass",
        ];
        INHERITED
            .iter()
            .find_map(|name| except.effective(name).directive())
    }

    pub(super) fn scope_flag(&self, name: &str) -> bool {
        self.scope
            .effective(name)
            .directive()
            .is_some_and(|directive| {
                directive
                    .argument(0)
                    .is_none_or(|word| word.eq_ignore_ascii_case(b"on"))
            })
    }

    fn body_too_large(&mut self) -> Option<Status> {
        let limit = self.scope.effective("client_max_body_size").directive();
        let bytes = match limit.and_then(|limit| limit.argument(0)) {
            Some(word) => size(&word)?,
            None => 1 << 20,
        };
        let length = self.content_length?;
        (bytes > 0 && length > bytes).then(|| {
            self.step(
                limit,
                format!("a body of {length} bytes is larger than is let in"),
            );
            Status::reject(413)
        })
    }

    /// `ngx_http_core_post_rewrite_phase`
    fn post_rewrite(&mut self) -> Next<'c> {
        if !self.uri_changed {
            return Next::Access;
        }
        self.uri_changes -= 1;
        if self.uri_changes == 0 {
            return Next::Finalize(Status::error(500, REWRITTEN));
        }
        self.scope = self.server.directive;
        Next::FindLocation
    }

    /// `ngx_http_internal_redirect`
    pub(super) fn internal_redirect(
        &mut self,
        place: Option<Directive<'c>>,
        uri: Value,
        args: Value,
    ) -> Next<'c> {
        if let Some(directive) = place {
            self.turn(directive, uri.text());
        }
        self.uri_changes -= 1;
        if self.uri_changes == 0 {
            return Next::Finalize(Status::error(500, REDIRECTED));
        }
        self.step(place, format!("internal redirect to `{}`", uri.text()));
        self.uri = uri;
        self.is_named = true;
        self.args = args;
        self.location = None;
        self.scope = self.server.directive;
        self.update_location_config();
        self.internal = true;
        self.valid_unparsed_uri = false;
        self.add_uri_to_alias = false;
        self.valid_location = true;
        Next::ServerRewrite
    }

    /// `ngx_http_named_location`
    fn named_location(&mut self, name: &Value, place: Directive<'c>) -> Next<'c> {
        self.turn(place, name.text());
        self.uri_changes -= 1;
        if self.uri_changes == 0 {
            return Next::Finalize(Status::error(500, REDIRECTED));
        }
        if self.uri.bytes.is_empty() {
            return Next::Finalize(Status::error(
                500,
                "a named location was asked for with an empty URI",
            ));
        }
        self.assume_names(name);
        if !name.is_known() {
            self.assume("the location of a name that is not known");
        }
        self.decide_by(place, name);
        let found = self
            .server
            .directive
            .locations()
            .named(&name.bytes)
            .find(|location| location.modifier == crate::config::Modifier::Named);
        let Some(location) = found else {
            self.step(
                Some(place),
                format!("there is no location `{}`", name.text()),
            );
            return Next::Finalize(Status::error(
                500,
                format!("there is no location `{}`", name.text()),
            ));
        };
        self.step(
            Some(location.directive),
            format!("location `{location}` answers: it was asked for by name"),
        );
        self.internal = true;
        self.content_handler = None;
        self.uri_changed = false;
        self.see(location.directive);
        self.scope = location.directive;
        self.location = Some(location);
        self.update_location_config();
        Next::LocationRewrite
    }
}

fn trimmed(value: &[u8]) -> &[u8] {
    let start = value
        .iter()
        .position(|byte| *byte != b' ')
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(start, |last| last + 1);
    &value[start..end]
}

/// A number of bytes as `ngx_atoof` reads it.
fn length_of(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|length| digits && *length <= i64::MAX as u64)
}

/// A size as `ngx_parse_offset` reads it.
fn size(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, factor) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1 << 10),
        b'm' | b'M' => (&text[..text.len() - 1], 1 << 20),
        b'g' | b'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1_u64),
    };
    length_of(digits)?.checked_mul(factor)
}
