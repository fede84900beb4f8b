//! What becomes of a WebSocket handshake on its way back: headers that are hidden from the client, or given to it instead
//! of to the backend.

use std::collections::BTreeSet;

use super::{Config, Directive, Location, Peer, Proxied, Shape, UpgradeProblem, is_public_name};
use crate::diagnostic::{Edit, Safety};
use crate::nginx;

/// From how many points on a place is likely to be meant for WebSockets.
const LIKELY: u8 = 2;

/// How many points of a path tell that nothing but WebSockets is asked for below it.
const CERTAIN: u8 = 3;

impl<'c> Proxied<'c> {
    /// The `proxy_hide_header` that takes `Upgrade` from the answers of a backend to which handshakes are forwarded.
    ///
    /// The hidden names and those that `proxy_pass_header` lets through are two lists, each inherited by itself; what is on
    /// both is let through (`ngx_http_upstream_hide_headers_hash`).
    pub fn hidden_upgrade(&self) -> Option<Directive<'c>> {
        let names_upgrade = |header: &Directive<'c>| {
            header
                .argument(0)
                .is_some_and(|name| name.is_header("Upgrade"))
        };
        let listed = |list: &str| {
            let list = self.scope.effective(list).directives;
            list.into_iter().find(names_upgrade)
        };
        let hidden = listed("proxy_hide_header")?;
        let forwarded = self.upgrade().upgrade?;
        // Where the line stands deeper than what is forwarded, it may tell that no WebSocket is meant here.
        let is_deeper = hidden.parent() != forwarded.parent()
            && hidden
                .ancestors()
                .any(|outer| Some(outer) == forwarded.parent());
        let is_wanted = !self.location.is_never_websocket()
            && (!is_deeper || self.websocket_intent().score >= LIKELY);
        (is_wanted && listed("proxy_pass_header").is_none()).then_some(hidden)
    }

    /// Edits after which `Upgrade` reaches the clients of this place, and how safe they are.
    ///
    /// A line of the place itself is taken away; one that is inherited, or that keeps an outer list out, stays, and
    /// `proxy_pass_header` overrules it. Where ordinary requests are answered too, hiding may have had its reason.
    pub fn show_upgrade(&self, hidden: Directive<'c>) -> (Vec<Edit>, Safety) {
        let outer = self.scope.parent();
        let outer_is_empty =
            |name: &str| outer.is_none_or(|outer| outer.effective(name).directives.is_empty());
        let others = self.scope.own("proxy_hide_header").count() > 1;
        let is_own = hidden.parent() == Some(self.scope);
        let edits = if is_own && (others || outer_is_empty("proxy_hide_header")) {
            vec![hidden.remove()]
        } else {
            let passed = self.scope.effective("proxy_pass_header").directives;
            let inherited = passed
                .iter()
                .filter(|_| self.scope.own("proxy_pass_header").next().is_none());
            let mut lines: Vec<String> = inherited.map(|line| line.written()).collect();
            lines.push("proxy_pass_header Upgrade;".to_owned());
            self.scope.grow(self.pass, &lines).into_iter().collect()
        };
        let is_alone = self.location.directive.locations().iter().next().is_none();
        let is_websocket = self.websocket_intent().path >= CERTAIN;
        match is_alone && is_websocket {
            true => (edits, Safety::Safe),
            false => (edits, Safety::Unsafe),
        }
    }

    /// The `add_header` lines in effect that were meant to forward a handshake: `Upgrade`, or a `Connection` that is
    /// written for one. Nothing where the handshake is forwarded as well.
    pub fn answered_upgrade(&self) -> Vec<Directive<'c>> {
        let config = self.scope.config();
        let is_meant = |header: &Directive<'c>| {
            let (Some(name), Some(value)) = (header.argument(0), header.argument(1)) else {
                return false;
            };
            let of_client = |known: &str| {
                let references = nginx::references(&value);
                references.iter().any(|found| found.name == known)
            };
            match () {
                () if name.is_header("Upgrade") => {
                    of_client("http_upgrade") || value.eq_ignore_ascii_case(b"websocket")
                }
                () if name.is_header("Connection") => {
                    of_client("http_connection") || config.is_meant_for_upgrade(*header)
                }
                () => false,
            }
        };
        let added = self.scope.effective("add_header").directives;
        let meant: Vec<_> = added.into_iter().filter(is_meant).collect();
        let is_wanted = !meant.is_empty() && !self.location.is_never_websocket();
        match is_wanted && !self.upgrade().completes() {
            true => meant,
            false => Vec::new(),
        }
    }
}

