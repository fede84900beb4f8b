//! Which two places the same URI can end in, one in the old server and one in the new.
//!
//! Where both servers have the same locations, a URI ends in the same one on both sides. Elsewhere a URI can change its
//! place only if the one it had is gone, or the one that it gets is new, or two regexes have changed their order, or a
//! longer prefix came or went beside one that keeps regexes, or nested locations, from being tried.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::TEXTS;
use super::meaning::{Block, Place, Site};
use crate::config::{Location, Modifier, Shape};
use crate::routing::{Choice, Uri, choose, escape};
use crate::urispace::{Found, Goal, Space, Uris, texts};

/// Most pairs that are searched for in one pair of servers.
pub(super) const SEARCHES: usize = 1_000;

/// What may follow the beginning of a location's URIs in those that are tried.
const TAILS: [&[u8]; 3] = [b"", b"x", b"/x"];

/// Two places that are not alike.
#[derive(Debug)]
pub(super) struct Pair<'c> {
    pub(super) old: Choice<'c>,
    pub(super) new: Choice<'c>,
    /// The location that one side has only, by its side and its number.
    pub(super) lonely: Option<(usize, u32)>,
    keys: (Key, Key),
}

/// Whether a URI ends in both places of a pair.
#[derive(Debug)]
pub(super) enum Common {
    /// These decoded ones do, the shortest first.
    Uris(Vec<Vec<u8>>),
    /// Only such as redirects inside of nginx may carry.
    Inside,
    /// None does.
    Nothing,
    /// It could not be proved, for this reason.
    Unknown(String),
    /// Too many pairs have been looked at already.
    TooMany,
}

/// Named locations that are not alike: the indexes of their places.
pub(super) type Named = (Option<usize>, Option<usize>);

/// Two servers whose locations are compared.
pub(super) struct Comparing<'s, 'c> {
    old: &'s Site<'c>,
    new: &'s Site<'c>,
    /// Of each place in the old server its counterpart in the new one.
    forward: Vec<Option<usize>>,
    backward: Vec<Option<usize>>,
    by_number: [HashMap<u32, usize>; 2],
    /// How the URIs of each place begin.
    starts: [Vec<Start>; 2],
    /// The URIs that were found for places that are not alike.
    found: HashMap<(Key, Key), Vec<Vec<u8>>>,
    tried: HashSet<Vec<u8>>,
    space: Space<'c>,
    searches: usize,
}

/// Where a search ends, to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Server,
    Place(usize),
    Redirect(usize),
}

