//! Requests that are sent to a second server although the first may have acted on them.

use std::net::IpAddr;

use super::{Directive, Proxied, Word};
use crate::diagnostic::Edit;
use crate::source::Span;

/// The word that lets a POST be sent again.
const WORD: &str = "non_idempotent";

/// How many servers a request may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peers {
    /// Several servers of the `upstream` of this name.
    Several(String),
    /// The only server of the `upstream` of this name.
    One(String),
    /// As many as this name has addresses.
    Named(String),
}

/// A `proxy_next_upstream`, or its relative, that sends a POST again.
#[derive(Debug, Clone)]
pub struct Retry<'c> {
    /// The directive.
    pub directive: Directive<'c>,
    /// `non_idempotent`.
    pub word: Word<'c>,
    /// What has to happen, in words that follow `when the first one `.
    pub when: String,
    /// Where it may be sent.
    pub peers: Peers,
}

impl Proxied<'_> {
    /// True unless a `limit_except` keeps POST out.
    pub fn takes_post(&self) -> bool {
        let denies = |limit: &Directive<'_>| {
            let mut rules = limit.own("deny");
            rules.any(|deny| deny.argument(0).is_some_and(|who| who == "all"))
        };
        let has_post =
            |limit: &Directive<'_>| limit.arguments().any(|method| method.is_header("POST"));
        let mut limits = self.location.directive.own("limit_except");
        let is_beside = self.scope.is("limit_except") && has_post(&self.scope);
        !is_beside && !limits.any(|limit| denies(&limit) && !has_post(&limit))
    }
}

impl<'c> Proxied<'c> {
    /// What sends a POST of this place to a second server (`ngx_http_upstream_next`); nothing where there is none.
    pub fn retry(&self) -> Option<Retry<'c>> {
        let family = self.family();
        let directive = self
            .scope
            .effective(&format!("{family}_next_upstream"))
            .directive()?;
        let word = directive.arguments().find(|word| word == WORD)?;
        let is = |name: &str| directive.arguments().any(|word| word == name);
        let status = directive.arguments().find_map(|word| {
            let text = word.text();
            text.strip_prefix("http_")
                .filter(|rest| !matches!(*rest, "403" | "404" | "429"))
                .map(str::to_owned)
        });
        let when = match status {
            _ if is("off") => return None,
            _ if is("timeout") => format!("takes longer than `{family}_read_timeout`"),
            _ if is("error") => "breaks the connection off".to_owned(),
            Some(status) => format!("answers {status}"),
            None => return None,
        };
        let tries = self
            .scope
            .effective(&format!("{family}_next_upstream_tries"));
        let is_once = tries
            .directive()
            .and_then(|tries| tries.argument(0))
            .is_some_and(|number| number == "1");
        let peers = self.peers().filter(|_| !is_once)?;
        Some(Retry {
            directive,
            word,
            when,
            peers,
        })
    }

    fn peers(&self) -> Option<Peers> {
        let address = self
            .pass
            .argument(0)
            .filter(|address| !address.has_variables())?;
        let text = address.text();
        let authority = text.split_once("://").map_or(&*text, |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        if let Some(group) = self.scope.config().upstream(authority) {
            let name = authority.to_owned();
            let is_up = |server: &Directive<'_>| !server.arguments().any(|word| word == "down");
            let count = group.own("server").filter(is_up).count();
            return Some(if count > 1 {
                Peers::Several(name)
            } else {
                Peers::One(name)
            });
        }
        let host = match authority.rsplit_once(':') {
            Some((host, _)) if !authority.ends_with(']') => host,
            _ => authority,
        };
        let is_address =
            host.starts_with('[') || host.starts_with("unix") || host.parse::<IpAddr>().is_ok();
        (!is_address && !address.has_placeholder()).then(|| Peers::Named(host.to_owned()))
    }
}

impl Retry<'_> {
    /// An edit that takes the word away, with the blank before it.
    pub fn without_word(&self) -> Option<Edit> {
        let arguments = self.directive.arguments();
        let before = arguments
            .take_while(|word| word.span != self.word.span)
            .last();
        let start = before.map_or(self.directive.name().span.end, |word| word.span.end);
        Some(Edit::delete(Span {
            start,
            ..self.word.span
        }))
    }
}
