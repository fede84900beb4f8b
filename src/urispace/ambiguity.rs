//! Texts that a pattern can read in many ways, each of which a backtracking matcher tries.
//!
//! Where a loop can read one text in two ways, `n` such texts are read in 2ⁿ ways (`(a+)+`); where two loops that follow
//! each other can both read it, in n ways (`.*.*`). Both are found by following the graph of the pattern two or three
//! times at once. What a lookahead or `\b` asks for is not looked at, so what is found has to be tried.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use super::bytes::{Bytes, cost};
use super::nfa::{Id, Nfa, Node};
use super::search::{Normal, SEGMENT, SLASH, Uris};

/// Most places of one pattern where a byte is read.
const PLACES: usize = 2_000;

/// Most steps of making the graph.
const STEPS: usize = 100_000;

/// Most states of all searches in one graph.
const STATES: usize = 50_000;

/// Most places of a loop from which a search begins.
const BEGINNINGS: usize = 4;

/// Most pairs of loops that are looked at.
const PAIRS: usize = 40;

/// A text that can be read in more ways the more often it is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pumped {
    /// What leads to it.
    pub(super) before: Vec<u8>,
    pub(super) pump: Vec<u8>,
    /// What completes a match after it.
    pub(super) after: Vec<u8>,
    /// True when each repetition multiplies the ways.
    pub(super) is_exponential: bool,
}

/// A place where the pattern reads a byte.
#[derive(Debug)]
struct Place {
    bytes: Bytes,
    /// Where it may read the next one; true when more than one way leads there.
    next: Vec<(usize, bool)>,
    /// True when a match may be complete after it.
    is_last: bool,
    /// The loop that it belongs to, as the number of one of its places.
    group: usize,
}

/// The places of a pattern, with what leads from one to the next.
#[derive(Debug)]
struct Graph {
    places: Vec<Place>,
    /// Where a match may begin at the beginning of the text, and where later.
    first: Vec<usize>,
    later: Vec<usize>,
    uris: Uris,
    allowed: Bytes,
    spent: usize,
}

/// The texts of a pattern that may be worth trying, the worst first.
///
/// Texts hold no bytes but the allowed ones and are normal as `uris` says.
pub(super) fn ambiguities(nfa: &Nfa, allowed: Bytes, uris: Uris) -> Vec<Pumped> {
    let Some(mut graph) = Graph::new(nfa, allowed, uris) else {
        return Vec::new();
    };
    let loops = graph.loops();
    let mut found: Vec<Pumped> = loops
        .iter()
        .filter_map(|group| graph.exponential(group))
        .collect();
    let reach = graph.reach(&loops);
    let mut pairs = 0;
    for (distance, first) in
        (1..loops.len()).flat_map(|gap| (0..loops.len() - gap).map(move |at| (gap, at)))
    {
        let second = first + distance;
        let ordered = match (
            reach[first].contains(&second),
            reach[second].contains(&first),
        ) {
            (true, _) => (first, second),
            (_, true) => (second, first),
            _ => continue,
        };
        pairs += 1;
        if pairs > PAIRS {
            break;
        }
        found.extend(graph.polynomial(&loops[ordered.0], &loops[ordered.1]));
    }
    found.dedup_by(|one, other| one.pump == other.pump && one.before == other.before);
    found
}

impl Graph {
    fn new(nfa: &Nfa, allowed: Bytes, uris: Uris) -> Option<Self> {
        let mut numbers: HashMap<Id, usize> = HashMap::new();
        let mut reading: Vec<(Bytes, Id)> = Vec::new();
        for (id, node) in (0..).zip(&nfa.nodes) {
            if let Node::Byte(bytes, next) = node {
                numbers.insert(id, reading.len());
                reading.push((bytes.and(allowed), *next));
            }
        }
        if reading.len() > PLACES {
            return None;
        }
        let mut steps = STEPS;
        let mut places = Vec::with_capacity(reading.len());
        for (group, (bytes, next)) in reading.into_iter().enumerate() {
            let (next, is_last) = ways(nfa, &numbers, next, false, &mut steps)?;
            places.push(Place {
                bytes,
                next,
                is_last,
                group,
            });
        }
        let mut begin = |is_start: bool| {
            let (next, _) = ways(nfa, &numbers, nfa.start, is_start, &mut steps)?;
            Some(next.into_iter().map(|(place, _)| place).collect())
        };
        Some(Self {
            first: begin(true)?,
            later: begin(false)?,
            places,
            uris,
            allowed,
            spent: 0,
        })
    }

