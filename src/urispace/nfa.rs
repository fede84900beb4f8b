//! A pattern as a graph: what may be read next, and what has to hold where.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bytes::{Bytes, cost};
use super::pattern::Pattern;

/// Most nodes of one pattern.
const LIMIT: usize = 20_000;

/// What no way leads to.
pub(super) const FAR: u64 = u64::MAX;

/// The number of a node.
pub(super) type Id = u32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Reads a byte.
    Byte(Bytes, Id),
    /// Goes both ways.
    Fork(Id, Id),
    Start(Id),
    End {
        may_break: bool,
        next: Id,
    },
    Boundary {
        is_inside: bool,
        next: Id,
    },
    Ahead {
        inside: Id,
        is_negative: bool,
        next: Id,
    },
    Accept,
}

#[derive(Debug)]
pub(super) struct Nfa {
    pub(super) nodes: Vec<Node>,
    pub(super) start: Id,
    /// What has to be read at least from each node to a match; [`FAR`] where nothing leads to one.
    pub(super) distances: Vec<u64>,
}

impl Nfa {
    /// The graph of a pattern; nothing when it is too large.
    pub(super) fn new(pattern: &Pattern) -> Option<Self> {
        let mut builder = Builder { nodes: Vec::new() };
        let accept = builder.add(Node::Accept)?;
        let start = builder.pattern(pattern, accept)?;
        let mut nfa = Self {
            distances: Vec::new(),
            nodes: builder.nodes,
            start,
        };
        nfa.distances = distances(&nfa.nodes);
        Some(nfa)
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }
}

/// Builds from the end of a pattern to its beginning.
struct Builder {
    nodes: Vec<Node>,
}

impl Builder {
    fn add(&mut self, node: Node) -> Option<Id> {
        if self.nodes.len() >= LIMIT {
            return None;
        }
        self.nodes.push(node);
        Id::try_from(self.nodes.len() - 1).ok()
    }

    /// The node where a pattern begins after which `next` follows.
    fn pattern(&mut self, pattern: &Pattern, next: Id) -> Option<Id> {
        match pattern {
            Pattern::Byte(bytes) => self.add(Node::Byte(*bytes, next)),
            Pattern::All(parts) => parts
                .iter()
                .rev()
                .try_fold(next, |next, part| self.pattern(part, next)),
            Pattern::Any(parts) => {
                let mut parts = parts.iter().rev();
                let mut all = match parts.next() {
                    Some(last) => self.pattern(last, next)?,
                    None => return Some(next),
                };
                for part in parts {
                    let first = self.pattern(part, next)?;
                    all = self.add(Node::Fork(first, all))?;
                }
                Some(all)
            }
            Pattern::Repeat {
                inside,
                least,
                most,
            } => {
                let mut after = next;
                match most {
                    None => {
                        let again = self.add(Node::Fork(next, next))?;
                        let first = self.pattern(inside, again)?;
                        self.nodes[again as usize] = Node::Fork(first, next);
                        after = again;
                    }
                    Some(most) => {
                        for _ in *least..*most {
                            let first = self.pattern(inside, after)?;
                            after = self.add(Node::Fork(first, next))?;
                        }
                    }
                }
                for _ in 0..*least {
                    after = self.pattern(inside, after)?;
                }
                Some(after)
            }
            Pattern::Start => self.add(Node::Start(next)),
            Pattern::End { may_break } => self.add(Node::End {
                may_break: *may_break,
                next,
            }),
            Pattern::Boundary { is_inside } => self.add(Node::Boundary {
                is_inside: *is_inside,
                next,
            }),
            Pattern::Ahead {
                inside,
                is_negative,
            } => {
                let end = self.add(Node::Accept)?;
                let inside = self.pattern(inside, end)?;
                self.add(Node::Ahead {
                    inside,
                    is_negative: *is_negative,
                    next,
                })
            }
        }
    }
}

/// What has to be read at least from each node on, leaving out what the assertions ask for.
fn distances(nodes: &[Node]) -> Vec<u64> {
    let mut from: Vec<Vec<(Id, u64)>> = vec![Vec::new(); nodes.len()];
    for (id, node) in (0..).zip(nodes) {
        let mut edge = |to: Id, cost: u64| from[to as usize].push((id, cost));
        match node {
            Node::Byte(bytes, next) => {
                if let Some(cost) = bytes.iter().map(cost).min() {
                    edge(*next, cost);
                }
            }
            Node::Fork(first, second) => {
                edge(*first, 0);
                edge(*second, 0);
            }
            Node::Start(next)
            | Node::End { next, .. }
            | Node::Boundary { next, .. }
            | Node::Ahead { next, .. } => edge(*next, 0),
            Node::Accept => {}
        }
    }
    let mut distances = vec![FAR; nodes.len()];
    let mut heap = BinaryHeap::new();
    for (id, node) in (0..).zip(nodes) {
        if *node == Node::Accept {
            distances[id as usize] = 0;
            heap.push((Reverse(0), id));
        }
    }
    while let Some((Reverse(distance), id)) = heap.pop() {
        if distance > distances[id as usize] {
            continue;
        }
        for (before, cost) in &from[id as usize] {
            let longer = distance + cost;
            if longer < distances[*before as usize] {
                distances[*before as usize] = longer;
                heap.push((Reverse(longer), *before));
            }
        }
    }
    distances
}
