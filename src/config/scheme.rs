//! Whether a backend learns which scheme the client speaks.

use super::websocket::MAX_SIBLINGS;
use super::{Config, Directive, Proxied, Word};
use crate::diagnostic::Edit;
use crate::nginx;

/// Headers that tell a backend how the client came.
const TELLING: [&str; 10] = [
    "X-Forwarded-Proto",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Ssl",
    "X-Forwarded-Https",
    "X-Forwarded-Port",
    "X-Scheme",
    "X-Url-Scheme",
    "Forwarded",
    "Front-End-Https",
];

/// Why a backend does not learn the scheme of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemeProblem {
    /// TLS ends here, and no header says so.
    Unsaid,
    /// `X-Forwarded-Proto` is `$scheme`, which here is that of a proxy in front.
    Overwritten,
}

impl Proxied<'_> {
    /// Why the backend does not learn the scheme of the client; nothing where it does, where it is not told the host that
    /// the client asked for, or where clients may speak either.
    pub fn scheme_problem(&self) -> Option<SchemeProblem> {
        let server = self.location.server()?;
        let headers = self.headers();
        if self.location.is_internal() {
            return None;
        }
        if server.speaks_tls() {
            let host = self.host_header()?;
            let is_clients = host.starts_with(b"$host") || host == "$http_host";
            let is_plain = self.backend().is_some_and(|backend| !backend.tls);
            let is_telling = |name: Word<'_>| TELLING.iter().any(|telling| name.is_header(telling));
            // That it is lost is told of as such.
            let is_lost = || {
                let mut lost = self.lost_headers().into_iter();
                lost.any(|header| header.argument(0).is_some_and(is_telling))
            };
            let says = TELLING.iter().any(|name| headers.get(name).is_some())
                || headers.directives().iter().copied().any(tells_scheme)
                || is_lost();
            let matters = self.may_redirect() && self.minds_proxies();
            return (is_clients && is_plain && !says && matters).then_some(SchemeProblem::Unsaid);
        }
        let header = headers.get("X-Forwarded-Proto")?;
        let is_scheme = header.argument(1).is_some_and(|value| value == "$scheme");
        (is_scheme && server.trusts_a_proxy()).then_some(SchemeProblem::Overwritten)
    }
}

/// True for a header, whatever its name, whose value tells the scheme.
fn tells_scheme(header: Directive<'_>) -> bool {
    let is_scheme = |reference: &nginx::Reference| {
        let name = reference.name.to_ascii_lowercase();
        matches!(&*name, "scheme" | "https" | "server_port" | "ssl_protocol")
    };
    header.argument(1).is_some_and(|value| {
        nginx::references(&value).iter().any(is_scheme)
            || value.to_ascii_lowercase().starts_with(b"https")
    })
}

impl Proxied<'_> {
    /// True where a redirect or a link that begins with `http://` would reach the client: not at an endpoint for
    /// WebSockets, nor where `proxy_redirect` mends it.
    fn may_redirect(&self) -> bool {
        let mends = |rule: Directive<'_>| {
            rule.argument(0)
                .is_some_and(|from| from.starts_with(b"http://"))
                && rule
                    .argument(1)
                    .is_some_and(|to| to.starts_with(b"https://") || to.starts_with(b"$scheme://"))
        };
        let is_mended = self
            .scope
            .effective("proxy_redirect")
            .directives
            .into_iter()
            .any(mends);
        let is_socket = || self.upgrade().completes() && self.websocket_intent().path >= 3;
        !is_mended && !is_socket()
    }

    /// True for a backend that is told who the client is, or which scheme it speaks in another location of this level.
    fn minds_proxies(&self) -> bool {
        let headers = self.headers();
        let tells = |name: &str| headers.get(name).is_some();
        if ["X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host"]
            .into_iter()
            .any(tells)
        {
            return true;
        }
        let Some(own) = self.url() else { return false };
        self.location
            .level()
            .iter()
            .take(MAX_SIBLINGS)
            .any(|sibling| {
                let Some(pass) = sibling.handler().filter(|pass| pass.is("proxy_pass")) else {
                    return false;
                };
                let sibling = Proxied {
                    scope: sibling.directive,
                    location: sibling,
                    pass,
                };
                let is_same = sibling
                    .url()
                    .is_some_and(|url| url.authority() == own.authority());
                let headers = sibling.headers();
                is_same && TELLING.iter().any(|name| headers.get(name).is_some())
            })
    }
}

impl Config {
    /// A value for `X-Forwarded-Proto` that keeps what a proxy in front says, with the `map` that it needs.
    pub fn forwarded_scheme_value(&self) -> (String, Option<Edit>) {
        if let Some(variable) = self.forwarded_scheme() {
            return (variable, None);
        }
        let map = [
            "map $http_x_forwarded_proto $forwarded_proto {",
            "    default $http_x_forwarded_proto;",
            "    ''      $scheme;",
            "}",
        ];
        let free = self.definitions("forwarded_proto").is_empty();
        match self.prepend_to_http(&map).filter(|_| free) {
            Some(edit) => ("$forwarded_proto".to_owned(), Some(edit)),
            None => ("$http_x_forwarded_proto".to_owned(), None),
        }
    }
}