    /// The loops: places that lead to each other, or to themselves.
    fn loops(&mut self) -> Vec<Vec<usize>> {
        let count = self.places.len();
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (at, place) in self.places.iter().enumerate() {
            for (next, _) in &place.next {
                before[*next].push(at);
            }
        }
        // Kosaraju: first the order in which places are left, then the ways backwards.
        let mut order = Vec::with_capacity(count);
        let mut seen = vec![false; count];
        for start in 0..count {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut way = vec![(start, 0)];
            while let Some((at, edge)) = way.last_mut() {
                match self.places[*at].next.get(*edge) {
                    Some((next, _)) => {
                        *edge += 1;
                        if !std::mem::replace(&mut seen[*next], true) {
                            way.push((*next, 0));
                        }
                    }
                    None => {
                        order.push(*at);
                        way.pop();
                    }
                }
            }
        }
        let mut loops = Vec::new();
        let mut seen = vec![false; count];
        for start in order.into_iter().rev() {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut group = vec![start];
            let mut at = 0;
            while let Some(place) = group.get(at) {
                for other in &before[*place] {
                    if !std::mem::replace(&mut seen[*other], true) {
                        group.push(*other);
                    }
                }
                at += 1;
            }
            for place in &group {
                self.places[*place].group = start;
            }
            let is_loop = group.len() > 1
                || self.places[start]
                    .next
                    .iter()
                    .any(|(next, _)| *next == start);
            if is_loop {
                loops.push(group);
            }
        }
        loops
    }

    /// By loop, the loops that it leads to.
    fn reach(&self, loops: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let lead = |group: &Vec<usize>| {
            let mut seen = vec![false; self.places.len()];
            let mut waiting = vec![group[0]];
            while let Some(at) = waiting.pop() {
                for (next, _) in &self.places[at].next {
                    if !std::mem::replace(&mut seen[*next], true) {
                        waiting.push(*next);
                    }
                }
            }
            (0..loops.len())
                .filter(|other| seen[loops[*other][0]])
                .collect()
        };
        loops.iter().map(lead).collect()
    }

    /// A text that a loop can read in two ways from one of its places to itself.
    fn exponential(&mut self, group: &[usize]) -> Option<Pumped> {
        let branches = |at: &usize| {
            let place = &self.places[*at];
            let inside = || {
                place
                    .next
                    .iter()
                    .filter(|(next, _)| self.places[*next].group == place.group)
            };
            let mut others = inside().enumerate();
            others.any(|(index, (next, twice))| {
                let mut rest = inside().skip(index + 1);
                *twice
                    || rest
                        .any(|(other, _)| self.places[*next].bytes.meets(self.places[*other].bytes))
            })
        };
        if !group.iter().any(branches) {
            return None;
        }
        let mut best: Option<Pumped> = None;
        for at in group.iter().take(BEGINNINGS) {
            for normal in [SEGMENT, SLASH] {
                let start = [*at, *at, 0];
                let goal = [*at, *at, 1];
                let Some(pump) = self.pump(
                    normal,
                    start,
                    goal,
                    |graph, from, to| {
                        let [one, other, split] = from;
                        let twice = |way: &(usize, bool)| way.1;
                        let inside = |way: &&(usize, bool)| {
                            graph.places[way.0].group == graph.places[*at].group
                        };
                        for first in graph.places[one].next.iter().filter(inside) {
                            for second in graph.places[other].next.iter().filter(inside) {
                                let is_split = first.0 != second.0 || one == other && twice(first);
                                to.push([first.0, second.0, split.max(usize::from(is_split))]);
                            }
                        }
                    },
                    |from| vec![from[0], from[1]],
                ) else {
                    continue;
                };
                let pumped = self.complete(normal, *at, *at, pump, true);
                if let Some(pumped) = pumped.filter(|pumped| pumped.is_better_than(&best)) {
                    best = Some(pumped);
                }
            }
        }
        best
    }

