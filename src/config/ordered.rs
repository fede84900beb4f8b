//! Comments that say where a location has to stand.

use super::{Comment, Config, Location};
use crate::source::{FileId, Span};
use std::collections::HashMap;

/// How many lines a comment may stand above its location.
const NEAR: u32 = 3;

/// Words that ask for a place.
const ASKING: [&str; 14] = [
    "must", "has", "have", "needs", "need", "should", "keep", "put", "place", "placed", "goes",
    "come", "comes", "stay",
];

/// Words for a place among others.
const PLACES: [&str; 7] = [
    "before", "above", "first", "after", "below", "last", "precede",
];

/// What the order may be said to do.
const ORDERING: [&str; 4] = ["matters", "important", "counts", "critical"];

/// A comment that asks for a place of a location whose place makes no difference.
#[derive(Debug, Clone)]
pub struct OrderComment<'c> {
    /// Where the comment stands.
    pub span: Span,
    /// The location below it.
    pub location: Location<'c>,
    /// The longest location beside it whose name its own begins with.
    pub shorter: Option<Location<'c>>,
}

impl Config {
    /// The comments above prefix and exact locations that ask for a place of them, in the order of the files.
    pub fn order_comments(&self) -> Vec<OrderComment<'_>> {
        let locations: HashMap<(FileId, u32), Location<'_>> = self
            .locations()
            .filter(|location| !location.is_regex() && location.path.starts_with(b"/"))
            .map(|location| {
                let span = location.directive.full_span();
                ((span.file, span.start), location)
            })
            .collect();
        let asking = self
            .comments()
            .filter(|comment| comment.is_alone() && asks(&comment.text()));
        asking
            .filter_map(|comment: Comment<'_>| {
                let (span, target) = (comment.span(), comment.target()?);
                let location = locations.get(&(target.file, target.start))?.clone();
                let file = self.sources().file(span.file);
                let line = |at: u32| file.position(at).line;
                let is_near = line(target.start) <= line(span.start) + NEAR;
                let beside = || location.level().iter().filter(|other| *other != location);
                let is_alone = beside().next().is_none();
                let shorter = beside()
                    .filter(|other| other.is_prefix() && location.path.starts_with(&other.path))
                    .max_by_key(|other| other.path.len());
                (is_near && !is_alone).then_some(OrderComment {
                    span,
                    location,
                    shorter,
                })
            })
            .collect()
    }
}

/// True for a text that asks for a place, as `must come before the catch-all` does, or says that the order matters.
fn asks(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    // At most a few words lie between the two, as in `has to come before`.
    let is_asked = words.iter().enumerate().any(|(index, word)| {
        let next = words[index + 1..].iter().take(3);
        ASKING.contains(word) && next.into_iter().any(|word| PLACES.contains(word))
    });
    let matters = words.iter().enumerate().any(|(index, word)| {
        let mut next = words[index + 1..].iter().take(2);
        *word == "order" && next.any(|word| ORDERING.contains(word))
    });
    is_asked || matters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_asks_for_a_place_or_says_that_the_order_matters() {
        for text in [
            "# must come first",
            "# Has to stand before the catch-all!",
            "# keep this above /",
            "# Order matters",
            "# the order is important here",
        ] {
            assert!(asks(text), "{text}");
        }
        for text in [
            "# the first page",
            "# orders of the shop",
            "# after the login",
            "# must be public",
            "# before we moved this was /old",
        ] {
            assert!(!asks(text), "{text}");
        }
    }
}
