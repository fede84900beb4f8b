//! The way of a request, for people and for programs.

use std::fmt::Write as _;

use super::printable;
use crate::config::Config;
use crate::routing::{Outcome, Pass, Proxy, Trace, WebSocket, duration};
use crate::source::Span;
use serde_json::{Map, Value, json};

/// The trace as numbered steps, each with its file and line, and what happens at the end.
pub fn text(trace: &Trace<'_>, config: &Config) -> String {
    let mut lines = vec![format!("{} {}", trace.request.method, trace.request.url())];
    let steps: Vec<(String, &str)> = trace
        .steps
        .iter()
        .map(|step| {
            let place = step.span.map(|span| {
                let (file, line) = place(config, span);
                format!("{file}:{line}")
            });
            (place.unwrap_or_else(|| "nginx".to_owned()), &step.text[..])
        })
        .collect();
    let widest = steps
        .iter()
        .map(|(place, _)| printable(place).chars().count())
        .max()
        .unwrap_or_default();
    for (index, (place, text)) in steps.iter().enumerate() {
        let place = printable(place);
        lines.push(format!("{:>3}. {place:widest$}  {text}", index + 1));
    }
    lines.push(outcome(trace));
    if let Outcome::Proxy(Proxy { headers: pairs, .. })
    | Outcome::Pass(Pass { params: pairs, .. }) = &trace.outcome
    {
        lines.extend(
            pairs
                .iter()
                .map(|(name, value)| format!("     {name}: {value}")),
        );
    }
    for assumption in &trace.assumptions {
        lines.push(format!("assumed: {assumption}"));
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&printable(&line));
        text.push('\n');
    }
    text
}

/// What happens, in one line.
pub(super) fn outcome(trace: &Trace<'_>) -> String {
    match &trace.outcome {
        Outcome::Proxy(proxy) => {
            let uri = String::from_utf8_lossy(&proxy.uri);
            let mut line = format!(
                "proxied to {} as `{} {uri}`, HTTP/{}",
                proxy.upstream, proxy.method, proxy.http_version
            );
            let silence = duration(proxy.read_timeout);
            match &proxy.websocket {
                WebSocket::Complete => {
                    let _ = write!(
                        line,
                        "; the handshake can complete, and the connection is closed after {silence} of silence"
                    );
                }
                WebSocket::Incomplete(reason) => {
                    let _ = write!(line, "; the handshake cannot complete: {reason}");
                }
                WebSocket::NotRequested => {
                    let _ = write!(line, "; the answer may take {silence}");
                }
            }
            with_status(line, proxy.status)
        }
        Outcome::Pass(pass) => {
            let silence = duration(pass.read_timeout);
            let line = format!(
                "passed to {} by {}; the answer may take {silence}",
                pass.upstream, pass.protocol
            );
            with_status(line, pass.status)
        }
        Outcome::Return {
            status,
            location,
            body,
        } => {
            let mut line = format!("answered with {status}");
            if let Some(location) = location {
                let _ = write!(line, " and `Location: {location}`");
            }
            if let Some(body) = body {
                let _ = write!(line, " and `{body}`");
            }
            line
        }
        Outcome::File { path, status } => match status {
            Some(200) => format!("the file {path} is sent"),
            Some(status) => format!("answered with {status} for the file {path}"),
            None => format!("the file {path} is asked for"),
        },
        Outcome::Handler { name, status } => with_status(format!("answered by `{name}`"), *status),
        Outcome::Reject { status } => format!("refused with {status}"),
        Outcome::Close => "the connection is closed without an answer".to_owned(),
        Outcome::Error { status, reason } => format!("fails with {status}: {reason}"),
    }
}

fn with_status(line: String, status: Option<u16>) -> String {
    match status {
        Some(status) => format!("{line}; the status becomes {status}"),
        None => line,
    }
}

/// The trace as a document for programs. Its keys and their order are a promise, numbered by `schema`.
pub fn json(trace: &Trace<'_>, config: &Config) -> Value {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let at = |span: Span| {
        let (file, line) = place(config, span);
        let mut object = Map::new();
        object.insert("file".into(), file.into());
        object.insert("line".into(), line.into());
        object
    };
    let request = &trace.request;
    let headers: Vec<Value> = request
        .headers
        .iter()
        .map(|(name, value)| json!([name, lossy(value)]))
        .collect();
    let server = trace.server.map(|server| {
        let mut object = at(server.directive.span());
        object.insert("name".into(), trace.server_name.as_str().into());
        object.insert("default".into(), trace.is_default.into());
        object
    });
    let location = trace.location.as_ref().map(|location| {
        let mut object = at(location.directive.span());
        object.insert("modifier".into(), location.modifier.as_str().into());
        object.insert("pattern".into(), location.path.text().into());
        object
    });
    let steps: Vec<Value> = trace
        .steps
        .iter()
        .map(|step| {
            let mut object = match step.span {
                Some(span) => at(span),
                None => Map::from_iter([
                    ("file".to_owned(), Value::Null),
                    ("line".to_owned(), Value::Null),
                ]),
            };
            object.insert("text".into(), step.text.as_str().into());
            object.into()
        })
        .collect();
    json!({
        "schema": 1,
        "request": {
            "method": request.method,
            "scheme": request.scheme,
            "host": request.host,
            "port": request.port,
            "target": lossy(&request.target),
            "headers": headers,
        },
        "nginx_version": trace.version.to_string(),
        "server": server,
        "uri": lossy(&trace.uri),
        "location": location,
        "steps": steps,
        "outcome": outcome_document(&trace.outcome),
        "assumptions": trace.assumptions.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

pub(super) fn outcome_document(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Proxy(proxy) => json!({
            "kind": "proxy",
            "upstream": proxy.upstream,
            "method": proxy.method,
            "uri": String::from_utf8_lossy(&proxy.uri),
            "http_version": proxy.http_version,
            "headers": proxy.headers,
            "websocket": proxy.websocket.as_str(),
            "read_timeout_ms": proxy.read_timeout,
        }),
        Outcome::Return {
            status,
            location,
            body,
        } => json!({"kind": "return", "status": status, "location": location, "body": body}),
        Outcome::File { path, status } => {
            json!({"kind": "file", "path": path, "status": status})
        }
        Outcome::Pass(pass) => json!({
            "kind": pass.protocol,
            "upstream": pass.upstream,
            "params": pass.params,
            "read_timeout_ms": pass.read_timeout,
        }),
        Outcome::Handler { name, .. } => json!({"kind": "handler", "name": name}),
        Outcome::Reject { status } => json!({"kind": "reject", "status": status}),
        Outcome::Close => json!({"kind": "close"}),
        Outcome::Error { status, reason } => {
            json!({"kind": "error", "status": status, "reason": reason})
        }
    }
}

fn place(config: &Config, span: Span) -> (String, u32) {
    let file = config.sources().file(span.file);
    (file.name().to_owned(), file.position(span.start).line)
}
