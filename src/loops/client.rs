//! What clients do: where they go when they are redirected, and what they say of themselves.

use crate::routing::Request;

/// The request that a client makes of a `Location` header, on the way that it took before.
///
/// Nothing where clients differ in what they make of it, or where it leads to something else than a web server.
pub(super) fn redirected(from: &Request, location: &str) -> Option<Request> {
    // Anything else is escaped by some clients and not by others.
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]!$&'()*+,;=%".contains(&byte);
    let location = location.split('#').next().unwrap_or_default();
    if location.is_empty() || !location.bytes().all(plain) {
        return None;
    }
    let here = from.url();
    let origin_end = here.find("://")? + 3;
    let origin_end = origin_end
        + here[origin_end..]
            .find('/')
            .unwrap_or(here[origin_end..].len());
    let (origin, own) = here.split_at(origin_end);
    let path = own.split('?').next().unwrap_or_default();
    let scheme = location.split(['/', '?']).next().unwrap_or_default();
    let url = if location.starts_with("//") {
        format!("{}:{location}", from.scheme)
    } else if location.starts_with('/') {
        format!("{origin}{location}")
    } else if location.starts_with('?') {
        format!("{origin}{path}{location}")
    } else if scheme.contains(':') {
        let lower = location.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return None;
        }
        location.to_owned()
    } else {
        let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
        format!("{origin}{folder}{location}")
    };
    let mut next = Request::get(&url).ok()?;
    next.host.make_ascii_lowercase();
    next.target = without_dots(&next.target)?;
    next.address = from.address;
    // What else it says of itself stays.
    next.headers.extend(from.headers.iter().skip(1).cloned());
    if let Some((_, host)) = next.headers.first_mut() {
        host.make_ascii_lowercase();
    }
    Some(next)
}

/// A target without dot segments in its path, which clients resolve; nothing where they may be hidden in escapes.
fn without_dots(target: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(target).ok()?;
    let path = text.split('?').next().unwrap_or_default();
    let query = &text[path.len()..];
    let mut kept: Vec<&str> = Vec::new();
    let mut pieces = path.split('/').skip(1).peekable();
    while let Some(piece) = pieces.next() {
        if piece.to_ascii_lowercase().contains("%2e") {
            return None;
        }
        let is_last = pieces.peek().is_none();
        match piece {
            "." | ".." => {
                if piece == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            piece => kept.push(piece),
        }
    }
    Some(format!("/{}{query}", kept.join("/")).into_bytes())
}

/// Headers that a browser sends with every page that it asks for.
const BROWSER: [&str; 4] = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate",
];

/// What was found about a request, with the variables of the client's headers that had a say in it.
pub(super) type Heard<T> = (T, Vec<String>);

/// What holds for a request, whether a plain client sends it or a browser.
///
/// Nothing where a header had a say that something in front of nginx may add, such as `X-Forwarded-Proto`.
pub(super) fn of_all_clients<T>(
    request: &Request,
    find: impl Fn(&Request) -> Option<Heard<T>>,
) -> Option<T> {
    let (found, heard) = find(request)?;
    if heard.iter().all(|name| name == "http_host") {
        return Some(found);
    }
    let mut browsing = request.clone();
    for header in BROWSER {
        browsing.header(header).ok()?;
    }
    let (_, by_browser) = find(&browsing)?;
    let known = |name: &String| is_of_clients(name);
    (heard.iter().all(known) && by_browser.iter().all(known)).then_some(found)
}

/// True for what only the client itself says, and without which many clients come.
fn is_of_clients(name: &str) -> bool {
    const KNOWN: [&str; 10] = [
        "http_host",
        "http_user_agent",
        "http_accept",
        "http_accept_language",
        "http_accept_encoding",
        "http_referer",
        "http_cookie",
        "http_upgrade",
        "http_connection",
        "http_origin",
    ];
    KNOWN.contains(&name) || name.starts_with("cookie_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_resolved_as_clients_do() {
        let from = Request::get("http://a.example:81/x/y?q").expect("a URL");
        let to = |location: &str| redirected(&from, location).map(|next| next.url());
        for (location, expected) in [
            ("https://B.example/c", Some("https://b.example/c")),
            ("HTTP://a.example:80", Some("http://a.example/")),
            ("//b.example/c", Some("http://b.example/c")),
            ("/c#d", Some("http://a.example:81/c")),
            ("c/../d", Some("http://a.example:81/x/d")),
            ("b.example/c", Some("http://a.example:81/x/b.example/c")),
            ("?z", Some("http://a.example:81/x/y?z")),
            ("/c/..", Some("http://a.example:81/")),
            ("/c/./d//", Some("http://a.example:81/c/d//")),
            ("/a?b=http://c", Some("http://a.example:81/a?b=http://c")),
            ("", None),
            ("#d", None),
            ("/a b", None),
            ("/%2e%2E/a", None),
            ("/a\u{fc}", None),
            ("mailto:a", None),
        ] {
            assert_eq!(to(location).as_deref(), expected, "{location}");
        }
    }
}
