//! Which regex `$1` to `$9` speak of where they are used.

use std::ops::Range;

use super::{Config, Directive, Location, Word};
use crate::nginx::{self, Contexts};

/// A `$1` that holds nothing, or not what its place suggests.
#[derive(Debug)]
pub struct EmptyCapture<'c> {
    /// The word that it stands in, and where.
    pub word: Word<'c>,
    /// Its place in the word.
    pub range: Range<usize>,
    /// The directive that uses it.
    pub user: Directive<'c>,
    /// The regex that was tried last, if it is known which that is.
    pub last: Option<Directive<'c>>,
    /// The location whose regex has such a group, when another regex was tried since.
    pub lost: Option<Location<'c>>,
    /// True when it may hold what the last regex captured, if that matched.
    pub may_be_other: bool,
}

impl EmptyCapture<'_> {
    /// True when the regex that was tried last has such a group, and did not match where this is reached.
    pub fn is_unmatched(&self) -> bool {
        let digits = self.word[self.range.clone()]
            .iter()
            .filter(|byte| byte.is_ascii_digit());
        let number = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
        let groups = self.last.and_then(Directive::groups);
        number > 0 && groups.is_some_and(|groups| groups >= number)
    }

    /// True when nothing gets to the directive that uses it.
    pub fn is_dead(&self) -> bool {
        let block = self.user.parent();
        let dead = block.and_then(|block| block.dead_script());
        dead.is_some_and(|(_, dead)| dead.contains(&self.user))
    }
}

/// Directives whose arguments are evaluated when the script of their block has run, and that try no regex themselves.
const USERS: [&str; 14] = [
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "memcached_pass",
    "proxy_set_header",
    "grpc_set_header",
    "fastcgi_param",
    "uwsgi_param",
    "scgi_param",
    "alias",
    "root",
    "try_files",
];

/// What `$1` speaks of at a step of the script.
#[derive(Clone, Copy)]
struct State<'c> {
    /// How many groups there can be at most.
    groups: usize,
    /// The regex that was tried last.
    last: Option<Directive<'c>>,
    /// True when that regex is not the location's own.
    is_other: bool,
    /// True while the request may have left the script at an earlier place, with other captures.
    is_open: bool,
}

impl Config {
    /// The captures that certainly hold nothing, or nothing of the location that they stand in.
    ///
    /// A regex that matches puts its groups in the place of those before; one of `if` or `rewrite` that does not match
    /// leaves none (`ngx_http_script_regex_start_code`). Regexes of a `map` count when they have as many groups: nothing is
    /// said then.
    pub fn empty_captures(&self) -> Vec<EmptyCapture<'_>> {
        let mut found = Vec::new();
        let mut of_maps = None;
        for location in self.location_levels().into_iter().flatten() {
            let block = location.directive;
            if block.is_incomplete() || !uses_captures(block) {
                continue;
            }
            let of_maps = *of_maps.get_or_insert_with(|| self.groups_of_maps());
            let own = match location.is_regex() {
                true => location.regex().map(|regex| regex.captures_len() - 1),
                false => groups_around(&location),
            };
            let Some(groups) = own else { continue };
            let start = State {
                groups,
                last: location.is_regex().then_some(block),
                is_other: false,
                is_open: false,
            };
            let mut walk = Walk {
                location: &location,
                own: groups,
                of_maps,
                found: &mut found,
            };
            // Where something answers first, nothing is passed on.
            walk.block(block, start, block.answers_first().is_none());
        }
        found
    }

    /// The most groups that a regex of a `map` can have.
    fn groups_of_maps(&self) -> usize {
        let lines = self
            .directives()
            .filter(|line| line.context() == Contexts::MAP);
        let groups = lines
            .map(|line| line.name())
            .filter(|key| key.starts_with(b"~"));
        groups.map(|key| bound(&key)).max().unwrap_or(0)
    }
}

struct Walk<'a, 'c> {
    location: &'a Location<'c>,
    /// The groups that a request brings into the location.
    own: usize,
    of_maps: usize,
    found: &'a mut Vec<EmptyCapture<'c>>,
}

