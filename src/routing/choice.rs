//! Which location answers, by nginx's algorithm.

use crate::config::{Location, Modifier, Server};

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
    let level: Vec<_> = server.locations().collect();
    match search(&level, path) {
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

fn search<'c>(level: &[Location<'c>], path: &[u8]) -> Search<'c> {
    let names = || {
        level
            .iter()
            .filter(|location| location.is_prefix() || location.modifier == Modifier::Exact)
    };
    if let Some(exact) =
        names().find(|location| location.modifier == Modifier::Exact && &*location.path == path)
    {
        return Search::Final(Choice::Location(exact.clone()));
    }
    let has_own = names().any(|location| &*location.path == path);
    let with_slash = |location: &&Location<'c>| {
        location.path.strip_suffix(b"/") == Some(path) && redirects_without_slash(location)
    };
    if let Some(redirecting) = names().find(with_slash).filter(|_| !has_own) {
        return Search::Final(Choice::Redirect(redirecting.clone()));
    }

    let longest = level
        .iter()
        .filter(|location| location.is_prefix() && path.starts_with(&location.path))
        .max_by_key(|location| location.path.len());
    let mut best = Search::Nothing;
    if let Some(prefix) = longest {
        let nested: Vec<_> = prefix.nested().collect();
        best = match search(&nested, path) {
            Search::Final(choice) => return Search::Final(choice),
            Search::Prefix(inner) => Search::Prefix(inner),
            Search::Nothing => Search::Prefix(prefix.clone()),
        };
        if prefix.modifier == Modifier::PreferentialPrefix {
            return best;
        }
    }

    for location in level.iter().filter(|location| location.is_regex()) {
        match location.regex().and_then(|regex| regex.is_match(path).ok()) {
            None => return Search::Final(Choice::Unknown),
            Some(false) => {}
            Some(true) => {
                let nested: Vec<_> = location.nested().collect();
                return Search::Final(match search(&nested, path) {
                    Search::Final(choice) => choice,
                    Search::Prefix(inner) => Choice::Location(inner),
                    Search::Nothing => Choice::Location(location.clone()),
                });
            }
        }
    }
    best
}

/// True when a location that ends in a slash also answers the URI without it, with a 301 (`auto_redirect`).
fn redirects_without_slash(location: &Location<'_>) -> bool {
    [
        "proxy_pass",
        "fastcgi_pass",
        "uwsgi_pass",
        "scgi_pass",
        "grpc_pass",
        "memcached_pass",
    ]
    .iter()
    .any(|name| {
        location.directive.own(name).any(|pass| {
            let literal_only = matches!(*name, "uwsgi_pass" | "scgi_pass");
            !literal_only
                || pass
                    .argument(0)
                    .is_some_and(|address| !address.has_variables())
        })
    })
}
