//! Locations that get no request, and why.

use std::collections::HashSet;

use super::{Reached, Spaces};
use crate::config::{Config, Location, Modifier};
use crate::diagnostic::Edit;
use crate::routing::{self, Example};

/// Ends of paths that many locations are for.
const GUESSES: [&str; 8] = [
    "", "x", "/x.html", "/x.php", "/x.js", "/1", "x/1.html", "x/x.php",
];

/// A location that no request is answered by, nor one of those inside of it.
#[derive(Debug)]
pub struct Dead<'c> {
    /// The location.
    pub location: Location<'c>,
    /// Those that take everything from it; none where no path matches its name.
    pub takers: Vec<Location<'c>>,
    /// True when something may be left to it that holds a control character.
    pub is_left_control: bool,
    /// Why they take it.
    pub cause: Cause,
    /// A request that it matches, and that the first of the others certainly answers.
    pub witness: Option<Example>,
    /// True when every regex that gets requests would still get some if it was `^~`.
    may_be_preferred: bool,
}

/// Why locations take everything from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// One of the same level matches the same, and stands first.
    Same,
    /// Regexes of its level stand before it.
    Order,
    /// A `^~` prefix of its level keeps it, a regex, from being tried.
    Preference,
    /// Regexes of its level win over it, a plain prefix.
    Regexes,
    /// Several of these, exact names, or locations of other levels.
    Other,
}

impl Cause {
    /// Why these take everything from a location.
    pub fn of(location: &Location<'_>, takers: &[Location<'_>]) -> Self {
        let level = location.directive.parent();
        let beside = |test: fn(&Location<'_>) -> bool| {
            takers
                .iter()
                .all(|taker| taker.directive.parent() == level && test(taker))
        };
        let is_same = |taker: &Location<'_>| {
            taker.path.value == location.path.value && taker.modifier == location.modifier
        };
        match location.modifier {
            _ if takers.len() == 1 && beside(|_| true) && is_same(&takers[0]) => Self::Same,
            Modifier::Regex | Modifier::CaselessRegex if beside(|taker| taker.is_regex()) => {
                Self::Order
            }
            Modifier::Regex | Modifier::CaselessRegex
                if takers.len() == 1
                    && beside(|taker| taker.modifier == Modifier::PreferentialPrefix) =>
            {
                Self::Preference
            }
            Modifier::Prefix if beside(|taker| taker.is_regex()) => Self::Regexes,
            _ => Self::Other,
        }
    }
}

/// The locations that get nothing, in file order; not those inside of one, which get nothing for the same cause, and not
/// those whose names read like something that no path is.
pub fn dead(config: &Config) -> Vec<Dead<'_>> {
    let mut spaces = Spaces::default();
    let mut numbers = HashSet::new();
    let mut all = Vec::new();
    for location in config.location_levels().into_iter().flatten() {
        // Most are reached by a path that is easily guessed.
        if routing::example(&location, &GUESSES).is_some() {
            continue;
        }
        let outer = location.parent();
        let is_inside = outer.is_some_and(|outer| numbers.contains(&outer.directive.number()));
        let (takers, is_left_control) = match spaces.reached(&location) {
            Reached::Nothing(takers) => (takers, false),
            Reached::Control(_, takers) => (takers, true),
            Reached::Path(_) | Reached::Unknown(_) => {
                numbers.extend(is_inside.then(|| location.directive.number()));
                continue;
            }
        };
        // One that only holds others that answer is no dead block.
        if !is_inside && !spaces.is_dead(&location) {
            continue;
        }
        numbers.insert(location.directive.number());
        if is_inside || location.mismatch().is_some() {
            continue;
        }
        let cause = Cause::of(&location, &takers);
        all.push(Dead {
            may_be_preferred: cause == Cause::Regexes && spaces.may_prefer(&location),
            witness: takers
                .first()
                .and_then(|first| spaces.contested(&location, first)),
            location,
            takers,
            is_left_control,
            cause,
        });
    }
    all
}

impl Dead<'_> {
    /// Edits after which it gets what it is for, or is gone; nothing where it is not clear what was meant.
    pub fn cure(&self) -> Vec<Edit> {
        let (location, first) = (&self.location, self.takers.first());
        let removal = || vec![location.directive.remove()];
        match self.cause {
            Cause::Same => removal(),
            Cause::Order => {
                let moved = first.and_then(|first| location.directive.move_before(first.directive));
                moved.into_iter().flatten().collect()
            }
            Cause::Regexes if self.may_be_preferred => {
                vec![Edit::insert_before(location.path.span, "^~ ")]
            }
            // One that only another name keeps from being found may have to stay: it may bring regexes back.
            Cause::Other => match &self.takers[..] {
                [twin] if twin.path.value == location.path.value => removal(),
                _ => Vec::new(),
            },
            Cause::Preference | Cause::Regexes => Vec::new(),
        }
    }
}
