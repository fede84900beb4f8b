//! Prefixes of which regexes take URIs that they would answer otherwise.

use std::collections::HashMap;

use super::contest::{Contests, answers, beside, elsewhere, outer_regexes, renamed};
use super::suppressed::would_suppress;
use crate::config::{Config, Directive, Headers, Location, Modifier, Server};
use crate::diagnostic::Severity;
use crate::routing::{
    Choice, Entry, Outcome, Resource, Supposed, Trace, WebSocket, longest_prefix,
};

/// Most regexes that are named for one prefix.
const NAMED: usize = 5;

/// A prefix of which regexes take URIs.
#[derive(Debug)]
pub struct Hijack<'c> {
    /// The prefix.
    pub prefix: Location<'c>,
    /// What takes them, in the order in which it is tried.
    pub takers: Vec<Hijacker<'c>>,
    /// True when `^~` would keep no other regex from running a script or from refusing a file.
    pub may_be_preferred: bool,
}

/// A regex that takes URIs of a prefix.
#[derive(Debug)]
pub struct Hijacker<'c> {
    /// The location that answers: the regex, or one inside of it.
    pub location: Location<'c>,
    /// The regex.
    regex: Location<'c>,
    /// The prefix that would have to be `^~` to keep it from being tried.
    pub guard: Location<'c>,
    /// A decoded path that it takes.
    pub path: Vec<u8>,
    /// What a request for the path gets.
    pub given: Resource,
    /// True when it gets that only where the file is there that `try_files` looks for.
    if_found: bool,
    /// What it would get from the prefix.
    pub wanted: Resource,
    /// True when the upstream is the same, which is asked for something else.
    pub is_passed_alike: bool,
    /// True when only a WebSocket handshake is answered otherwise.
    pub is_handshake: bool,
}

impl<'c> Hijack<'c> {
    /// How bad it is: worst where an upstream does not get what is meant for it. That a script would run is seldom asked
    /// for below a prefix of another program.
    pub fn severity(&self) -> Severity {
        let is_bad = |taker: &Hijacker<'_>| {
            taker.wanted.address().is_some() && (!taker.given.is_run() || taker.wanted.is_run())
        };
        match self.takers.iter().any(is_bad) {
            true => Severity::Warning,
            false => Severity::Note,
        }
    }

    /// A shorter `^~` prefix beside this one, which does not hold for it.
    pub fn shorter_preference(&self) -> Option<Location<'c>> {
        let level = self.prefix.level();
        let path = &self.prefix.path;
        let mut shorter = (1..path.len())
            .rev()
            .flat_map(|end| level.named(&path[..end]));
        shorter.find(|other| other.modifier == Modifier::PreferentialPrefix)
    }

    /// The prefixes that would have to be `^~`.
    pub fn guards(&self) -> impl Iterator<Item = &Location<'c>> {
        let takers = self.takers.iter().enumerate();
        let is_new = |(at, taker): &(usize, &Hijacker<'c>)| {
            !self.takers[..*at]
                .iter()
                .any(|known| known.guard == taker.guard)
        };
        takers.filter(is_new).map(|(_, taker)| &taker.guard)
    }
}

impl Hijacker<'_> {
    /// True when the regex matches beside a prefix too, so that something is left to it where that is `^~`.
    fn is_left_beside(&self, guard: &Location<'_>) -> bool {
        let is_match = |path: Vec<u8>| {
            let regex = self.regex.regex();
            regex.is_some_and(|regex| regex.is_match(&path).unwrap_or(false))
        };
        beside(&guard.path, &self.path).is_some_and(is_match)
    }

    /// True when the regex takes what is asked for below the prefix, and not only certain names of files.
    fn takes_any(&self, prefix: &Location<'_>) -> bool {
        let Some(regex) = self.location.regex() else {
            return true;
        };
        ["", "x", "/x", "x/y"].iter().any(|rest| {
            let path = [&prefix.path[..], rest.as_bytes()].concat();
            regex.is_match(&path).unwrap_or(true)
        })
    }

    /// What a request gets, and what has to be so.
    pub fn answer(&self) -> String {
        match self.if_found {
            true => format!("{}, if `try_files` finds a file", self.given),
            false => self.given.to_string(),
        }
    }

    /// What a request lacks, as `does not reach http://app`.
    pub fn loss(&self) -> String {
        match self.wanted.address() {
            Some(address) if self.is_handshake => format!("does not reach {address} whole"),
            Some(_) if self.is_passed_alike => {
                format!("reaches {}, and not {}", self.given, self.wanted)
            }
            Some(address) => format!("does not reach {address}"),
            None => format!("is not {}", self.wanted),
        }
    }
}