    /// A text that a loop can read, and a later one, and what leads from the one to the other.
    fn polynomial(&mut self, group: &[usize], later: &[usize]) -> Option<Pumped> {
        let mut best: Option<Pumped> = None;
        for at in group.iter().take(BEGINNINGS) {
            for end in later.iter().take(BEGINNINGS) {
                for normal in [SEGMENT, SLASH] {
                    let Some(pump) = self.pump(
                        normal,
                        [*at, *at, *end],
                        [*at, *end, *end],
                        |graph, from, to| {
                            let stays = |place: usize| {
                                let group = graph.places[place].group;
                                let ways = graph.places[place].next.iter().map(|(next, _)| *next);
                                ways.filter(move |next| graph.places[*next].group == group)
                            };
                            for first in stays(from[0]) {
                                for (second, _) in &graph.places[from[1]].next {
                                    for third in stays(from[2]) {
                                        to.push([first, *second, third]);
                                    }
                                }
                            }
                        },
                        |from| from.to_vec(),
                    ) else {
                        continue;
                    };
                    let pumped = self.complete(normal, *at, *end, pump, false);
                    if let Some(pumped) = pumped.filter(|pumped| pumped.is_better_than(&best)) {
                        best = Some(pumped);
                    }
                }
            }
        }
        best
    }

    /// The cheapest text that leads from some places at once to others, and back to the same state of what is normal.
    fn pump(
        &mut self,
        normal: Normal,
        start: [usize; 3],
        goal: [usize; 3],
        ways: impl Fn(&Self, [usize; 3], &mut Vec<[usize; 3]>),
        reading: impl Fn([usize; 3]) -> Vec<usize>,
    ) -> Option<Vec<u8>> {
        if self.uris == Uris::Any && normal != SEGMENT {
            return None;
        }
        let mut next = Vec::new();
        let mut spent = self.spent;
        let found = cheapest(
            [(normal, start)],
            |state| state == &(normal, goal),
            &mut spent,
            |(normal, from), visit| {
                let bytes = reading(*from)
                    .into_iter()
                    .fold(Bytes::ALL, |all, place| all.and(self.places[place].bytes));
                next.clear();
                ways(self, *from, &mut next);
                for byte in representatives(bytes) {
                    if let Some(normal) = self.uris.step(*normal, byte) {
                        for to in &next {
                            visit(byte, (normal, *to));
                        }
                    }
                }
            },
        );
        self.spent = spent;
        found
    }

    /// Adds what leads to a place, and what completes a match from another one.
    fn complete(
        &mut self,
        normal: Normal,
        start: usize,
        end: usize,
        pump: Vec<u8>,
        is_exponential: bool,
    ) -> Option<Pumped> {
        let outside = self.places.len();
        let mut begin = vec![(self.uris.start(), outside)];
        begin.extend(self.first.iter().map(|place| (self.uris.start(), *place)));
        let mut spent = self.spent;
        let before = cheapest(
            begin,
            |state| state == &(normal, start),
            &mut spent,
            |(normal, at), visit| {
                let (bytes, next): (Bytes, Vec<usize>) = match self.places.get(*at) {
                    Some(place) => (
                        place.bytes,
                        place.next.iter().map(|(next, _)| *next).collect(),
                    ),
                    // Before a match begins, anything may stand.
                    None if self.later.is_empty() => return,
                    None => {
                        let places = self.later.iter().copied();
                        (self.allowed, places.chain([outside]).collect())
                    }
                };
                for byte in representatives(bytes) {
                    if let Some(normal) = self.uris.step(*normal, byte) {
                        for to in &next {
                            visit(byte, (normal, *to));
                        }
                    }
                }
            },
        );
        // Behind all places is the end of a match.
        let after = cheapest(
            [end],
            |at| *at == outside,
            &mut spent,
            |at, visit| {
                let place = &self.places[*at];
                let Some(byte) = representatives(place.bytes).next() else {
                    return;
                };
                for (next, _) in &place.next {
                    visit(byte, *next);
                }
                if place.is_last {
                    visit(byte, outside);
                }
            },
        );
        self.spent = spent;
        // What consists of equal parts is shorter by one part.
        let part = (1..=pump.len()).find(|part| {
            pump.len().is_multiple_of(*part)
                && pump.chunks(*part).all(|chunk| chunk == &pump[..*part])
        })?;
        Some(Pumped {
            before: before?,
            pump: pump[..part].to_vec(),
            after: after.unwrap_or_default(),
            is_exponential,
        })
    }
}

impl Pumped {
    /// True when it is the shorter one.
    fn is_better_than(&self, other: &Option<Self>) -> bool {
        let length = |pumped: &Self| (pumped.pump.len(), pumped.before.len());
        other
            .as_ref()
            .is_none_or(|other| length(self) < length(other))
    }
}

