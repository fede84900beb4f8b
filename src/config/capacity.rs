//! What WebSockets use up that other requests do not: connections, counters of limits, and processes that cannot end.

use std::collections::{HashMap, HashSet};

use super::{Config, Directive, EntryId, Proxied, Visibility};
use crate::diagnostic::Edit;
use crate::nginx;

/// Up to this many connections of one address are taken for few.
const FEW: u64 = 20;

/// Up to this many connections of a process are taken for few: no distribution writes as little.
const FEW_CONNECTIONS: u64 = 512;

/// From how many milliseconds on an idle tunnel keeps an old process for long.
const LONG: u64 = 12 * 60 * 60 * 1000;

/// How many points tell that a place is certainly meant for WebSockets.
const CERTAIN: u8 = 3;

/// What WebSockets will use up.
#[derive(Debug)]
pub enum Shortage<'c> {
    /// A limit on connections of one address, written for short requests further out.
    OfAddress {
        /// The `limit_conn`.
        limit: Directive<'c>,
        /// How many it lets through.
        most: u64,
    },
    /// The connections of a process, of which each WebSocket takes two.
    OfProcess {
        /// The `worker_connections`.
        limit: Directive<'c>,
        /// How many there are.
        most: u64,
    },
    /// No time limit for old processes, which wait for idle tunnels.
    OfReload {
        /// The directive that says how long a tunnel may stay idle.
        timeout: Directive<'c>,
        /// The `worker_processes`.
        processes: Directive<'c>,
    },
}

impl<'c> Proxied<'c> {
    /// True when WebSockets are certainly opened here, or meant to be.
    fn holds_tunnels(&self) -> bool {
        let intent = self.websocket_intent();
        !self.location.is_never_websocket()
            && (intent.score >= CERTAIN || intent.path > 1 && self.upgrade().completes())
    }

    /// A small `limit_conn` by the address of the client that comes from further out; `zones` are those by address.
    fn few_of_address(&self, zones: &HashSet<Vec<u8>>) -> Option<(Directive<'c>, u64)> {
        let limits = self.scope.effective("limit_conn").directives;
        let dry = self.scope.flag("limit_conn_dry_run") == Some(true);
        limits.into_iter().find_map(|limit| {
            let zone = limit.argument(0)?;
            let most = nginx::number(&limit.argument(1)?)?;
            let is_outer = limit
                .parent()
                .is_none_or(|level| level != self.location.directive);
            let is_few = zones.contains(&*zone) && most > 0 && most < FEW;
            (is_few && is_outer && !dry).then_some((limit, most))
        })
    }

    /// Edits that give this place a limit of its own for a zone, with the limits of the others that it had so far.
    pub fn raise_limit(&self, limit: Directive<'c>) -> Option<Edit> {
        let zone = limit.argument(0)?;
        let all = self.scope.effective("limit_conn").directives;
        let mut lines: Vec<String> = all
            .iter()
            .filter(|other| **other != limit)
            .map(|other| other.written())
            .collect();
        lines.push(format!("limit_conn {zone} 100;"));
        self.scope.grow(self.pass, &lines)
    }
}

impl Config {
    /// What WebSockets will use up, each with the places that they are opened at.
    pub fn shortages(&self) -> Vec<(Shortage<'_>, Vec<Proxied<'_>>)> {
        let is_whole = self.visibility_of_definitions() == Visibility::Whole;
        let first = |name: &'static str| self.directives().find(|directive| directive.is(name));
        let few = first("worker_connections").and_then(|limit| {
            let most = nginx::number(&limit.argument(0)?)?;
            (is_whole && most <= FEW_CONNECTIONS).then_some((limit, most))
        });
        let is_long = |timeout: Directive<'_>| {
            let length = timeout.argument(0).and_then(|time| time.milliseconds());
            timeout.is("proxy_read_timeout") && length.is_some_and(|length| length >= LONG)
        };
        // What WebSockets are is found out only where that matters.
        if few.is_none() && first("limit_conn").is_none() && !self.directives().any(is_long) {
            return Vec::new();
        }
        let tunnels: Vec<_> = self.proxied().filter(Proxied::holds_tunnels).collect();
        let mut found = self.few_of_address(&tunnels);
        if let Some((limit, most)) = few.filter(|_| !tunnels.is_empty()) {
            found.push((Shortage::OfProcess { limit, most }, tunnels.clone()));
        }
        let idle = tunnels.iter().find_map(|place| {
            let (timeout, length) = place.time("proxy_read_timeout")?;
            (length >= LONG).then_some((timeout, place))
        });
        // A configuration that says nothing of its processes is a sketch.
        if let Some((timeout, place)) = idle
            && let Some(processes) = first("worker_processes").filter(|_| is_whole)
            && first("worker_shutdown_timeout").is_none()
        {
            let shortage = Shortage::OfReload { timeout, processes };
            found.push((shortage, vec![place.clone()]));
        }
        found
    }

    fn few_of_address<'c>(
        &'c self,
        tunnels: &[Proxied<'c>],
    ) -> Vec<(Shortage<'c>, Vec<Proxied<'c>>)> {
        let is_address = |zone: &Directive<'_>| {
            zone.is("limit_conn_zone")
                && zone
                    .argument(0)
                    .is_some_and(|key| key == "$binary_remote_addr" || key == "$remote_addr")
        };
        let zones: HashSet<Vec<u8>> = self
            .directives()
            .filter(is_address)
            .filter_map(super::zone::defined_zone)
            .collect();
        let mut found: Vec<(Shortage<'c>, Vec<Proxied<'c>>)> = Vec::new();
        let mut known: HashMap<EntryId, usize> = HashMap::new();
        for place in tunnels.iter().filter(|_| !zones.is_empty()) {
            let Some((limit, most)) = place.few_of_address(&zones) else {
                continue;
            };
            let group = *known.entry(limit.id).or_insert_with(|| {
                found.push((Shortage::OfAddress { limit, most }, Vec::new()));
                found.len() - 1
            });
            found[group].1.push(place.clone());
        }
        found
    }

    /// An edit that ends old processes after a while, with the tunnels that they hold.
    pub fn end_old_processes(&self) -> Option<Edit> {
        let first = self
            .top()
            .find(|directive| directive.is("events") && directive.included_by().is_none())?;
        Some(first.prepend_lines(&["worker_shutdown_timeout 5m;"]))
    }
}
