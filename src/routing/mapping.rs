//! From the URI of a request to the URI that the upstream is asked for.

use super::certain::passed_example;
use super::example::Example;
use super::uri::{Uri, escape_for};
use crate::config::{Directive, Location, Modifier, Proxied, ProxyUrl, Word};
use crate::nginx::{self, Version};

/// A request and what the upstream is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    example: Example,
    upstream: String,
}

impl Mapping {
    /// The target as the client sends it.
    pub fn target(&self) -> &str {
        &self.example.target
    }

    /// The target of the request to the upstream.
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    /// The request with its method and whole URL, if it is certain which host leads here.
    pub fn url(&self, scheme: &str) -> Option<String> {
        self.example.url(scheme).map(|url| format!("GET {url}"))
    }
}

/// A request for the path of a place's location with a tail, and what the upstream is asked for.
///
/// In a lone location, where the others cannot be seen, the request is one that its name matches; where the others are
/// visible, it certainly reaches the location, or there is none.
pub fn mapping_example(place: &Proxied<'_>, url: &ProxyUrl<'_>, tail: &str) -> Option<Mapping> {
    let location = &place.location;
    let example = match location.server() {
        Some(_) => passed_example(place, &[tail])?,
        None => Example::unseen(location, tail),
    };
    let uri = Uri::parse(example.target.as_bytes(), true)?;
    let upstream = String::from_utf8_lossy(&map(location, url, &uri)?).into_owned();
    Some(Mapping { example, upstream })
}

/// What the upstream is asked for when a request reaches a location that proxies to `url`.
///
/// Follows `ngx_http_proxy_create_request` for a URI that no rewrite has touched. Nothing when a variable decides.
pub fn map(location: &Location<'_>, url: &ProxyUrl<'_>, uri: &Uri) -> Option<Vec<u8>> {
    if url.has_variables() {
        return match evaluate(&url.word, uri) {
            // With every variable known, the address is taken apart as if it were written so.
            Some(address) => {
                let url = ProxyUrl::parse(url.word.standing_for(address))?;
                Some(url.uri().map_or_else(|| uri.target.clone(), rooted))
            }
            None => evaluate(url.uri()?, uri),
        };
    }
    let Some(part) = url.uri() else {
        return Some(uri.target.clone());
    };
    let cut = match location.modifier {
        Modifier::Exact | Modifier::Prefix | Modifier::PreferentialPrefix => location.path.len(),
        Modifier::Regex | Modifier::CaselessRegex | Modifier::Named => return None,
    };
    if cut > uri.path.len() {
        return None;
    }
    let arguments = uri.arguments.as_deref().unwrap_or_default();
    let escaped = uri.is_quoted.then_some(Version::default());
    Some(joined(part, &uri.path[cut..], arguments, escaped))
}

/// Puts the URI for an upstream together, as `ngx_http_proxy_create_request` does: the URI part of `proxy_pass`, what is
/// left of the path, escaped as this version does if it has to be, and the arguments.
pub(super) fn joined(
    part: &[u8],
    rest: &[u8],
    arguments: &[u8],
    escaped: Option<Version>,
) -> Vec<u8> {
    let mut uri = part.to_vec();
    match escaped {
        Some(version) => uri.extend(escape_for(rest, version)),
        None => uri.extend(rest),
    }
    if !arguments.is_empty() {
        uri.push(b'?');
        uri.extend(arguments);
    }
    uri
}

/// The address of a place and its literal URI part, where that takes the place of the location's name: in a prefix
/// location itself, and with no rewrite that could stay in it. With `try_files` it depends on files whether it is asked.
pub fn replacement<'c>(place: &Proxied<'c>) -> Option<(ProxyUrl<'c>, Word<'c>)> {
    let url = place.url().filter(|url| !url.has_variables())?;
    let uri = url.uri_word()?;
    let is_whole = place.scope == place.location.directive && place.location.is_prefix();
    let tries = place.scope.own("try_files").next().is_some();
    (is_whole && !tries && !is_rewritten(&place.location)).then_some((url, uri))
}

/// True when a `rewrite` that stays in its location may change the URI of requests, so that `proxy_pass` no longer
/// replaces the location's name (`valid_location` in `ngx_http_script.c`).
fn is_rewritten(location: &Location<'_>) -> bool {
    let stays = |block: Directive<'_>| {
        let breaks = block.own("break").next().is_some();
        block
            .own("rewrite")
            .any(|rewrite| rewrite.argument(2).map_or(breaks, |flag| flag == "break"))
    };
    let may_stay = |block: Directive<'_>| stays(block) || block.own("if").any(stays);
    may_stay(location.directive)
        || location
            .server()
            .is_some_and(|server| may_stay(server.directive))
}

/// True when a `rewrite` of the location or its server may have changed the URI of requests that come here.
pub fn may_be_rewritten(location: &Location<'_>) -> bool {
    let has = |block: Directive<'_>| block.own("rewrite").next().is_some();
    let may =
        |block: Directive<'_>| has(block) || block.own("if").any(has) || block.is_incomplete();
    may(location.directive)
        || location
            .server()
            .is_some_and(|server| may(server.directive))
}

/// An evaluated URI part that begins with `?` gets a slash before it (`ngx_http_proxy_eval`).
pub fn rooted(part: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if part.starts_with(b"?") { b"/" } else { b"" };
    [slash, part].concat()
}

/// The value of a text with variables, as far as they follow from the request target alone.
fn evaluate(part: &[u8], uri: &Uri) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut at = 0;
    for reference in nginx::references(part) {
        value.extend(&part[at..reference.range.start]);
        at = reference.range.end;
        match reference.name.to_ascii_lowercase().as_str() {
            "request_uri" => value.extend(&uri.target),
            "uri" | "document_uri" => value.extend(&uri.path),
            "args" | "query_string" => value.extend(uri.arguments.iter().flatten()),
            "is_args" => value.extend(
                uri.arguments
                    .iter()
                    .filter(|text| !text.is_empty())
                    .map(|_| b'?'),
            ),
            _ => return None,
        }
    }
    value.extend(&part[at..]);
    Some(value)
}
