//! One JSON document for programs. Its keys and their order are a promise, numbered by `schema`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::config::{Config, Directive};
use crate::routes::{Before, Forwarding, Listening, Route, Routes, Site};
use crate::routing::Handler;
use crate::source::Span;

/// Writes the document on one line.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, parts: &[Routes<'_>]) -> io::Result<()> {
    let servers: Vec<Value> = parts
        .iter()
        .flat_map(|part| part.sites.iter().map(|site| server(part.config, site)))
        .collect();
    let skipped: Vec<&String> = parts.iter().flat_map(|part| &part.skipped).collect();
    let document = json!({"schema": 1, "servers": servers, "skipped": skipped});
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

fn server(config: &Config, site: &Site<'_>) -> Value {
    let mut object = super::site_span(site).map_or_else(Map::new, |span| place(config, span));
    let written: Vec<&String> = site.listens.iter().map(|listen| &listen.written).collect();
    let locations: Vec<Value> = site
        .routes
        .iter()
        .map(|route| location(config, route))
        .collect();
    object.insert("names".into(), json!(site.names));
    object.insert("listen".into(), json!(written));
    object.insert("locations".into(), locations.into());
    let sockets: Vec<Value> = site.listens.iter().map(socket).collect();
    object.insert("sockets".into(), sockets.into());
    object.insert("before".into(), steps(config, &site.before));
    let otherwise = site.otherwise.as_ref().map(Handler::to_string);
    object.insert("otherwise".into(), otherwise.into());
    Value::Object(object)
}

fn socket(listen: &Listening) -> Value {
    json!({
        "address": listen.written,
        "tls": listen.tls,
        "quic": listen.quic,
        "default": listen.is_default,
    })
}

fn location(config: &Config, route: &Route<'_>) -> Value {
    let location = &route.location;
    let problem = match &route.websocket {
        Some(Forwarding::Incomplete(why)) => Some(why.as_str()),
        _ => None,
    };
    let upstream = route.upstream.as_ref().map(|upstream| {
        json!({
            "protocol": upstream.protocol,
            "address": upstream.address,
            "members": upstream.members(),
        })
    });
    let mut object = place(config, location.directive.span());
    let mut add = |key: &str, value: Value| object.insert(key.to_owned(), value);
    add("modifier", location.modifier.as_str().into());
    add("pattern", location.path.text().into());
    add("reachable", route.reach.as_str().into());
    add("witness", route.reach.url().into());
    add("handler", route.handler.to_string().into());
    add("reason", route.reach.reason().into());
    add("depth", route.depth.into());
    add("parent", route.parent.into());
    add("internal", route.is_internal.into());
    add(
        "handler_place",
        route.handler.span().map(|span| place(config, span)).into(),
    );
    add("upstream", upstream.into());
    add(
        "websocket",
        route.websocket.as_ref().map(Forwarding::as_str).into(),
    );
    add("websocket_problem", problem.into());
    add(
        "read_timeout_ms",
        route.read_timeout.map(|(time, _)| time).into(),
    );
    add("access", json!(route.access));
    add("before", steps(config, &route.before));
    Value::Object(object)
}

fn steps(config: &Config, steps: &[Before<'_>]) -> Value {
    let step = |step: &Before<'_>| {
        let mut object = place(config, step.directive.span());
        let text = |directive: Directive<'_>| config.text(directive.span()).into_owned();
        object.insert("text".into(), text(step.directive).into());
        object.insert("answer".into(), step.answer.map(text).into());
        Value::Object(object)
    };
    steps.iter().map(step).collect()
}

fn place(config: &Config, span: Span) -> Map<String, Value> {
    let file = config.sources().file(span.file);
    let mut object = Map::new();
    object.insert("file".into(), file.name().into());
    object.insert("line".into(), file.position(span.start).line.into());
    object
}
