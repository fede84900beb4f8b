//! From the URI of a request to the URI that the upstream is asked for.

use super::uri::{Uri, escape};
use crate::config::{Location, Modifier, ProxyUrl};
use crate::nginx;

/// A request's target and what the upstream is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The target as the client sends it.
    pub request: String,
    /// The target of the request to the upstream.
    pub upstream: String,
}

/// What the upstream is asked for when a request reaches a location that proxies to `url`.
///
/// Follows `ngx_http_proxy_create_request` for a URI that no rewrite has touched. Nothing when a variable decides.
pub fn map(location: &Location<'_>, url: &ProxyUrl<'_>, uri: &Uri) -> Option<Vec<u8>> {
    let Some(part) = url.uri() else {
        let whole_is_variable = url.has_variables() && url.authority().contains(&b'$');
        // `http://$upstream` may hold a URI part of its own.
        return (!whole_is_variable).then(|| uri.target.clone());
    };
    if url.has_variables() {
        return evaluate(part, uri);
    }
    let cut = match location.modifier {
        Modifier::Exact | Modifier::Prefix | Modifier::PreferentialPrefix => location.path.len(),
        Modifier::Regex | Modifier::CaselessRegex | Modifier::Named => return None,
    };
    let rest = uri.path.get(cut..)?;
    let mut mapped = part.to_vec();
    mapped.extend(if uri.is_quoted {
        escape(rest)
    } else {
        rest.to_vec()
    });
    if let Some(arguments) = &uri.arguments {
        mapped.push(b'?');
        mapped.extend(arguments);
    }
    Some(mapped)
}

/// [`map`] for a request target in text.
pub fn mapping(location: &Location<'_>, url: &ProxyUrl<'_>, target: &str) -> Option<Mapping> {
    let uri = Uri::parse(target.as_bytes(), true)?;
    let upstream = String::from_utf8_lossy(&map(location, url, &uri)?).into_owned();
    Some(Mapping {
        request: target.to_owned(),
        upstream,
    })
}

/// The value of a URI part with variables, as far as they follow from the request target alone.
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
