//! Offers of other protocols that backends make and clients of HTTP/2 do not take.

use super::{Directive, Proxied, Server};
use crate::diagnostic::Edit;
use crate::nginx::Version;

/// From here on nginx may strip `Upgrade` from answers over HTTP/2 itself.
const STRIPPED: Version = Version(1, 31, 0);

/// How many points tell that a place is likely to be meant for WebSockets.
const LIKELY: u8 = 2;

impl Server<'_> {
    /// True when one of its own `listen`, or `http2` in it or around it, says that it speaks HTTP/2.
    pub fn speaks_http2(self) -> bool {
        let listening = self.listening();
        let mut listens = listening.iter().filter_map(|(_, listen)| listen.as_ref());
        listens.any(|listen| listen.http2) || self.directive.flag("http2") == Some(true)
    }
}

impl<'c> Proxied<'c> {
    /// The server that hands an `Upgrade` header of the backend's ordinary answers to clients of HTTP/2 from here; nothing
    /// where WebSockets are meant, whose answers need it.
    pub fn leaks_upgrade(&self) -> Option<Server<'c>> {
        if self.scope != self.location.directive || self.scope.config().version() >= STRIPPED {
            return None;
        }
        let server = self
            .location
            .server()
            .filter(|server| server.speaks_http2())?;
        let lists = ["proxy_hide_header", "proxy_pass_header"];
        let mut told = lists
            .iter()
            .flat_map(|list| self.scope.effective(list).directives);
        let is_told = told.any(|header| {
            header
                .argument(0)
                .is_some_and(|name| name.is_header("Upgrade"))
        });
        let is_websocket =
            self.upgrade().upgrade.is_some() || self.websocket_intent().score >= LIKELY;
        (!is_told && !is_websocket).then_some(server)
    }

    /// An edit that hides `Upgrade` here, with the names that were hidden so far; nothing where a nested location would
    /// inherit it.
    pub fn hide_upgrade(&self) -> Option<Edit> {
        if self.location.directive.locations().iter().next().is_some() {
            return None;
        }
        let hidden: Vec<Directive<'c>> = self.scope.effective("proxy_hide_header").directives;
        let inherited = hidden
            .iter()
            .filter(|line| line.parent() != Some(self.scope));
        let mut lines: Vec<String> = inherited.map(|line| line.written()).collect();
        lines.push("proxy_hide_header Upgrade;".to_owned());
        self.scope.grow(self.pass, &lines)
    }
}