impl<'s, 'c> Comparing<'s, 'c> {
    pub(super) fn new(old: &'s Site<'c>, new: &'s Site<'c>) -> Self {
        let (forward, backward) = counterparts(&old.places, &new.places);
        let index = |site: &Site<'c>| {
            let places = site.places.iter().zip(0..);
            places
                .map(|(place, at)| (place.location.directive.number(), at))
                .collect()
        };
        Self {
            old,
            new,
            forward,
            backward,
            by_number: [index(old), index(new)],
            starts: [old, new].map(|site| {
                let places = 0..site.places.len();
                places.map(|at| Start::of(&site.places, at)).collect()
            }),
            found: HashMap::new(),
            tried: HashSet::new(),
            space: Space::new(&[
                old.server.directive.locations(),
                new.server.directive.locations(),
            ]),
            searches: 0,
        }
    }

    /// The pairs that are not alike and may have a URI in common, and the named locations that are not alike; `seeds` are
    /// URIs to look at besides.
    pub(super) fn pairs(&mut self, seeds: &[Vec<u8>]) -> (Vec<Pair<'c>>, Vec<Named>) {
        for seed in seeds {
            self.try_uri(seed);
        }
        let mut named = Vec::new();
        self.try_names();
        let mut wanted = self.wanted(&mut named);
        for found in self.found.keys() {
            if !wanted.contains(found) {
                wanted.push(*found);
            }
        }
        let pairs = wanted.into_iter().map(|keys| Pair {
            old: self.choice(0, keys.0),
            new: self.choice(1, keys.1),
            lonely: self.lonely(keys),
            keys,
        });
        (pairs.collect(), named)
    }

    fn lonely(&self, keys: (Key, Key)) -> Option<(usize, u32)> {
        let alone = |side: usize, key: Key, counterparts: &[Option<usize>]| match key {
            Key::Place(at) | Key::Redirect(at) if counterparts[at].is_none() => {
                let location = &self.site(side).places[at].location;
                Some((side, location.directive.number()))
            }
            _ => None,
        };
        alone(0, keys.0, &self.forward).or_else(|| alone(1, keys.1, &self.backward))
    }

    /// Tries the names of locations that came, went or changed, with a slash and without: each is a URI of its own, which
    /// may be redirected.
    fn try_names(&mut self) {
        let mut names = Vec::new();
        for (site, others, counterparts) in [
            (self.old, self.new, &self.forward),
            (self.new, self.old, &self.backward),
        ] {
            for (place, counterpart) in site.places.iter().zip(counterparts) {
                let location = &place.location;
                let is_same = counterpart
                    .is_some_and(|other| others.places[other].block.id == place.block.id);
                if is_same || location.is_regex() || location.modifier == Modifier::Named {
                    continue;
                }
                names.extend(location.path.strip_suffix(b"/").map(<[u8]>::to_vec));
                names.push(location.path.to_vec());
            }
        }
        for name in names {
            self.try_uri(&name);
        }
    }

    /// Looks for URIs that end in both places of a pair.
    pub(super) fn common(&mut self, pair: &Pair<'c>) -> Common {
        let keys = pair.keys;
        for (site, key) in [(self.old, keys.0), (self.new, keys.1)] {
            if let Key::Place(at) | Key::Redirect(at) = key {
                for uri in uris(&site.places[at].location) {
                    self.try_uri(&uri);
                }
            }
        }
        if let Some(uris) = self.found.get(&keys) {
            let mut uris = uris.clone();
            uris.sort_by_key(|uri| (uri.len(), uri.clone()));
            return Common::Uris(uris);
        }
        if let Some(only) = self.only_uri(keys) {
            // What a client can send has been tried.
            let ends = [(0, self.old.server), (1, self.new.server)]
                .map(|(side, server)| self.key(side, &choose(server, &only)));
            return match ends == [Some(keys.0), Some(keys.1)] {
                true => Common::Inside,
                false => Common::Nothing,
            };
        }
        self.searches += 1;
        if self.searches > SEARCHES {
            return Common::TooMany;
        }
        let mut find = |uris| {
            self.space.find(&Goal {
                endings: vec![(0, pair.old.clone()), (1, pair.new.clone())],
                below: Vec::new(),
                matches: None,
                uris,
                is_printable: false,
            })
        };
        match find(Uris::Any) {
            Found::Nothing(_) => Common::Nothing,
            Found::Unknown(reason) => Common::Unknown(reason),
            Found::Uri(_) => match find(Uris::Client) {
                Found::Uri(uri) => Common::Uris(vec![uri]),
                Found::Nothing(_) => Common::Inside,
                Found::Unknown(reason) => Common::Unknown(reason),
            },
        }
    }

    /// The pairs whose places are not alike and that may have a URI in common.
    fn wanted(&self, named: &mut Vec<Named>) -> Vec<(Key, Key)> {
        let mut wanted: BTreeSet<(Key, Key)> = BTreeSet::new();
        let is_named = |place: &Place<'c>| place.location.modifier == Modifier::Named;
        if self.old.rest.id != self.new.rest.id {
            wanted.insert((Key::Server, Key::Server));
        }
        let mut gone = Vec::new();
        for (at, place) in self.old.places.iter().enumerate() {
            match self.forward[at] {
                Some(other) if is_named(place) => {
                    if place.block.id != self.new.places[other].block.id {
                        named.push((Some(at), Some(other)));
                    }
                }
                None if is_named(place) => named.push((Some(at), None)),
                Some(other) => {
                    wanted.insert((Key::Place(at), Key::Place(other)));
                    wanted.insert((Key::Redirect(at), Key::Redirect(other)));
                }
                None => gone.push(at),
            }
        }
        let mut came = Vec::new();
        for (at, place) in self.new.places.iter().enumerate() {
            match self.backward[at] {
                None if is_named(place) => named.push((None, Some(at))),
                None => came.push(at),
                Some(_) => {}
            }
        }
        let others = |site: &'s Site<'c>| {
            let places = site.places.iter().enumerate();
            places
                .filter(move |(_, place)| !is_named(place))
                .map(|(at, _)| at)
        };
        let fits = |old: usize, new: usize| self.starts[0][old].meets(&self.starts[1][new]);
        for &at in &gone {
            wanted.insert((Key::Place(at), Key::Server));
            let fitting = others(self.new).filter(|other| fits(at, *other));
            let fitting = fitting.filter(|other| self.may_follow(true, at, *other));
            wanted.extend(fitting.map(|other| (Key::Place(at), Key::Place(other))));
        }
        for &at in &came {
            wanted.insert((Key::Server, Key::Place(at)));
            let fitting = others(self.old).filter(|other| fits(*other, at));
            let fitting = fitting.filter(|other| self.may_follow(false, at, *other));
            wanted.extend(fitting.map(|other| (Key::Place(other), Key::Place(at))));
        }
        self.reordered(&mut wanted);
        self.uncovered(&gone, &came, &mut wanted);
        wanted
            .into_iter()
            .filter(|(old, new)| !self.is_alike(*old, *new))
            .collect()
    }

    /// False for a prefix that came or went and a place on the other side that has a counterpart and that would have
    /// answered in spite of it: a regex that was tried, or a longer prefix or an exact name beside it.
    fn may_follow(&self, is_old: bool, at: usize, other: usize) -> bool {
        let (places, others, counterpart, parents) = match is_old {
            true => (
                &self.old.places,
                &self.new.places,
                &self.backward,
                &self.forward,
            ),
            false => (
                &self.new.places,
                &self.old.places,
                &self.forward,
                &self.backward,
            ),
        };
        let place = &places[at];
        let parent = match place.parent {
            Some(parent) => match parents[parent] {
                Some(parent) => Some(parent),
                None => return true,
            },
            None => None,
        };
        if place.location.modifier != Modifier::Prefix {
            return true;
        }
        // The place beside it that holds the other one.
        let around = std::iter::successors(Some(other), |inner| others[*inner].parent);
        let Some(beside) = around
            .into_iter()
            .find(|outer| others[*outer].parent == parent)
        else {
            return true;
        };
        if counterpart[beside].is_none() {
            return true;
        }
        let location = &others[beside].location;
        match location.modifier {
            Modifier::Prefix | Modifier::PreferentialPrefix => {
                place.location.path.starts_with(&location.path)
            }
            _ => false,
        }
    }

    /// Regexes of one level that have changed their order, with what is nested in them.
    fn reordered(&self, wanted: &mut BTreeSet<(Key, Key)>) {
        let mut levels: HashMap<Option<usize>, Vec<(usize, usize)>> = HashMap::new();
        for (at, place) in self.old.places.iter().enumerate() {
            if let Some(other) = self.forward[at].filter(|_| place.location.is_regex()) {
                levels.entry(place.parent).or_default().push((at, other));
            }
        }
        for level in levels.values() {
            for (index, first) in level.iter().enumerate() {
                for second in &level[index + 1..] {
                    if first.1 < second.1
                        || !self.starts[0][first.0].meets(&self.starts[0][second.0])
                    {
                        continue;
                    }
                    // The first one won, and the second one does.
                    for old in below(&self.old.places, first.0) {
                        for new in below(&self.new.places, second.1) {
                            wanted.insert((Key::Place(old), Key::Place(new)));
                        }
                    }
                }
            }
        }
    }

    /// What a longer prefix that came or went uncovers: regexes that were not tried, and nested locations that were.
    fn uncovered(&self, gone: &[usize], came: &[usize], wanted: &mut BTreeSet<(Key, Key)>) {
        for (places, others, changed, is_old) in [
            (&self.old.places, &self.new.places, gone, true),
            (&self.new.places, &self.old.places, came, false),
        ] {
            for &at in changed {
                let place = &places[at];
                if !place.location.is_prefix() {
                    continue;
                }
                let counterpart = |at: usize| match is_old {
                    true => self.forward[at],
                    false => self.backward[at],
                };
                let parent = match place.parent {
                    Some(parent) => match counterpart(parent) {
                        Some(parent) => Some(parent),
                        None => continue,
                    },
                    None => None,
                };
                // The prefix that its URIs belong to without it.
                let shorter = (0..others.len())
                    .filter(|other| {
                        others[*other].parent == parent && others[*other].location.is_prefix()
                    })
                    .filter(|other| {
                        place
                            .location
                            .path
                            .starts_with(&others[*other].location.path)
                    })
                    .max_by_key(|other| others[*other].location.path.len());
                let Some(shorter) = shorter else { continue };
                let covered: Vec<usize> = below(others, shorter);
                let keeps = others[shorter].location.modifier == Modifier::PreferentialPrefix
                    && place.location.modifier == Modifier::Prefix;
                if covered.len() == 1 && !keeps {
                    continue;
                }
                let levels: Vec<Option<usize>> =
                    std::iter::successors(Some(place.parent), |level| {
                        level.map(|at| places[at].parent)
                    })
                    .collect();
                let regexes: Vec<usize> = (0..places.len())
                    .filter(|regex| {
                        places[*regex].location.is_regex()
                            && levels.contains(&places[*regex].parent)
                    })
                    .flat_map(|regex| below(places, regex))
                    .collect();
                let pair = |here: usize, there: usize| match is_old {
                    true => (Key::Place(here), Key::Place(there)),
                    false => (Key::Place(there), Key::Place(here)),
                };
                for &regex in &regexes {
                    for &inner in &covered {
                        wanted.insert(pair(regex, inner));
                    }
                    // A nested regex that is tried now, where one of an outer level answered.
                    if place.parent.is_some() {
                        for outer in regexes.iter().filter_map(|outer| counterpart(*outer)) {
                            wanted.insert(pair(regex, outer));
                        }
                    }
                }
            }
        }
    }

    /// The only URI that may end in both places, where a name says it.
    fn only_uri(&self, pair: (Key, Key)) -> Option<Vec<u8>> {
        let one = |places: &[Place<'c>], key: Key| match key {
            Key::Redirect(at) => places[at]
                .location
                .path
                .strip_suffix(b"/")
                .map(<[u8]>::to_vec),
            Key::Place(at) if places[at].location.modifier == Modifier::Exact => {
                Some(places[at].location.path.to_vec())
            }
            Key::Place(_) | Key::Server => None,
        };
        one(&self.old.places, pair.0).or_else(|| one(&self.new.places, pair.1))
    }

    fn try_uri(&mut self, uri: &[u8]) {
        if !self.tried.insert(uri.to_vec()) || !is_normal(uri) {
            return;
        }
        let old = self.key(0, &choose(self.old.server, uri));
        let new = self.key(1, &choose(self.new.server, uri));
        if let (Some(old), Some(new)) = (old, new)
            && !self.is_alike(old, new)
        {
            self.found.entry((old, new)).or_default().push(uri.to_vec());
        }
    }

    fn key(&self, side: usize, choice: &Choice<'c>) -> Option<Key> {
        let index = |location: &Location<'c>| {
            self.by_number[side]
                .get(&location.directive.number())
                .copied()
        };
        match choice {
            Choice::Location(location) => index(location).map(Key::Place),
            Choice::Redirect(location) => index(location).map(Key::Redirect),
            Choice::Server => Some(Key::Server),
            Choice::Unknown => None,
        }
    }

    fn site(&self, side: usize) -> &'s Site<'c> {
        if side == 0 { self.old } else { self.new }
    }

    fn choice(&self, side: usize, key: Key) -> Choice<'c> {
        let location = |at: usize| self.site(side).places[at].location.clone();
        match key {
            Key::Server => Choice::Server,
            Key::Place(at) => Choice::Location(location(at)),
            Key::Redirect(at) => Choice::Redirect(location(at)),
        }
    }

    fn is_alike(&self, old: Key, new: Key) -> bool {
        let redirect = |key| matches!(key, Key::Redirect(_));
        let name = |side: usize, key: Key| match key {
            Key::Redirect(at) => Some(self.site(side).places[at].location.path.to_vec()),
            _ => None,
        };
        let id = |side: usize, key: Key| match key {
            Key::Server => self.site(side).rest.id,
            Key::Place(at) => self.site(side).places[at].block.id,
            Key::Redirect(at) => self.site(side).places[at].redirect.id,
        };
        redirect(old) == redirect(new) && id(0, old) == id(1, new) && name(0, old) == name(1, new)
    }
}

