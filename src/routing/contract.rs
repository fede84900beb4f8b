//! Locations for WebSockets that keep a prefix which the location around them takes away.

use super::mapping::{Mapping, mapping_example, may_be_rewritten, replacement};
use crate::config::{Location, Proxied};

/// A location whose backend is asked for a path that the location around it would have mapped otherwise.
#[derive(Debug)]
pub struct Broken<'c> {
    /// What the backend is asked for from the location itself.
    pub own: Mapping,
    /// The location with a shorter name and the same backend.
    pub outer: Location<'c>,
    /// What the backend is asked for from there.
    pub other: Mapping,
}

/// What a WebSocket location without a URI in its `proxy_pass` passes on as it is, while the location with a shorter name
/// takes that name away for the same backend; nothing where a rewrite may change either.
pub fn broken_contract<'c>(place: &Proxied<'c>) -> Option<Broken<'c>> {
    let location = &place.location;
    let url = place.url().filter(|url| !url.has_variables())?;
    let is_whole = place.scope == location.directive && !location.is_regex();
    if !is_whole || url.uri().is_some() || may_be_rewritten(location) {
        return None;
    }
    let path = &*location.path;
    let slashes = (1..path.len()).rev().filter(|at| path[*at] == b'/');
    let names = slashes.flat_map(|at| [&path[..=at], &path[..at]]);
    let outer = names
        .filter(|name| name.len() < path.len())
        .find_map(|name| {
            let mut named = location.level().named(name);
            named.find(|other| other.is_prefix() && other != location)
        })?;
    let pass = outer.handler().filter(|pass| pass.is("proxy_pass"))?;
    let around = Proxied {
        scope: outer.directive,
        location: outer.clone(),
        pass,
    };
    let (address, uri) = replacement(&around)?;
    let is_taken = uri.len() < outer.path.len() && !may_be_rewritten(&outer);
    if !is_taken || address.base() != url.base() {
        return None;
    }
    let tail = |path: &[u8]| if path.ends_with(b"/") { "x" } else { "/x" };
    let own = ["", "x", "/x"]
        .iter()
        .find_map(|tail| mapping_example(place, &url, tail))?;
    let other = mapping_example(&around, &address, tail(&outer.path))?;
    Some(Broken { own, outer, other })
}
