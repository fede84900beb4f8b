//! Which location takes every request of another one, as far as it shows without automata.

use std::collections::{HashMap, HashSet};

use super::example::{Example, request};
use super::uri::{Uri, escape};
use crate::config::{Config, Location, Modifier, Shape};
use crate::source::Span;

/// A location that takes the requests of another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Winner<'c> {
    /// The location that answers instead.
    pub location: Location<'c>,
    /// Why it wins.
    pub reason: Reason,
    /// True when a path with a line feed in it may still reach the other one.
    pub but_line_feeds: bool,
    /// True when the two match the same.
    pub is_equal: bool,
}

/// Why a location wins over another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It stands earlier and is looked for in the same way: regexes in the order of the file, and of named locations of
    /// one name the first.
    Order,
    /// It is the longest prefix and `^~`, so no regex of its level is tried.
    Preference,
}

/// The heads of locations that get no request because another one of their level takes everything.
pub fn unreachable(config: &Config) -> HashSet<Span> {
    let dead = |level: Vec<Location<'_>>| {
        let winners = winners(&level);
        let taken = level.into_iter().zip(winners);
        taken
            .filter(|(_, winner)| winner.is_some())
            .map(|(location, _)| location.directive.span())
            .collect::<Vec<_>>()
    };
    config
        .location_levels()
        .into_iter()
        .flat_map(dead)
        .collect()
}

/// For each location of a level the one that takes everything from it; nothing unless that is certain.
pub fn winners<'c>(level: &[Location<'c>]) -> Vec<Option<Winner<'c>>> {
    // What covers a location begins with the same text or is the same text, so few of many have to be compared.
    let mut by_text: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    let preferential: HashMap<&[u8], &Location<'c>> = level
        .iter()
        .filter(|location| location.modifier == Modifier::PreferentialPrefix)
        .map(|location| (&*location.path, location))
        .collect();
    let mut winners = Vec::with_capacity(level.len());
    for (index, loser) in level.iter().enumerate() {
        let text = key(&loser.path);
        let wanted = begin(loser).unwrap_or_default();
        let mut candidates: Vec<usize> = (0..=wanted.len())
            .filter_map(|length| by_text.get(&key(&wanted[..length])))
            .chain(by_text.get(&b"/"[..]))
            .chain(by_text.get(&text))
            .flatten()
            .copied()
            .collect();
        candidates.sort_unstable();
        let first = candidates.into_iter().find_map(|earlier| {
            let earlier = &level[earlier];
            let cover = covers(earlier, loser)?;
            Some(Winner {
                location: earlier.clone(),
                reason: Reason::Order,
                but_line_feeds: cover == Cover::Lines,
                is_equal: covers(loser, earlier) == Some(Cover::Everything),
            })
        });
        if first.is_none() {
            // One that is covered itself takes nothing that its own winner does not take.
            by_text.entry(text).or_default().push(index);
            if let Some(begin) = begin(loser).filter(|_| loser.is_regex()) {
                by_text.entry(key(&begin)).or_default().push(index);
            }
        }
        let longest = || {
            (0..=wanted.len())
                .rev()
                .find_map(|length| preferential.get(&wanted[..length]))
        };
        winners.push(first.or_else(|| preferred(level, loser, longest()?)));
    }
    winners
}

/// The text that every match of a regex begins with.
fn begin(location: &Location<'_>) -> Option<Vec<u8>> {
    Shape::of(&location.path).map(|shape| shape.prefix)
}

fn key(text: &[u8]) -> Vec<u8> {
    text.to_ascii_lowercase()
}

/// A request that both locations match and that the first one certainly answers.
pub fn contested(winner: &Location<'_>, loser: &Location<'_>) -> Option<Example> {
    let regex = loser.regex()?;
    let begin = begin(loser).unwrap_or_default();
    TAILS.iter().find_map(|tail| {
        let target = escape(&[&begin, tail.as_bytes()].concat());
        let path = Uri::parse(&target, true)?.path;
        let is_match = regex.is_match(&path).ok()?;
        request(winner, &target).filter(|_| is_match)
    })
}

