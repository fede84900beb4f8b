//! Names of containers, whose addresses change while nginx runs.

use std::net::IpAddr;

use super::{Config, Directive};
use crate::diagnostic::Edit;
use crate::nginx::{Contexts, Version};

/// From here on a `server` of an upstream takes `resolve`.
const RESOLVE: Version = Version(1, 27, 3);

impl Config {
    /// A directive that tells that names here are those of containers: a `resolver` that is Docker's or a cluster's.
    pub fn sign_of_containers(&self) -> Option<Directive<'_>> {
        let is_sign = |directive: &Directive<'_>| {
            directive.is("resolver")
                && directive.arguments().any(|word| {
                    let text = word.text();
                    text.starts_with("127.0.0.11")
                        && !text[10..].starts_with(|next: char| next.is_ascii_digit())
                        || text.contains("kube-dns")
                        || text.contains(".svc.")
                })
        };
        self.directives().find(is_sign)
    }

    /// The `upstream` blocks of the http part, in file order.
    pub fn upstreams_of_http(&self) -> impl Iterator<Item = Directive<'_>> {
        self.directives()
            .filter(|block| block.is("upstream") && block.inside() == Contexts::UPSTREAM)
    }
}

impl<'c> Directive<'c> {
    /// The servers of an `upstream` whose names have no dots and are looked up only when nginx starts.
    pub fn frozen_servers(self) -> impl Iterator<Item = Self> {
        self.own("server").filter(|server| {
            let late = server.arguments().skip(1).any(|word| word == "resolve");
            server.argument(0).is_some_and(|address| {
                let text = address.text();
                let host = text.split(':').next().unwrap_or_default();
                let is_name = !host.contains(['.', '[', '/']) && host.parse::<IpAddr>().is_err();
                !late
                    && is_name
                    && !matches!(host, "localhost" | "unix" | "")
                    && !address.has_placeholder()
            })
        })
    }

    /// Edits after which a server of this `upstream` is looked up again and again; nothing where this nginx cannot, or no
    /// `resolver` stands in it or the http block.
    pub fn thaw(self, server: Self) -> Vec<Edit> {
        let config = self.config;
        let levels = std::iter::once(self).chain(self.parent());
        let has_resolver = levels
            .flat_map(|block| block.own("resolver"))
            .next()
            .is_some();
        let (Some(last), Some(name)) = (server.arguments().next_back(), self.argument(0)) else {
            return Vec::new();
        };
        let first = self
            .children()
            .next()
            .filter(|first| first.included_by().is_none());
        let own_zone = self.own("zone").next().is_some();
        if config.version() < RESOLVE
            || !has_resolver
            || self.is_incomplete()
            || (first.is_none() && !own_zone)
        {
            return Vec::new();
        }
        let zone = first.filter(|_| !own_zone);
        let zone = zone.map(|first| first.prepend_lines(&[format!("zone {name} 64k;")]));
        let mut edits = vec![Edit::insert_after(last.span, " resolve")];
        edits.extend(zone);
        edits
    }
}
