//! `^~` prefixes that keep regexes from doing what they are there for.

use super::contest::{Contests, is_within};
use crate::config::{Config, Directive, Location, Modifier, Server};
use crate::diagnostic::Severity;
use crate::routing::{
    Choice, Entry, Resource, Supposed, Trace, choose, longest_prefix, sets_protection,
};

/// A regex that a `^~` prefix keeps from being tried.
#[derive(Debug)]
pub struct Suppressed<'c> {
    /// The prefix.
    pub prefix: Location<'c>,
    /// The regex.
    pub regex: Location<'c>,
    /// A decoded path that the regex matches and the prefix takes.
    pub path: Vec<u8>,
    /// What a request for the path gets.
    pub given: Resource,
    /// The status that the regex would answer with; nothing when it would have the file run.
    pub refusal: Option<u16>,
}

impl Suppressed<'_> {
    /// How bad it is: hidden files lie seldom in a folder that has a prefix of its own.
    pub fn severity(&self) -> Severity {
        let is_hidden = self.path.windows(2).any(|pair| pair == b"/.");
        match self.refusal.is_some() && is_hidden && &*self.prefix.path != b"/" {
            true => Severity::Note,
            false => Severity::Warning,
        }
    }
}

/// The scripts that are sent as text, and the files that are sent although a regex refuses them, because a `^~` prefix of
/// the same level comes first.
///
/// Left out are regexes from another file, those that match the prefix itself, which then is an exception from them, and
/// scripts where no directive says that there are any below the prefix.
pub fn suppressed(config: &Config) -> Vec<Suppressed<'_>> {
    let mut contests = None;
    let mut all = Vec::new();
    for prefix in config.location_levels().into_iter().flatten() {
        let Some(server) = prefix.server() else {
            continue;
        };
        if prefix.modifier != Modifier::PreferentialPrefix || prefix.own_return().is_some() {
            continue;
        }
        for regex in prefix.level().regexes().filter(matters) {
            if regex.directive.span().file == prefix.directive.span().file {
                let contests = contests.get_or_insert_with(|| Contests::new(config));
                let taken = |path: &[u8]| match choose(server, path) {
                    Choice::Location(chosen) if !chosen.is_regex() => Some(chosen),
                    _ => None,
                };
                all.extend(judge(contests, server, &prefix, &regex, &taken));
            }
        }
    }
    all
}

/// True when a plain prefix would keep a regex of its level from doing what it is there for, if it were `^~`.
pub(super) fn would_suppress<'c>(
    contests: &mut Contests<'c>,
    server: Server<'c>,
    prefix: &Location<'c>,
) -> bool {
    let taken = |path: &[u8]| longest_prefix(server.directive.locations(), path);
    let mut regexes = prefix.level().regexes().filter(matters);
    prefix.handler().is_none()
        && regexes.any(|regex| judge(contests, server, prefix, &regex, &taken).is_some())
}

/// True when a regex may run scripts or refuse files.
fn matters(regex: &Location<'_>) -> bool {
    let own = |name: &str| regex.directive.own(name).next().is_some();
    let names = [
        "fastcgi_pass",
        "uwsgi_pass",
        "scgi_pass",
        "return",
        "internal",
        "try_files",
    ];
    names.iter().any(|name| own(name))
        || regex.directive.locations().iter().next().is_some()
        || sets_protection(regex.directive)
}

/// Judges what a prefix keeps from a regex; `taken` is the location that answers a path below it.
fn judge<'c>(
    contests: &mut Contests<'c>,
    server: Server<'c>,
    prefix: &Location<'c>,
    regex: &Location<'c>,
    taken: &dyn Fn(&[u8]) -> Option<Location<'c>>,
) -> Option<Suppressed<'c>> {
    let is_first = |path: &[u8]| {
        let is_match = |other: &Location<'_>| {
            let regex = other.regex();
            regex.is_none_or(|regex| regex.is_match(path).unwrap_or(true))
        };
        prefix.level().regexes().find(is_match).as_ref() == Some(regex)
    };
    let is_taken = |path: &[u8]| taken(path).is_some_and(|chosen| is_within(&chosen, prefix));
    let fits = |path: &[u8]| is_taken(path) && is_first(path);
    let compiled = regex.regex()?;
    if compiled.is_match(&prefix.path).unwrap_or(true) {
        return None;
    }
    let scripts = scripts(prefix);
    let named = scripts.iter().find(|path| fits(path)).cloned();
    let is_whole = &*prefix.path == b"/";
    let path = named
        .clone()
        .or_else(|| contests.path(&prefix.path, regex, &fits))?;
    let ask = |choice: Option<Choice<'c>>| {
        let supposed = Supposed {
            choice,
            is_let_in: false,
            files: Some(Entry::File),
            is_handshake: false,
        };
        contests.tracer.suppose(server, &path, supposed)
    };
    let own = taken(&path).map(Choice::Location);
    let real = ask(own).filter(|real| real.refused.is_none())?;
    let given = real.outcome.resource()?;
    let Resource::File(file) = &given else {
        return None;
    };
    let other = ask(Some(Choice::Location(regex.clone())))?;
    let refusal = refusal(&other);
    let is_lost = match other.outcome.resource() {
        _ if refusal.is_some() => {
            let answering = real.location.as_ref()?;
            let own = root(answering.directive);
            own.is_some() && own == root(regex.directive)
        }
        Some(run) if run.is_run() => {
            (is_whole || named.is_some()) && run.file() == Some(file.as_str())
        }
        _ => false,
    };
    is_lost.then_some(Suppressed {
        prefix: prefix.clone(),
        regex: regex.clone(),
        path,
        given,
        refusal,
    })
}

/// The status with which a location refuses to give something away.
fn refusal(trace: &Trace<'_>) -> Option<u16> {
    trace
        .refused
        .filter(|status| matches!(status, 401 | 403 | 404 | 410))
}

/// The scripts below a prefix that its own `try_files` and `index` name.
fn scripts(prefix: &Location<'_>) -> Vec<Vec<u8>> {
    let block = prefix.directive;
    let mut all = Vec::new();
    for word in block.own("try_files").flat_map(Directive::arguments) {
        let path = word.split(|byte| *byte == b'?').next().unwrap_or_default();
        all.push(path.to_vec());
    }
    for word in block.own("index").flat_map(Directive::arguments) {
        let slash: &[u8] = if prefix.path.ends_with(b"/") {
            b""
        } else {
            b"/"
        };
        all.push([&prefix.path, slash, &word].concat());
    }
    all.retain(|path| path.starts_with(&prefix.path) && !path.contains(&b'$'));
    all
}

/// The `root` that is in force in a block; nothing for an `alias`.
fn root(block: Directive<'_>) -> Option<Directive<'_>> {
    let levels = std::iter::once(block).chain(block.ancestors());
    let mut found = levels.filter_map(|level| {
        let own = |name: &str| level.own(name).next_back();
        own("alias").or_else(|| own("root"))
    });
    found.next().filter(|root| root.is("root"))
}