/// What may follow the literal beginning of a regex, or be a path when it has none.
const TAILS: [&str; 14] = [
    "",
    "x",
    "1",
    "index.php",
    "app.js",
    "logo.png",
    "/x",
    "/1",
    "/",
    "/index.php",
    "/app.js",
    "/logo.png",
    ".php",
    ".js",
];

/// What one location takes from a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    Everything,
    /// Everything but paths with a line feed.
    Lines,
}

/// What `earlier` takes from `later`, where the order of the file decides between them.
fn covers(earlier: &Location<'_>, later: &Location<'_>) -> Option<Cover> {
    if later.modifier == Modifier::Named {
        let same = earlier.modifier == Modifier::Named && earlier.path.value == later.path.value;
        return same.then_some(Cover::Everything);
    }
    if !earlier.is_regex() || !later.is_regex() {
        return None;
    }
    if earlier.path.value == later.path.value && is_at_least_as_wide(earlier, later) {
        return Some(Cover::Everything);
    }
    let taken = Shape::of(&earlier.path).filter(|shape| shape.is_line_only)?;
    let cover = if taken.is_prefix_only {
        Cover::Everything
    } else {
        Cover::Lines
    };
    let wanted = Shape::of(&later.path).map(|shape| shape.prefix);
    // The path of a request begins with a slash.
    let all = match &taken.prefix[..] {
        b"" => true,
        b"/" => wanted
            .as_ref()
            .is_none_or(|text| text.first().is_none_or(|first| *first == b'/')),
        _ => false,
    };
    let begins = || {
        let wanted = wanted.as_ref()?;
        let length = taken.prefix.len();
        let begin = wanted.get(..length)?;
        let caseless = earlier.modifier == Modifier::CaselessRegex;
        let any_case = later.modifier == Modifier::CaselessRegex;
        let same = begin == taken.prefix && !(any_case && !caseless && has_letters(begin))
            || caseless && begin.eq_ignore_ascii_case(&taken.prefix);
        Some(same)
    };
    (all || begins().unwrap_or(false)).then_some(cover)
}

/// True when two locations of one pattern differ at most in that the first takes more cases.
fn is_at_least_as_wide(first: &Location<'_>, second: &Location<'_>) -> bool {
    let pattern = &*first.path;
    // What a pattern excludes, it excludes in any case when case does not count.
    let excludes = [&b"[^"[..], b"[:^", b"(?", b"(*", b"\\P", b"\\p"]
        .iter()
        .any(|part| pattern.windows(part.len()).any(|window| window == *part))
        || [&b"*+"[..], b"++", b"?+", b"}+"]
            .iter()
            .any(|part| pattern.windows(2).any(|window| window == *part));
    first.modifier == second.modifier
        || first.modifier == Modifier::CaselessRegex && !excludes
        || !has_letters(pattern)
}

fn has_letters(text: &[u8]) -> bool {
    text.iter()
        .any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
}

/// The `^~` prefix that keeps a regex of its level from ever being tried.
fn preferred<'c>(
    level: &[Location<'c>],
    loser: &Location<'c>,
    longest: &Location<'c>,
) -> Option<Winner<'c>> {
    // Another prefix may stand in what cannot be seen.
    let is_visible = loser
        .directive
        .parent()
        .is_some_and(|block| !block.is_incomplete());
    let wanted = begin(loser).filter(|_| loser.is_regex() && is_visible)?;
    // Among longer prefixes that a path of the regex may begin with, in some case, a plain one brings the regexes back.
    let brings_back = |other: &Location<'_>| {
        let common = wanted.len().min(other.path.len());
        other.modifier == Modifier::Prefix
            && other.path.len() > longest.path.len()
            && wanted[..common].eq_ignore_ascii_case(&other.path[..common])
    };
    let in_any_case = loser.modifier == Modifier::CaselessRegex && has_letters(&longest.path);
    (!in_any_case && !level.iter().any(brings_back)).then(|| Winner {
        location: longest.clone(),
        reason: Reason::Preference,
        but_line_feeds: false,
        is_equal: false,
    })
}
