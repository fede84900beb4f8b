//! Conditions inside of locations, and what a location loses where one is true.

use super::{Directive, Location, Word};

/// What the answer of a location lacks when an `if` in it is true.
#[derive(Debug)]
pub enum Loss<'c> {
    /// Its `try_files`, which no `if` inherits (`ngx_http_update_location_config`).
    TryFiles {
        /// The `if`.
        condition: Directive<'c>,
        /// The directive that is not run.
        lost: Directive<'c>,
    },
    /// Headers that are added elsewhere, as the `if` adds some itself.
    Headers {
        /// The `if`.
        condition: Directive<'c>,
        /// What it adds.
        own: Directive<'c>,
        /// The headers of the location or a level around it that are not sent.
        lost: Vec<Directive<'c>>,
    },
    /// The headers of an earlier `if`, when a later one is true as well.
    Earlier {
        /// The earlier `if`.
        condition: Directive<'c>,
        /// The later one.
        later: Directive<'c>,
        /// What the earlier one adds.
        lost: Vec<Directive<'c>>,
    },
}

impl<'c> Location<'c> {
    /// What the first `if` of the location that costs it something does. One that answers by itself, by `return`, a redirect, a
    /// handler or a file that it chooses, is none.
    pub fn lost_by_condition(&self) -> Option<Loss<'c>> {
        let block = self.directive;
        // What answers before everything else needs nothing of it.
        if block.is_incomplete() || block.answers_first().is_some() {
            return None;
        }
        let conditions = || block.own("if").filter(|condition| goes_on(*condition));
        if let Some(lost) = block.own("try_files").next()
            && let Some(condition) = conditions().find(|condition| !chooses(*condition))
        {
            return Some(Loss::TryFiles { condition, lost });
        }
        if merges_headers(block) {
            return None;
        }
        let around = block.effective("add_header").directives;
        let with_headers: Vec<_> = conditions()
            .filter(|condition| condition.own("add_header").next().is_some())
            .collect();
        // A later one that is true as well brings those around it back.
        let is_last = |condition: &Directive<'c>| {
            !conditions().any(|later| condition.precedes(later) && !with_headers.contains(&later))
        };
        for condition in with_headers.iter().filter(|condition| is_last(condition)) {
            let lost: Vec<_> = missing(&around, *condition);
            if let Some(own) = condition
                .own("add_header")
                .next()
                .filter(|_| !lost.is_empty())
            {
                return Some(Loss::Headers {
                    condition: *condition,
                    own,
                    lost,
                });
            }
        }
        with_headers.windows(2).find_map(|pair| {
            let earlier: Vec<_> = pair[0].own("add_header").collect();
            let lost = missing(&earlier, pair[1]);
            let is_loss = !lost.is_empty() && may_both_hold(pair[0], pair[1]);
            is_loss.then(|| Loss::Earlier {
                condition: pair[0],
                later: pair[1],
                lost,
            })
        })
    }
}

/// True for an `if` after which the location would answer as without it.
fn goes_on(condition: Directive<'_>) -> bool {
    let leaves = |rewrite: Directive<'_>| {
        rewrite.answers_always()
            || rewrite.ends_script() && rewrite.argument(2).is_some_and(|flag| flag == "last")
    };
    !condition.is_incomplete()
        && condition.own("return").next().is_none()
        && condition.handlers().is_empty()
        && !condition.own("rewrite").any(leaves)
}

/// True for an `if` that chooses another file to answer with.
fn chooses(condition: Directive<'_>) -> bool {
    let breaks = |rewrite: Directive<'_>| rewrite.argument(2).is_some_and(|flag| flag == "break");
    condition.own("rewrite").any(breaks)
        || ["root", "alias"]
            .iter()
            .any(|name| condition.own(name).next().is_some())
}

/// The headers among some that a condition does not add itself.
fn missing<'c>(all: &[Directive<'c>], condition: Directive<'c>) -> Vec<Directive<'c>> {
    let has = |name: &Word<'_>| {
        condition.own("add_header").any(|own| {
            own.argument(0)
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    };
    let is_lost = |header: &&Directive<'c>| header.argument(0).is_some_and(|name| !has(&name));
    all.iter().filter(is_lost).copied().collect()
}

/// True where headers of outer levels are added to those of inner ones (since 1.29.3).
fn merges_headers(block: Directive<'_>) -> bool {
    let blocks = std::iter::once(block).chain(block.ancestors());
    blocks.into_iter().any(|level| {
        let inside = level
            .own("if")
            .flat_map(|condition| condition.own("add_header_inherit"));
        level
            .own("add_header_inherit")
            .chain(inside)
            .next()
            .is_some()
    })
}

/// True for conditions on different variables, of which neither is true only where the other is not.
fn may_both_hold(one: Directive<'_>, other: Directive<'_>) -> bool {
    let subject = |condition: Directive<'_>| condition.argument(0).map(|word| word.to_vec());
    let trimmed = |word: Option<Vec<u8>>| {
        word.map(|word| {
            word.iter()
                .copied()
                .filter(|byte| !matches!(byte, b'(' | b')'))
                .collect::<Vec<u8>>()
        })
    };
    let (one, other) = (trimmed(subject(one)), trimmed(subject(other)));
    one != other
        && [one, other]
            .iter()
            .all(|word| word.as_ref().is_some_and(|word| word.starts_with(b"$")))
}
