//! Where the name of one location and the regex of another meet: a URI that begins with the one and matches the other.
//!
//! Paths that a person would ask for are tried first, with PCRE2 and nginx's own search. What they do not show, a search
//! over all URIs does.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use super::texts::texts;
use super::{Found, Goal, Spaces, Uris};
use crate::config::{Config, Location, Modifier, Server, Shape};
use crate::routing::{self, Choice, Tracer, Uri, choose};

/// A name that no configuration uses: what also holds of it was not said of any name.
const FOREIGN: &str = "zqxv";

/// Most pairs of a name and a regex that are looked at in one configuration.
const PAIRS: usize = 100_000;

/// Most texts of a regex that paths are made of.
const SAMPLES: usize = 4;

/// Most searches over all URIs in one configuration.
const SEARCHES: usize = 2_000;

/// The ends of paths that people ask for.
const TAILS: [&str; 12] = [
    "x",
    "index.php",
    "app.js",
    "style.css",
    "logo.png",
    "index.html",
    "photo.jpg",
    "report.pdf",
    ".env",
    ".git/config",
    ".htaccess",
    "x.sql",
];

/// Looks for paths that two locations of a server have to do with, for all servers of a configuration.
#[derive(Debug)]
pub(super) struct Contests<'c> {
    pub(super) config: &'c Config,
    pub(super) tracer: Tracer<'c>,
    /// What is known of each pattern, by its text and whether case counts.
    patterns: HashMap<(Vec<u8>, bool), Rc<Pattern>>,
    spaces: Spaces<'c>,
    /// How many pairs of locations may still be looked at.
    pairs: usize,
    /// How many searches may still be made.
    searches: usize,
}

/// What is known of a regex without the locations around it.
#[derive(Debug)]
struct Pattern {
    /// The text that every match begins with; empty when there is none.
    begin: Vec<u8>,
    /// What may follow a folder in a path that matches.
    tails: Vec<Vec<u8>>,
    /// Paths that may match as they are.
    wholes: Vec<Vec<u8>>,
}

impl<'c> Contests<'c> {
    pub(super) fn new(config: &'c Config) -> Self {
        Self {
            config,
            tracer: Tracer::supposing(config),
            patterns: HashMap::new(),
            spaces: Spaces::default(),
            pairs: PAIRS,
            searches: SEARCHES,
        }
    }

    /// A path that begins with a name, that a regex matches, and that fits.
    pub(super) fn path(
        &mut self,
        name: &[u8],
        regex: &Location<'c>,
        fits: &dyn Fn(&[u8]) -> bool,
    ) -> Option<Vec<u8>> {
        let pattern = self.pattern(regex);
        if !meet(&pattern.begin, name) {
            return None;
        }
        self.pairs = self.pairs.checked_sub(1)?;
        let compiled = regex.regex()?;
        let mut paths = pattern.paths(name);
        paths.find(|path| compiled.is_match(path).unwrap_or(false) && is_normal(path) && fits(path))
    }

    /// As [`Self::path`], for a path that a regex location receives: where none of those that people ask for reaches it,
    /// all URIs are searched.
    pub(super) fn received(
        &mut self,
        name: &[u8],
        regex: &Location<'c>,
        fits: &dyn Fn(&[u8]) -> bool,
    ) -> Option<Vec<u8>> {
        let server = regex.server()?;
        let reached = Cell::new(false);
        let found = self.path(name, regex, &|path| {
            let reaches = answers(server, regex, path).is_some();
            reached.set(reached.get() || reaches);
            reaches && fits(path)
        });
        if found.is_some() || reached.get() || !meet(&self.pattern(regex).begin, name) {
            return found;
        }
        self.searches = self.searches.checked_sub(1)?;
        let goal = Goal {
            below: name.to_vec(),
            is_printable: true,
            ..Goal::client(Choice::Location(regex.clone()))
        };
        match self.spaces.of(regex).find(&goal) {
            Found::Uri(path) => Some(path).filter(|path| fits(path)),
            Found::Nothing(_) | Found::Unknown(_) => None,
        }
    }

    /// True when a regex may match paths that begin with a name, but not only such.
    pub(super) fn may_take(&mut self, regex: &Location<'c>, name: &[u8]) -> bool {
        let begin = &self.pattern(regex).begin;
        meet(begin, name) && !begin.starts_with(name)
    }

    fn pattern(&mut self, regex: &Location<'c>) -> Rc<Pattern> {
        let is_caseless = regex.modifier == Modifier::CaselessRegex;
        let key = (regex.path.to_vec(), is_caseless);
        let known = self.patterns.entry(key);
        Rc::clone(known.or_insert_with(|| Rc::new(Pattern::new(regex))))
    }
}

