//! Protocols other than WebSocket that a client may ask a backend for, past what nginx checks.

use super::{Config, Directive, Proxied, Word};
use crate::diagnostic::Edit;
use crate::nginx;

/// How many locations are looked at for one that guards a part of a backend.
const MAX_GUARDS: usize = 64;

/// The variable of the map that lets nothing but WebSockets through.
const ONLY_WEBSOCKET: &str = "websocket_upgrade";

impl<'c> Proxied<'c> {
    /// The header that forwards whatever a client asks to upgrade to, where something here or below is guarded: that
    /// header, and what guards.
    pub fn forwarded_token(&self) -> Option<(Directive<'c>, Directive<'c>)> {
        let upgrade = self.upgrade();
        let (header, connection) = (upgrade.upgrade?, upgrade.connection?);
        let is_any = header
            .argument(1)
            .is_some_and(|value| value == "$http_upgrade");
        let goes_along = connection
            .argument(1)
            .is_some_and(|value| self.scope.config().says_upgrade_to_any(&value));
        if !is_any || !goes_along || !upgrade.completes() {
            return None;
        }
        let guard = self.guard().or_else(|| {
            let is_longer = |other: &super::Location<'c>| {
                other.path.len() > self.location.path.len() && !other.is_regex()
            };
            let mut below = self
                .location
                .level()
                .beginning_with(&self.location.path)
                .take(MAX_GUARDS)
                .filter(|other| self.location.is_prefix() && is_longer(other));
            below.find_map(|other| other.directive.own_guard())
        });
        Some((header, guard?))
    }

    /// What decides here who is let in.
    fn guard(&self) -> Option<Directive<'c>> {
        let rules = self.scope.access_rules();
        let refuses = rules.iter().copied().find(|rule| rule.is("deny"));
        let on = |name: &str| {
            let directive = self.scope.effective(name).directive()?;
            let is_off = directive.argument(0).is_some_and(|word| word == "off");
            (!is_off).then_some(directive)
        };
        refuses
            .or_else(|| on("auth_basic"))
            .or_else(|| on("auth_request"))
    }
}

impl<'c> Directive<'c> {
    /// What keeps clients out of this block, written in it.
    fn own_guard(self) -> Option<Self> {
        ["deny", "auth_basic", "auth_request", "internal"]
            .iter()
            .find_map(|name| self.own(name).next())
            .filter(|guard| !guard.argument(0).is_some_and(|word| word == "off"))
    }
}

impl Config {
    /// True when the value of a `Connection` header says `upgrade` whatever a client asks to upgrade to.
    fn says_upgrade_to_any(&self, value: &Word<'_>) -> bool {
        let references = nginx::references(value);
        let [reference] = &references[..] else {
            return self.can_say(value, "upgrade");
        };
        if reference.name == "http_connection" {
            return true;
        }
        let maps = self.definitions(&reference.name);
        maps.iter().any(|definition| {
            let map = self.definition(*definition);
            let default = map.line_of("default").and_then(|line| line.argument(0));
            map.is("map") && default.is_some_and(|value| value.eq_ignore_ascii_case(b"upgrade"))
        })
    }

    /// Edits after which a header forwards `websocket` and nothing else, by a map that is there or made.
    pub fn forward_only_websocket(&self, header: Directive<'_>) -> Vec<Edit> {
        let Some(value) = header.argument(1) else {
            return Vec::new();
        };
        let replaced = Edit::replace(value.span, format!("${ONLY_WEBSOCKET}"));
        if self.is_map_of(ONLY_WEBSOCKET, "http_upgrade") {
            return vec![replaced];
        }
        let map = [
            "map $http_upgrade $websocket_upgrade {",
            "    default        '';",
            "    ~*^websocket$  websocket;",
            "}",
        ];
        let is_free = self.definitions(ONLY_WEBSOCKET).is_empty();
        match self.prepend_to_http(&map).filter(|_| is_free) {
            Some(map) => vec![map, replaced],
            None => Vec::new(),
        }
    }
}

impl<'c> Directive<'c> {
    /// The line of a table with this key.
    fn line_of(self, key: &str) -> Option<Self> {
        self.children().find(|line| line.name() == key)
    }
}