/// The prefixes of which regexes take URIs with another outcome: another upstream, a file in the place of an upstream's
/// answer, another file.
///
/// Left out is what seems meant: regexes that name the prefix, answer by themselves or refuse, and those that take their
/// URIs from the same upstream everywhere.
pub fn hijacked(config: &Config) -> Vec<Hijack<'_>> {
    let mut contests: Option<Contests<'_>> = None;
    let mut preferable: HashMap<u32, bool> = HashMap::new();
    let mut all = Vec::new();
    for prefix in config.location_levels().into_iter().flatten() {
        let matters = || (passes(&prefix) || has_own_files(&prefix)) && !prefix.is_internal();
        let is_contested = || outer_regexes(&prefix).next().is_some() && matters();
        if !prefix.is_prefix() || matches!(&*prefix.path, b"/" | b"") || !is_contested() {
            continue;
        }
        let Some(server) = prefix.server() else {
            continue;
        };
        let mut takers = Vec::new();
        for (regex, guard) in outer_regexes(&prefix) {
            let contests = contests.get_or_insert_with(|| Contests::new(config));
            if !contests.may_take(&regex, &prefix.path) || is_closed(&regex) {
                continue;
            }
            if !is_alike(&prefix, &regex) {
                let taker = hijacker(contests, server, &prefix, &regex, guard);
                takers
                    .extend(taker.filter(|taker| !is_stream(&prefix) || taker.takes_any(&prefix)));
            }
            if takers.len() == NAMED {
                break;
            }
        }
        let Some(contests) = contests.as_mut().filter(|_| !takers.is_empty()) else {
            continue;
        };
        let mut may_be_preferred = true;
        for taker in &takers {
            let guard = &taker.guard;
            let known = preferable.entry(guard.directive.number());
            may_be_preferred &= *known.or_insert_with(|| !would_suppress(contests, server, guard))
                && taker.is_left_beside(guard);
        }
        all.push(Hijack {
            prefix,
            takers,
            may_be_preferred,
        });
    }
    all
}

fn passes(location: &Location<'_>) -> bool {
    location.handler().is_some() && location.own_return().is_none()
}

/// True when a location has a folder of its own.
fn has_own_files(location: &Location<'_>) -> bool {
    let own = |name: &str| location.directive.own(name).next().is_some();
    location.own_return().is_none() && (own("alias") || own("root"))
}

/// True for an endpoint of WebSockets, or a prefix that passes on streams of events and no sockets, so that no files are
/// asked for below it.
fn is_stream(prefix: &Location<'_>) -> bool {
    let own = |name: &str| prefix.directive.own(name).next_back();
    let is_off = own("proxy_buffering").is_some_and(|buffering| {
        buffering
            .argument(0)
            .is_some_and(|value| value.eq_ignore_ascii_case(b"off"))
    });
    prefix.is_socket_endpoint() || is_off && Headers::of(prefix.directive).sent("Upgrade").is_none()
}

/// True when it shows without a request that a regex refuses or answers by itself.
fn is_closed(regex: &Location<'_>) -> bool {
    let is_whole = |rule: Directive<'_>| rule.argument(0).is_some_and(|word| word == "all");
    let own = |name: &str| regex.directive.own(name).next();
    own("return").is_some() || own("internal").is_some() || own("deny").is_some_and(is_whole)
}

/// True when it shows without a request that both do the same.
fn is_alike(prefix: &Location<'_>, regex: &Location<'_>) -> bool {
    let address = |location: &Location<'_>| {
        let pass = location.handler()?;
        Some((
            pass.name().text().into_owned(),
            pass.argument(0)?.text().into_owned(),
        ))
    };
    let is_plain = |location: &Location<'_>| {
        location
            .handler()
            .is_some_and(|pass| !pass.is("proxy_pass"))
    };
    is_plain(prefix) && address(prefix) == address(regex)
}

