//! What answers the requests of a block, read without any of them.

use std::fmt;

use crate::config::{Directive, PASSES, ProxyUrl};
use crate::source::Span;

/// What answers in a location, or in a server for requests that no location takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Handler<'c> {
    /// A `return` in the block itself.
    Return(Directive<'c>),
    /// A directive that passes requests on.
    Pass(Directive<'c>),
    /// A directive of another module that answers.
    Module(Directive<'c>),
    /// Files below an `alias`.
    Alias(Directive<'c>),
    /// Files below a `root`; nothing when none was seen.
    Root(Option<Directive<'c>>),
}

/// Where a handler passes requests on to.
#[derive(Debug, Clone, PartialEq)]
pub struct Upstream<'c> {
    /// The protocol: `proxy`, `fastcgi`, …
    pub protocol: String,
    /// The address without the URI part, as `http://127.0.0.1:8000`.
    pub address: String,
    /// The block that tells what stands behind the name.
    pub group: Option<Directive<'c>>,
}

impl Upstream<'_> {
    /// The addresses in its `upstream` block.
    pub fn members(&self) -> Vec<String> {
        let servers = self.group.into_iter().flat_map(|group| group.own("server"));
        servers
            .filter_map(|server| Some(server.argument(0)?.text().into_owned()))
            .collect()
    }
}

impl<'c> Handler<'c> {
    /// Reads what answers in a block, of which handlers do not reach the blocks inside.
    pub(crate) fn of(block: Directive<'c>) -> Self {
        if let Some(first) = block.own("return").next() {
            return Self::Return(first);
        }
        if let Some(handler) = block.handler() {
            let passes = PASSES.iter().any(|name| handler.is(name)) || handler.is("tunnel_pass");
            return match passes {
                true => Self::Pass(handler),
                false => Self::Module(handler),
            };
        }
        let files = std::iter::once(block)
            .chain(block.ancestors())
            .find_map(|level| {
                let own = |name: &str| level.own(name).next_back();
                own("alias").or_else(|| own("root"))
            });
        match files {
            Some(alias) if alias.is("alias") => Self::Alias(alias),
            root => Self::Root(root),
        }
    }

    /// The directive that says so; nothing for nginx's own default.
    pub fn directive(&self) -> Option<Directive<'c>> {
        match self {
            Self::Return(directive)
            | Self::Pass(directive)
            | Self::Module(directive)
            | Self::Alias(directive) => Some(*directive),
            Self::Root(directive) => *directive,
        }
    }

    /// Where it comes from.
    pub fn span(&self) -> Option<Span> {
        self.directive().map(Directive::span)
    }

    /// Where requests are passed on to; `groups` finds an `upstream` block by its name in lower case.
    pub(crate) fn upstream(
        &self,
        groups: impl Fn(&[u8]) -> Option<Directive<'c>>,
    ) -> Option<Upstream<'c>> {
        let Self::Pass(pass) = self else { return None };
        let word = pass.argument(0);
        let text = word
            .as_ref()
            .map(|word| word.text().into_owned())
            .unwrap_or_default();
        let url = word.clone().and_then(ProxyUrl::parse);
        let (address, host) = match &url {
            Some(url) if pass.is("proxy_pass") => (url.base(), url.authority().to_vec()),
            _ => {
                let host = text.rsplit("://").next().unwrap_or_default();
                (text.clone(), host.as_bytes().to_vec())
            }
        };
        Some(Upstream {
            protocol: protocol(*pass),
            address,
            group: groups(&host.to_ascii_lowercase()),
        })
    }
}

/// `proxy` of `proxy_pass`.
fn protocol(pass: Directive<'_>) -> String {
    pass.name().text().trim_end_matches("_pass").to_owned()
}

impl fmt::Display for Handler<'_> {
    /// As `proxy http://127.0.0.1:8000/v1/`, `return 301 /x`, `files /srv/www`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = |directive: Directive<'_>| {
            let word = directive.argument(0);
            word.map(|word| word.text().into_owned())
                .unwrap_or_default()
        };
        match self {
            Self::Return(directive) => {
                formatter.write_str("return")?;
                for word in directive.arguments() {
                    let text = word.text();
                    match text.is_empty() || text.contains(char::is_whitespace) {
                        true => write!(formatter, " \"{text}\"")?,
                        false => write!(formatter, " {text}")?,
                    }
                }
                Ok(())
            }
            Self::Pass(pass) if pass.is("tunnel_pass") && pass.argument(0).is_none() => {
                formatter.write_str("tunnel")
            }
            Self::Pass(pass) => write!(formatter, "{} {}", protocol(*pass), first(*pass)),
            Self::Module(directive) => write!(formatter, "{}", directive.name()),
            Self::Alias(directive) => write!(formatter, "alias {}", first(*directive)),
            Self::Root(Some(directive)) => write!(formatter, "files {}", first(*directive)),
            // What `ngx_http_core_merge_loc_conf` sets.
            Self::Root(None) => formatter.write_str("files html"),
        }
    }
}
