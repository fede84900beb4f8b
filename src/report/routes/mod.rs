//! Prints servers with their locations; a format is a function over the same [`Routes`].

pub mod dot;
mod graph;
pub mod html;
pub mod json;
pub mod mermaid;
mod picture;
pub mod text;

use crate::config::Config;
use crate::routes::{Before, Forwarding, Listening, Reach, Route, Routes, Site};
use crate::source::Span;

/// What stands for the requests that no location takes.
const OTHERWISE: &str = "(no location)";

/// A place as `file:line`.
fn place(config: &Config, span: Span) -> String {
    let file = config.sources().file(span.file);
    format!("{}:{}", file.name(), file.position(span.start).line)
}

/// A place, with its file where that is another one than the server's.
fn near(config: &Config, site: &Site<'_>, span: Span) -> String {
    match site_span(site) {
        Some(head) => config.place(span, head),
        None => place(config, span),
    }
}

/// What a server is called at the head of its part.
fn title(site: &Site<'_>) -> String {
    match site.server {
        None => "locations without a server".to_owned(),
        Some(_) if site.names.is_empty() => "server without a name".to_owned(),
        Some(_) => site.names.join(" "),
    }
}

/// Where a server stands; the first location for those without one.
fn site_span(site: &Site<'_>) -> Option<Span> {
    let first = || site.routes.first().map(|route| route.location.directive);
    let head = site.server.map(|server| server.directive).or_else(first)?;
    Some(head.span())
}

/// A `listen` as `443 ssl (default)`.
fn listening(listen: &Listening) -> String {
    let mut text = listen.written.clone();
    for (said, word) in [
        (listen.tls, " ssl"),
        (listen.quic, " quic"),
        (listen.is_default, " (default)"),
    ] {
        text.push_str(if said { word } else { "" });
    }
    text
}

/// What comes before a handler, as `if ($x) → return 403`.
fn before(config: &Config, before: &Before<'_>) -> String {
    let head = config.excerpt(before.directive.span());
    match before.answer {
        Some(answer) => format!("{head} → {}", config.excerpt(answer.span())),
        None => head,
    }
}

/// What becomes of a handshake; nothing where none could be passed on.
fn websocket(route: &Route<'_>) -> Option<String> {
    Some(match route.websocket.as_ref()? {
        Forwarding::Forwarded => "forwarded".to_owned(),
        Forwarding::Incomplete(why) => format!("incomplete ({why})"),
        Forwarding::Absent => "-".to_owned(),
        Forwarding::Unknown => "unknown".to_owned(),
    })
}

/// What is said of a search that a location ends.
fn search(route: &Route<'_>) -> Option<&'static str> {
    (route.location.modifier.as_str() == "^~").then_some("ends the search: no regex is tried")
}

/// A text cut to a number of characters.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{kept}…")
        }
    }
}

/// The servers, locations, unreachable ones and failing handshakes of all parts.
struct Counts {
    servers: usize,
    locations: usize,
    unreachable: usize,
    incomplete: usize,
}

impl Counts {
    fn of(parts: &[Routes<'_>]) -> Self {
        let sites = || parts.iter().flat_map(|part| &part.sites);
        let routes = || sites().flat_map(|site| &site.routes);
        let dead = |route: &&Route<'_>| matches!(route.reach, Reach::No(_));
        let fails = |route: &&Route<'_>| matches!(route.websocket, Some(Forwarding::Incomplete(_)));
        Self {
            servers: sites().filter(|site| site.server.is_some()).count(),
            locations: routes().count(),
            unreachable: routes().filter(dead).count(),
            incomplete: routes().filter(fails).count(),
        }
    }
}

/// A number with its word.
fn counted(number: usize, word: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {word}{s}")
}
