//! Places and changes in words.

use super::effect;
use super::meaning::Change;
use super::pairs::{self, Pair};
use crate::config::{Config, Directive, Location, Server};
use crate::routing::Choice;
use crate::source::Span;

/// How many directives are named as the reason of a difference.
const NAMED: usize = 3;

/// Tells what is different about two configurations.
pub(super) struct Told<'c> {
    /// The old one and the new one.
    pub(super) configs: [&'c Config; 2],
}

impl<'c> Told<'c> {
    /// Two servers that answer the same requests.
    pub(super) fn servers(&self, old: Server<'c>, new: Server<'c>) -> String {
        let at =
            |side: usize, server: Server<'c>| place(self.configs[side], server.directive.span());
        format!("the server at {}", sides(&at(0, old), &at(1, new)))
    }

    /// A location that one side has only.
    pub(super) fn only(&self, side: usize, location: &Location<'c>) -> String {
        let at = place(self.configs[side], location.directive.span());
        format!(
            "location `{location}` only in {} ({at})",
            ["old", "new"][side]
        )
    }

    /// What makes the difference: other places, or directives in the same ones.
    pub(super) fn why(&self, pair: &Pair<'c>, changes: &[Change<'c>]) -> String {
        let at = |side: usize, choice: &Choice<'c>| match choice {
            Choice::Location(location) | Choice::Redirect(location) => {
                place(self.configs[side], location.directive.span())
            }
            Choice::Server | Choice::Unknown => String::new(),
        };
        let (old, new) = (pairs::shown(&pair.old), pairs::shown(&pair.new));
        match old == new {
            true => format!("{old}: {}", self.changes(changes)),
            false => {
                let with = |name: String, at: String| match at.is_empty() {
                    true => name,
                    false => format!("{name} ({at})"),
                };
                format!(
                    "{} → {}",
                    with(old, at(0, &pair.old)),
                    with(new, at(1, &pair.new))
                )
            }
        }
    }

    /// What makes a difference, without files and lines, so that the same change elsewhere is known again; what several
    /// places have from outside is one change for all of them.
    pub(super) fn cause(
        &self,
        place: &str,
        blocks: [Directive<'c>; 2],
        changes: &[Change<'c>],
    ) -> String {
        let is_own = |change: &Change<'c>| {
            let inside = |directive: Option<Directive<'c>>, block| {
                directive.is_some_and(|directive| directive.parent() == Some(block))
            };
            inside(change.old, blocks[0]) || inside(change.new, blocks[1])
        };
        let outside = !changes.is_empty() && !changes.iter().any(is_own);
        match outside && !place.contains('→') {
            true => self.texts(place.split('`').next().unwrap_or_default(), changes),
            false => self.texts(place, changes),
        }
    }

    /// A place with what is said there on both sides.
    pub(super) fn texts(&self, place: &str, changes: &[Change<'c>]) -> String {
        let mut cause = place.to_owned();
        for change in changes {
            for (side, directive) in [(0, change.old), (1, change.new)] {
                cause.push('\0');
                for line in lines(directive) {
                    cause.push_str(&self.configs[side].text(line.span()));
                    cause.push('\n');
                }
            }
        }
        cause
    }

    /// Changes in words.
    pub(super) fn changes(&self, changes: &[Change<'c>]) -> String {
        let one = |change: &Change<'c>| {
            let [old, new] = [change.old, change.new].map(lines);
            let texts = |side: usize, lines: &[Directive<'c>]| -> Vec<String> {
                let spans = lines.iter().map(|line| line.span());
                spans.map(|span| self.configs[side].excerpt(span)).collect()
            };
            let [before, after] = [texts(0, &old), texts(1, &new)];
            let only =
                |side: usize, lines: &[Directive<'c>], texts: &[String], others: &[String]| {
                    let mine = lines
                        .iter()
                        .zip(texts)
                        .filter(|(_, text)| !others.contains(text));
                    mine.map(|(line, text)| {
                        format!("`{text}` ({})", place(self.configs[side], line.span()))
                    })
                    .collect::<Vec<_>>()
                };
            let (left, right) = (
                only(0, &old, &before, &after),
                only(1, &new, &after, &before),
            );
            match (left.is_empty(), right.is_empty()) {
                (true, true) => {
                    let at = [(0, change.old), (1, change.new)].map(|(side, directive)| {
                        directive.map_or_else(String::new, |directive| {
                            place(self.configs[side], directive.span())
                        })
                    });
                    format!(
                        "`{}`, or what it refers to ({})",
                        before
                            .first()
                            .or(after.first())
                            .cloned()
                            .unwrap_or_default(),
                        sides(&at[0], &at[1])
                    )
                }
                (false, true) => format!("{} only in old", shortened(&left)),
                (true, false) => format!("{} only in new", shortened(&right)),
                (false, false) => format!("{} → {}", shortened(&left), shortened(&right)),
            }
        };
        let mut all: Vec<String> = changes.iter().take(NAMED).map(one).collect();
        if changes.len() > NAMED {
            all.push(format!("and {} more", changes.len() - NAMED));
        }
        all.join(", ")
    }
}

/// The places of a pair, or the one that both are.
pub(super) fn both(pair: &Pair<'_>) -> String {
    let (old, new) = (pairs::shown(&pair.old), pairs::shown(&pair.new));
    match old == new {
        true => old,
        false => format!("{old} → {new}"),
    }
}

/// The directives that say together what a change is about: all of their name on one level, or all rewriting of a block.
fn lines(first: Option<Directive<'_>>) -> Vec<Directive<'_>> {
    let Some(first) = first else {
        return Vec::new();
    };
    let Some(block) = first.parent() else {
        return vec![first];
    };
    let together = |other: &Directive<'_>| match effect::is_rewriting(first) {
        true => effect::is_rewriting(*other),
        false => other.name().value == first.name().value,
    };
    let all: Vec<Directive<'_>> = block.children().filter(together).collect();
    let nested = all
        .iter()
        .filter(|line| line.is("if"))
        .flat_map(|line| line.children());
    all.iter().copied().chain(nested).collect()
}

fn shortened(texts: &[String]) -> String {
    let mut text = texts[..texts.len().min(NAMED)].join(", ");
    if texts.len() > NAMED {
        text += &format!(" and {} more", texts.len() - NAMED);
    }
    text
}

/// Two places, or one if they read the same.
fn sides(old: &str, new: &str) -> String {
    match old == new {
        true => old.to_owned(),
        false => format!("{old} → {new}"),
    }
}

/// The file and the line of a span.
pub(super) fn place(config: &Config, span: Span) -> String {
    let file = config.sources().file(span.file);
    format!("{}:{}", file.name(), file.position(span.start).line)
}
