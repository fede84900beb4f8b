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
    match search(server.directive.locations(), path) {
        Search::Final(choice) => choice,
        Search::Prefix(location) => Choice::Location(location),
        Search::Nothing => Choice::Server,
    }
}

/// What the search on a level says to the level around it.
enum Search<'c> {
    /// An exact name, a regex or a redirect: outer regexes are not tried.
    Final(Choice<'c>),
    /// A prefix: outer regexes are still tried.
    Prefix(Location<'c>),
    Nothing,
}

fn search<'c>(level: Level<'c>, path: &[u8]) -> Search<'c> {
    let exact = |location: &Location<'c>| location.modifier == Modifier::Exact;
    if let Some(exact) = level.named(path).find(exact) {
        return Search::Final(Choice::Location(exact));
    }
    let answers_itself = |location: &Location<'c>| location.is_prefix() || exact(location);
    if !level.named(path).any(|own| answers_itself(&own)) {
        let slashed = [path, b"/"].concat();
        let others = || level.named(&slashed).filter(answers_itself);
        if others().any(|location| redirects_without_slash(&location)) {
            // Of two locations of one name, the settings of the exact one are in force.
            let first = others().find(exact).or_else(|| others().next());
            if let Some(redirecting) = first {
                return Search::Final(Choice::Redirect(redirecting));
            }
        }
    }

    let longest = (0..=path.len()).rev().find_map(|length| {
        level
            .named(&path[..length])
            .filter(Location::is_prefix)
            .last()
    });
    let mut best = Search::Nothing;
    if let Some(prefix) = longest {
        best = match search(prefix.directive.locations(), path) {
            Search::Final(choice) => return Search::Final(choice),
            Search::Prefix(inner) => Search::Prefix(inner),
            Search::Nothing => Search::Prefix(prefix.clone()),
        };
        if prefix.modifier == Modifier::PreferentialPrefix {
            return best;
        }
    }

    for location in level.regexes() {
        match location.regex().and_then(|regex| regex.is_match(path).ok()) {
            None => return Search::Final(Choice::Unknown),
            Some(false) => {}
            Some(true) => {
                let nested = search(location.directive.locations(), path);
                return Search::Final(match nested {
                    Search::Final(choice) => choice,
                    Search::Prefix(inner) => Choice::Location(inner),
                    Search::Nothing => Choice::Location(location),
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
