//! Whether one answer is as it has to be.

use super::route::{Bound, Wanted};
use crate::routing::{Disk, Entry, Outcome, Pass, Proxy, Trace, WebSocket, duration};

/// How an answer compares with what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compared {
    /// It is so.
    Holds,
    /// It is this instead.
    Fails(String),
    /// It is not up to the configuration, for this reason.
    Open(String),
}

impl Compared {
    fn of(holds: bool, actual: impl FnOnce() -> String) -> Self {
        match holds {
            true => Self::Holds,
            false => Self::Fails(actual()),
        }
    }
}

/// Compares an answer with what is wanted of it.
pub(super) fn compare(wanted: &Wanted, trace: &Trace<'_>, disk: &Disk) -> Compared {
    let outcome = &trace.outcome;
    match wanted {
        Wanted::Url(wanted) => texts(wanted.as_deref(), url(outcome), outcome),
        Wanted::Location(wanted) => location(wanted.as_deref(), trace),
        Wanted::Status(wanted) => status(*wanted, outcome),
        Wanted::Redirect(wanted) => texts(wanted.as_deref(), redirect(outcome), outcome),
        Wanted::Header(name, wanted) => match headers(outcome) {
            Some(sent) => sent_value(wanted.as_deref(), name, sent),
            None => Compared::Fails(told(outcome)),
        },
        Wanted::Param(name, wanted) => match params(outcome) {
            Some(sent) => sent_value(wanted.as_deref(), name, sent),
            None => Compared::Fails(told(outcome)),
        },
        Wanted::WebSocket(wanted) => websocket(*wanted, outcome),
        Wanted::ReadTimeout(bound) => read_timeout(bound, outcome),
        Wanted::File(wanted) => file(wanted.as_deref(), outcome, disk),
    }
}

/// Compares a text that an answer may have with the one that is wanted, if one is.
fn texts(wanted: Option<&str>, actual: Option<String>, outcome: &Outcome) -> Compared {
    Compared::of(actual.as_deref() == wanted, || {
        actual.unwrap_or_else(|| told(outcome))
    })
}

/// What an upstream is asked for.
pub(super) fn url(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Proxy(proxy) => Some(format!(
            "{}{}",
            proxy.upstream,
            String::from_utf8_lossy(&proxy.uri)
        )),
        Outcome::Pass(pass) if pass.upstream.contains("://") => Some(pass.upstream.clone()),
        Outcome::Pass(pass) => Some(format!("{}://{}", pass.protocol, pass.upstream)),
        _ => None,
    }
}

/// The `Location` that nginx answers with.
pub(super) fn redirect(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Return { location, .. } => location.clone(),
        _ => None,
    }
}

type Pairs = [(String, String)];

/// The headers that an upstream receives.
pub(super) fn headers(outcome: &Outcome) -> Option<&Pairs> {
    match outcome {
        Outcome::Proxy(Proxy { headers, .. }) => Some(headers),
        Outcome::Pass(pass) if pass.protocol == "grpc" => Some(&pass.params),
        _ => None,
    }
}

/// The parameters that another program receives.
pub(super) fn params(outcome: &Outcome) -> Option<&Pairs> {
    match outcome {
        Outcome::Pass(pass) if pass.protocol != "grpc" => Some(&pass.params),
        _ => None,
    }
}

fn sent_value(wanted: Option<&str>, name: &str, sent: &Pairs) -> Compared {
    let values: Vec<&str> = sent
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect();
    let actual = values.join(", ");
    let holds = match wanted {
        None => values.is_empty(),
        Some(wanted) => actual == wanted,
    };
    Compared::of(holds, || match (values.is_empty(), actual.is_empty()) {
        (true, _) => "none is sent".to_owned(),
        (false, true) => "\"\"".to_owned(),
        (false, false) => actual,
    })
}

