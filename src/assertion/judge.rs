//! Whether a statement holds.

use std::rc::Rc;

use super::below::judge_below;
use super::compare::{Compared, compare};
use super::route::{Asked, Route};
use super::worlds::{World, Worlds};
use crate::config::{Directive, Server, Visibility};
use crate::routing::{About, Trace, Tracer};
use crate::source::Span;

/// What was found about a statement.
#[derive(Debug)]
pub struct Judged<'a, 'c> {
    /// The statement.
    pub route: &'a Route,
    /// What was found about each of its expectations, in their order.
    pub verdicts: Vec<Verdict<'c>>,
    /// What was taken to be so about the way to nginx and about others.
    pub assumptions: Vec<String>,
}

/// What was found about an expectation.
#[derive(Debug, Clone)]
pub enum Verdict<'c> {
    /// It is so.
    Held,
    /// It is not.
    Failed {
        /// What is instead.
        actual: String,
        /// A request by which that is seen; nothing when nginx does not get it.
        witness: Option<Rc<Trace<'c>>>,
    },
    /// Neither is certain, for this reason.
    Undecided(String),
}

/// What was found about a whole statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// All expectations hold.
    Held,
    /// One does not.
    Failed,
    /// None fails, and one could not be decided.
    Undecided,
}

impl Decision {
    /// As it stands in machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Undecided => "undecided",
        }
    }
}

impl<'c> Verdict<'c> {
    /// Of the verdict of another part of the same question: the worse one.
    pub(super) fn and(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Failed { .. }, _) | (Self::Undecided(_), Self::Held) => self,
            (Self::Undecided(_), Self::Undecided(_)) => self,
            _ => other,
        }
    }
}

impl<'c> Judged<'_, 'c> {
    /// What was found about all expectations together.
    pub fn result(&self) -> Decision {
        let any = |wanted: fn(&Verdict<'_>) -> bool| self.verdicts.iter().any(wanted);
        if any(|verdict| matches!(verdict, Verdict::Failed { .. })) {
            Decision::Failed
        } else if any(|verdict| matches!(verdict, Verdict::Undecided(_))) {
            Decision::Undecided
        } else {
            Decision::Held
        }
    }

    /// The first request by which it is seen that the statement does not hold.
    pub fn witness(&self) -> Option<&Trace<'c>> {
        self.verdicts.iter().find_map(|verdict| match verdict {
            Verdict::Failed { witness, .. } => witness.as_deref(),
            _ => None,
        })
    }
}

/// Says whether a statement holds.
pub fn judge<'a, 'c>(route: &'a Route, tracer: &Tracer<'c>) -> Judged<'a, 'c> {
    let mut judged = Judged {
        route,
        verdicts: Vec::new(),
        assumptions: Vec::new(),
    };
    let worlds = match Worlds::of(tracer, &route.request, &route.disk) {
        Ok(worlds) => worlds,
        Err(reason) => {
            let failed = |_| Verdict::Failed {
                actual: format!("no answer: {reason}"),
                witness: None,
            };
            judged.verdicts = route.expectations.iter().map(failed).collect();
            return judged;
        }
    };
    let outside = worlds.worlds.iter().flat_map(|world| {
        let assumptions = world.trace.assumptions.iter();
        assumptions.filter(|assumption| matches!(assumption.about, About::Outside | About::Unread))
    });
    for assumption in outside {
        let text = assumption.to_string();
        if !judged.assumptions.contains(&text) {
            judged.assumptions.push(text);
        }
    }
    let config = tracer.config();
    if config.visibility_above() == Visibility::Lone {
        let lone = "the `http` block, which was not found, sets nothing and holds no other server";
        judged.assumptions.push(lone.to_owned());
    }
    let server = worlds.worlds.first().and_then(|world| world.trace.server);
    if let Some(span) = server.and_then(placeholder) {
        let file = config.sources().file(span.file);
        let line = file.position(span.start).line;
        let reason = format!(
            "it is not known what stands for `{}` at {}:{line}",
            config.excerpt(span),
            file.name()
        );
        let undecided = |_| Verdict::Undecided(reason.clone());
        judged.verdicts = route.expectations.iter().map(undecided).collect();
        return judged;
    }
    judged.verdicts = match &route.asked {
        Asked::One => {
            let settle = |wanted| {
                let compare = |world: &World<'c>| compare(wanted, &world.trace, &world.disk);
                settle(&worlds, &compare, &|taken, holds| {
                    let so = if holds { "holds" } else { "does not hold" };
                    format!("it {so} if {taken}; `exists` and `missing` would settle that")
                })
            };
            let wanted = route.expectations.iter().map(|one| &one.wanted);
            wanted.map(settle).collect()
        }
        Asked::Below(below) => judge_below(route, below, tracer, &worlds),
    };
    judged
}

/// The first directive of a server, or around it, in which a template leaves something open.
fn placeholder(server: Server<'_>) -> Option<Span> {
    let open = |directive: &Directive<'_>| {
        directive.name().has_placeholder()
            || directive.arguments().any(|word| word.has_placeholder())
    };
    let around = server.directive.ancestors().flat_map(Directive::children);
    let around = around.filter(|directive| !directive.is_block());
    let mut all = server.directive.descendants().chain(around);
    all.find(open).map(Directive::span)
}

/// Compares the answers on all disks; `depends` says that what was taken to be so decides.
pub(super) fn settle<'c>(
    worlds: &Worlds<'c>,
    compare: &dyn Fn(&World<'c>) -> Compared,
    depends: &dyn Fn(&str, bool) -> String,
) -> Verdict<'c> {
    let mut held = 0;
    let mut failed: Option<(String, &World<'c>)> = None;
    let mut first_holds = None;
    for world in &worlds.worlds {
        let compared = match unsettled(&world.trace) {
            Some(reason) => Compared::Open(reason),
            None => compare(world),
        };
        match compared {
            Compared::Open(reason) => return Verdict::Undecided(reason),
            Compared::Holds => {
                held += 1;
                first_holds.get_or_insert(true);
            }
            Compared::Fails(actual) => {
                failed.get_or_insert((actual, world));
                first_holds.get_or_insert(false);
            }
        }
    }
    match failed {
        _ if !worlds.is_complete => {
            Verdict::Undecided("it depends on more files than are tried".to_owned())
        }
        None => Verdict::Held,
        Some((actual, world)) if held == 0 => Verdict::Failed {
            actual,
            witness: Some(Rc::new(world.trace.clone())),
        },
        Some(_) => {
            let taken = worlds.taken.join(" and ");
            Verdict::Undecided(depends(&taken, first_holds == Some(true)))
        }
    }
}

/// What an answer rests on that nobody can know here, if it does.
pub(super) fn unsettled(trace: &Trace<'_>) -> Option<String> {
    let is_partial = trace.visibility == Visibility::Partial;
    let rests_on = trace
        .assumptions
        .iter()
        .find(|assumption| match assumption.about {
            About::Other => true,
            About::Unread => is_partial,
            About::File(..) | About::Name | About::Outside => false,
        });
    match rests_on {
        Some(assumption) => Some(format!("it is only assumed that {assumption}")),
        None if is_partial => {
            Some("what stands around the location was not read as a whole".to_owned())
        }
        None => None,
    }
}
