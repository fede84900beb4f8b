//! Where requests are proxied, and what a `proxy_pass` address is made of.

use super::{Config, Directive, Headers, Location, Modifier, Word};
use crate::nginx::{self, Contexts};

/// A place from which requests are passed to an upstream: a location, or an `if` or `limit_except` in it with settings of
/// its own.
#[derive(Clone, Debug)]
pub struct Proxied<'c> {
    /// The block whose settings are in effect.
    pub scope: Directive<'c>,
    /// The location that the scope is or lies in.
    pub location: Location<'c>,
    /// The `proxy_pass` in effect, or its relative for another protocol.
    pub pass: Directive<'c>,
}

impl<'c> Proxied<'c> {
    /// The `proxy_set_header` list in effect.
    pub fn headers(&self) -> Headers<'c> {
        Headers::of(self.scope)
    }

    /// The number of the server that it belongs to; nothing in a fragment without one.
    pub fn server_number(&self) -> Option<u32> {
        let server = self.location.server()?;
        Some(server.directive.number())
    }

    /// The address, taken apart.
    pub fn url(&self) -> Option<ProxyUrl<'c>> {
        ProxyUrl::parse(self.pass.argument(0)?)
    }

    /// True where only requests come whose method is none of a `limit_except` that lets GET through: no handshake is among
    /// them.
    pub fn has_no_get(&self) -> bool {
        self.scope.is("limit_except")
            && self.scope.arguments().any(|method| method.is_header("GET"))
    }

    /// The family of directives that belongs to the protocol: `proxy`, `fastcgi`, …
    pub fn family(&self) -> String {
        self.pass.name().text().trim_end_matches("_pass").to_owned()
    }

    /// A time in effect here in milliseconds, with the directive that sets it; nothing when none does.
    pub fn time(&self, name: &str) -> Option<(Directive<'c>, u64)> {
        let directive = self.scope.effective(name).directive()?;
        let mut arguments = directive.arguments();
        let time = arguments.next()?.milliseconds()?;
        // Of several arguments nginx takes none.
        arguments.next().is_none().then_some((directive, time))
    }
}

/// Handlers that pass a request to an upstream; each has its own family of directives.
pub const PASSES: [&str; 6] = [
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "memcached_pass",
];

impl Config {
    /// Every place from which requests are passed to an upstream, in file order.
    ///
    /// A location whose `return` answers first, or whose last handler is another one, passes nothing on; nor does one that
    /// every request leaves, or that the `return` of its server lets none come to.
    pub fn passed(&self) -> impl Iterator<Item = Proxied<'_>> {
        let mut known: Option<(u32, bool)> = None;
        let mut is_closed = move |location: &Location<'_>| {
            // No rewrite of the server is run for a named one.
            let server = location.server();
            let Some(server) = server.filter(|_| location.modifier != Modifier::Named) else {
                return false;
            };
            let number = server.directive.number();
            let answers = match known {
                Some((of, answers)) if of == number => answers,
                _ => server.answers_first().is_some(),
            };
            known = Some((number, answers));
            answers
        };
        self.locations()
            .filter(|location| location.own_return().is_none() && !location.directive.is_left())
            .filter(move |location| !is_closed(location))
            .flat_map(|location| {
                let is_pass = |handler: &Directive<'_>| PASSES.iter().any(|pass| handler.is(pass));
                let own = location.handler().filter(is_pass);
                let mut places: Vec<_> = own
                    .map(|pass| Proxied {
                        scope: location.directive,
                        location: location.clone(),
                        pass,
                    })
                    .into_iter()
                    .collect();
                for block in ["if", "limit_except"]
                    .iter()
                    .flat_map(|name| location.directive.own(name))
                {
                    let pass = PASSES
                        .iter()
                        .filter_map(|pass| block.own(pass).next_back())
                        .next_back();
                    let differs = pass.is_some()
                        || block
                            .children()
                            .any(|child| child.name().starts_with(b"proxy_"));
                    let answered = block.own("return").next().is_some();
                    if let Some(pass) = pass.or(own).filter(|_| differs && !answered) {
                        places.push(Proxied {
                            scope: block,
                            location: location.clone(),
                            pass,
                        });
                    }
                }
                places
            })
    }

    /// The places of [`Config::passed`] that use `proxy_pass`.
    pub fn proxied(&self) -> impl Iterator<Item = Proxied<'_>> {
        self.passed().filter(|place| place.pass.is("proxy_pass"))
    }
}

