//! What two answers to one request do not have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Directive};
use crate::nginx::{self, Contexts, Subsystem};
use crate::routing::{Outcome, Proxy, Trace, WebSocket};

/// What is different about two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing listens at the socket on one side.
    Listening,
    /// One lets the request in, the other does not.
    Access,
    /// What answers: an upstream, a file, nginx itself.
    Answer,
    /// Where the request is passed on to.
    Upstream,
    /// What the upstream is asked for.
    Uri,
    /// The method, or the version of HTTP, that the upstream sees.
    Line,
    /// The headers or parameters that the upstream receives.
    Headers,
    /// Whether a WebSocket handshake can complete.
    WebSocket,
    /// How long the upstream may be silent.
    Timeout,
    /// The status.
    Status,
    /// Where the client is sent.
    Redirect,
    /// The body that stands in the configuration.
    Body,
    /// The file that is looked for.
    File,
    /// The headers that the client receives.
    AnswerHeaders,
}

impl Kind {
    /// As it stands in machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Access => "access",
            Self::Answer => "answer",
            Self::Upstream => "upstream",
            Self::Uri => "upstream-uri",
            Self::Line => "upstream-request-line",
            Self::Headers => "upstream-headers",
            Self::WebSocket => "websocket",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Body => "body",
            Self::File => "file",
            Self::AnswerHeaders => "answer-headers",
        }
    }
}

/// One thing that is different about two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aspect {
    /// What it is.
    pub kind: Kind,
    /// It in words, when the two answers do not say it by themselves.
    pub text: Option<String>,
}

/// What was seen of two answers.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) aspects: Vec<Aspect>,
    /// What was taken to be so besides the assumptions of the traces.
    pub(super) assumptions: Vec<String>,
    /// What may be different, or not, for all that is known.
    pub(super) doubts: Vec<String>,
}

impl Seen {
    fn add(&mut self, kind: Kind, text: Option<String>) {
        self.aspects.push(Aspect { kind, text });
    }

    fn differs<T: PartialEq>(&mut self, kind: Kind, old: &T, new: &T) {
        if old != new {
            self.add(kind, None);
        }
    }
}

/// Compares what becomes of one request in two configurations.
pub(super) fn compare(old: &Trace<'_>, new: &Trace<'_>, configs: [&Config; 2]) -> Seen {
    let mut seen = Seen::default();
    let own = [old, new].map(|trace| own_status(&trace.outcome));
    if let [Some(before), Some(after)] = own {
        if before != after {
            let let_in = [before, after].map(|status| !matches!(status, 401 | 403));
            let kind = match let_in[0] == let_in[1] {
                true => Kind::Status,
                false => Kind::Access,
            };
            seen.add(kind, None);
        }
        answer_headers(&mut seen, old, new);
        return seen;
    }
    if own
        .iter()
        .flatten()
        .any(|status| matches!(status, 401 | 403))
    {
        seen.add(Kind::Access, None);
        return seen;
    }
    match (&old.outcome, &new.outcome) {
        (Outcome::Proxy(left), Outcome::Proxy(right)) => {
            proxied(&mut seen, left, right, configs);
        }
        (Outcome::Pass(left), Outcome::Pass(right)) => {
            seen.differs(Kind::Answer, &left.protocol, &right.protocol);
            let behind = |config, text: &str| members(config, text);
            if behind(configs[0], &left.upstream) != behind(configs[1], &right.upstream) {
                seen.add(
                    Kind::Upstream,
                    told_members(configs, &left.upstream, &right.upstream),
                );
            }
            pairs(&mut seen, Kind::Headers, &left.params, &right.params);
            seen.differs(Kind::Timeout, &left.read_timeout, &right.read_timeout);
            seen.differs(Kind::Status, &left.status, &right.status);
        }
        (
            Outcome::Return {
                status,
                location,
                body,
            },
            Outcome::Return {
                status: other_status,
                location: other_location,
                body: other_body,
            },
        ) => {
            seen.differs(Kind::Status, status, other_status);
            text_differs(
                &mut seen,
                Kind::Redirect,
                location.as_deref(),
                other_location.as_deref(),
            );
            text_differs(
                &mut seen,
                Kind::Body,
                body.as_deref(),
                other_body.as_deref(),
            );
        }
        (
            Outcome::File { path, status },
            Outcome::File {
                path: other_path,
                status: other_status,
            },
        ) => {
            text_differs(&mut seen, Kind::File, Some(path), Some(other_path));
            seen.differs(Kind::Status, status, other_status);
        }
        (Outcome::Close, Outcome::Close) => return seen,
        (
            Outcome::Handler { name, status },
            Outcome::Handler {
                name: other,
                status: other_status,
            },
        ) => {
            seen.differs(Kind::Answer, name, other);
            seen.differs(Kind::Status, status, other_status);
        }
        _ => seen.add(Kind::Answer, None),
    }
    if !matches!(
        (&old.outcome, &new.outcome),
        (Outcome::Close, _) | (_, Outcome::Close)
    ) {
        answer_headers(&mut seen, old, new);
    }
    seen
}

