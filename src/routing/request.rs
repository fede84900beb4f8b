//! A request as a client sends it, and what nginx reads from its first line and its headers.

use std::net::IpAddr;

use crate::nginx::Version;

/// The version of HTTP that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Protocol {
    /// As it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}

/// A request that is sent to nginx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// `http`, `https`, `ws` or `wss`.
    pub scheme: String,
    /// The host that the client connects to, without brackets.
    pub host: String,
    /// The port that the client connects to.
    pub port: u16,
    /// What stands between the method and the version: usually a path with its query.
    pub target: Vec<u8>,
    /// The version of HTTP.
    pub protocol: Protocol,
    /// The headers in their order, `Host` among them.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The address of the client, if it is given.
    pub client: Option<IpAddr>,
    /// The address that the client connects to, if the host does not say so; that of all addresses stands for one that
    /// no socket has for itself.
    pub address: Option<IpAddr>,
}

impl Request {
    /// The request that a client makes of a URL; `ws` and `wss` bring the headers of a handshake.
    pub fn get(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| format!("`{url}` is no URL such as http://host/path"))?;
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "http" | "ws" => 80,
            "https" | "wss" => 443,
            _ => {
                return Err(format!(
                    "`{url}`: the scheme must be http, https, ws or wss"
                ));
            }
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let port_at = match authority.rfind(']') {
            Some(bracket) => authority[bracket..].find(':').map(|at| bracket + at),
            None => authority.find(':'),
        };
        let (host, port) = match port_at {
            Some(at) => (&authority[..at], &authority[at + 1..]),
            None => (authority, ""),
        };
        if host.is_empty() {
            return Err(format!("`{url}` names no host"));
        }
        let port: u16 = match port {
            "" => usual,
            text => text
                .parse()
                .map_err(|_| format!("`{url}`: `{text}` is no port"))?,
        };
        // The part after `#` is the client's own.
        let target = target.split('#').next().unwrap_or_default();
        let target = match target.as_bytes().first() {
            None => "/".to_owned(),
            Some(b'?') => format!("/{target}"),
            Some(_) => target.to_owned(),
        };
        let written = match port == usual {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        };
        let mut headers = vec![("Host".to_owned(), written.into_bytes())];
        if scheme.starts_with('w') {
            for (name, value) in HANDSHAKE {
                headers.push((name.to_owned(), value.as_bytes().to_vec()));
            }
        }
        Ok(Self {
            method: "GET".to_owned(),
            host: host.trim_matches(['[', ']']).to_owned(),
            scheme,
            port,
            target: target.into_bytes(),
            protocol: Protocol::Http11,
            headers,
            client: None,
            address: None,
        })
    }

    /// Adds a header as `curl -H` does: in the place of one that the client sends by itself, and without a value
    /// instead of it.
    pub fn header(&mut self, line: &str) -> Result<(), String> {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| format!("`{line}` is no header such as `Cookie: a=b`"))?;
        let is_token = |byte: u8| byte.is_ascii_graphic() && byte != b':';
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("`{name}` is no name of a header"));
        }
        let value = value.trim_matches([' ', '\t']);
        let own = std::iter::once("Host").chain(HANDSHAKE.iter().map(|(own, _)| *own));
        let place = own
            .filter(|own| own.eq_ignore_ascii_case(name))
            .find_map(|own| self.headers.iter().position(|(known, _)| known == own));
        match place {
            Some(at) if value.is_empty() => drop(self.headers.remove(at)),
            Some(at) => self.headers[at].1 = value.as_bytes().to_vec(),
            None => self
                .headers
                .push((name.to_owned(), value.as_bytes().to_vec())),
        }
        Ok(())
    }

    /// True when the client speaks TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self.scheme.as_str(), "https" | "wss")
    }

    /// The URL that was asked for, as far as it is one.
    pub fn url(&self) -> String {
        let usual = if self.is_tls() { 443 } else { 80 };
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        let port = match self.port == usual {
            true => String::new(),
            false => format!(":{}", self.port),
        };
        let target = String::from_utf8_lossy(&self.target);
        format!("{}://{host}{port}{target}", self.scheme)
    }
}