/// The bytes of a set that need to be told apart: the cheapest one, and those that decide what is normal.
fn representatives(bytes: Bytes) -> impl Iterator<Item = u8> {
    let plain = bytes
        .iter()
        .filter(|byte| !matches!(byte, b'/' | b'.'))
        .min_by_key(|byte| (cost(*byte), *byte));
    let special = [b'/', b'.']
        .into_iter()
        .filter(move |byte| bytes.has(*byte));
    plain.into_iter().chain(special)
}

/// Follows all that reads nothing, on every way that passes no fork more than twice: the places that read next, and whether the
/// pattern may be at its end.
fn ways(
    nfa: &Nfa,
    numbers: &HashMap<Id, usize>,
    start: Id,
    is_start: bool,
    steps: &mut usize,
) -> Option<(Vec<(usize, bool)>, bool)> {
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    let mut is_last = false;
    let mut waiting = vec![(start, 0, false)];
    let mut forks: Vec<Id> = Vec::new();
    while let Some((id, depth, has_ended)) = waiting.pop() {
        *steps = steps.checked_sub(1)?;
        forks.truncate(depth);
        match nfa.node(id) {
            Node::Byte(..) if has_ended => {}
            Node::Byte(..) => *found.entry(*numbers.get(&id)?).or_default() += 1,
            Node::Fork(first, second) => {
                *steps = steps.checked_sub(forks.len())?;
                // Twice: `(a*)*` goes from the end of one round to the beginning of the next by way of the same fork.
                if forks.iter().filter(|fork| **fork == id).count() > 1 {
                    continue;
                }
                forks.push(id);
                waiting.push((*second, forks.len(), has_ended));
                waiting.push((*first, forks.len(), has_ended));
            }
            Node::Start(next) if is_start => waiting.push((*next, depth, has_ended)),
            Node::Start(_) => {}
            Node::End { next, .. } => waiting.push((*next, depth, true)),
            Node::Boundary { next, .. } => waiting.push((*next, depth, has_ended)),
            Node::Ahead { inside, next, .. } => {
                waiting.push((*next, depth, has_ended));
                waiting.push((*inside, depth, has_ended));
            }
            Node::Accept => is_last = true,
        }
    }
    let found = found.into_iter().map(|(place, ways)| (place, ways > 1));
    Some((found.collect(), is_last))
}

/// The cheapest text that leads from one of some states to a goal, by at least one byte where it begins there; nothing
/// when there is none, or when it takes too many states.
fn cheapest<S: Clone + Ord + std::hash::Hash>(
    start: impl IntoIterator<Item = S>,
    is_goal: impl Fn(&S) -> bool,
    spent: &mut usize,
    mut steps: impl FnMut(&S, &mut dyn FnMut(u8, S)),
) -> Option<Vec<u8>> {
    let mut states: Vec<(S, Option<(usize, u8)>)> = Vec::new();
    let mut known: HashMap<S, (usize, u64)> = HashMap::new();
    let mut open: BinaryHeap<(Reverse<u64>, Reverse<usize>)> = BinaryHeap::new();
    for state in start {
        known.insert(state.clone(), (states.len(), 0));
        open.push((Reverse(0), Reverse(states.len())));
        states.push((state, None));
    }
    while let Some((Reverse(spending), Reverse(number))) = open.pop() {
        let state = states[number].0.clone();
        if known
            .get(&state)
            .is_some_and(|(_, least)| *least < spending)
        {
            continue;
        }
        if is_goal(&state) {
            let mut text = Vec::new();
            let mut at = number;
            while let Some((before, byte)) = states[at].1 {
                text.push(byte);
                at = before;
            }
            text.reverse();
            return Some(text);
        }
        *spent += 1;
        if *spent > STATES {
            return None;
        }
        steps(&state, &mut |byte, next| {
            let total = spending + cost(byte);
            match known.get_mut(&next) {
                Some((_, least)) if *least <= total => {}
                Some((at, least)) => {
                    *least = total;
                    states[*at].1 = Some((number, byte));
                    open.push((Reverse(total), Reverse(*at)));
                }
                None => {
                    known.insert(next.clone(), (states.len(), total));
                    open.push((Reverse(total), Reverse(states.len())));
                    states.push((next, Some((number, byte))));
                }
            }
        });
    }
    None
}
