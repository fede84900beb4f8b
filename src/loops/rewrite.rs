//! Requests that go round inside of nginx until it gives up.

use std::collections::HashSet;

use super::client::of_all_clients;
use super::tries::{Tries, is_meddled_with, tracer};
use crate::config::{Config, Directive, Location, Modifier, Server, Visibility, Word};
use crate::routing::{Choice, Turn, choose};

/// A request that nginx answers with 500 because it comes back again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteCycle<'c> {
    /// The URL that is asked for.
    pub url: String,
    /// The target in it.
    pub target: String,
    /// The first rounds: each directive with what it makes of the URI.
    pub turns: Vec<Turn<'c>>,
    /// The directives of a round, in the order in which they are first met.
    pub round: Vec<Directive<'c>>,
    /// How much was visible of the blocks that the request came through.
    pub visibility: Visibility,
}

/// The circles inside of nginx, one for each set of directives, in the order of the servers.
///
/// Each request is followed as [`Tracer`](crate::routing::Tracer) does, so what depends on a file that somebody may have put there, on an
/// upstream or on the client's address is no circle.
pub fn rewrite_cycles(config: &Config) -> Vec<RewriteCycle<'_>> {
    let turning: Vec<(Server<'_>, Vec<Directive<'_>>)> = config
        .servers()
        .map(|server| (server, turning(server)))
        .filter(|(_, directives)| !directives.is_empty())
        .collect();
    if turning.is_empty() {
        return Vec::new();
    }
    let tracer = tracer(config);
    let mut cycles: Vec<RewriteCycle<'_>> = Vec::new();
    let mut known: HashSet<Vec<u32>> = HashSet::new();
    for (server, directives) in turning {
        for request in Tries::new(server, &directives).requests() {
            let found = of_all_clients(&request, |request| {
                let trace = tracer.trace(request).ok()?;
                let is_sure = tracer.is_certain(&trace) && trace.visibility != Visibility::Partial;
                let fails = trace.outcome.is_cycle() && trace.server == Some(server);
                let heard = trace.heard.clone();
                (is_sure && fails).then_some((trace, heard))
            });
            let Some(trace) = found else { continue };
            let Some(round) = round(&trace.turns) else {
                continue;
            };
            let mut places: Vec<u32> = round.iter().map(|one| one.number()).collect();
            places.sort_unstable();
            if known.insert(places) && !is_meddled_with(config, server) {
                cycles.push(RewriteCycle {
                    url: request.url(),
                    target: String::from_utf8_lossy(&request.target).into_owned(),
                    turns: trace.turns,
                    round,
                    visibility: trace.visibility,
                });
            }
        }
    }
    cycles
}

/// The directives between the last turn and the one before it by the same directive, in the order in which the request
/// first met them.
fn round<'c>(turns: &[Turn<'c>]) -> Option<Vec<Directive<'c>>> {
    let (last, before) = turns.split_last()?;
    let again = before
        .iter()
        .rposition(|turn| turn.directive == last.directive)?;
    let of_round = |directive: Directive<'c>| {
        turns[again + 1..]
            .iter()
            .any(|turn| turn.directive == directive)
    };
    let mut round: Vec<Directive<'c>> = Vec::new();
    for turn in turns {
        if of_round(turn.directive) && !round.contains(&turn.directive) {
            round.push(turn.directive);
        }
    }
    Some(round)
}