/// The block of a server in which a search ends.
pub(super) fn block<'s, 'c>(site: &'s Site<'c>, choice: &Choice<'c>) -> &'s Block<'c> {
    let place = |location: &Location<'c>| {
        let mut places = site.places.iter();
        places.find(|place| place.location == *location)
    };
    match choice {
        Choice::Location(location) => place(location).map_or(&site.rest, |place| &place.block),
        Choice::Redirect(location) => place(location).map_or(&site.rest, |place| &place.redirect),
        Choice::Server | Choice::Unknown => &site.rest,
    }
}

/// Of each place the one in the other server that has the same name, below the same place.
fn counterparts(old: &[Place<'_>], new: &[Place<'_>]) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
    let mut known: HashMap<(Option<usize>, String), Vec<usize>> = HashMap::new();
    for (at, place) in new.iter().enumerate().rev() {
        let key = (place.parent, place.location.to_string());
        known.entry(key).or_default().push(at);
    }
    let mut forward: Vec<Option<usize>> = Vec::with_capacity(old.len());
    let mut backward = vec![None; new.len()];
    for (at, place) in old.iter().enumerate() {
        let parent = match place.parent {
            None => Some(None),
            Some(parent) => forward[parent].map(Some),
        };
        let other = parent.and_then(|parent| {
            known
                .get_mut(&(parent, place.location.to_string()))
                .and_then(Vec::pop)
        });
        if let Some(other) = other {
            backward[other] = Some(at);
        }
        forward.push(other);
    }
    (forward, backward)
}

