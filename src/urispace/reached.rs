//! What reaches a location, or why nothing does.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Found, Goal, Patterns, Space, Uris};
use crate::config::{Level, Location, Modifier, PASSES, Visibility};
use crate::routing::{Choice, Example, escape, request};

/// What reaches a location.
#[derive(Debug, Clone, PartialEq)]
pub enum Reached<'c> {
    /// This path of a request.
    Path(Vec<u8>),
    /// This path, but none without a control character: those that these locations leave.
    Control(Vec<u8>, Vec<Location<'c>>),
    /// Nothing: these locations take it all, or no path matches where there are none.
    Nothing(Vec<Location<'c>>),
    /// Nothing is proved, for this reason.
    Unknown(String),
}

impl Reached<'_> {
    /// True where no request reaches the location, unless it holds control characters.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Control(..) | Self::Nothing(_))
    }
}

/// The spaces of a configuration, each made when it is first asked for.
#[derive(Debug, Default)]
pub struct Spaces<'c> {
    /// By the block around the outermost locations; nothing for those of a fragment without a server.
    known: HashMap<Option<u32>, Space<'c>>,
    /// Many servers have the same regexes.
    patterns: Patterns,
    /// Whether slashes are merged everywhere.
    merges: Option<bool>,
}

impl<'c> Spaces<'c> {
    /// The space of all locations of a location's server.
    pub fn of(&mut self, location: &Location<'c>) -> &mut Space<'c> {
        let block = location.server().map(|server| server.directive);
        let patterns = &self.patterns;
        let space = || {
            let level: Level<'c> = match block {
                Some(block) => block.locations(),
                None => std::iter::successors(Some(location.clone()), Location::parent)
                    .last()
                    .map_or(location.level(), |outermost| outermost.level()),
            };
            Space::with(&[level], Rc::clone(patterns))
        };
        self.known
            .entry(block.map(|block| block.number()))
            .or_insert_with(space)
    }

    /// A request that a location matches, and that another one certainly answers.
    pub fn contested(&mut self, loser: &Location<'c>, winner: &Location<'c>) -> Option<Example> {
        let goal = Goal {
            matches: Some(loser.clone()),
            is_printable: true,
            ..Goal::client(Choice::Location(winner.clone()))
        };
        match self.of(loser).find(&goal) {
            Found::Uri(path) => request(winner, &escape(&path)),
            Found::Nothing(_) | Found::Unknown(_) => None,
        }
    }

    /// True when every regex that gets requests now still would if this prefix were `^~`.
    pub fn may_prefer(&mut self, prefix: &Location<'c>) -> bool {
        prefix
            .level()
            .regexes()
            .all(|regex| match self.reached(&regex) {
                Reached::Path(path) => !path.starts_with(&prefix.path),
                _ => true,
            })
    }

    /// True when neither a location nor one inside of it gets a request.
    pub fn is_dead(&mut self, location: &Location<'c>) -> bool {
        let mut waiting = vec![location.clone()];
        while let Some(location) = waiting.pop() {
            if !self.reached(&location).is_nothing() {
                return false;
            }
            waiting.extend(location.directive.locations().iter());
        }
        true
    }

    /// What reaches a location from a client, or by a redirect inside of nginx.
    pub fn reached(&mut self, location: &Location<'c>) -> Reached<'c> {
        if location.modifier == Modifier::Named {
            let mut others = location.level().named(&location.path);
            let first = others.find(|other| other.modifier == Modifier::Named);
            return match first.filter(|first| first != location) {
                Some(first) => Reached::Nothing(vec![first]),
                None => Reached::Unknown("only asked for by its name".to_owned()),
            };
        }
        let mut twins = location.level().named(&location.path);
        if twins.any(|twin| twin != *location && twin.is_prefix() == location.is_prefix())
            && !location.is_regex()
        {
            return Reached::Unknown("nginx refuses two of one name".to_owned());
        }
        let config = location.directive.config();
        let merges = *self.merges.get_or_insert_with(|| config.merges_slashes());
        let space = self.of(location);
        let client = if merges { Uris::Client } else { Uris::Unmerged };
        let mut ask = |uris: Uris, below: &[u8], is_printable: bool| {
            space.find(&Goal {
                uris,
                below: below.to_vec(),
                is_printable,
                ..Goal::client(Choice::Location(location.clone()))
            })
        };
        let is_none = |found: Found<'_>| matches!(found, Found::Nothing(_));
        if location.is_internal() {
            return match ask(Uris::Any, b"", false) {
                Found::Nothing(takers) => certain(location, takers),
                _ => Reached::Unknown("only for redirects inside of nginx".to_owned()),
            };
        }
        let found = match ask(Uris::Client, b"", false) {
            Found::Nothing(_) if !merges => ask(client, b"", false),
            found => found,
        };
        let is_control = match &found {
            Found::Uri(path) => path.iter().any(u8::is_ascii_control),
            _ => false,
        };
        match found {
            Found::Unknown(why) => Reached::Unknown(why),
            Found::Uri(path) if !is_control => Reached::Path(path),
            Found::Nothing(takers) => {
                // An upstream names paths that begin with a slash, a directive may name anything.
                let is_left = (!is_none(ask(Uris::Any, b"/", false))
                    && may_be_accelerated(location))
                    || (!is_none(ask(Uris::Any, b"", false)) && may_be_redirected(location));
                match is_left {
                    false => certain(location, takers),
                    true => by_redirects(),
                }
            }
            Found::Uri(path) => {
                let is_left = !is_none(ask(Uris::Any, b"", true))
                    && (may_be_accelerated(location) || may_be_redirected(location));
                match ask(client, b"", true) {
                    Found::Nothing(takers) if !is_left => match certain(location, takers) {
                        Reached::Nothing(takers) => Reached::Control(path, takers),
                        unknown => unknown,
                    },
                    Found::Nothing(_) => by_redirects(),
                    _ => Reached::Path(path),
                }
            }
        }
    }
}

fn by_redirects<'c>() -> Reached<'c> {
    Reached::Unknown("at most a redirect inside of nginx reaches it".to_owned())
}

/// A proof, unless something unseen could spoil it.
///
/// Regexes that match first do so whatever else stands there; names may be beside longer ones that are not seen.
fn certain<'c>(location: &Location<'c>, takers: Vec<Location<'c>>) -> Reached<'c> {
    let is_seen = || {
        let mut around = location.directive.ancestors();
        location.server().is_some() && !around.any(|block| block.is_incomplete())
    };
    let is_earlier = |taker: &Location<'c>| {
        let same_level = taker.directive.parent() == location.directive.parent();
        same_level && (taker.is_regex() || !location.is_regex())
    };
    match takers.iter().all(is_earlier) || is_seen() {
        true => Reached::Nothing(takers),
        false => Reached::Unknown("not all that belongs around it was read".to_owned()),
    }
}

/// True when a directive may lead to the location by a redirect inside of nginx.
fn may_be_redirected(location: &Location<'_>) -> bool {
    location.visibility() != Visibility::Whole || location.may_be_redirected_to()
}

/// True when an upstream may lead there by `X-Accel-Redirect`.
fn may_be_accelerated(location: &Location<'_>) -> bool {
    location.server().is_none_or(|server| {
        let mut inside = server.directive.descendants();
        inside.any(|directive| PASSES.iter().any(|name| directive.is(name)))
    })
}