/// Judges what a regex takes from a prefix.
fn hijacker<'c>(
    contests: &mut Contests<'c>,
    server: Server<'c>,
    prefix: &Location<'c>,
    regex: &Location<'c>,
    guard: Location<'c>,
) -> Option<Hijacker<'c>> {
    let compiled = regex.regex()?;
    let is_match = |path: &[u8]| compiled.is_match(path).unwrap_or(false);
    let level = server.directive.locations();
    let path = contests.received(&prefix.path, regex, &|path| {
        // What also holds beside the prefix was not written for it.
        beside(&prefix.path, path).is_some_and(|path| is_match(&path))
            && longest_prefix(level, path).as_ref() == Some(prefix)
    })?;
    let location = answers(server, regex, &path)?;
    let ask = |path: &[u8], choice: Option<Choice<'c>>, files| {
        let supposed = Supposed {
            is_let_in: choice.is_some(),
            choice,
            files,
            is_handshake: false,
        };
        contests.tracer.suppose(server, path, supposed)
    };
    let there = Some(Entry::File);
    let from_prefix = Some(Choice::Location(prefix.clone()));
    let wanted = resource(ask(&path, from_prefix.clone(), there)?)?;
    let real = ask(&path, None, there).filter(|real| real.chosen.as_ref() == Some(&location))?;
    let given = resource(real)?;
    // What is not there as a file may still be left to the upstream, by `try_files` or `error_page`.
    let config = contests.config;
    let rest = ask(&path, None, Some(Entry::Missing)).and_then(|rest| rest.outcome.resource());
    let if_found = rest.as_ref() != Some(&given);
    if if_found && rest.is_some_and(|rest| rest.has_same_upstream(&wanted, config)) {
        return None;
    }
    let shake = |choice: Option<Choice<'c>>| {
        let supposed = Supposed {
            is_let_in: true,
            choice,
            files: there,
            is_handshake: true,
        };
        contests.tracer.suppose(server, &path, supposed)
    };
    // Sockets and remote calls are not called like files.
    let is_any = || renamed(&path).is_some_and(|path| is_match(without_ending(&path)));
    let is_call = matches!(&wanted, Resource::Upstream { protocol, .. } if protocol == "grpc");
    let is_handshake = match differ(&wanted, &given, config, prefix, &location) {
        Difference::Outcome if is_call && !is_any() => return None,
        Difference::Outcome => {
            if given.is_run() && completes(&shake(from_prefix)?) == Some(true) {
                return None;
            }
            false
        }
        Difference::None => return None,
        Difference::Unless => {
            let is_whole = is_any() && completes(&shake(from_prefix)?)?;
            if !is_whole || completes(&shake(None)?)? {
                return None;
            }
            true
        }
    };
    // Where the regex takes what the same upstream would answer as well, it is meant to.
    let other = elsewhere(&prefix.path, &path).filter(|path| is_match(path));
    if let Some(other) = other.filter(|_| !is_handshake) {
        let owner = longest_prefix(level, &other).map_or(Choice::Server, Choice::Location);
        let owned = ask(&other, Some(owner), there).and_then(resource);
        if owned.is_some_and(|owned| owned.has_same_upstream(&wanted, config)) {
            return None;
        }
    }
    Some(Hijacker {
        is_passed_alike: given.has_same_upstream(&wanted, config),
        location,
        regex: regex.clone(),
        guard,
        path,
        if_found: if_found && given.address().is_some(),
        given,
        wanted,
        is_handshake,
    })
}

/// A path up to the dot in its last segment.
fn without_ending(path: &[u8]) -> &[u8] {
    let dot = path.iter().rposition(|byte| matches!(byte, b'.' | b'/'));
    match dot.filter(|dot| path[*dot] == b'.') {
        Some(dot) => &path[..dot],
        None => path,
    }
}

/// What an answer has to do with the one that was wanted.
enum Difference {
    None,
    Outcome,
    /// None, unless a handshake is answered otherwise.
    Unless,
}

fn differ(
    wanted: &Resource,
    given: &Resource,
    config: &Config,
    prefix: &Location<'_>,
    taker: &Location<'_>,
) -> Difference {
    match (wanted, given) {
        (
            Resource::Upstream {
                uri: wanted_uri,
                address: one,
                ..
            },
            Resource::Upstream {
                uri,
                address: other,
                ..
            },
        ) => {
            if wanted.has_same_upstream(given, config) {
                return match uri == wanted_uri {
                    true => Difference::Unless,
                    false => Difference::Outcome,
                };
            }
            match one.contains('$') || other.contains('$') {
                true => Difference::None,
                false => Difference::Outcome,
            }
        }
        (Resource::Upstream { .. }, Resource::File(_)) => Difference::Outcome,
        (Resource::File(wanted), Resource::File(given)) => {
            // A regex with a folder of its own was given it for its files.
            match wanted != given && has_own_files(prefix) && !has_own_files(taker) {
                true => Difference::Outcome,
                false => Difference::None,
            }
        }
        (Resource::File(_), Resource::Upstream { .. }) => Difference::None,
    }
}

fn resource(trace: Trace<'_>) -> Option<Resource> {
    trace.outcome.resource().filter(|_| trace.refused.is_none())
}

/// Whether a handshake completes; nothing when it does not end at an HTTP upstream.
fn completes(trace: &Trace<'_>) -> Option<bool> {
    match &trace.outcome {
        Outcome::Proxy(proxy) => Some(proxy.websocket == WebSocket::Complete),
        _ => None,
    }
}