fn location(wanted: Option<&str>, trace: &Trace<'_>) -> Compared {
    let Some(location) = &trace.location else {
        return Compared::of(wanted.is_none(), || "no location".to_owned());
    };
    // `^~ /x` is a prefix as `/x` is, and they do not stand beside each other.
    let holds = wanted.is_some_and(|wanted| {
        let words: Vec<&str> = wanted.splitn(2, char::is_whitespace).collect();
        match &words[..] {
            [modifier, path] if !modifier.is_empty() && location.modifier.as_str() == *modifier => {
                path.trim_start().as_bytes() == &location.path[..]
            }
            _ => {
                wanted == location.to_string()
                    || location.is_prefix() && wanted.as_bytes() == &location.path[..]
            }
        }
    });
    Compared::of(holds, || location.to_string())
}

fn status(wanted: Option<u16>, outcome: &Outcome) -> Compared {
    let actual = match outcome {
        Outcome::Close => None,
        Outcome::Handler { name, status: None } => match name.as_str() {
            "stub_status" | "empty_gif" | "autoindex" => Some(200),
            _ => return Compared::Open(format!("the status is up to `{name}`")),
        },
        Outcome::Proxy(Proxy {
            upstream,
            status: None,
            ..
        })
        | Outcome::Pass(Pass {
            upstream,
            status: None,
            ..
        }) => return Compared::Open(format!("the status is up to {upstream}")),
        _ => outcome.status(),
    };
    Compared::of(actual == wanted, || match actual {
        Some(status) => status.to_string(),
        None => told(outcome),
    })
}

fn websocket(wanted: bool, outcome: &Outcome) -> Compared {
    let found = match outcome {
        Outcome::Proxy(Proxy {
            websocket: WebSocket::Complete,
            ..
        }) => Ok(()),
        Outcome::Proxy(Proxy {
            websocket: WebSocket::Incomplete(reason),
            ..
        }) => Err(reason.clone()),
        outcome => Err(told(outcome)),
    };
    Compared::of(found.is_ok() == wanted, || match found {
        Ok(()) => "true".to_owned(),
        Err(reason) => format!("false: {reason}"),
    })
}

fn read_timeout(bound: &Bound, outcome: &Outcome) -> Compared {
    match outcome {
        Outcome::Proxy(Proxy { read_timeout, .. }) | Outcome::Pass(Pass { read_timeout, .. }) => {
            Compared::of(bound.holds(*read_timeout), || duration(*read_timeout))
        }
        outcome => Compared::Fails(told(outcome)),
    }
}

fn file(wanted: Option<&str>, outcome: &Outcome, disk: &Disk) -> Compared {
    let sent = match outcome {
        // An error page may give any status to a file that is there.
        Outcome::File { path, .. } => {
            let is_there = disk.get(path.as_bytes()) == Some(Entry::File);
            is_there.then_some(path.as_str())
        }
        _ => None,
    };
    Compared::of(sent == wanted, || {
        sent.map_or_else(|| told(outcome), ToOwned::to_owned)
    })
}

/// What comes of a request, in a few words.
pub(super) fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Proxy(_) | Outcome::Pass(_) => {
            format!("passed on to {}", url(outcome).unwrap_or_default())
        }
        Outcome::Return {
            status,
            location: Some(location),
            ..
        } => format!("answered with {status} to {location}"),
        Outcome::Return { status, .. } => format!("answered with {status}"),
        Outcome::File {
            path,
            status: Some(200),
        } => format!("the file {path} is sent"),
        Outcome::File {
            path,
            status: Some(status),
        } => format!("answered with {status} for the file {path}"),
        Outcome::File { path, status: None } => format!("the file {path} is asked for"),
        Outcome::Handler { name, .. } => format!("answered by `{name}`"),
        Outcome::Reject { status } => format!("refused with {status}"),
        Outcome::Close => "the connection is closed without an answer".to_owned(),
        Outcome::Error { status, reason } => format!("fails with {status}: {reason}"),
    }
}
