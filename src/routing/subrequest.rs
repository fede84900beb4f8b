//! Locations that nginx asks by itself whether a request is let in, and what of the request goes along.

use std::collections::HashMap;

use super::choice::{Choice, choose};
use crate::config::{Config, Directive, Modifier, Proxied, Upgrade, UpgradeProblem, Visibility};
use crate::diagnostic::Edit;
use crate::nginx;

/// The largest body that nginx takes unless it is told otherwise, in bytes.
const USUAL_SIZE: u64 = 1 << 20;

/// A proxied location that an `auth_request` asks.
#[derive(Debug, Clone)]
pub struct Gate<'c> {
    /// The location that is asked.
    pub place: Proxied<'c>,
    /// The first `auth_request` that asks it.
    pub asked: Directive<'c>,
    /// The places that pass on what it lets in, in file order; at least one.
    pub askers: Vec<Proxied<'c>>,
}

/// A question that is too large for a gate.
#[derive(Debug, Clone)]
pub struct TooSmall<'c, 'g> {
    /// The place that takes more.
    pub asker: &'g Proxied<'c>,
    /// The directive by which it does.
    pub limit: Directive<'c>,
    /// What the gate takes, as it is written.
    pub own: String,
    /// How much is visible of what limits the gate.
    pub visibility: Visibility,
}

/// The gates of a configuration, in the order of the first place that asks each.
///
/// Left out are those that answer by themselves or are rewritten away from, and places that let no body in.
pub fn gates(config: &Config) -> Vec<Gate<'_>> {
    let mut gates: Vec<Gate<'_>> = Vec::new();
    let mut known: HashMap<(u32, u32), Option<usize>> = HashMap::new();
    let mut by_location: HashMap<u32, usize> = HashMap::new();
    for asker in config.passed() {
        let Some(asked) = asker.scope.effective("auth_request").directive() else {
            continue;
        };
        let (Some(uri), Some(server)) = (asked.argument(0), asker.location.server()) else {
            continue;
        };
        if uri == "off" || uri.has_placeholder() {
            continue;
        }
        let key = (asked.number(), server.directive.number());
        let gate = *known.entry(key).or_insert_with(|| {
            let path = uri.split(|byte| *byte == b'?').next().unwrap_or_default();
            let Choice::Location(target) = choose(server, path) else {
                return None;
            };
            let decides = ["rewrite", "if", "return", "try_files"];
            let pass = target.handler().filter(|pass| pass.is("proxy_pass"))?;
            if let Some(index) = by_location.get(&target.directive.number()) {
                return Some(*index);
            }
            if decides
                .iter()
                .any(|name| target.directive.own(name).next().is_some())
            {
                return None;
            }
            by_location.insert(target.directive.number(), gates.len());
            gates.push(Gate {
                place: Proxied {
                    scope: target.directive,
                    location: target,
                    pass,
                },
                asked,
                askers: Vec::new(),
            });
            Some(gates.len() - 1)
        });
        let Some(gate) = gate.map(|index| &mut gates[index]) else {
            continue;
        };
        // A subrequest asks nobody.
        if gate.place.location != asker.location {
            gate.askers.push(asker);
        }
    }
    gates.retain(|gate| !gate.askers.is_empty());
    gates
}

impl<'c> Gate<'c> {
    /// A place that lets requests with bodies in, if the gate is told how long a body is that it does not get: the length
    /// is the client's (`ngx_http_proxy_create_request`), the body is none (`ngx_http_auth_request_handler`).
    pub fn waits_for_body(&self) -> Option<&Proxied<'c>> {
        let length = self.place.headers().get("Content-Length");
        let value = length.and_then(|length| length.argument(1));
        let is_of_client = value.is_none_or(|value| {
            value.eq_ignore_ascii_case(b"$content_length")
                || value.eq_ignore_ascii_case(b"$http_content_length")
        });
        let is_set = self.place.scope.effective("proxy_set_body").directive();
        if !is_of_client || is_set.is_some() {
            return None;
        }
        self.askers.iter().find(|asker| takes_body(asker))
    }

    /// A place that passes handshakes on, if the gate is asked for an upgrade as well.
    pub fn is_upgraded(&self) -> Option<&Proxied<'c>> {
        let asks = |place: &Proxied<'_>| asks_for_upgrade(&place.upgrade());
        let mut askers = self.askers.iter();
        asks(&self.place)
            .then(|| askers.find(|asker| asker.pass.is("proxy_pass") && asks(asker)))
            .flatten()
    }

    /// The larger bodies that a place takes, if the gate refuses the question for them.
    pub fn is_too_small(&self) -> Option<TooSmall<'c, '_>> {
        let limit = |place: &Proxied<'c>| {
            let set = place.scope.effective("client_max_body_size").directive()?;
            let size = nginx::offset(&set.argument(0)?)?;
            Some((set, if size == 0 { u64::MAX } else { size }))
        };
        let effective = self.place.scope.effective("client_max_body_size");
        let (own, written) = match effective.directive() {
            None => (USUAL_SIZE, "1m".to_owned()),
            Some(set) => (limit(&self.place)?.1, set.argument(0)?.text().into_owned()),
        };
        let mut askers = self.askers.iter();
        askers.find_map(|asker| {
            let (limit, size) = limit(asker)?;
            (size > own && takes_body(asker)).then(|| TooSmall {
                asker,
                limit,
                own: written.clone(),
                visibility: effective.visibility,
            })
        })
    }

    /// How long the gate is waited for, in seconds.
    pub fn patience(&self) -> f64 {
        let time = self.place.time("proxy_read_timeout");
        time.map_or(60.0, |(_, time)| time as f64 / 1000.0)
    }

    /// An edit after which questions may be of any size.
    pub fn lift_limit(&self) -> Option<Edit> {
        let scope = self.place.scope;
        let own = scope.own("client_max_body_size").next_back();
        match own.and_then(|own| own.argument(0)) {
            Some(word) => Some(Edit::replace(word.span, "0")),
            None => scope.grow(self.place.pass, &["client_max_body_size 0;".to_owned()]),
        }
    }

    /// True when clients come here too, so that its settings are not for the question alone.
    pub fn is_open(&self) -> bool {
        !self.place.location.is_internal()
    }

    /// What the question is called: the name of the location that is asked.
    pub fn name(&self) -> String {
        match self.place.location.modifier {
            Modifier::Exact => self.place.location.path.text().into_owned(),
            _ => self.place.location.to_string(),
        }
    }
}

fn asks_for_upgrade(upgrade: &Upgrade<'_>) -> bool {
    let is_heard = !matches!(
        upgrade.problem,
        Some(UpgradeProblem::NoConnection | UpgradeProblem::WrongConnection { .. })
    );
    upgrade.upgrade.is_some() && is_heard
}

/// True unless a `limit_except` keeps out every method that brings a body.
fn takes_body(place: &Proxied<'_>) -> bool {
    let has_body = |method: &[u8]| matches!(method, b"POST" | b"PUT" | b"PATCH");
    !place.location.directive.own("limit_except").any(|limit| {
        let denies = limit
            .own("deny")
            .any(|deny| deny.argument(0).is_some_and(|who| who == "all"));
        denies
            && !limit
                .arguments()
                .any(|method| has_body(&method.to_ascii_uppercase()))
    })
}
