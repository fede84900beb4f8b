//! Whether a statement holds.

use std::rc::Rc;

use super::below::judge_below;
use super::compare::{Compared, compare};
use super::route::{Asked, Route};
use super::worlds::{World, Worlds};
use crate::config::{Config, Directive, Server, Visibility};
use crate::nginx::Contexts;
use crate::routing::{About, Options, Trace, Tracer};

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

/// Answers for many statements about one configuration.
#[derive(Debug)]
pub struct Judge<'c> {
    tracer: Tracer<'c>,
    /// The directives in which a template leaves something open.
    open: Vec<Directive<'c>>,
    /// False when a server keeps `//` in paths.
    pub(super) merges_slashes: bool,
}

impl<'c> Judge<'c> {
    /// Prepares what all statements have in common.
    pub fn new(config: &'c Config, options: Options) -> Self {
        let is_open = |directive: &Directive<'_>| {
            directive.name().has_placeholder()
                || directive.arguments().any(|word| word.has_placeholder())
        };
        let unmerged = |directive: Directive<'_>| {
            directive.is("merge_slashes") && directive.argument(0).is_some_and(|word| word == "off")
        };
        Self {
            tracer: Tracer::new(config, options),
            open: config.directives().filter(is_open).collect(),
            merges_slashes: !config.directives().any(unmerged),
        }
    }

    /// What follows the requests.
    pub fn tracer(&self) -> &Tracer<'c> {
        &self.tracer
    }

    /// Says whether a statement holds.
    pub fn judge<'a>(&self, route: &'a Route) -> Judged<'a, 'c> {
        let mut judged = Judged {
            route,
            verdicts: Vec::new(),
            assumptions: Vec::new(),
        };
        let worlds = match Worlds::of(&self.tracer, &route.request, &route.disk) {
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
        judged.assumptions = self.assumptions(&worlds);
        let server = worlds.worlds.first().and_then(|world| world.trace.server);
        judged.verdicts = match (server.and_then(|server| self.open(server)), &route.asked) {
            (Some(reason), _) => {
                let undecided = |_| Verdict::Undecided(reason.clone());
                route.expectations.iter().map(undecided).collect()
            }
            (None, Asked::One) => {
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
            (None, Asked::Below(below)) => judge_below(route, below, self, &worlds),
        };
        judged
    }

    /// What was taken to be so that is no part of the configuration, or of what was read of it.
    fn assumptions(&self, worlds: &Worlds<'c>) -> Vec<String> {
        let mut texts = Vec::new();
        let all = worlds
            .worlds
            .iter()
            .flat_map(|world| &world.trace.assumptions);
        for assumption in all {
            let text = assumption.to_string();
            let counts = matches!(assumption.about, About::Outside | About::Unread);
            if counts && !texts.contains(&text) {
                texts.push(text);
            }
        }
        if self.tracer.config().visibility_above() == Visibility::Lone {
            let lone =
                "the `http` block, which was not found, sets nothing and holds no other server";
            texts.push(lone.to_owned());
        }
        texts
    }

    /// Why nothing is certain about a server whose configuration a template makes, if it does.
    fn open(&self, server: Server<'c>) -> Option<String> {
        let concerns = |directive: &&Directive<'c>| {
            let mut around = std::iter::once(**directive).chain(directive.ancestors());
            let block = around.find(|block| {
                block.inside() == Contexts::SERVER || block.inside() == Contexts::UPSTREAM
            });
            block.is_none_or(|block| block == server.directive)
        };
        let span = self.open.iter().find(concerns)?.span();
        let config = self.tracer.config();
        let file = config.sources().file(span.file);
        let line = file.position(span.start).line;
        Some(format!(
            "it is not known what stands for `{}` at {}:{line}",
            config.excerpt(span),
            file.name()
        ))
    }
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
