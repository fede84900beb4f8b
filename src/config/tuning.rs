//! Locations that hold settings and nothing that answers, and how they come to pass requests on as another one does.

use super::{Directive, Location, PASSES, ProxyUrl};
use crate::diagnostic::Edit;
use crate::nginx;

/// What a location without a handler has settings for.
#[derive(Debug, Clone, Copy)]
pub struct Tuning<'c> {
    /// A setting that only passing requests on makes use of, such as `proxy_read_timeout`.
    pub of_pass: Option<Directive<'c>>,
    /// A setting that expects requests with a body, or lets some of them in.
    pub of_requests: Option<Directive<'c>>,
}

/// The families of directives that nginx looks at when it passes a request on.
const FAMILIES: [&str; 6] = [
    "proxy_",
    "fastcgi_",
    "uwsgi_",
    "scgi_",
    "grpc_",
    "memcached_",
];

/// Settings for requests that are meant to be answered.
const OF_REQUESTS: [&str; 11] = [
    "client_max_body_size",
    "client_body_buffer_size",
    "client_body_timeout",
    "auth_basic",
    "auth_basic_user_file",
    "auth_request",
    "satisfy",
    "allow",
    "deny",
    "limit_req",
    "limit_conn",
];

/// Settings that say nothing about what is meant to answer.
const OF_ANYTHING: [&str; 20] = [
    "include",
    "access_log",
    "error_log",
    "add_header",
    "expires",
    "gzip",
    "gzip_types",
    "gzip_proxied",
    "etag",
    "set",
    "send_timeout",
    "keepalive_timeout",
    "tcp_nodelay",
    "limit_rate",
    "limit_req_status",
    "limit_conn_status",
    "auth_request_set",
    "resolver",
    "resolver_timeout",
    "chunked_transfer_encoding",
];

/// Directives of which a level takes several, told apart by their first arguments.
const KEYED: [&str; 7] = [
    "auth_request_set",
    "proxy_set_header",
    "grpc_set_header",
    "fastcgi_param",
    "uwsgi_param",
    "scgi_param",
    "proxy_hide_header",
];

/// What may change the URI or the answer before a handler is asked.
const DECIDING: [&str; 6] = ["rewrite", "if", "set", "break", "limit_except", "try_files"];

/// True for a directive that nginx looks at when it passes a request on.
fn is_of_pass(name: &[u8]) -> bool {
    let is_family = |family: &&str| name.starts_with(family.as_bytes());
    let is_pass = |pass: &&str| name == pass.as_bytes();
    FAMILIES.iter().any(is_family)
        && nginx::directive(name).is_some()
        && !PASSES.iter().any(is_pass)
}

impl<'c> Location<'c> {
    /// What this location tunes, when that is all it does; nothing when something in it answers or may answer, when it
    /// lets nobody in, or when a missing file is answered by something else.
    pub fn tuning(&self) -> Option<Tuning<'c>> {
        let block = self.directive;
        let mut tuning = Tuning {
            of_pass: None,
            of_requests: None,
        };
        for child in block.children() {
            let name = child.name();
            let is = |known: &&str| name == **known;
            if is_of_pass(&name) {
                tuning.of_pass.get_or_insert(child);
            } else if OF_REQUESTS.iter().any(is) {
                tuning.of_requests.get_or_insert(child);
            } else if !OF_ANYTHING.iter().any(is) {
                return None;
            }
        }
        let closed = block.access_rules().first().is_some_and(|rule| {
            rule.is("deny") && rule.argument(0).is_some_and(|who| who == "all")
        });
        let is_empty = tuning.of_pass.is_none() && tuning.of_requests.is_none();
        (!is_empty && !closed && !self.has_fallback()).then_some(tuning)
    }

    /// True when an error page may put another answer in the place of a missing file.
    fn has_fallback(&self) -> bool {
        let pages = self.directive.effective("error_page").directives;
        pages.into_iter().any(|page| {
            page.arguments()
                .any(|word| word.starts_with(b"@") || word.starts_with(b"="))
        })
    }

    /// The folder that files are looked for in here, with its directive: a `root` or an `alias`, of which a level takes
    /// only one; nothing when none is written, which is nginx's folder `html`.
    pub fn folder(&self) -> Option<Directive<'c>> {
        std::iter::once(self.directive)
            .chain(self.directive.ancestors())
            .find_map(|level| {
                let own = |name: &str| level.own(name).next_back();
                own("alias").or_else(|| own("root"))
            })
    }

    /// An edit that makes this location, which has no handler, pass requests on as `other` does: to the same place, with
    /// the same URI, for the same clients, and with the settings that `other` has and this one does not; nothing where
    /// that takes more.
    pub fn pass_on_like(&self, other: &Self) -> Option<Edit> {
        let pass = other.handler()?;
        let (file, block) = (other.directive.span().file, self.directive);
        let inherits = block.ancestors().any(|outer| outer == other.directive);
        let decides = |child: Directive<'c>| DECIDING.iter().any(|name| child.is(name));
        if pass.span().file != file || other.directive.children().any(decides) {
            return None;
        }
        let mut lines = vec![self.passing(other, pass)?];
        let settings = other.directive.children().filter(|child| *child != pass);
        for setting in settings.filter(|_| !inherits) {
            let name = setting.name();
            let is_included = setting.span().file != file;
            let is_wanted = is_of_pass(&name)
                || OF_REQUESTS.iter().any(|known| name == *known)
                || name == "auth_request_set";
            if is_included && self.sets(setting) {
                return None;
            }
            if !is_included && (name == "include" || is_wanted && !self.sets(setting)) {
                lines.push(setting.written());
            }
        }
        let is_written_here = |child: &Directive<'c>| child.span().file == block.span().file;
        let last = block.children().filter(is_written_here).last()?;
        Some(last.append_lines(&lines))
    }

    /// True when this location has a setting that another one would repeat.
    fn sets(&self, other: Directive<'c>) -> bool {
        let name = other.name();
        if name == "allow" || name == "deny" {
            let own = |name| self.directive.own(name).next().is_some();
            return own("allow") || own("deny");
        }
        let is_keyed = KEYED.iter().any(|keyed| name == *keyed);
        let key = |directive: Directive<'c>| {
            let word = directive.argument(0);
            word.map(|word| word.to_ascii_lowercase())
        };
        self.directive
            .own(&name.text())
            .any(|own| !is_keyed || key(own) == key(other))
    }

    /// The line that passes requests of this location to where `pass` does in `other`, for the same URI.
    fn passing(&self, other: &Self, pass: Directive<'c>) -> Option<String> {
        let url = pass.argument(0).and_then(ProxyUrl::parse);
        let literal = url
            .as_ref()
            .filter(|url| pass.is("proxy_pass") && !url.has_variables());
        let Some(part) = literal.and_then(ProxyUrl::uri) else {
            return Some(pass.written());
        };
        // Here nginx refuses a URI.
        let mut around = std::iter::successors(Some(self.clone()), Self::parent);
        let is_plain =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
        if around.any(|location| location.is_regex()) || !other.is_prefix() {
            return None;
        }
        let rest = self.path.strip_prefix(&*other.path)?;
        let uri = [part, rest].concat();
        let text = String::from_utf8(uri).ok()?;
        text.bytes().all(|byte| is_plain(&byte)).then(|| {
            format!(
                "proxy_pass {}{text};",
                literal.map(ProxyUrl::base).unwrap_or_default()
            )
        })
    }
}
