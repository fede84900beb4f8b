//! The search for the cheapest text that takes several automata where they are wanted.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::rc::Rc;

use super::automaton::{Automaton, DEAD, MATCHED, State};
use super::bytes::cost;
use super::literals::{Literals, Position, ROOT};
use super::nfa::FAR;

/// Most states of one search.
const LIMIT: usize = 100_000;

/// Which texts are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Uris {
    /// URIs that a client can send: normalised.
    Client,
    /// Those of a client where slashes are not merged.
    Unmerged,
    /// All, since redirects inside of nginx may carry anything.
    Any,
}

/// What a text is normal up to.
pub(super) type Normal = u32;

pub(super) const SLASH: Normal = 1;
const DOT: Normal = 2;
const DOTS: Normal = 3;
pub(super) const SEGMENT: Normal = 4;

impl Uris {
    pub(super) fn start(self) -> Normal {
        if self == Self::Any { SEGMENT } else { 0 }
    }

    /// What `ngx_http_parse_complex_uri` leaves of a path: a slash first, no segment `.` or `..`, no zero byte.
    pub(super) fn step(self, state: Normal, byte: u8) -> Option<Normal> {
        if self == Self::Any {
            return Some(SEGMENT);
        }
        match (state, byte) {
            (_, 0) => None,
            (0 | SEGMENT, b'/') => Some(SLASH),
            (SLASH, b'/') if self == Self::Unmerged => Some(SLASH),
            (_, b'/') | (0, _) => None,
            (SLASH, b'.') => Some(DOT),
            (DOT, b'.') => Some(DOTS),
            _ => Some(SEGMENT),
        }
    }

    pub(super) fn is_end(state: Normal) -> bool {
        state == SLASH || state == SEGMENT
    }

    /// True for a whole URI of this kind.
    pub(super) fn holds(self, path: &[u8]) -> bool {
        let end = path
            .iter()
            .try_fold(self.start(), |state, byte| self.step(state, *byte));
        end.is_some_and(Self::is_end)
    }
}

/// What it costs more when a name begins with a dot: it reads as a hidden file.
fn oddity(state: Normal) -> u64 {
    if state == DOT { 150 } else { 0 }
}

/// An automaton that a search follows.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) automaton: Rc<RefCell<Automaton>>,
    /// What the text has to do with it.
    pub(super) part: Part,
}

/// What a text has to do with a regex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Match,
    Miss,
    /// Either; the goal depends on it in some other way.
    Either,
}

/// A search.
#[derive(Debug)]
pub(super) struct Search<'s> {
    pub(super) uris: Uris,
    /// True to leave out control characters.
    pub(super) is_printable: bool,
    /// What the text begins with.
    pub(super) begin: &'s [u8],
    /// True when it is nothing else.
    pub(super) is_whole: bool,
    pub(super) literals: &'s Literals,
    pub(super) followed: Vec<Followed>,
}

/// What to do after a text that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    Stop,
    GoOn,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Every text was looked at.
    Exhausted,
    Stopped,
    TooLarge,
}

/// A text that was found.
pub(super) struct Text<'s> {
    pub(super) position: Position,
    /// Whether each automaton matches.
    pub(super) ends: &'s [bool],
    bytes: &'s dyn Fn() -> Vec<u8>,
}

impl Text<'_> {
    pub(super) fn bytes(&self) -> Vec<u8> {
        (self.bytes)()
    }
}

