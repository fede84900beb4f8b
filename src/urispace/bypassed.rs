//! Locations that let only some requests in, and the requests that get at the same things through other locations.

use super::contest::{Contests, answers, beside, elsewhere, is_within, outer_regexes, renamed};
use crate::config::{Config, Directive, Location, Modifier, Server, Shape};
use crate::diagnostic::Edit;
use crate::routing::{
    Choice, Entry, Resource, Supposed, Trace, choose, is_open, longest_prefix, protections,
    sets_protection,
};

/// Most ways that are named for one location.
const NAMED: usize = 10;

/// A location whose protection other locations do not have.
#[derive(Debug)]
pub struct Bypass<'c> {
    /// The location that is protected.
    pub location: Location<'c>,
    /// What protects it.
    pub checks: Vec<Directive<'c>>,
    /// The ways past it.
    pub ways: Vec<Past<'c>>,
}

/// A way past a protection.
#[derive(Debug)]
pub struct Past<'c> {
    /// The location that answers.
    pub location: Location<'c>,
    /// A decoded path that it answers.
    pub path: Vec<u8>,
    /// What a request for the path gets without being asked anything.
    pub resource: Resource,
    /// True when it is a script that the protected location would send as a file.
    pub is_script_of_file: bool,
    /// True when it is the path of the protected location without its last slash.
    pub is_slashless: bool,
}

impl<'c> Bypass<'c> {
    /// Edits that put copies of what answers inside the protected location, or move there what would have nothing left to
    /// answer; nothing where that is not possible.
    pub fn copies(&self) -> Vec<Edit> {
        let ways = self.ways.iter();
        let others: Vec<Location<'c>> = ways.map(|way| way.location.clone()).collect();
        if !self.location.is_prefix() || self.ways.iter().any(|way| way.is_slashless) {
            return Vec::new();
        }
        let mut edits: Vec<Edit> = self.location.nest(&others).into_iter().collect();
        let file = self.location.directive.span().file;
        for other in others.iter().filter(|other| self.is_only_here(other)) {
            if other.directive.span().file != file {
                return Vec::new();
            }
            edits.push(other.directive.remove());
        }
        edits
    }

    /// True when a regex answers nothing but what the protected location is for.
    fn is_only_here(&self, regex: &Location<'_>) -> bool {
        let name = &self.location.path[..];
        let is_other =
            |other: Location<'_>| other.modifier == Modifier::Prefix && *other.path != *name;
        let is_below = |shape: Shape| shape.prefix.starts_with(name);
        match name {
            b"/" => !self.location.level().iter().any(is_other),
            _ => Shape::of(&regex.path).is_some_and(is_below),
        }
    }
}

impl Past<'_> {
    /// What the request gets, and what has to be so.
    pub fn answer(&self) -> String {
        let resource = &self.resource;
        match resource.file() {
            Some(_) => format!("{resource}, if it is there"),
            None => resource.to_string(),
        }
    }
}

/// The locations of which something is given away by other locations that ask nobody anything.
///
/// Left out are locations that were written for a part of the protected path, that open what they answer by a directive of
/// their own, that redirect, or that refuse; and those that look for other files than the protected location would.
pub fn bypassed(config: &Config) -> Vec<Bypass<'_>> {
    let mut contests = None;
    let mut all = Vec::new();
    for location in config.location_levels().into_iter().flatten() {
        let own = location.directive;
        if !sets_protection(own) {
            continue;
        }
        let checks = protections(own);
        let sets = |check: &Directive<'_>| check.parent() == Some(own);
        let (Some(name), Some(server)) = (name(&location), location.server()) else {
            continue;
        };
        if !checks.iter().any(sets) {
            continue;
        }
        let contests: &mut Contests<'_> = contests.get_or_insert_with(|| Contests::new(config));
        let mut ways = Vec::new();
        for (regex, _) in outer_regexes(&location) {
            if regex.own_return().is_none() {
                ways.extend(past(contests, server, &location, &name, &regex));
            }
            if ways.len() == NAMED {
                break;
            }
        }
        ways.sort_by_key(|way| (!way.resource.is_run(), way.resource.address().is_none()));
        if ways.is_empty() {
            ways.extend(without_slash(contests, server, &location));
        }
        if !ways.is_empty() {
            all.push(Bypass {
                location,
                checks,
                ways,
            });
        }
    }
    all
}

/// The text that the paths of a protected location begin with.
fn name(location: &Location<'_>) -> Option<Vec<u8>> {
    match location.modifier {
        Modifier::Prefix | Modifier::PreferentialPrefix | Modifier::Exact => {
            Some(location.path.to_vec())
        }
        Modifier::Regex | Modifier::CaselessRegex => {
            let shape = Shape::of(&location.path)?;
            (shape.is_line_only && shape.prefix.len() > 1).then_some(shape.prefix)
        }
        Modifier::Named => None,
    }
}

