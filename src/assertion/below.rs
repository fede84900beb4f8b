//! Whether a statement holds for every request below a path.
//!
//! The locations that answer below it are found by proof. Of each, one request is followed; where nothing on its way
//! depends on the path or the query, all others go the same way. What depends on the disk is tried on all disks, with a
//! path that has nothing in common with any name in the configuration.

use super::compare::compare;
use super::judge::{Judge, Verdict, settle};
use super::route::{Route, Wanted};
use super::template::{Meant, compare_redirect, compare_url};
use super::worlds::{World, Worlds};
use crate::config::{Config, Level, Modifier, Shape};
use crate::routing::{By, Choice, Fork, Part, Request, Tracer, Uri, choose, escape};
use crate::source::Span;
use crate::urispace::{Found, Goal, Space};

/// A name that stands for any other.
const TOKEN: &str = "x7q9z";

/// What answers some of the requests.
struct Block<'c> {
    choice: Choice<'c>,
    /// A path that it answers.
    path: Vec<u8>,
    /// The requests that were followed, for all that it answers.
    followed: Vec<(Vec<u8>, Worlds<'c>)>,
    /// Why others may go another way than those.
    doubt: Option<String>,
}

/// Judges each expectation of a statement; `probe` is what became of the request for the path itself.
pub(super) fn judge_below<'c>(
    route: &Route,
    below: &[u8],
    judge: &Judge<'c>,
    probe: &Worlds<'c>,
) -> Vec<Verdict<'c>> {
    let all = |reason: String| {
        let undecided = |_| Verdict::Undecided(reason.clone());
        route.expectations.iter().map(undecided).collect()
    };
    let tracer = judge.tracer();
    if !judge.merges_slashes {
        return all("nothing is proved where `merge_slashes` is off".to_owned());
    }
    let server = probe.worlds.first().and_then(|world| world.trace.server);
    let Some(server) = server else {
        return all("no server is chosen".to_owned());
    };
    let level = server.directive.locations();
    let mut space = Space::new(&[level]);
    let mut blocks = Vec::new();
    let mut unknown = None;
    for choice in choices(level, below) {
        let goal = Goal {
            below: below.to_vec(),
            ..Goal::client(choice.clone())
        };
        match space.find(&goal) {
            Found::Uri(path) => blocks.push((choice, path)),
            Found::Nothing(_) => {}
            Found::Unknown(reason) => {
                unknown.get_or_insert(format!("what answers here is not proved: {reason}"));
            }
        }
    }
    let is_alone = blocks.len() == 1 && unknown.is_none();
    let finder = Finder {
        route,
        below,
        tracer,
        config: tracer.config(),
        choose: &|path| choose(server, path),
        is_alone,
    };
    let blocks: Result<Vec<Block<'c>>, String> = blocks
        .into_iter()
        .map(|(choice, path)| finder.block(choice, path))
        .collect();
    let blocks = match blocks {
        Ok(blocks) => blocks,
        Err(reason) => return all(reason),
    };
    let verdict = |wanted: &Wanted| {
        let verdicts = blocks.iter().map(|block| block.verdict(wanted, below));
        let rest = match &unknown {
            Some(reason) => Verdict::Undecided(reason.clone()),
            None => Verdict::Held,
        };
        verdicts.fold(rest, Verdict::and)
    };
    let wanted = route.expectations.iter().map(|one| &one.wanted);
    wanted.map(verdict).collect()
}

/// Everything that could answer a request below a path.
fn choices<'c>(level: Level<'c>, below: &[u8]) -> Vec<Choice<'c>> {
    let fits = |name: &[u8]| name.starts_with(below) || below.starts_with(name);
    let mut found = vec![Choice::Server];
    let mut levels = vec![level];
    while let Some(level) = levels.pop() {
        for location in level.iter() {
            let may_answer = match location.modifier {
                Modifier::Exact => location.path.starts_with(below),
                Modifier::Prefix | Modifier::PreferentialPrefix => fits(&location.path),
                Modifier::Regex | Modifier::CaselessRegex => true,
                Modifier::Named => false,
            };
            let slashless = location.path.strip_suffix(b"/");
            if !location.is_regex() && slashless.is_some_and(|name| name.starts_with(below)) {
                found.push(Choice::Redirect(location.clone()));
            }
            if may_answer {
                levels.push(location.directive.locations());
                found.push(Choice::Location(location));
            }
        }
    }
    found
}