/// The status of an answer that nginx makes by itself, without a body of the configuration and without a redirect.
fn own_status(outcome: &Outcome) -> Option<u16> {
    match outcome {
        Outcome::Return {
            status,
            location: None,
            body: None,
        }
        | Outcome::Reject { status }
        | Outcome::Error { status, .. } => Some(*status),
        // Nobody sees which file is not there.
        Outcome::File { status, .. } => status.filter(|status| *status >= 400),
        _ => None,
    }
}

fn proxied(seen: &mut Seen, old: &Proxy, new: &Proxy, configs: [&Config; 2]) {
    if members(configs[0], &old.upstream) != members(configs[1], &new.upstream) {
        match old.upstream == new.upstream {
            true => seen.add(
                Kind::Upstream,
                told_members(configs, &old.upstream, &new.upstream),
            ),
            false => text_differs(
                seen,
                Kind::Upstream,
                Some(&old.upstream),
                Some(&new.upstream),
            ),
        }
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text_differs(
        seen,
        Kind::Uri,
        Some(&text(&old.uri)),
        Some(&text(&new.uri)),
    );
    seen.differs(Kind::Line, &old.method, &new.method);
    seen.differs(Kind::Line, &old.http_version, &new.http_version);
    pairs(seen, Kind::Headers, &old.headers, &new.headers);
    let whole = |proxy: &Proxy| proxy.websocket == WebSocket::Complete;
    seen.differs(Kind::WebSocket, &whole(old), &whole(new));
    seen.differs(Kind::Timeout, &old.read_timeout, &new.read_timeout);
    seen.differs(Kind::Status, &old.status, &new.status);
}

/// A value that is not known stands by the name of its variable.
fn has_unknown(text: &str) -> bool {
    nginx::has_variables(text.as_bytes())
}

/// True when two values may be the same for all that is known: of both only the variables are known, or of one, and what
/// that one holds is not nginx's own.
fn may_be_same(old: Option<&str>, new: Option<&str>) -> bool {
    let (Some(old), Some(new)) = (old, new) else {
        return false;
    };
    let foreign = |text: &str| {
        nginx::references(text.as_bytes())
            .iter()
            .any(|reference| nginx::variable(&reference.name, Subsystem::Http).is_none())
    };
    has_unknown(old) && has_unknown(new) || foreign(old) || foreign(new)
}

fn text_differs(seen: &mut Seen, kind: Kind, old: Option<&str>, new: Option<&str>) {
    if old == new {
        return;
    }
    match may_be_same(old, new) {
        true => seen.doubts.push(format!(
            "whether `{}` and `{}` are the same",
            old.unwrap_or_default(),
            new.unwrap_or_default()
        )),
        false => seen.add(kind, None),
    }
}

/// What stands behind a name: the addresses of its `upstream` block, or itself with its port.
fn members(config: &Config, upstream: &str) -> BTreeSet<String> {
    let (scheme, authority) = upstream.split_once("://").unwrap_or(("http", upstream));
    let port = if scheme.ends_with('s') { "443" } else { "80" };
    let group = group(config, authority);
    let Some(group) = group else {
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = match has_port || authority.starts_with("unix:") {
            true => authority.to_ascii_lowercase(),
            false => format!("{}:{port}", authority.to_ascii_lowercase()),
        };
        return BTreeSet::from([format!("{scheme}://{address}")]);
    };
    let servers = group.own("server").filter_map(|server| server.argument(0));
    servers
        .map(|address| {
            let address = address.text().to_ascii_lowercase();
            let has_port = address
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            match has_port || address.starts_with("unix:") {
                true => format!("{scheme}://{address}"),
                // What a group says without a port is 80, whatever the scheme.
                false => format!("{scheme}://{address}:80"),
            }
        })
        .collect()
}

fn group<'c>(config: &'c Config, name: &str) -> Option<Directive<'c>> {
    let http = config.top().find(|block| block.is("http"));
    let blocks: Vec<Directive<'c>> = match http {
        Some(http) => http.own("upstream").collect(),
        None => config.top().filter(|block| block.is("upstream")).collect(),
    };
    blocks.into_iter().find(|block| {
        block.inside() == Contexts::UPSTREAM
            && block
                .argument(0)
                .is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    })
}

fn told_members(configs: [&Config; 2], old: &str, new: &str) -> Option<String> {
    if old != new {
        return None;
    }
    let list = |config| {
        members(config, old)
            .into_iter()
            .collect::<Vec<_>>()
            .join(", ")
    };
    Some(format!(
        "`{old}` stands for {} in old, for {} in new",
        list(configs[0]),
        list(configs[1])
    ))
}