/// How a regex answers what is protected, if it does.
fn past<'c>(
    contests: &mut Contests<'c>,
    server: Server<'c>,
    location: &Location<'c>,
    name: &[u8],
    regex: &Location<'c>,
) -> Option<Past<'c>> {
    let compiled = regex.regex()?;
    let is_match = |path: &[u8]| compiled.is_match(path).unwrap_or(false);
    let is_exact = location.modifier == Modifier::Exact;
    let own_regex = location.regex();
    // Which location would answer a path if the regex did not, as far as that is the protected one.
    let protected = |path: &[u8]| -> Option<Location<'c>> {
        if is_exact {
            return Some(location.clone());
        }
        if let Some(own) = &own_regex {
            return own.is_match(path).ok()?.then(|| location.clone());
        }
        let longest = longest_prefix(server.directive.locations(), path)?;
        is_within(&longest, location).then_some(longest)
    };
    // What holds of any name was not written for one.
    let is_general = |path: &[u8]| {
        let rest = path.strip_prefix(name).unwrap_or_default();
        let is_leaf = !rest.strip_prefix(b"/").unwrap_or(rest).contains(&b'/');
        is_leaf && renamed(path).is_some_and(|path| is_match(&path))
            || elsewhere(name, path).is_some_and(|path| is_match(&path))
    };
    let is_foreign = |path: &[u8]| beside(name, path).is_none_or(|path| is_match(&path));
    let path = contests.path(name, regex, &|path| {
        path != name
            && is_general(path)
            && answers(server, regex, path).is_some()
            && protected(path).is_some()
    })?;
    let chosen = answers(server, regex, &path)?;
    let guarded = protected(&path)?;
    let own_path = if is_exact { name } else { &path[..] };
    let is_whole = &*location.path == b"/" && !is_exact;
    // What is given away may be what is there as a file, or what is not.
    let compare = |files: Entry| {
        let ask = |path: &[u8], choice: Option<Choice<'c>>| {
            let supposed = Supposed {
                is_let_in: choice.is_some(),
                choice,
                files: Some(files),
                is_handshake: false,
            };
            contests.tracer.suppose(server, path, supposed)
        };
        let given = open(&ask(&path, None)?, &chosen)?;
        let from_own = Some(Choice::Location(guarded.clone()));
        let kept = ask(own_path, from_own)?.outcome.resource();
        let is_same = kept
            .as_ref()
            .is_some_and(|kept| is_same(kept, &given, is_exact, contests.config));
        (is_same || is_whole).then_some((given, kept))
    };
    let (given, kept) = compare(Entry::File).or_else(|| compare(Entry::Missing))?;
    // A folder of scripts is protected by mistake only in part; anything else that is named was named to be open.
    let is_meant = !is_foreign(&path) && !given.is_run();
    let is_past = !is_meant && (!is_exact || given.is_run());
    is_past.then_some(Past {
        location: chosen,
        path,
        is_script_of_file: given.is_run() && matches!(kept, Some(Resource::File(_))),
        resource: given,
        is_slashless: false,
    })
}

/// What a request gets that nobody has asked for anything; nothing when that is not certain.
fn open<'c>(trace: &Trace<'c>, chosen: &Location<'c>) -> Option<Resource> {
    let is_chosen = trace.chosen.as_ref() == Some(chosen) && trace.refused.is_none();
    let answering = trace.location.as_ref()?;
    let is_open = is_open(chosen.directive) && is_open(answering.directive);
    trace.outcome.resource().filter(|_| is_chosen && is_open)
}

/// True when both are the same file, be it sent or run, or the same answer of an upstream.
fn is_same(kept: &Resource, given: &Resource, is_exact: bool, config: &Config) -> bool {
    match (kept.file(), given.file()) {
        (Some(kept), Some(given)) => return kept == given,
        (None, Some(_)) | (Some(_), None) if is_exact => return false,
        _ => {}
    }
    let uri = |resource: &Resource| match resource {
        Resource::Upstream { uri, .. } => uri.clone(),
        Resource::File(_) => None,
    };
    kept.has_same_upstream(given, config) && uri(kept) == uri(given) && !is_exact
}

/// What answers the path of a protected location without its last slash, if that is what the protected one answers.
fn without_slash<'c>(
    contests: &Contests<'c>,
    server: Server<'c>,
    location: &Location<'c>,
) -> Option<Past<'c>> {
    let name = &location.path[..];
    let path = name.strip_suffix(b"/").filter(|path| !path.is_empty())?;
    let Choice::Location(chosen) = choose(server, path) else {
        return None;
    };
    if !location.is_prefix() || location.level().named(path).next().is_some() {
        return None;
    }
    // Whether there is a folder of that name, which nginx would redirect to, has to make no difference.
    let ask = |path: &[u8], choice: Option<Choice<'c>>, files| {
        let supposed = Supposed {
            is_let_in: choice.is_some(),
            choice,
            files: Some(files),
            is_handshake: false,
        };
        contests.tracer.suppose(server, path, supposed)
    };
    let given = open(&ask(path, None, Entry::Missing)?, &chosen)?;
    let in_folder = open(&ask(path, None, Entry::Folder)?, &chosen)?;
    let guarded = Some(Choice::Location(location.clone()));
    let kept = ask(name, guarded, Entry::Missing)?.outcome.resource()?;
    let is_passed = given.address().is_some() && given == in_folder;
    let is_past = is_passed && kept.has_same_upstream(&given, contests.config);
    is_past.then(|| Past {
        location: chosen,
        path: path.to_vec(),
        resource: given,
        is_script_of_file: false,
        is_slashless: true,
    })
}