/// The directives of a server that send a request on inside of nginx, as far as they may lead back to one of them.
fn turning(server: Server<'_>) -> Vec<Directive<'_>> {
    let pages_repeat = || {
        let on = |flag: Directive<'_>| flag.argument(0).is_some_and(|flag| flag == "on");
        let mut all = server.directive.descendants();
        server.directive.flag("recursive_error_pages") == Some(true)
            || all.any(|one| one.is("recursive_error_pages") && on(one))
    };
    let mut repeats = None;
    let mut ways: Vec<Way<'_>> = Vec::new();
    for directive in server.directive.descendants() {
        let turns = if directive.is("rewrite") {
            is_internal_rewrite(directive)
        } else if directive.is("error_page") {
            *repeats.get_or_insert_with(pages_repeat)
        } else if directive.is("index") {
            let leads = |name: Word<'_>| name.starts_with(b"/") && name.ends_with(b"/");
            directive.arguments().any(leads)
        } else {
            directive.is("try_files")
        };
        if turns {
            ways.extend(Way::of(directive));
        }
    }
    if ways.is_empty() {
        return Vec::new();
    }
    let prefixes: Vec<Vec<u8>> = server
        .directive
        .locations()
        .iter()
        .filter(Location::is_prefix)
        .map(|location| location.path.to_vec())
        .collect();
    // What leads to where nothing turns is no part of a circle, and so on.
    loop {
        let count = ways.len();
        // What the whole server does is done in each of its locations.
        let everywhere = ways.iter().any(|way| way.block.is_none());
        let blocks: Vec<Location<'_>> = ways.iter().filter_map(|way| way.block.clone()).collect();
        ways.retain(|way| way.may_lead(server, &prefixes, everywhere, &blocks));
        if ways.len() == count {
            return ways.into_iter().map(|way| way.directive).collect();
        }
    }
}

/// True for a `rewrite` after which a location is looked for again.
fn is_internal_rewrite(directive: Directive<'_>) -> bool {
    let (Some(to), flag) = (directive.argument(1), directive.argument(2)) else {
        return false;
    };
    let starts: [&[u8]; 3] = [b"http://", b"https://", b"$scheme"];
    flag.is_none_or(|flag| flag == "last")
        && !starts.iter().any(|start| to.starts_with(start))
        && directive
            .ancestors()
            .any(|block| Location::of(block).is_some())
}

/// Where a directive leads to.
struct Way<'c> {
    directive: Directive<'c>,
    /// The location that it stands in.
    block: Option<Location<'c>>,
    /// The path, or the name of a named location, up to the first variable.
    start: Vec<u8>,
    /// True when this is all of the path.
    is_whole: bool,
    /// True when the path is that of a file which is served, if it is there.
    is_file: bool,
}

impl<'c> Way<'c> {
    /// Nothing for a directive that leads nowhere.
    fn of(directive: Directive<'c>) -> Option<Self> {
        let tries = directive.is("try_files");
        let word = match directive.is("rewrite") {
            true => directive.argument(1),
            false => directive.arguments().next_back(),
        };
        let word = word.filter(|word| !tries || !word.starts_with(b"="))?;
        let path = word.split(|byte| *byte == b'?').next().unwrap_or_default();
        let start = path.split(|byte| *byte == b'$').next().unwrap_or_default();
        Some(Self {
            directive,
            block: directive.ancestors().find_map(Location::of),
            start: start.to_vec(),
            is_whole: start == path,
            is_file: tries
                && directive.arguments().any(|tried| tried == "$uri")
                && !path.ends_with(b"/"),
        })
    }

    /// False when it certainly leads to none of some locations.
    fn may_lead(
        &self,
        server: Server<'c>,
        prefixes: &[Vec<u8>],
        everywhere: bool,
        to: &[Location<'c>],
    ) -> bool {
        if !self.is_whole {
            let fitting = prefixes.iter().filter(|path| self.start.starts_with(path));
            let longest = fitting.map(Vec::len).max();
            let may_match = |one: &Location<'_>| match one.modifier {
                Modifier::Regex | Modifier::CaselessRegex => true,
                Modifier::Named => self.start.is_empty() || self.start.starts_with(b"@"),
                // A nested location is reached through the one around it.
                _ if one.parent().is_some() => true,
                _ if one.path.starts_with(&self.start) => true,
                Modifier::Exact => false,
                _ => self.start.starts_with(&one.path) && Some(one.path.len()) == longest,
            };
            return everywhere || to.iter().any(may_match);
        }
        let found = match self.start.first() {
            Some(b'@') => server
                .directive
                .locations()
                .named(&self.start)
                .find(|location| location.modifier == Modifier::Named),
            _ => match choose(server, &self.start) {
                Choice::Location(location) => Some(location),
                _ => None,
            },
        };
        found.is_some_and(|found| {
            let stays = self.is_file && self.block.as_ref() == Some(&found);
            (everywhere || to.contains(&found)) && !stays
        })
    }
}
