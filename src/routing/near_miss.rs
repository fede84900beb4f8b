//! Requests that look like those of a location, and are answered by another one.

use super::choice::{Choice, choose};
use super::example::{request_url, rewrites};
use crate::config::{Location, Modifier};
use crate::diagnostic::Edit;

/// A path that is nearly that of a location.
#[derive(Debug, Clone)]
pub struct NearMiss<'c> {
    /// The path.
    pub path: String,
    /// The location that answers it; nothing for none.
    pub taker: Option<Location<'c>>,
    /// The request, if it is certain which host leads here.
    pub request: Option<String>,
    /// An edit that makes the location the one of this path; nothing where both may be meant.
    pub edit: Option<Edit>,
}

/// The path without its last slash, of an exact name, or in small letters, of a name in capitals, if something else
/// answers it that was not written for it.
pub fn near_miss<'c>(location: &Location<'c>) -> Option<NearMiss<'c>> {
    if location.is_regex() || location.is_internal() || !location.path.starts_with(b"/") {
        return None;
    }
    let path: &[u8] = &location.path;
    let without_slash = path
        .strip_suffix(b"/")
        .filter(|rest| location.modifier == Modifier::Exact && !rest.is_empty());
    let is_capital = path
        .split(|byte| *byte == b'/')
        .find(|segment| !segment.is_empty())
        .is_some_and(|first| {
            let letters = first.iter().filter(|byte| byte.is_ascii_alphabetic());
            letters.clone().count() > 1 && letters.into_iter().all(u8::is_ascii_uppercase)
        });
    let small = path.to_ascii_lowercase();
    let twin = without_slash.or(is_capital.then_some(&*small))?;
    let is_same = |other: &Location<'_>| {
        let name = |path: &[u8]| path.strip_suffix(b"/").unwrap_or(path).to_ascii_lowercase();
        other.is_regex() || name(&other.path) == name(path)
    };
    let server = location.server()?;
    let is_answered = server.directive.own("return").next().is_some();
    if is_answered || rewrites(server.directive, twin) {
        return None;
    }
    let taker = match choose(server, twin) {
        Choice::Location(other) if is_same(&other) => return None,
        Choice::Location(other) => Some(other),
        Choice::Server => None,
        Choice::Redirect(_) | Choice::Unknown => return None,
    };
    let edit = without_slash.and_then(|_| {
        let end = location.path.len();
        location
            .path
            .is_verbatim()
            .then(|| Edit::delete(location.path.part(end - 1..end)))
    });
    Some(NearMiss {
        path: String::from_utf8_lossy(twin).into_owned(),
        taker,
        request: request_url(location, twin, "http"),
        edit,
    })
}