impl<'c> Proxied<'c> {
    /// Edits that forward the handshake from some places and take the `add_header` lines away that did not, and how safe
    /// they are: where a level loses all of its lines, those of an outer one come back.
    pub fn forward_instead(lines: &[Directive<'c>], places: &[Self]) -> (Vec<Edit>, Safety) {
        let level = lines.first().and_then(|line| line.parent());
        let is_all = level.is_some_and(|level| level.own("add_header").count() == lines.len());
        let outer = level.and_then(|level| level.parent());
        let comes_back =
            outer.is_some_and(|outer| !outer.effective("add_header").directives.is_empty());
        let mut edits: Vec<Edit> = lines.iter().map(|line| line.remove()).collect();
        // A location and an `if` in it send the same lines.
        let mut homes = BTreeSet::new();
        for place in places {
            if homes.insert(place.home().number()) {
                edits.extend(place.upgrade_edits());
            }
        }
        edits.sort();
        edits.dedup();
        match is_all && comes_back {
            true => (edits, Safety::Unsafe),
            false => (edits, Safety::Safe),
        }
    }
}

impl<'c> Proxied<'c> {
    /// The `Host` that the backend gets with a handshake because nobody sets it: that of the address of `proxy_pass`.
    ///
    /// Nothing where the backend is told the name of the site in another way, where an outer list sets it in vain, or for
    /// a server of somebody else, which has to be asked by its own name.
    pub fn default_host(&self) -> Option<String> {
        let headers = self.headers();
        let told = ["Host", "X-Forwarded-Host", "Forwarded", "Origin"];
        let is_told = told.iter().any(|name| headers.get(name).is_some());
        let is_lost = || {
            self.lost_headers().iter().any(|header| {
                header
                    .argument(0)
                    .is_some_and(|name| told.iter().any(|known| name.is_header(known)))
            })
        };
        let upgrade = self.upgrade();
        if is_told || upgrade.upgrade.is_none() || self.location.is_never_websocket() {
            return None;
        }
        let backend = self.backend()?;
        // What keeps the handshake from completing comes first. Over HTTP/1.0 some backends agree all the same, and to
        // them the name of an `upstream` is certainly nobody's site.
        let may_agree = matches!(
            upgrade.problem,
            Some(UpgradeProblem::Protocol { directive: None })
        ) && matches!(backend.peer, Peer::Group(_));
        if !upgrade.completes() && !may_agree {
            return None;
        }
        let host = backend.proxy_host();
        let is_foreign = backend.name().is_some_and(|name| is_public_name(&name));
        (!is_foreign && !host.contains('_') && !is_lost()).then_some(host)
    }

    /// The `auth_basic` that asks for a password before a handshake goes on.
    pub fn password_before_upgrade(&self) -> Option<Directive<'c>> {
        let directive = self.scope.effective("auth_basic").directive()?;
        let realm = directive.argument(0)?;
        let is_certain = realm != "off" && !realm.has_variables() && !realm.is_empty();
        let is_forwarded = self.upgrade().completes() && self.headers().level() == Some(self.scope);
        let is_meant = !self.location.is_never_websocket()
            && (is_forwarded || self.websocket_intent().score >= LIKELY);
        (is_certain && is_meant).then_some(directive)
    }
}

impl Location<'_> {
    /// True when a `rewrite` here or in the server may send requests elsewhere.
    pub fn may_be_left(&self) -> bool {
        let stays =
            |rewrite: Directive<'_>| rewrite.argument(2).is_some_and(|flag| flag == "break");
        let own = self.directive.own("rewrite");
        let of_server = self.server().into_iter();
        let mut others = of_server.flat_map(|server| server.directive.own("rewrite"));
        let names_it = |rewrite: Directive<'_>| {
            let shape = rewrite.argument(0).and_then(|pattern| Shape::of(&pattern));
            shape.is_none_or(|shape| {
                shape.prefix.starts_with(&self.path) || self.path.starts_with(&shape.prefix)
            })
        };
        own.into_iter().any(|rewrite| !stays(rewrite)) || others.any(names_it)
    }

    /// True when an `if` here or in the server looks at what a client asks to upgrade to: handshakes and other requests
    /// may go different ways from there on.
    pub fn sorts_handshakes(&self) -> bool {
        let config = self.directive.config();
        let asks = |condition: Directive<'_>| {
            condition.arguments().any(|word| {
                nginx::references(&word).iter().any(|reference| {
                    let name = reference.name.to_ascii_lowercase();
                    matches!(&*name, "http_upgrade" | "http_connection")
                        || config.is_map_of(&name, "http_upgrade")
                        || config.is_map_of(&name, "http_connection")
                })
            })
        };
        let server = self.server().map(|server| server.directive);
        let mut blocks = std::iter::once(self.directive).chain(server);
        blocks.any(|block| block.own("if").any(asks))
    }
}

impl Config {
    /// Every list of `add_header` lines that were meant to forward handshakes, by the first of them, with the places where
    /// that is so.
    pub fn answered_upgrades(&self) -> Vec<(Directive<'_>, Vec<Proxied<'_>>)> {
        self.proxied_under(|place| place.answered_upgrade().first().copied())
    }

    /// Every `proxy_hide_header` that takes `Upgrade` from answers to handshakes, with the places where it does.
    pub fn hidden_upgrades(&self) -> Vec<(Directive<'_>, Vec<Proxied<'_>>)> {
        self.proxied_under(Proxied::hidden_upgrade)
    }
}