/// A place and all that is nested in it.
fn below(places: &[Place<'_>], at: usize) -> Vec<usize> {
    let is_inside = |other: usize| {
        std::iter::successors(Some(other), |inner| places[*inner].parent).any(|outer| outer == at)
    };
    // Nested places follow the one around them without a gap.
    (at..places.len())
        .take_while(|other| is_inside(*other))
        .collect()
}

/// The text that all URIs of a place begin with.
#[derive(Debug, Default)]
struct Start {
    text: Vec<u8>,
    /// True when nothing follows it.
    whole: bool,
}

impl Start {
    fn of(places: &[Place<'_>], at: usize) -> Self {
        let mut longest = Self::default();
        let around = std::iter::successors(Some(at), |inner| places[*inner].parent);
        for location in around.map(|at| &places[at].location) {
            let whole = location.modifier == Modifier::Exact;
            let text = match location.modifier {
                Modifier::Exact | Modifier::Prefix | Modifier::PreferentialPrefix => {
                    location.path.to_vec()
                }
                Modifier::Regex => {
                    Shape::of(&location.path).map_or_else(Vec::new, |shape| shape.prefix)
                }
                Modifier::CaselessRegex | Modifier::Named => Vec::new(),
            };
            if whole || text.len() > longest.text.len() && !longest.whole {
                longest = Self { text, whole };
            }
        }
        longest
    }

    /// False when no URI can begin with both.
    fn meets(&self, other: &Self) -> bool {
        let (left, right) = (&self.text, &other.text);
        match (self.whole, other.whole) {
            (true, true) => left == right,
            (true, false) => left.starts_with(right),
            (false, true) => right.starts_with(left),
            (false, false) => left.starts_with(right) || right.starts_with(left),
        }
    }
}

/// URIs that a location may get.
fn uris(location: &Location<'_>) -> Vec<Vec<u8>> {
    let path = &location.path[..];
    let mut all = Vec::new();
    match location.modifier {
        Modifier::Exact => all.push(path.to_vec()),
        Modifier::Regex | Modifier::CaselessRegex => {
            for sample in texts(path, false, Uris::Client, TEXTS) {
                all.extend(TAILS.iter().map(|tail| [&sample[..], tail].concat()));
            }
        }
        Modifier::Prefix | Modifier::PreferentialPrefix => {
            all.extend(TAILS.iter().map(|tail| [path, tail].concat()));
            all.extend(path.strip_suffix(b"/").map(<[u8]>::to_vec));
        }
        Modifier::Named => {}
    }
    all
}

/// True for a URI that a client can send.
pub(super) fn is_normal(uri: &[u8]) -> bool {
    Uri::parse(&escape(uri), true).is_some_and(|parsed| parsed.path == uri)
}

/// A place where a search ends, for a sentence.
pub(super) fn shown(choice: &Choice<'_>) -> String {
    match choice {
        Choice::Location(location) => format!("location `{location}`"),
        Choice::Redirect(location) => format!("the redirect to `{}`", location.path),
        Choice::Server | Choice::Unknown => "no location".to_owned(),
    }
}

/// All URIs that the places of two servers may get, for a look at everything.
pub(super) fn all_uris(old: &Site<'_>, new: &Site<'_>, most: usize) -> Vec<Vec<u8>> {
    let mut all = vec![b"/".to_vec(), b"/x".to_vec()];
    let mut known: HashSet<Vec<u8>> = all.iter().cloned().collect();
    for place in old.places.iter().chain(&new.places) {
        for uri in uris(&place.location) {
            if all.len() >= most {
                return all;
            }
            if is_normal(&uri) && known.insert(uri.clone()) {
                all.push(uri);
            }
        }
    }
    all
}