/// Compares lists of names and values; the order counts among equal names only.
fn pairs(seen: &mut Seen, kind: Kind, old: &[(String, String)], new: &[(String, String)]) {
    let sorted = |list: &[(String, String)]| {
        let mut sorted: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
        for (name, value) in list {
            let entry = sorted.entry(name.to_ascii_lowercase()).or_default();
            entry.0.clone_from(name);
            entry.1.push(value.clone());
        }
        sorted
    };
    let (old, new) = (sorted(old), sorted(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (left, right) = (old.get(name), new.get(name));
        let values =
            |side: Option<&(String, Vec<String>)>| side.map(|(_, values)| values.join(", "));
        let (left_values, right_values) = (values(left), values(right));
        if left_values == right_values {
            continue;
        }
        if may_be_same(left_values.as_deref(), right_values.as_deref()) {
            seen.doubts.push(format!(
                "whether the `{name}` that the upstream receives is the same, `{}` in old and `{}` in new",
                left_values.unwrap_or_default(),
                right_values.unwrap_or_default()
            ));
            continue;
        }
        let shown = |side: Option<&(String, Vec<String>)>| match side {
            Some((name, values)) => format!("`{name}: {}`", values.join(", ")),
            None => "none".to_owned(),
        };
        let shown_name = left
            .or(right)
            .map(|(name, _)| name.clone())
            .unwrap_or_default();
        seen.add(
            kind,
            Some(format!(
                "`{shown_name}`: {} in old, {} in new",
                shown(left),
                shown(right)
            )),
        );
    }
}

/// Compares what `add_header` and `expires` add, as far as their values are written out.
fn answer_headers(seen: &mut Seen, old: &Trace<'_>, new: &Trace<'_>) {
    let (mut left, mut right) = (added(old), added(new));
    // What is said in the same words on both sides is no difference.
    let common = |left: &mut Vec<Added>, right: &mut Vec<Added>| {
        left.retain(
            |header| match right.iter().position(|other| other == header) {
                Some(at) => {
                    right.remove(at);
                    false
                }
                None => true,
            },
        );
    };
    common(&mut left, &mut right);
    let fixed = |header: &&Added| !has_unknown(&header.value) && !has_unknown(&header.name);
    let names: BTreeSet<String> = left
        .iter()
        .chain(&right)
        .map(|header| header.name.to_ascii_lowercase())
        .collect();
    for name in names {
        let of = |side: &[Added]| {
            let same: Vec<Added> = side
                .iter()
                .filter(|header| header.name.eq_ignore_ascii_case(&name))
                .cloned()
                .collect();
            same
        };
        let (left, right) = (of(&left), of(&right));
        if !left.iter().chain(&right).all(|header| fixed(&header)) {
            continue;
        }
        let lines = |side: &[Added]| -> Vec<String> {
            side.iter()
                .map(|header| format!("`{}: {}`", header.name, header.value))
                .collect()
        };
        let sent = |side: &[Added], trace: &Trace<'_>| -> Vec<Added> {
            let status = trace.outcome.status().unwrap_or(200);
            let usual = matches!(status, 200 | 201 | 204 | 206 | 301..=304 | 307 | 308);
            side.iter()
                .filter(|header| header.always || usual)
                .cloned()
                .collect()
        };
        let (left, right) = (sent(&left, old), sent(&right, new));
        let plain = |side: &[Added]| -> Vec<(String, String)> {
            side.iter()
                .map(|header| (header.name.to_ascii_lowercase(), header.value.clone()))
                .collect()
        };
        if plain(&left) == plain(&right) {
            continue;
        }
        let open = |trace: &Trace<'_>| trace.outcome.status().is_none();
        if open(old) || open(new) {
            let assumption = "the answer has the status 200".to_owned();
            if !seen.assumptions.contains(&assumption) {
                seen.assumptions.push(assumption);
            }
        }
        let shown = |lines: Vec<String>| match lines.is_empty() {
            true => "none".to_owned(),
            false => lines.join(" and "),
        };
        let first = left
            .first()
            .or(right.first())
            .map(|header| header.name.clone());
        seen.add(
            Kind::AnswerHeaders,
            Some(format!(
                "`{}` of the answer: {} in old, {} in new",
                first.unwrap_or_default(),
                shown(lines(&left)),
                shown(lines(&right))
            )),
        );
    }
}

/// A header that the configuration adds to an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Added {
    name: String,
    value: String,
    always: bool,
}

fn added(trace: &Trace<'_>) -> Vec<Added> {
    let mut all = Vec::new();
    for directive in trace.scope.effective("add_header").directives {
        let mut words = directive.arguments().map(|word| word.text().into_owned());
        let (Some(name), Some(value)) = (words.next(), words.next()) else {
            continue;
        };
        if !value.is_empty() {
            all.push(Added {
                name,
                value,
                always: words.next().is_some(),
            });
        }
    }
    all
}