impl<'c> Walk<'_, 'c> {
    /// Goes through the script of a block, and with `whole` through what is evaluated afterwards.
    fn block(&mut self, block: Directive<'c>, start: State<'c>, whole: bool) -> State<'c> {
        let mut state = start;
        let script = block.script();
        for (index, step) in script.iter().enumerate() {
            match &*step.name() {
                b"set" => self.look(*step, step.argument(1), state),
                b"return" => {
                    for word in step.arguments() {
                        self.look(*step, Some(word), state);
                    }
                }
                b"break" => state.is_open = true,
                b"rewrite" => {
                    let Some(groups) = step.groups() else {
                        state.is_open = true;
                        continue;
                    };
                    self.look(*step, step.argument(1), state.after(*step, groups));
                    let stays = stops(*step);
                    let leaves = step.leaves() && !stays;
                    state = state.after(*step, if leaves { 0 } else { groups });
                    state.is_open |= stays;
                }
                _ => {
                    let is_last = !script[index + 1..].iter().any(|later| tries(*later));
                    state = self.condition(*step, state, whole && is_last);
                }
            }
        }
        for user in USERS
            .iter()
            .flat_map(|name| block.own(name))
            .filter(|_| whole)
        {
            for word in user.arguments() {
                self.look(user, Some(word), state);
            }
        }
        state
    }

    /// Goes through an `if`; the state behind it.
    fn condition(&mut self, step: Directive<'c>, state: State<'c>, whole: bool) -> State<'c> {
        let stops = step.descendants().any(stops) || step.own("break").next().is_some();
        let ends = step.own("return").next().is_some();
        if !tries(step) {
            let inside = self.block(step, state, whole);
            let is_open = stops || !ends && inside.last != state.last;
            return State {
                is_open: state.is_open || is_open,
                ..state
            };
        }
        let Some(groups) = step.groups() else {
            return State {
                is_open: true,
                ..state
            };
        };
        let is_negative = step.arguments().any(|word| word.starts_with(b"!~"));
        let inside = self.block(
            step,
            state.after(step, if is_negative { 0 } else { groups }),
            whole,
        );
        let groups = match (ends, is_negative) {
            // Only where it did not match does a request get behind it, or only where it did.
            (true, false) => 0,
            (true, true) => groups,
            _ => groups.max(inside.groups),
        };
        let after = state.after(step, groups);
        State {
            is_open: after.is_open || stops,
            ..after
        }
    }

    /// Notes the captures in a word that can hold nothing of what was meant.
    fn look(&mut self, user: Directive<'c>, word: Option<Word<'c>>, state: State<'c>) {
        let Some(word) = word.filter(|word| !self.location.directive.config.is_filled_in(word))
        else {
            return;
        };
        for reference in nginx::references(&word) {
            if !reference.is_capture() {
                continue;
            }
            let group = usize::from(reference.name.as_bytes()[0] - b'0');
            // In its own replacement or block a regex has matched.
            let is_inside = state
                .last
                .is_some_and(|last| last == user || last.is("if") && user.parent() == Some(last));
            let is_lost = state.is_other && self.location.is_regex() && group <= self.own;
            let is_empty = group > state.groups && group > self.of_maps;
            let is_rewritten = state.last.is_some_and(|last| last.is("rewrite"));
            let is_exchanged = is_lost && !is_inside && !is_rewritten && group <= state.groups;
            if state.is_open && !is_inside || !is_empty && !is_exchanged {
                continue;
            }
            self.found.push(EmptyCapture {
                word: word.clone(),
                range: reference.range,
                user,
                last: state.last,
                lost: is_lost.then(|| self.location.clone()),
                may_be_other: is_exchanged,
            });
        }
    }
}

impl<'c> State<'c> {
    /// After another regex was tried.
    fn after(self, step: Directive<'c>, groups: usize) -> Self {
        Self {
            groups,
            last: Some(step),
            is_other: true,
            ..self
        }
    }
}

/// True when `$1` or another capture is used anywhere in a block itself or in its conditions.
fn uses_captures(block: Directive<'_>) -> bool {
    block.descendants().any(|inner| {
        inner.arguments().any(|word| {
            word.windows(2)
                .any(|pair| pair[0] == b'$' && (b'1'..=b'9').contains(&pair[1]))
        })
    })
}

/// The most groups that can have captured something before a location without a regex is entered; nothing where not all
/// that could is visible.
fn groups_around(location: &Location<'_>) -> Option<usize> {
    let server = location.server()?.directive;
    let is_open = server.is_incomplete() || server.descendants().any(Directive::is_incomplete);
    let inside = server.descendants().flat_map(Directive::arguments);
    (!is_open).then(|| inside.map(|word| bound(&word)).max().unwrap_or(0))
}

/// At least as many as a regex has groups.
fn bound(pattern: &[u8]) -> usize {
    pattern.iter().filter(|byte| **byte == b'(').count()
}

/// True for a step of the script that tries a regex.
fn tries(step: Directive<'_>) -> bool {
    let is_operator = |word: Word<'_>| word.starts_with(b"~") || word.starts_with(b"!~");
    step.is("rewrite") || step.is("if") && step.arguments().any(is_operator)
}

/// True for a `rewrite` with the flag `break`.
fn stops(step: Directive<'_>) -> bool {
    step.is("rewrite") && step.argument(2).is_some_and(|flag| flag == "break")
}
