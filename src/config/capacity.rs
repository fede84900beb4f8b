//! What WebSockets use up that other requests do not: connections, counters of limits, and processes that cannot end.

use std::collections::HashMap;

use super::zone::{defined_zone, used_zone};
use super::{Config, Directive, EntryId, Proxied, Visibility};
use crate::diagnostic::Edit;
use crate::nginx;

/// Up to this many connections of one address are taken for few.
const FEW: u64 = 20;

/// How many requests a client of Socket.IO sends at once after the first: one that polls, one that says what it wants, and
/// the handshake of the WebSocket.
const AT_ONCE: u64 = 3;

/// From how many requests in 1000 s on a limit makes up for those at once while they come.
const FAST: u64 = 10_000;

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
    /// A limit on requests of one address that stops some of those with which a client of Socket.IO begins.
    OfRequests {
        /// The `limit_req`.
        limit: Directive<'c>,
        /// How many it lets through at once.
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

    /// True when clients of Socket.IO begin here, which poll before they open a WebSocket.
    fn is_polled(&self) -> bool {
        let name = self.location.path.text().replace('\\', "");
        ["/socket.io", "/engine.io"]
            .iter()
            .any(|endpoint| name.contains(endpoint))
    }

    /// A limit by the address of the client that comes from further out and lets few through, as `few` tells of a limit
    /// and its zone; `zones` are those by address.
    fn outer_limit(
        &self,
        name: &str,
        zones: &HashMap<Vec<u8>, Directive<'c>>,
        few: impl Fn(Directive<'c>, Directive<'c>) -> Option<u64>,
    ) -> Option<(Directive<'c>, u64)> {
        if self.scope.flag(&format!("{name}_dry_run")) == Some(true) {
            return None;
        }
        let limits = self.scope.effective(name).directives.into_iter();
        let mut outer = limits.filter(|limit| {
            let level = limit.parent();
            level.is_none_or(|level| level != self.location.directive)
        });
        outer.find_map(|limit| {
            let zone = zones.get(&*used_zone(limit)?.0)?;
            Some((limit, few(limit, *zone)?))
        })
    }

    /// The status of what a `limit_conn` or `limit_req` refuses here.
    pub fn refusal_of(&self, limit: Directive<'c>) -> String {
        let status = self.scope.effective(&format!("{}_status", limit.name()));
        let status = status.directive().and_then(|status| status.argument(0));
        status.map_or_else(|| "503".to_owned(), |word| word.text().into_owned())
    }

    /// Edits that give this place a limit of its own for a zone, with the limits of the others that it had so far.
    pub fn raise_limit(&self, limit: Directive<'c>) -> Option<Edit> {
        let (zone, _) = used_zone(limit)?;
        let all = self.scope.effective(&limit.name().text()).directives;
        let mut lines: Vec<String> = all
            .iter()
            .filter(|other| **other != limit)
            .map(|other| other.written())
            .collect();
        lines.push(match limit.is("limit_req") {
            true => format!("limit_req zone={zone} burst=20 nodelay;"),
            false => format!("limit_conn {zone} 100;"),
        });
        self.scope.grow(self.pass, &lines)
    }
}

/// How many connections a `limit_conn` lets through, when they are few.
fn few_connections(limit: Directive<'_>) -> Option<u64> {
    let most = nginx::number(&limit.argument(1)?)?;
    (most > 0 && most < FEW).then_some(most)
}

/// How many requests a `limit_req` lets through at once, when they are fewer than a client sends
/// (`ngx_http_limit_req_lookup`: the first, and as many as `burst` says).
fn few_requests(limit: Directive<'_>, zone: Directive<'_>) -> Option<u64> {
    let burst = limit
        .arguments()
        .find_map(|word| nginx::number(word.strip_prefix(b"burst=")?));
    let most = burst.unwrap_or(0) + 1;
    let rate = zone
        .arguments()
        .find_map(|word| Some(word.strip_prefix(b"rate=")?.to_vec()));
    let rate = match &rate {
        None => 1000,
        Some(rate) => match (rate.strip_suffix(b"r/s"), rate.strip_suffix(b"r/m")) {
            (Some(number), _) => nginx::number(number)? * 1000,
            (_, Some(number)) => nginx::number(number)? * 1000 / 60,
            _ => return None,
        },
    };
    (most < AT_ONCE && rate < FAST).then_some(most)
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
        let has_limits = first("limit_conn").or_else(|| first("limit_req")).is_some();
        if few.is_none() && !has_limits && !self.directives().any(is_long) {
            return Vec::new();
        }
        let tunnels: Vec<_> = self.proxied().filter(Proxied::holds_tunnels).collect();
        let connections = self.limits(&tunnels, "limit_conn", |limit, _| few_connections(limit));
        let polled = tunnels.iter().filter(|place| place.is_polled());
        let requests = self.limits(polled, "limit_req", few_requests);
        let of_address = connections
            .into_iter()
            .map(|(limit, most, places)| (Shortage::OfAddress { limit, most }, places));
        let of_requests = requests
            .into_iter()
            .map(|(limit, most, places)| (Shortage::OfRequests { limit, most }, places));
        let mut found: Vec<_> = of_address.chain(of_requests).collect();
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

    /// The limits of a name by the address of the client that let few through, each with how many and the places that it
    /// holds for.
    fn limits<'a, 'c: 'a>(
        &'c self,
        tunnels: impl IntoIterator<Item = &'a Proxied<'c>>,
        name: &str,
        few: impl Fn(Directive<'c>, Directive<'c>) -> Option<u64>,
    ) -> Vec<(Directive<'c>, u64, Vec<Proxied<'c>>)> {
        let definer = format!("{name}_zone");
        let is_address = |zone: &Directive<'_>| {
            zone.is(&definer)
                && zone
                    .argument(0)
                    .is_some_and(|key| key == "$binary_remote_addr" || key == "$remote_addr")
        };
        let zones: HashMap<Vec<u8>, Directive<'c>> = self
            .directives()
            .filter(is_address)
            .filter_map(|zone| Some((defined_zone(zone)?, zone)))
            .collect();
        let mut found: Vec<(Directive<'c>, u64, Vec<Proxied<'c>>)> = Vec::new();
        let mut known: HashMap<EntryId, usize> = HashMap::new();
        for place in tunnels.into_iter().filter(|_| !zones.is_empty()) {
            let Some((limit, most)) = place.outer_limit(name, &zones, &few) else {
                continue;
            };
            let group = *known.entry(limit.id).or_insert_with(|| {
                found.push((limit, most, Vec::new()));
                found.len() - 1
            });
            found[group].2.push(place.clone());
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