/// Finds requests that stand for all that a block answers.
struct Finder<'a, 'c> {
    route: &'a Route,
    below: &'a [u8],
    tracer: &'a Tracer<'c>,
    config: &'c Config,
    choose: &'a dyn Fn(&[u8]) -> Choice<'c>,
    /// True when one block answers all of them.
    is_alone: bool,
}

impl<'c> Finder<'_, 'c> {
    fn block(&self, choice: Choice<'c>, path: Vec<u8>) -> Result<Block<'c>, String> {
        let first = self.follow(&path)?;
        let mut block = Block {
            followed: Vec::new(),
            doubt: None,
            choice,
            path,
        };
        let forks = || {
            first
                .worlds
                .iter()
                .flat_map(|world| &world.trace.variation.forks)
        };
        let by_slash = forks().any(|fork| fork.by == By::Slash);
        let looks = first.worlds.iter().any(|world| {
            let mut looked = world.trace.variation.looked.iter();
            looked.any(|(_, varied)| *varied)
        });
        if block.is_single() || !by_slash && !looks {
            block.followed.push((block.path.clone(), first));
        } else {
            let ends: &[bool] = if by_slash { &[false, true] } else { &[false] };
            for ends_with_slash in ends {
                match self.general(&block, *ends_with_slash)? {
                    Some(found) => block.followed.push(found),
                    None => block.doubt = Some(self.no_general(*ends_with_slash)),
                }
            }
            if block.followed.is_empty() {
                block.followed.push((block.path.clone(), first));
            }
        }
        let fork = block
            .worlds()
            .flat_map(|world| &world.trace.variation.forks)
            .find(|fork| !self.is_harmless(fork, &block));
        if let Some(fork) = fork {
            block.doubt = Some(self.told(fork));
        }
        Ok(block)
    }

    fn follow(&self, path: &[u8]) -> Result<Worlds<'c>, String> {
        let request = Request {
            target: escape(path),
            ..self.route.request.clone()
        };
        Worlds::of(self.tracer, &request, &self.route.disk)
    }

    /// A request that stands for all of a block whose paths end with a slash, or do not.
    fn general(
        &self,
        block: &Block<'c>,
        ends_with_slash: bool,
    ) -> Result<Option<(Vec<u8>, Worlds<'c>)>, String> {
        let begin = block.begin(self.below);
        let rest = block.path.get(begin.len()..).unwrap_or_default();
        let slash = if ends_with_slash { "/" } else { "" };
        let candidates = [
            [begin, TOKEN.as_bytes(), slash.as_bytes()].concat(),
            [&block.path, TOKEN.as_bytes(), slash.as_bytes()].concat(),
            [begin, TOKEN.as_bytes(), rest].concat(),
            [begin, TOKEN.as_bytes(), b"/", rest].concat(),
        ];
        for path in candidates {
            let normal = Uri::parse(&escape(&path), true).is_some_and(|uri| uri.path == path);
            if !normal
                || path.ends_with(b"/") != ends_with_slash
                || (self.choose)(&path) != block.choice
            {
                continue;
            }
            let worlds = self.follow(&path)?;
            let holds_token = |looked: &[u8]| {
                let token = TOKEN.as_bytes();
                looked.windows(token.len()).any(|part| part == token)
            };
            let mut looked = worlds
                .worlds
                .iter()
                .flat_map(|world| &world.trace.variation.looked);
            // What is said about one file says nothing about the others.
            let is_general = looked.all(|(looked, varied)| {
                holds_token(looked) == *varied
                    && !(*varied && self.route.disk.get(looked).is_some())
            });
            if is_general {
                return Ok(Some((path, worlds)));
            }
        }
        Ok(None)
    }

    fn no_general(&self, ends_with_slash: bool) -> String {
        let kind = match ends_with_slash {
            true => "that ends with a slash",
            false => "that ends without a slash",
        };
        format!("it depends on files, and no path {kind} was found that stands for all")
    }

    /// True when all requests of a block take the same way at a fork.
    fn is_harmless(&self, fork: &Fork, block: &Block<'c>) -> bool {
        match &fork.by {
            // Both ways were followed, where there are both.
            By::Slash => true,
            By::Index => self.is_alone || block.is_single(),
            By::Unmatched(pattern) => {
                let begin = block.begin(self.below);
                let never = |shape: Shape| {
                    !shape.prefix.starts_with(begin) && !begin.starts_with(&shape.prefix)
                };
                block.is_single() || Shape::of(pattern).is_some_and(never)
            }
            By::Other => false,
        }
    }

    fn told(&self, fork: &Fork) -> String {
        let decides = match fork.by {
            By::Index => "the path with the name of an index after it may have another location",
            _ => "decides by the path or the query",
        };
        match fork.span {
            Some(span) => format!("{} {decides}", self.place(span)),
            None => decides.to_owned(),
        }
    }

    fn place(&self, span: Span) -> String {
        let file = self.config.sources().file(span.file);
        let line = file.position(span.start).line;
        format!("`{}` at {}:{line}", self.config.excerpt(span), file.name())
    }
}