/// What a client sends with a WebSocket handshake besides its `Host`.
const HANDSHAKE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// A request line that nginx does not accept: the status that it answers with, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) reason: String,
}

impl Refused {
    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self {
            status: 400,
            reason: reason.into(),
        }
    }
}

/// What `ngx_http_parse_request_line` finds in a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target<'r> {
    /// The host of an absolute-form target.
    pub(super) host: Option<&'r [u8]>,
    /// The rest, as the upstream may be asked for it.
    pub(super) uri: &'r [u8],
    /// True when the absolute form has a query and no path, so that a slash is added before it.
    pub(super) empty_path: bool,
}

/// Reads method and target of a request line (`ngx_http_parse_request_line`).
pub(super) fn request_line(request: &Request) -> Result<Target<'_>, Refused> {
    let plain = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-');
    if request.method.is_empty() || !request.method.bytes().all(plain) {
        return Err(Refused::bad("the method is invalid"));
    }
    let target = &request.target[..];
    if target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
        return Err(Refused::bad(
            "the target holds a blank or a control character",
        ));
    }
    match target.first() {
        Some(b'/') => {
            return Ok(Target {
                host: None,
                uri: target,
                empty_path: false,
            });
        }
        Some(letter) if letter.is_ascii_alphabetic() => {}
        _ => {
            return Err(Refused::bad(
                "the target begins neither with `/` nor with a scheme",
            ));
        }
    }
    let invalid = || Refused::bad("the target is no URL");
    let scheme = target
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))
        .ok_or_else(invalid)?;
    let rest = target[scheme..].strip_prefix(b"://").ok_or_else(invalid)?;
    let host_end = match rest.first() {
        Some(b'[') => {
            let inside =
                |byte: &u8| byte.is_ascii_alphanumeric() || b":-._~!$&'()*+,;=".contains(byte);
            let length = rest[1..].iter().take_while(|byte| inside(byte)).count();
            if rest.get(1 + length) != Some(&b']') {
                return Err(invalid());
            }
            length + 2
        }
        _ => rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            .count(),
    };
    let host = &rest[..host_end];
    let mut after = &rest[host_end..];
    if let Some(port) = after.strip_prefix(b":") {
        let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
        after = &port[digits..];
    }
    let (uri, empty_path) = match after.first() {
        None => (&b"/"[..], false),
        Some(b'/') => (after, false),
        Some(b'?') => (after, true),
        Some(_) => return Err(invalid()),
    };
    Ok(Target {
        host: Some(host),
        uri,
        empty_path,
    })
}

/// The host without port, in lower case and without a last dot (`ngx_http_validate_host`); nothing where nginx answers
/// 400.
pub(crate) fn validate_host(host: &[u8]) -> Option<Vec<u8>> {
    let mut dot = None;
    let mut end = host.len();
    let (mut usual, mut literal) = (true, false);
    for (at, byte) in host.iter().enumerate() {
        match byte {
            b'.' => {
                if at > 0 && dot == Some(at - 1) {
                    return None;
                }
                dot = Some(at);
            }
            b':' if usual => {
                end = at;
                usual = false;
            }
            b'[' if at == 0 => {
                literal = true;
                usual = false;
            }
            b']' if literal => {
                end = at + 1;
                literal = false;
            }
            b':' | b'[' | b']' => {}
            b'/' | 0..=b' ' | 0x7f => return None,
            _ => {}
        }
    }
    if end > 0 && dot == Some(end - 1) {
        end -= 1;
    }
    (end > 0).then(|| host[..end].to_ascii_lowercase())
}

/// How nginx takes a header line (`ngx_http_parse_header_line`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderLine {
    Valid,
    /// Left out unless `ignore_invalid_headers off`.
    Invalid,
    /// Answered with 400.
    Refused,
}

pub(super) fn header_line(name: &str, value: &[u8], underscores: bool) -> HeaderLine {
    let name = name.as_bytes();
    let refused = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
    let breaks = |byte: &u8| matches!(byte, 0 | b'\r' | b'\n');
    if name.is_empty() || name.iter().any(refused) || value.iter().any(breaks) {
        return HeaderLine::Refused;
    }
    let known =
        |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_' && underscores;
    match name.iter().all(known) {
        true => HeaderLine::Valid,
        false => HeaderLine::Invalid,
    }
}