impl Pattern {
    fn new(location: &Location<'_>) -> Self {
        let begin = Shape::of(&location.path).map_or_else(Vec::new, |shape| shape.prefix);
        let mut tails: Vec<Vec<u8>> = TAILS.iter().map(|tail| tail.as_bytes().to_vec()).collect();
        let mut wholes = Vec::new();
        let is_caseless = location.modifier == Modifier::CaselessRegex;
        for sample in texts(&location.path, is_caseless, Uris::Client, SAMPLES) {
            let rest = sample.strip_prefix(b"/").unwrap_or(&sample);
            wholes.push([b"/", rest].concat());
            wholes.push([b"/", rest, b"x"].concat());
            let rest = sample.strip_prefix(&begin[..]).unwrap_or(rest);
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            tails.push([b"x", rest].concat());
            tails.push([b"x/", rest].concat());
            tails.push(rest.to_vec());
        }
        Self {
            begin,
            tails,
            wholes,
        }
    }

    /// Paths that begin with a name and that the pattern may match.
    fn paths<'n>(&'n self, name: &'n [u8]) -> impl Iterator<Item = Vec<u8>> + use<'n> {
        let start = match self.begin.len() > name.len() {
            true => &self.begin[..],
            false => name,
        };
        let slash: &[u8] = if start.ends_with(b"/") { b"" } else { b"/" };
        let below = self
            .tails
            .iter()
            .map(move |tail| [start, slash, tail].concat());
        let own = std::iter::once(start.to_vec());
        let wholes = self.wholes.iter().cloned();
        let paths = below.chain(own).chain(wholes);
        paths.filter(move |path| path.starts_with(name))
    }
}

/// True for a path that nginx makes of what a client sends, whether slashes are merged or not.
fn is_normal(path: &[u8]) -> bool {
    let uri = Uri::parse(routing::target(path).as_bytes(), true);
    uri.is_some_and(|uri| uri.path == path)
}

/// True when a path may begin with both texts, in some case.
fn meet(one: &[u8], other: &[u8]) -> bool {
    let common = one.len().min(other.len());
    one[..common].eq_ignore_ascii_case(&other[..common])
}

/// The regexes that are tried for URIs below a location and that stand outside of it, each with the location on its own
/// level that is around or is that location.
pub(super) fn outer_regexes<'c>(
    location: &Location<'c>,
) -> impl Iterator<Item = (Location<'c>, Location<'c>)> {
    let around = std::iter::successors(Some(location.clone()), Location::parent);
    around
        .filter(|guard| guard.modifier != Modifier::PreferentialPrefix)
        .flat_map(|guard| {
            let level = guard.level().regexes();
            let others = level.filter({
                let guard = guard.clone();
                move |regex| *regex != guard
            });
            others.map(move |regex| (regex, guard.clone()))
        })
}

/// True when a location is another one or stands inside it.
pub(super) fn is_within(location: &Location<'_>, outer: &Location<'_>) -> bool {
    std::iter::successors(Some(location.clone()), Location::parent).any(|around| around == *outer)
}

/// The location inside or at `regex` that a path ends in.
pub(super) fn answers<'c>(
    server: Server<'c>,
    regex: &Location<'c>,
    path: &[u8],
) -> Option<Location<'c>> {
    match choose(server, path) {
        Choice::Location(chosen) if is_within(&chosen, regex) => Some(chosen),
        _ => None,
    }
}

/// A path with another folder in the place of the last one of a name that it begins with; nothing for the root.
pub(super) fn beside(name: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(name)?;
    let (folder, slash) = match name.strip_suffix(b"/") {
        Some(folder) => (folder, &b"/"[..]),
        None => (name, &b""[..]),
    };
    let end = folder.iter().rposition(|byte| *byte == b'/')?;
    let last = &folder[end + 1..];
    (!last.is_empty()).then(|| [&folder[..=end], FOREIGN.as_bytes(), slash, rest].concat())
}

/// A path with another first folder in the place of a whole name that it begins with.
pub(super) fn elsewhere(name: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(name)?;
    let rest = rest.strip_prefix(b"/").unwrap_or(rest);
    Some([b"/", FOREIGN.as_bytes(), b"/", rest].concat())
}

/// A path with another name of its last segment, up to the dot.
pub(super) fn renamed(path: &[u8]) -> Option<Vec<u8>> {
    let end = path.iter().rposition(|byte| *byte == b'/')? + 1;
    let dot = path[end..].iter().rposition(|byte| *byte == b'.');
    let ending = dot.map_or(&b""[..], |dot| &path[end + dot..]);
    Some([&path[..end], FOREIGN.as_bytes(), ending].concat())
}
