//! URI parts of `proxy_pass` that a `rewrite` keeps from being used.

use pcre2::bytes::Regex;

use super::example::arriving;
use crate::config::{Directive, Location, Modifier, Proxied, Word};
use crate::nginx;

/// A URI part that is not used, and a request that shows it.
#[derive(Debug, Clone)]
pub struct UnusedReplacement<'c> {
    /// The URI part.
    pub uri: Word<'c>,
    /// The `rewrite` after which it is not used.
    pub rewrite: Directive<'c>,
    /// The target as the client sends it.
    pub target: String,
    /// The target of the request to the upstream.
    pub upstream: String,
    /// The request with its method and whole URL, if it is certain which host leads here.
    pub request: Option<String>,
}

/// The literal URI part of a place that is not used for what its location serves: the first thing that the location does
/// is a `rewrite … break` that takes ordinary paths below its name (`valid_location` in `ngx_http_script.c`).
///
/// Nothing where the outcome is the same as with the URI part: that is `/`, or the `rewrite` writes it itself. Nor with
/// `try_files`, which decides by files whether the upstream is asked.
pub fn unused_replacement<'c>(place: &Proxied<'c>) -> Option<UnusedReplacement<'c>> {
    let location = &place.location;
    let url = place.url().filter(|url| !url.has_variables())?;
    let uri = url.uri_word().filter(|uri| **uri != *b"/")?;
    if place.scope != location.directive || !location.is_prefix() {
        return None;
    }
    let rewrite = first_rewrite(location)?;
    let pattern = rewrite.argument(0)?;
    let written = rewrite.argument(1)?;
    let regex = Regex::new(std::str::from_utf8(&pattern).ok()?).ok()?;
    let slash = if location.path.ends_with(b"/") {
        ""
    } else {
        "/"
    };
    let below = |tail: &str| format!("{}{slash}{tail}", location.path);
    // One that is for certain paths leaves the others to the URI part.
    let takes = |tail: &&str| regex.is_match(below(tail).as_bytes()).unwrap_or(false);
    if !["x", "a/b", "a-1.html"].iter().all(takes) {
        return None;
    }
    let target = below("users");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    if !target.bytes().all(is_plain) {
        return None;
    }
    let upstream = replaced(&regex, &written, target.as_bytes())?;
    if upstream.starts_with(&uri) {
        return None;
    }
    let request = match location.server() {
        Some(_) => Some(arriving(location, target.as_bytes())?),
        None => None,
    };
    let request = request.and_then(|example| example.url("http"));
    Some(UnusedReplacement {
        uri,
        rewrite,
        target,
        upstream: String::from_utf8(upstream).ok()?,
        request: request.map(|url| format!("GET {url}")),
    })
}

/// The `rewrite … break` that a location begins with: nothing before it decides about a request.
fn first_rewrite<'c>(location: &Location<'c>) -> Option<Directive<'c>> {
    if location.directive.is_incomplete() || location.modifier == Modifier::Named {
        return None;
    }
    if location.directive.own("try_files").next().is_some() {
        return None;
    }
    let decides = |child: &Directive<'_>| {
        ["rewrite", "if", "break", "return"]
            .iter()
            .any(|name| child.is(name))
    };
    let first = location.directive.children().find(decides)?;
    let flag = first.argument(2).filter(|_| first.is("rewrite"))?;
    (flag == "break").then_some(first)
}

/// What a `rewrite` makes of a path; nothing when it does not match or writes more than literals and groups.
fn replaced(regex: &Regex, written: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let groups = regex.captures(path).ok()??;
    let mut text = Vec::new();
    let mut at = 0;
    for reference in nginx::references(written) {
        text.extend(&written[at..reference.range.start]);
        at = reference.range.end;
        let number: usize = reference.name.parse().ok()?;
        text.extend(
            groups
                .get(number)
                .map_or(&b""[..], |group| group.as_bytes()),
        );
    }
    text.extend(&written[at..]);
    text.starts_with(b"/").then_some(text)
}