/// A `proxy_pass` address in parts.
#[derive(Clone, Debug)]
pub struct ProxyUrl<'c> {
    /// The whole argument.
    pub word: Word<'c>,
    /// Length of `http://` or `https://`.
    scheme: usize,
    /// Where the URI part begins, if there is one; it ends with the argument.
    uri: Option<usize>,
}

impl<'c> ProxyUrl<'c> {
    /// Takes an address apart as `ngx_http_proxy_pass` and `ngx_parse_url` do; nothing when it has no scheme or is a template's.
    ///
    /// With variables the parts are those of the text: what they hold is not known here.
    pub fn parse(word: Word<'c>) -> Option<Self> {
        if word.has_placeholder() {
            return None;
        }
        Self::evaluated(word)
    }

    /// Takes an address apart whose variables have been evaluated, so that it may hold anything.
    pub fn evaluated(word: Word<'c>) -> Option<Self> {
        let scheme = ["http://", "https://"]
            .iter()
            .find(|scheme| {
                word.get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
            })
            .map(|scheme| scheme.len())?;
        let rest = &word[scheme..];
        let uri = if rest.starts_with(b"unix:") {
            rest[5..]
                .iter()
                .position(|byte| *byte == b':')
                .map(|colon| scheme + 5 + colon + 1)
        } else {
            rest.iter()
                .position(|byte| matches!(byte, b'/' | b'?'))
                .map(|slash| scheme + slash)
        };
        let uri = uri.filter(|uri| *uri < word.len());
        Some(Self { word, scheme, uri })
    }

    /// `http://` or `https://`, as written.
    pub fn scheme(&self) -> &[u8] {
        &self.word[..self.scheme]
    }

    /// Host and port, the name of an upstream, or `unix:/path` with its closing colon if there is one.
    pub fn authority(&self) -> &[u8] {
        &self.word[self.scheme..self.uri.unwrap_or(self.word.len())]
    }

    /// The URI part, from its slash on.
    pub fn uri(&self) -> Option<&[u8]> {
        self.uri.map(|start| &self.word[start..])
    }

    /// The URI part as a word with its place.
    pub fn uri_word(&self) -> Option<Word<'c>> {
        self.uri.map(|start| self.word.tail(start))
    }

    /// True when any part is evaluated for each request, which switches the mapping of paths off.
    pub fn has_variables(&self) -> bool {
        self.word.has_variables()
    }

    /// The address without its URI part, as text.
    pub fn base(&self) -> String {
        String::from_utf8_lossy(&self.word[..self.uri.unwrap_or(self.word.len())]).into_owned()
    }
}

impl<'c> Directive<'c> {
    /// The literal that a value made of one variable has inside this block: a single `set` defines it, in a block around.
    pub fn only_literal(self, value: &Word<'_>) -> Option<Word<'c>> {
        let [reference] = &nginx::references(value)[..] else {
            return None;
        };
        let [definition] = self.config.definitions(&reference.name) else {
            return None;
        };
        let set = self.config.definition(*definition);
        let blocks = Contexts::SERVER.union(Contexts::LOCATION);
        let reaches = set
            .parent()
            .is_some_and(|block| block == self || self.ancestors().any(|outer| outer == block));
        if reference.range != (0..value.len())
            || !set.is("set")
            || !set.context().intersects(blocks)
            || !reaches
        {
            return None;
        }
        set.argument(1).filter(|literal| !literal.has_variables())
    }
}

impl Location<'_> {
    /// A `rewrite` that replaces the name of a prefix location by `uri`, as `proxy_pass` with a literal address would;
    /// nothing when there is nothing to replace or the two do not end alike.
    pub fn strip_by_rewrite(&self, uri: &[u8]) -> Option<String> {
        let plain =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
        let alike = self.path.ends_with(b"/") && uri.ends_with(b"/");
        if !self.is_prefix()
            || !alike
            || *self.path == *uri
            || !self.path.iter().chain(uri).all(plain)
        {
            return None;
        }
        let name = self.path.text().replace('.', "\\.");
        Some(format!(
            "rewrite ^{name}(.*)$ {}$1 break;",
            String::from_utf8_lossy(uri)
        ))
    }
}