/// Headers that may stand in a request once (`ngx_http_process_unique_header_line`); `Host` has been told apart for
/// longer.
pub(super) fn is_unique(name: &str, version: Version) -> bool {
    const UNIQUE: [&str; 10] = [
        "if-modified-since",
        "if-unmodified-since",
        "if-match",
        "if-none-match",
        "content-length",
        "content-range",
        "if-range",
        "transfer-encoding",
        "expect",
        "authorization",
    ];
    version >= Version(1, 23, 0)
        && UNIQUE
            .iter()
            .any(|unique| name.eq_ignore_ascii_case(unique))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_the_request_that_a_client_sends() {
        let request = Request::get("wss://user@Shop.example:8443/a%20b?c#d").expect("a URL");
        assert_eq!(request.host, "Shop.example");
        assert_eq!(request.port, 8443);
        assert_eq!(request.target, b"/a%20b?c");
        assert_eq!(request.headers[0].1, b"Shop.example:8443");
        assert_eq!(request.headers.len(), 5);
        assert_eq!(request.url(), "wss://Shop.example:8443/a%20b?c");
        let request = Request::get("http://[::1]:80?x").expect("a URL");
        assert_eq!((request.host.as_str(), request.port), ("::1", 80));
        assert_eq!(request.headers[0].1, b"[::1]");
        assert_eq!(request.target, b"/?x");
        for wrong in [
            "",
            "/x",
            "ftp://a/",
            "http://",
            "http://a:b/",
            "http://a:99999/",
        ] {
            assert!(Request::get(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_given_header_takes_the_place_of_the_clients_own() {
        let mut request = Request::get("ws://a/").expect("a URL");
        request.header("host: b").expect("a header");
        request.header("Connection:").expect("a header");
        request.header("X-A: 1").expect("a header");
        request.header("X-A: 2").expect("a header");
        let names: Vec<_> = request.headers.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(
            names,
            [
                "Host",
                "Upgrade",
                "Sec-WebSocket-Version",
                "Sec-WebSocket-Key",
                "X-A",
                "X-A"
            ]
        );
        assert_eq!(request.headers[0].1, b"b");
        assert!(request.header("x").is_err());
        assert!(request.header(": x").is_err());
    }

    #[test]
    fn targets_are_read_as_nginx_reads_request_lines() {
        let line = |target: &str| {
            let mut request = Request::get("http://a/").expect("a URL");
            request.target = target.into();
            request_line(&request).map(|target| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                (target.host.map(text), text(target.uri))
            })
        };
        let host = |host: &str| Some(host.to_owned());
        assert_eq!(line("/a?b"), Ok((None, "/a?b".into())));
        assert_eq!(line("http://h"), Ok((host("h"), "/".into())));
        assert_eq!(line("http://h:80/a"), Ok((host("h"), "/a".into())));
        assert_eq!(line("http://h?a"), Ok((host("h"), "?a".into())));
        assert_eq!(line("x://[::1]:/"), Ok((host("[::1]"), "/".into())));
        for wrong in [
            "*",
            "http:/h",
            "http://a_b/",
            "http://h:x/",
            "1://h/",
            "/a b",
            "/\x7f",
        ] {
            assert!(line(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_are_normalised_as_nginx_normalises_them() {
        let host = |host: &str| {
            validate_host(host.as_bytes()).map(|host| String::from_utf8_lossy(&host).into_owned())
        };
        assert_eq!(host("A.Example:80").as_deref(), Some("a.example"));
        assert_eq!(host("a.example.").as_deref(), Some("a.example"));
        assert_eq!(host("a.example.:1").as_deref(), Some("a.example"));
        assert_eq!(host("[::1]:80").as_deref(), Some("[::1]"));
        assert_eq!(host("a:b:c").as_deref(), Some("a"));
        for wrong in ["", ".", ":80", "a..b", "a/b", "a b"] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }
}
