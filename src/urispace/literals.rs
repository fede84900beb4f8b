//! The names of locations that a search keeps in view, as a trie.

use std::collections::BTreeSet;

use super::tree::{Facts, Id, LevelId, Taker, Tree};
use crate::config::Modifier;

/// Where a text stands: at a node, or beyond the last name that it begins with.
pub(super) type Position = u32;

/// The beginning.
pub(super) const ROOT: Position = 0;

#[derive(Debug)]
pub(super) struct Literals {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    parent: Option<usize>,
    children: Vec<(u8, usize)>,
    /// What the text is the whole name of.
    whole: Vec<(LevelId, Taker)>,
    /// What the text is the prefix of.
    prefixes: Vec<(LevelId, Id)>,
    /// The nearest node with prefixes, itself or above.
    marked: Option<usize>,
}

impl Literals {
    /// The names of some takers.
    pub(super) fn new(tree: &Tree<'_>, names: &BTreeSet<Taker>) -> Self {
        let mut nodes = vec![Node::default()];
        for taker in names {
            let mut at = 0;
            for byte in tree.name(*taker) {
                let known = nodes[at].children.iter().find(|(child, _)| child == byte);
                at = match known {
                    Some((_, child)) => *child,
                    None => {
                        let child = nodes.len();
                        nodes[at].children.push((*byte, child));
                        nodes.push(Node {
                            parent: Some(at),
                            ..Node::default()
                        });
                        child
                    }
                };
            }
            let (Taker::Block(id) | Taker::Redirect(id)) = *taker;
            let level = tree.blocks[id].level;
            match taker {
                Taker::Block(id) if tree.modifier(*id) != Modifier::Exact => {
                    nodes[at].prefixes.push((level, *id));
                }
                _ => nodes[at].whole.push((level, *taker)),
            }
        }
        // A child comes after its parent.
        for at in 0..nodes.len() {
            let above = nodes[at].parent.and_then(|parent| nodes[parent].marked);
            nodes[at].marked = match nodes[at].prefixes.is_empty() {
                true => above,
                false => Some(at),
            };
        }
        Self { nodes }
    }

    pub(super) fn step(&self, position: Position, byte: u8) -> Position {
        if position & 1 == 1 {
            return position;
        }
        let node = &self.nodes[position as usize >> 1];
        match node.children.iter().find(|(child, _)| *child == byte) {
            Some((_, child)) => (*child as Position) << 1,
            None => (node.marked.unwrap_or_default() as Position) << 1 | 1,
        }
    }

    /// The bytes by which a name goes on.
    pub(super) fn next(&self, position: Position) -> impl Iterator<Item = u8> {
        let node = (position & 1 == 0).then(|| &self.nodes[position as usize >> 1]);
        node.into_iter()
            .flat_map(|node| node.children.iter().map(|(byte, _)| *byte))
    }

    pub(super) fn last(&self, position: Position, level: LevelId) -> Option<Taker> {
        if position & 1 == 1 {
            return None;
        }
        let whole = &self.nodes[position as usize >> 1].whole;
        let found = whole.iter().find(|(at, _)| *at == level);
        found.map(|(_, taker)| *taker)
    }

    pub(super) fn longest(&self, position: Position, level: LevelId) -> Option<Id> {
        let mut at = self.nodes[position as usize >> 1].marked;
        while let Some(node) = at.map(|at| &self.nodes[at]) {
            if let Some((_, id)) = node.prefixes.iter().find(|(found, _)| *found == level) {
                return Some(*id);
            }
            at = node.parent.and_then(|parent| self.nodes[parent].marked);
        }
        None
    }
}

/// What a search knows of a text.
pub(super) struct Seen<'s> {
    pub(super) literals: &'s Literals,
    pub(super) position: Position,
    /// By location: the place of its regex among those that are followed.
    pub(super) places: &'s [Option<usize>],
    /// Whether each regex that is followed matches.
    pub(super) ends: &'s [bool],
}

impl Facts for Seen<'_> {
    // What is left out of view takes nothing: then all that can win is found, and more.
    const UNKNOWN_TAKES: bool = false;

    fn last(&self, level: LevelId) -> Option<Taker> {
        self.literals.last(self.position, level)
    }

    fn longest(&self, level: LevelId) -> Option<Id> {
        self.literals.longest(self.position, level)
    }

    fn is_match(&self, regex: Id) -> Option<bool> {
        self.places[regex].map(|place| self.ends[place])
    }
}
