//! Where requests are proxied, and what a `proxy_pass` address is made of.

use super::{Config, Directive, Headers, Location, Word};
use crate::nginx::{self, Contexts};

/// A place from which requests are proxied: a location, or an `if` or `limit_except` in it with settings of its own.
#[derive(Clone, Debug)]
pub struct Proxied<'c> {
    /// The block whose settings are in effect.
    pub scope: Directive<'c>,
    /// The location that the scope is or lies in.
    pub location: Location<'c>,
    /// The `proxy_pass` in effect.
    pub pass: Directive<'c>,
}

impl<'c> Proxied<'c> {
    /// The `proxy_set_header` list in effect.
    pub fn headers(&self) -> Headers<'c> {
        Headers::of(self.scope)
    }

    /// The address, taken apart.
    pub fn url(&self) -> Option<ProxyUrl<'c>> {
        ProxyUrl::parse(self.pass.argument(0)?)
    }

    /// A time in effect here in milliseconds, with the directive that sets it; nothing when none does.
    pub fn time(&self, name: &str) -> Option<(Directive<'c>, u64)> {
        let directive = self.scope.effective(name).directive()?;
        Some((directive, directive.argument(0)?.milliseconds()?))
    }
}

impl Config {
    /// Every place from which requests are proxied with `proxy_pass`, in file order.
    ///
    /// A location whose `return` answers first, or whose last handler is another one, proxies nothing.
    pub fn proxied(&self) -> impl Iterator<Item = Proxied<'_>> {
        self.locations().flat_map(|location| {
            let mut places = Vec::new();
            let own = location
                .handler()
                .filter(|handler| handler.is("proxy_pass"));
            let answered = location.own_return().is_some();
            if let Some(pass) = own.filter(|_| !answered) {
                places.push(Proxied {
                    scope: location.directive,
                    location: location.clone(),
                    pass,
                });
            }
            for block in ["if", "limit_except"]
                .iter()
                .flat_map(|name| location.directive.own(name))
            {
                let pass = block.own("proxy_pass").next_back();
                let differs = pass.is_some()
                    || block
                        .children()
                        .any(|child| child.name().starts_with(b"proxy_"));
                if let Some(pass) = pass.or(own).filter(|_| differs && !answered)
                    && block.own("return").next().is_none()
                {
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
    /// Takes an address apart as `ngx_http_proxy_pass` and `ngx_parse_url` do; nothing when it has no scheme.
    ///
    /// With variables the parts are those of the text: what they hold is not known here.
    pub fn parse(word: Word<'c>) -> Option<Self> {
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
        let start = self.uri?;
        let span = self.word.part(start..self.word.len());
        Some(Word {
            span,
            value: self.word[start..].to_vec().into(),
        })
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
    /// The one literal value that a variable of this configuration can have: a single `set` defines it.
    pub fn literal_of(self, variable: &str) -> Option<Word<'c>> {
        let [definition] = self.config.definitions(variable) else {
            return None;
        };
        let set = self.config.definition(*definition);
        if !set.is("set")
            || set.context() == Contexts::SERVER_IF
            || set.context() == Contexts::LOCATION_IF
        {
            return None;
        }
        // A `set` reaches this place when its block is this one's location or server.
        let reaches = set
            .parent()
            .is_some_and(|block| self.ancestors().any(|outer| outer == block));
        set.argument(1)
            .filter(|value| reaches && !nginx::has_variables(value))
    }
}
