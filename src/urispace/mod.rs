//! Which URIs each location really receives, proved over all of them.
//!
//! A [`Space`] holds the locations of one server, or of two that are compared. [`Space::find`] looks for a URI with which
//! nginx's search for a location ends as a [`Goal`] says: the answer is such a URI, the locations that leave none, or
//! that nothing could be proved.

use crate::config::{Level, Location};
use crate::routing::Choice;

/// The locations of one server, or of two that are compared.
#[derive(Debug)]
pub struct Space<'c> {
    roots: Vec<Level<'c>>,
}

/// What is asked of a URI.
#[derive(Debug, Clone)]
pub struct Goal<'c> {
    /// How the search has to end, by the index of the root that it starts from; never [`Choice::Unknown`].
    pub endings: Vec<(usize, Choice<'c>)>,
    /// How the URI has to begin, decoded; empty for any.
    pub below: Vec<u8>,
    /// Which URIs count.
    pub uris: Uris,
}

/// Which URIs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uris {
    /// Those that a client can send: normalised.
    Client,
    /// All, since redirects inside of nginx may carry anything.
    Any,
}

/// What was found for a goal.
#[derive(Debug, Clone)]
pub enum Found<'c> {
    /// A URI that fulfils it.
    Uri(Vec<u8>),
    /// No URI does, and these locations take them all.
    Nothing(Vec<Location<'c>>),
    /// Neither could be proved, for this reason.
    Unknown(String),
}

impl<'c> Space<'c> {
    /// The space of one level with all below it, or of two.
    pub fn new(roots: &[Level<'c>]) -> Self {
        Self {
            roots: roots.to_vec(),
        }
    }

    /// Looks for the cheapest URI of a goal: short, and printable if one is.
    pub fn find(&mut self, goal: &Goal<'c>) -> Found<'c> {
        let known = goal
            .endings
            .iter()
            .all(|(root, _)| *root < self.roots.len());
        Found::Unknown(format!("not yet ({known})"))
    }
}
