//! Which location answers, by nginx's algorithm.

use crate::config::{Level, Location, Modifier, PASSES, Server};

/// Where the search for a location ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice<'c> {
    /// In a location.
    Location(Location<'c>),
    /// With a 301 to the same URI with a slash, because of this proxied location.
    Redirect(Location<'c>),
    /// In no location: the server's own settings apply.
    Server,
    /// Not known: a regex could not be compiled.
    Unknown,
}

/// Finds the location of a normalised path, as `ngx_http_core_find_location` does.
pub fn choose<'c>(server: Server<'c>, path: &[u8]) -> Choice<'c> {
    Search::among(server, path, Asked::All)
}

/// Finds the location of a normalised path as if one location, with all that it holds, was not there.
pub(super) fn choose_without<'c>(
    server: Server<'c>,
    path: &[u8],
    without: &Location<'c>,
) -> Choice<'c> {
    Search::among(server, path, Asked::Without(without))
}

/// True when the search for the location of a normalised path comes to try a regex location, whether it matches or not.
pub(super) fn tries(regex: &Location<'_>, path: &[u8]) -> bool {
    let outer = std::iter::successors(Some(regex.clone()), Location::parent);
    let level = outer.last().map(|outermost| outermost.level());
    level.is_some_and(|level| matches!(search(level, path, Asked::Until(regex)), Search::Tried))
}

/// Which locations a search goes through.
#[derive(Clone, Copy)]
enum Asked<'l, 'c> {
    All,
    /// All but this one, with what it holds.
    Without(&'l Location<'c>),
    /// All up to this regex, which is not matched.
    Until(&'l Location<'c>),
}

impl<'c> Asked<'_, 'c> {
    fn holds(self, location: &Location<'c>) -> bool {
        !matches!(self, Self::Without(other) if other == location)
    }

    fn ends_at(self, location: &Location<'c>) -> bool {
        matches!(self, Self::Until(other) if other == location)
    }
}

/// The prefix that a path would be answered by if there were no regexes: the longest one, of the innermost level.
pub fn longest_prefix<'c>(level: Level<'c>, path: &[u8]) -> Option<Location<'c>> {
    let longest = longest_on(level, path, Asked::All)?;
    let inner = longest_prefix(longest.directive.locations(), path);
    Some(inner.unwrap_or(longest))
}

/// The longest prefix of a level.
fn longest_on<'c>(level: Level<'c>, path: &[u8], asked: Asked<'_, 'c>) -> Option<Location<'c>> {
    let prefix = |length: usize| {
        let named = named(level, &path[..length], asked);
        named.filter(Location::is_prefix).last()
    };
    (0..=path.len()).rev().find_map(prefix)
}

/// What the search on a level says to the level around it.
enum Search<'c> {
    /// An exact name, a regex or a redirect: outer regexes are not tried.
    Final(Choice<'c>),
    /// A prefix: outer regexes are still tried.
    Prefix(Location<'c>),
    Nothing,
    /// At the regex that was looked for.
    Tried,
}

impl<'c> Search<'c> {
    fn among(server: Server<'c>, path: &[u8], asked: Asked<'_, 'c>) -> Choice<'c> {
        match search(server.directive.locations(), path, asked) {
            Self::Final(choice) => choice,
            Self::Prefix(location) => Choice::Location(location),
            Self::Nothing => Choice::Server,
            Self::Tried => Choice::Unknown,
        }
    }
}

/// The locations of a name on a level.
fn named<'c>(
    level: Level<'c>,
    name: &[u8],
    asked: Asked<'_, 'c>,
) -> impl Iterator<Item = Location<'c>> {
    level.named(name).filter(move |other| asked.holds(other))
}

fn search<'c>(level: Level<'c>, path: &[u8], asked: Asked<'_, 'c>) -> Search<'c> {
    let exact = |location: &Location<'c>| location.modifier == Modifier::Exact;
    if let Some(exact) = named(level, path, asked).find(exact) {
        return Search::Final(Choice::Location(exact));
    }
    let answers_itself = |location: &Location<'c>| location.is_prefix() || exact(location);
    if !named(level, path, asked).any(|own| answers_itself(&own)) {
        let slashed = [path, b"/"].concat();
        let others = || named(level, &slashed, asked).filter(answers_itself);
        if others().any(|location| redirects_without_slash(&location)) {
            // Of two locations of one name, the settings of the exact one are in force.
            let first = others().find(exact).or_else(|| others().next());
            if let Some(redirecting) = first {
                return Search::Final(Choice::Redirect(redirecting));
            }
        }
    }

    let mut best = Search::Nothing;
    if let Some(prefix) = longest_on(level, path, asked) {
        best = match search(prefix.directive.locations(), path, asked) {
            ended @ (Search::Final(_) | Search::Tried) => return ended,
            Search::Prefix(inner) => Search::Prefix(inner),
            Search::Nothing => Search::Prefix(prefix.clone()),
        };
        if prefix.modifier == Modifier::PreferentialPrefix {
            return best;
        }
    }

    for location in level.regexes().filter(|other| asked.holds(other)) {
        if asked.ends_at(&location) {
            return Search::Tried;
        }
        match location.regex().and_then(|regex| regex.is_match(path).ok()) {
            None => return Search::Final(Choice::Unknown),
            Some(false) => {}
            Some(true) => {
                let nested = search(location.directive.locations(), path, asked);
                return Search::Final(match nested {
                    Search::Final(choice) => choice,
                    Search::Prefix(inner) => Choice::Location(inner),
                    Search::Nothing => Choice::Location(location),
                    Search::Tried => return Search::Tried,
                });
            }
        }
    }
    best
}

/// True when a location that ends in a slash also answers the URI without it, with a 301 (`auto_redirect`).
pub fn redirects_without_slash(location: &Location<'_>) -> bool {
    PASSES.iter().any(|name| {
        location.directive.own(name).any(|pass| {
            let literal_only = matches!(*name, "uwsgi_pass" | "scgi_pass");
            !literal_only
                || pass
                    .argument(0)
                    .is_some_and(|address| !address.has_variables())
        })
    })
}
