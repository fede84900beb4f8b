//! Blocks that lack what nginx wants in them.

use super::{Config, Directive};
use crate::nginx::{self, Contexts, Provider, Version};

/// What a block lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// An upstream has no server.
    Servers,
    /// An upstream has servers that only stand in for others.
    MainServers,
    /// A server of stream or mail listens nowhere.
    Listen,
    /// A server of stream passes nothing on and answers nothing.
    Handler,
}

impl Config {
    /// The first directive of the top level, when the configuration is a whole one for certain and has no `events`.
    pub fn without_events(&self) -> Option<Directive<'_>> {
        let first = self.top().next()?;
        let file = self.sources.file(first.entry().file).name();
        let is_named_so = file
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("nginx"));
        let is_of_core = |directive: Directive<'_>| {
            let known = nginx::directive(&directive.name());
            let form = known.and_then(|known| known.form(Contexts::MAIN));
            !directive.is_block() && form.is_some_and(|form| form.module == "ngx_core_module")
        };
        let is_certain = is_named_so || self.top().any(is_of_core);
        let has_events = self.top().any(|directive| directive.is("events"));
        let is_template = self.is_called_template(first.span());
        (self.is_whole() && is_certain && !has_events && !is_template).then_some(first)
    }
}

impl Directive<'_> {
    /// What this block lacks for certain: all of it was read, and only modules of nginx itself have a say in it.
    pub fn lack(self) -> Option<Lack> {
        let is_upstream = self
            .inside()
            .intersects(Contexts::UPSTREAM.union(Contexts::STREAM_UPSTREAM));
        let is_server = self
            .inside()
            .intersects(Contexts::STREAM_SERVER.union(Contexts::MAIL_SERVER));
        if !self.is_block()
            || !(is_upstream || is_server)
            || self.is_incomplete()
            || !self.holds_only_nginx()
        {
            return None;
        }
        let mut servers = self.own("server").peekable();
        if is_upstream {
            return match servers.peek() {
                None => Some(Lack::Servers),
                Some(_) => servers
                    .all(|server| server.arguments().any(|word| word == "backup"))
                    .then_some(Lack::MainServers),
            };
        }
        if self.config.fragment().is_some() {
            return None;
        }
        if self.own("listen").next().is_none() {
            return Some(Lack::Listen);
        }
        let is_old = self
            .config
            .told_version()
            .is_some_and(|told| told < Version(1, 25, 0));
        let has_handler = ["proxy_pass", "return"]
            .iter()
            .any(|name| self.own(name).next().is_some());
        (is_old && self.inside() == Contexts::STREAM_SERVER && !has_handler)
            .then_some(Lack::Handler)
    }

    /// True when nginx itself knows all that stands in this block, and nothing is included there.
    pub(super) fn holds_only_nginx(self) -> bool {
        self.children().all(|child| {
            let form =
                nginx::directive(&child.name()).and_then(|known| known.form(child.context()));
            !child.is("include") && form.is_some_and(|form| form.provider() == Provider::Nginx)
        })
    }
}