impl Search<'_> {
    /// Visits a text for each way in which texts differ, from the cheapest on; `spent` counts states.
    pub(super) fn run(
        &self,
        spent: &mut usize,
        mut visit: impl FnMut(&Text<'_>) -> Visit,
    ) -> Ended {
        let width = self.followed.len() + 2;
        // The states, one after the other: what is normal, the position, and the state of each automaton.
        let mut states: Vec<u32> = Vec::new();
        let mut origins: Vec<(u32, u8)> = Vec::new();
        let mut costs: Vec<u64> = Vec::new();
        let mut known: HashMap<Box<[u32]>, u32> = HashMap::new();
        let mut open: BinaryHeap<(Reverse<u64>, Reverse<u32>)> = BinaryHeap::new();
        let first = match self.first() {
            Ok(Some(first)) => first,
            Ok(None) => return Ended::Exhausted,
            Err(TooMany) => return Ended::TooLarge,
        };
        let distance = self.distance(&first);
        if distance == FAR {
            return Ended::Exhausted;
        }
        states.extend(&first);
        origins.push((0, 0));
        costs.push(0);
        known.insert(first.into_boxed_slice(), 0);
        open.push((Reverse(distance), Reverse(0)));
        let mut ends = vec![false; self.followed.len()];
        let mut done = vec![false];
        let classes = self.classes();
        let mut next: Vec<u32> = Vec::with_capacity(width);
        while let Some((_, Reverse(number))) = open.pop() {
            let at = number as usize;
            if std::mem::replace(&mut done[at], true) {
                continue;
            }
            *spent += 1;
            if Uris::is_end(states[at * width]) {
                for (place, followed) in self.followed.iter().enumerate() {
                    ends[place] = followed
                        .automaton
                        .borrow()
                        .is_end(states[at * width + 2 + place]);
                }
                let fits =
                    self.followed
                        .iter()
                        .zip(&ends)
                        .all(|(followed, end)| match followed.part {
                            Part::Match => *end,
                            Part::Miss => !end,
                            Part::Either => true,
                        });
                let bytes = || {
                    let mut text = Vec::new();
                    let mut at = number;
                    while at != 0 {
                        let (before, byte) = origins[at as usize];
                        text.push(byte);
                        at = before;
                    }
                    text.reverse();
                    [self.begin, &text].concat()
                };
                let text = Text {
                    position: states[at * width + 1],
                    ends: &ends,
                    bytes: &bytes,
                };
                if fits && visit(&text) == Visit::Stop {
                    return Ended::Stopped;
                }
            }
            if self.is_whole {
                continue;
            }
            let position = states[at * width + 1];
            let named: Vec<u8> = self.literals.next(position).collect();
            let rest = classes
                .iter()
                .filter_map(|class| class.iter().find(|byte| !named.contains(byte)));
            for byte in named.iter().chain(rest) {
                if self.is_printable && byte.is_ascii_control() {
                    continue;
                }
                let Some(normal) = self.uris.step(states[at * width], *byte) else {
                    continue;
                };
                next.clear();
                next.push(normal);
                next.push(self.literals.step(position, *byte));
                for (place, followed) in self.followed.iter().enumerate() {
                    let state = states[at * width + 2 + place];
                    match followed.automaton.borrow_mut().step(state, *byte) {
                        Some(state) => next.push(state),
                        None => return Ended::TooLarge,
                    }
                }
                let distance = self.distance(&next);
                if distance == FAR {
                    continue;
                }
                let cost = costs[at] + cost(*byte) + oddity(normal);
                let other = match known.get(&next[..]) {
                    Some(other) if costs[*other as usize] <= cost => continue,
                    Some(other) => *other,
                    None => {
                        let Ok(other) = u32::try_from(costs.len()) else {
                            return Ended::TooLarge;
                        };
                        if costs.len() >= LIMIT {
                            return Ended::TooLarge;
                        }
                        known.insert(next.clone().into_boxed_slice(), other);
                        states.extend(&next);
                        origins.push((number, *byte));
                        costs.push(cost);
                        done.push(false);
                        other
                    }
                };
                costs[other as usize] = cost;
                origins[other as usize] = (number, *byte);
                open.push((Reverse(cost + distance), Reverse(other)));
            }
        }
        Ended::Exhausted
    }

    /// The state after what the text begins with; nothing when no text can begin so.
    fn first(&self) -> Result<Option<Vec<u32>>, TooMany> {
        let mut normal = self.uris.start();
        let mut position = ROOT;
        let mut states: Vec<State> = Vec::new();
        for followed in &self.followed {
            states.push(followed.automaton.borrow_mut().start().ok_or(TooMany)?);
        }
        for byte in self.begin {
            normal = match self.uris.step(normal, *byte) {
                Some(normal) => normal,
                None => return Ok(None),
            };
            position = self.literals.step(position, *byte);
            for (followed, state) in self.followed.iter().zip(&mut states) {
                *state = followed
                    .automaton
                    .borrow_mut()
                    .step(*state, *byte)
                    .ok_or(TooMany)?;
            }
        }
        if self.is_printable && self.begin.iter().any(u8::is_ascii_control) {
            return Ok(None);
        }
        let mut first = vec![normal, position];
        first.extend(states);
        Ok(Some(first))
    }

    /// What has to be read at least before the text is one that is looked for.
    fn distance(&self, state: &[u32]) -> u64 {
        let mut distance = 0;
        for (followed, state) in self.followed.iter().zip(&state[2..]) {
            match followed.part {
                Part::Match if *state == DEAD => return FAR,
                Part::Match => {
                    distance = distance.max(followed.automaton.borrow().distance(*state))
                }
                Part::Miss if *state == MATCHED => return FAR,
                Part::Miss | Part::Either => {}
            }
        }
        distance
    }

    /// The bytes that nothing tells apart, the cheapest first.
    fn classes(&self) -> Vec<Vec<u8>> {
        let mut class_of = [0_u8; 256];
        class_of[usize::from(b'/')] = 1;
        class_of[usize::from(b'.')] = 2;
        class_of[0] = 3;
        let mut count = 4;
        for followed in &self.followed {
            let automaton = followed.automaton.borrow();
            let mut known: HashMap<(u8, u8), u8> = HashMap::new();
            for byte in 0..=255 {
                let class = &mut class_of[usize::from(byte)];
                let next = u8::try_from(known.len()).unwrap_or(u8::MAX);
                *class = *known.entry((*class, automaton.class(byte))).or_insert(next);
            }
            count = known.len();
        }
        let mut classes: Vec<Vec<u8>> = vec![Vec::new(); count];
        for byte in 0..=255 {
            classes[usize::from(class_of[usize::from(byte)])].push(byte);
        }
        for class in &mut classes {
            class.sort_by_key(|byte| cost(*byte));
        }
        // The cheap ones first, so that of texts of one cost the same one is always found.
        classes.sort_by_key(|class| class.first().map(|byte| (cost(*byte), *byte)));
        classes
    }
}

/// There are more states than are followed.
#[derive(Debug)]
struct TooMany;