impl<'c> Block<'c> {
    /// True when it answers one path only.
    fn is_single(&self) -> bool {
        match &self.choice {
            Choice::Redirect(_) => true,
            Choice::Location(location) => location.modifier == Modifier::Exact,
            Choice::Server | Choice::Unknown => false,
        }
    }

    /// What all paths begin with that it answers.
    fn begin<'b>(&'b self, below: &'b [u8]) -> &'b [u8] {
        match &self.choice {
            Choice::Location(location) if location.is_prefix() => {
                let name = &location.path[..];
                if name.len() > below.len() {
                    name
                } else {
                    below
                }
            }
            _ => below,
        }
    }

    fn worlds(&self) -> impl Iterator<Item = &World<'c>> {
        self.followed.iter().flat_map(|(_, worlds)| &worlds.worlds)
    }

    fn verdict(&self, wanted: &Wanted, below: &[u8]) -> Verdict<'c> {
        let mut verdict = Verdict::Held;
        for (path, worlds) in &self.followed {
            let meant = Meant { below, path };
            let compare = |world: &World<'c>| match wanted {
                Wanted::Url(Some(wanted)) => compare_url(wanted, world, &meant),
                Wanted::Redirect(Some(wanted)) => compare_redirect(wanted, world, &meant),
                wanted => compare(wanted, &world.trace, &world.disk),
            };
            let depends = |taken: &str, holds: bool| {
                let so = if holds { "holds" } else { "does not hold" };
                format!("it {so} where {}", taken.replace(TOKEN, "…"))
            };
            verdict = verdict.and(settle(worlds, &compare, &depends));
        }
        if !matches!(verdict, Verdict::Held) {
            return verdict;
        }
        if let Some(doubt) = &self.doubt {
            return Verdict::Undecided(doubt.clone());
        }
        let part = match wanted {
            Wanted::Url(_) => Part::Upstream,
            Wanted::Header(name, _) | Wanted::Param(name, _) => {
                Part::Header(name.to_ascii_lowercase())
            }
            Wanted::File(_) => Part::File,
            _ => return verdict,
        };
        let mut worlds = self.worlds();
        match worlds.any(|world| world.trace.variation.parts.contains(&part)) {
            true => Verdict::Undecided("it holds something of the path or the query".to_owned()),
            false => verdict,
        }
    }
}
