//! Locations whose name, without its last slash, is where clients open a WebSocket.

use super::websocket::{MAX_SIBLINGS, is_endpoint};
use super::{Location, Proxied};
use crate::diagnostic::Edit;
use crate::source::Span;

/// Endpoints to which clients always add more than a slash.
const SUFFIXED: [&str; 11] = [
    "/socket.io",
    "/engine.io",
    "/sockjs",
    "/sockjs-node",
    "/signalr",
    "/hubs",
    "/api/live",
    "/terminals/websocket",
    "/colibri-ws",
    "/standalone-signaling",
    "/:/websockets",
];

impl Location<'_> {
    /// True when clients are likely to open a WebSocket at the name of this location without its last slash.
    ///
    /// That is so for an endpoint of an application, and for what a person has called a path for WebSockets; not where
    /// clients of the application add to it, where a location for a longer path shows that they do, nor where another
    /// location ends in the same segment, as the routers of several parts of an API do.
    pub fn is_endpoint_with_slash(&self) -> bool {
        let Some(name) = self.path.strip_suffix(b"/").filter(|_| self.is_prefix()) else {
            return false;
        };
        if self.is_never_websocket() {
            return false;
        }
        if self.is_known_without_slash() {
            return true;
        }
        let text = String::from_utf8_lossy(name).to_lowercase();
        let segment = &name[name.iter().rposition(|byte| *byte == b'/').unwrap_or(0)..];
        let is_shared = |other: Self| {
            let other_name = other.path.strip_suffix(b"/").unwrap_or(&other.path);
            other != *self && !other.is_regex() && other_name.ends_with(segment)
        };
        let is_longer = |other: &Self| other.path.len() > self.path.len();
        let mut below = self.level().beginning_with(&self.path);
        is_endpoint(&text)
            && !below.any(|other| is_longer(&other))
            && self.directive.locations().iter().next().is_none()
            && !SUFFIXED.contains(&text.as_str())
            && !self.level().iter().take(MAX_SIBLINGS).any(is_shared)
    }
}

impl Proxied<'_> {
    /// An edit that adds a location for just the name without the last slash, with the settings of this one; nothing where
    /// the settings would mean something else there.
    pub fn copy_without_slash(&self) -> Option<Edit> {
        let block = self.location.directive;
        let config = block.config();
        let name = self.location.path.strip_suffix(b"/")?;
        let is_plain = |byte: &u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b':')
        };
        let depends = ["location", "rewrite", "if"];
        if !name.iter().all(is_plain)
            || block
                .children()
                .any(|child| depends.iter().any(|name| child.is(name)))
        {
            return None;
        }
        let body = Span {
            start: block.span().end,
            ..block.full_span()
        };
        let mut text = config.text(body).into_owned();
        let url = self.url()?;
        if let Some(uri) = url.uri_word().filter(|_| !url.has_variables()) {
            let is_inside =
                uri.span.file == body.file && body.range().contains(&uri.span.range().start);
            let shorter = uri.text().strip_suffix('/')?.to_owned();
            let edit = uri.rewrite(&shorter)?;
            if !is_inside || shorter.contains('?') {
                return None;
            }
            // The URI `/` stays: there is no shorter one.
            if !shorter.is_empty() {
                let start = (edit.span.start - body.start) as usize;
                let end = (edit.span.end - body.start) as usize;
                text.replace_range(start..end, &shorter);
            }
        }
        let name = String::from_utf8_lossy(name);
        Some(block.append_lines(&[format!("location = {name}{text}")]))
    }
}
