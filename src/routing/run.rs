//! One request on its way through nginx: what is known of it, and what it leaves behind.
//!
//! The fields of [`Run`] are those of nginx's `ngx_http_request_t` and are called as there.

use std::collections::HashMap;

use super::assumption::{About, Assumption};
use super::disk::{Disk, Entry};
use super::regexes::{Captures, Match};
use super::request::{Request, request_line, validate_host};
use super::socket::{Arrival, Entrance, Fit, arrive, names_of, port};
use super::supposed::Supposed;
use super::trace::{Outcome, Step, Trace, Tracer, Turn};
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
    pub(super) is_default: bool,
    pub(super) fit: Option<Fit>,
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
    pub(super) chosen: Option<Location<'c>>,
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
}
