//! The automaton of a pattern, made state by state as far as it is asked for.
//!
//! A state is a set of threads. A thread stands at a node and may be bound to something about the rest of the text: that
//! it is empty, or a line feed (`$`), that a word character follows (`\b`), or that an automaton which runs alongside
//! matches, or does not (lookahead).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::bytes::{Bytes, is_word};
use super::nfa::{FAR, Id, Nfa, Node};
use super::pattern::Pattern;

/// Most states of one automaton.
const LIMIT: usize = 10_000;

/// Most threads of all states of one automaton.
const THREAD_LIMIT: usize = 200_000;

/// A state.
pub(super) type State = u32;

/// The state in which nothing can match any more.
pub(super) const DEAD: State = 0;

/// The state in which everything matches.
pub(super) const MATCHED: State = 1;

const UNMADE: State = State::MAX;

/// What the rest of the text has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Rest {
    Free,
    /// Empty, or a line feed.
    Break,
    Empty,
}

/// What has to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Follows {
    Anything,
    Word,
    /// No word character, or the end.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Thread {
    node: Id,
    rest: Rest,
    follows: Follows,
    beside: Vec<Beside>,
}

impl Thread {
    /// One that is bound to nothing.
    fn at(node: Id) -> Self {
        Self {
            node,
            rest: Rest::Free,
            follows: Follows::Anything,
            beside: Vec::new(),
        }
    }
}

/// A lookahead on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Beside {
    is_negative: bool,
    threads: Vec<Thread>,
}

/// The threads of a state, and whether the byte before was one of a word, where that matters.
type Key = (Vec<Thread>, bool);

#[derive(Debug)]
pub(super) struct Automaton {
    nfa: Nfa,
    /// The class of each byte.
    classes: [u8; 256],
    /// A byte of each class.
    members: Vec<u8>,
    has_boundary: bool,
    /// The threads of a match that begins after the first byte, after one of a word or not.
    later: [Vec<Thread>; 2],
    /// How many threads all states have.
    threads: usize,
    states: Vec<Rc<Key>>,
    known: HashMap<Rc<Key>, State>,
    steps: Vec<State>,
    /// True where the text may end.
    ends: Vec<bool>,
    distances: Vec<u64>,
    first: Option<State>,
}

/// Where a closure is made.
#[derive(Debug, Clone, Copy)]
struct Here {
    is_start: bool,
    after_word: bool,
}

impl Automaton {
    /// The automaton of a pattern; otherwise says what of it cannot be expressed.
    pub(super) fn new(text: &[u8], caseless: bool) -> Result<Self, &'static str> {
        let pattern = Pattern::parse(text, caseless)?;
        let nfa = Nfa::new(&pattern).ok_or("a very long pattern")?;
        let has_boundary = nfa
            .nodes
            .iter()
            .any(|node| matches!(node, Node::Boundary { .. }));
        let (classes, members) = classes(&nfa);
        let mut automaton = Self {
            nfa,
            classes,
            members,
            has_boundary,
            later: [Vec::new(), Vec::new()],
            threads: 0,
            states: Vec::new(),
            known: HashMap::new(),
            steps: Vec::new(),
            ends: Vec::new(),
            distances: Vec::new(),
            first: None,
        };
        automaton.later = [false, true].map(|after_word| {
            let here = Here {
                is_start: false,
                after_word,
            };
            automaton.begin(here).into_iter().collect()
        });
        // Neither is looked up by its threads.
        automaton.push((Vec::new(), false), false, FAR);
        automaton.push((Vec::new(), false), true, 0);
        Ok(automaton)
    }

    /// The state before the first byte; nothing when there are too many states.
    pub(super) fn start(&mut self) -> Option<State> {
        if let Some(first) = self.first {
            return Some(first);
        }
        let here = Here {
            is_start: true,
            after_word: false,
        };
        let threads = self.begin(here);
        self.first = self.state(threads, false);
        self.first
    }

    /// The state after a byte; nothing when there are too many states.
    pub(super) fn step(&mut self, state: State, byte: u8) -> Option<State> {
        if state <= MATCHED {
            return Some(state);
        }
        let class = self.classes[usize::from(byte)];
        let at = state as usize * self.members.len() + usize::from(class);
        if self.steps[at] == UNMADE {
            // What a class has in common, its member has.
            let byte = self.members[usize::from(class)];
            let key = Rc::clone(&self.states[state as usize]);
            let here = Here {
                is_start: false,
                after_word: is_word(byte),
            };
            let mut threads = self.advance(&key.0, byte, here);
            let later = &self.later[usize::from(here.after_word)];
            threads.extend(later.iter().cloned());
            self.steps[at] = self.state(threads, here.after_word)?;
        }
        Some(self.steps[at])
    }

    /// True when a text that ends here matches.
    pub(super) fn is_end(&self, state: State) -> bool {
        self.ends[state as usize]
    }

    /// What has to be read at least before a match; [`FAR`] where there is none.
    pub(super) fn distance(&self, state: State) -> u64 {
        self.distances[state as usize]
    }

    /// The class of a byte: bytes of one class lead from each state to the same one.
    pub(super) fn class(&self, byte: u8) -> u8 {
        self.classes[usize::from(byte)]
    }

    fn push(&mut self, key: Key, is_end: bool, distance: u64) -> State {
        let number = State::try_from(self.states.len()).unwrap_or(UNMADE);
        self.states.push(Rc::new(key));
        self.ends.push(is_end);
        self.distances.push(distance);
        self.steps
            .extend(std::iter::repeat_n(UNMADE, self.members.len()));
        number
    }

    /// The number of a set of threads.
    fn state(&mut self, threads: BTreeSet<Thread>, after_word: bool) -> Option<State> {
        if threads.iter().any(|thread| self.is_certain(thread)) {
            return Some(MATCHED);
        }
        let begins_later = self.later.iter().any(|threads| !threads.is_empty());
        if threads.is_empty() && !begins_later {
            return Some(DEAD);
        }
        let key = (
            threads.into_iter().collect(),
            after_word && self.has_boundary,
        );
        if let Some(known) = self.known.get(&key) {
            return Some(*known);
        }
        self.threads += key.0.len();
        if self.states.len() >= LIMIT || self.threads > THREAD_LIMIT {
            return None;
        }
        let is_end = key.0.iter().any(|thread| self.ends_here(thread));
        let again = begins_later.then_some(&self.nfa.start);
        let nodes = key.0.iter().map(|thread| &thread.node).chain(again);
        let distance = nodes.map(|node| self.nfa.distances[*node as usize]).min();
        let number = self.push(key, is_end, distance.unwrap_or(FAR));
        let key = Rc::clone(&self.states[number as usize]);
        self.known.insert(key, number);
        Some(number)
    }

    /// The threads of a match that begins here.
    fn begin(&self, here: Here) -> BTreeSet<Thread> {
        let mut threads = BTreeSet::new();
        self.close(Thread::at(self.nfa.start), here, &mut threads);
        threads
    }

    /// True when all that follows matches.
    fn is_certain(&self, thread: &Thread) -> bool {
        *self.nfa.node(thread.node) == Node::Accept
            && thread.rest == Rest::Free
            && thread.follows == Follows::Anything
            && thread.beside.is_empty()
    }

    /// True when a text that ends here matches.
    fn ends_here(&self, thread: &Thread) -> bool {
        *self.nfa.node(thread.node) == Node::Accept
            && thread.follows != Follows::Word
            && thread.beside.iter().all(|beside| {
                let ends = beside.threads.iter().any(|thread| self.ends_here(thread));
                ends != beside.is_negative
            })
    }

    /// Follows all that reads nothing.
    fn close(&self, thread: Thread, here: Here, threads: &mut BTreeSet<Thread>) {
        let mut waiting = vec![thread];
        // Only a fork can lead back to where it was.
        let mut forks: HashSet<Thread> = HashSet::new();
        while let Some(thread) = waiting.pop() {
            let go = |node: Id| Thread {
                node,
                ..thread.clone()
            };
            match self.nfa.node(thread.node) {
                Node::Byte(..) | Node::Accept => {
                    threads.insert(thread);
                }
                Node::Fork(first, second) => {
                    let both = [go(*second), go(*first)];
                    if forks.insert(thread) {
                        waiting.extend(both);
                    }
                }
                Node::Start(next) => waiting.extend(here.is_start.then(|| go(*next))),
                Node::End { may_break, next } => {
                    let rest = match may_break {
                        true => Rest::Break,
                        false => Rest::Empty,
                    };
                    let mut ended = go(*next);
                    ended.rest = thread.rest.max(rest);
                    waiting.push(ended);
                }
                Node::Boundary { is_inside, next } => {
                    let wanted = match here.after_word == *is_inside {
                        true => Follows::Word,
                        false => Follows::Other,
                    };
                    if thread.follows == Follows::Anything || thread.follows == wanted {
                        let mut bound = go(*next);
                        bound.follows = wanted;
                        waiting.push(bound);
                    }
                }
                Node::Ahead {
                    inside,
                    is_negative,
                    next,
                } => {
                    let mut beside = BTreeSet::new();
                    self.close(Thread::at(*inside), here, &mut beside);
                    let mut watched = go(*next);
                    if self.watch(beside, *is_negative, &mut watched.beside) {
                        waiting.push(watched);
                    }
                }
            }
        }
    }

    /// Adds a lookahead to those of a thread; false when it has failed already.
    fn watch(&self, threads: BTreeSet<Thread>, is_negative: bool, all: &mut Vec<Beside>) -> bool {
        if threads.iter().any(|thread| self.is_certain(thread)) {
            return !is_negative;
        }
        if threads.is_empty() {
            return is_negative;
        }
        all.push(Beside {
            is_negative,
            threads: threads.into_iter().collect(),
        });
        all.sort_unstable();
        all.dedup();
        true
    }

    /// The threads after a byte.
    fn advance(&self, threads: &[Thread], byte: u8, here: Here) -> BTreeSet<Thread> {
        let mut after = BTreeSet::new();
        for thread in threads {
            let follows = match thread.follows {
                Follows::Anything => true,
                Follows::Word => is_word(byte),
                Follows::Other => !is_word(byte),
            };
            let rest = match thread.rest {
                Rest::Free => Rest::Free,
                Rest::Break if byte == b'\n' => Rest::Empty,
                Rest::Break | Rest::Empty => continue,
            };
            let node = match self.nfa.node(thread.node) {
                Node::Byte(bytes, next) if bytes.has(byte) => *next,
                Node::Accept => thread.node,
                _ => continue,
            };
            if !follows {
                continue;
            }
            let mut beside = Vec::new();
            let holds = thread.beside.iter().all(|watched| {
                let threads = self.advance(&watched.threads, byte, here);
                self.watch(threads, watched.is_negative, &mut beside)
            });
            if holds {
                let next = Thread {
                    node,
                    rest,
                    follows: Follows::Anything,
                    beside,
                };
                self.close(next, here, &mut after);
            }
        }
        after
    }
}

/// Bytes that no node tells apart have one class.
fn classes(nfa: &Nfa) -> ([u8; 256], Vec<u8>) {
    let mut sets: Vec<Bytes> = Vec::new();
    for node in &nfa.nodes {
        let set = match node {
            Node::Byte(bytes, _) => *bytes,
            Node::End { .. } => Bytes::one(b'\n'),
            Node::Boundary { .. } => Bytes::that(is_word),
            _ => continue,
        };
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    let mut classes = [0; 256];
    let mut members: Vec<u8> = Vec::new();
    let same = |one: u8, other: u8| sets.iter().all(|set| set.has(one) == set.has(other));
    for byte in 0..=255 {
        let known = members.iter().position(|member| same(*member, byte));
        let class = known.unwrap_or_else(|| {
            members.push(byte);
            members.len() - 1
        });
        classes[usize::from(byte)] = u8::try_from(class).unwrap_or(u8::MAX);
    }
    (classes, members)
}
