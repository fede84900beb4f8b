//! URLs that end in `*`, which stands for the rest of the path with the query.
//!
//! Paths are compared decoded: how the client has spelled one, with escapes, `//` or dot segments, changes nothing.

use super::compare::{Compared, redirect, told, url};
use super::worlds::World;
use crate::routing::{Form, Outcome, Uri, escape};

/// The requests that an answer stands for.
pub(super) struct Meant<'a> {
    /// What all of their paths begin with.
    pub(super) below: &'a [u8],
    /// The path of the one that was followed.
    pub(super) path: &'a [u8],
}

/// A text before the path of the client, and how the whole is made.
struct Made<'a> {
    /// Where it leads: scheme and host.
    base: String,
    /// The whole text that was made of the path that was followed.
    whole: String,
    form: &'a Form,
}

/// Compares what the upstream is asked for.
pub(super) fn compare_url(wanted: &str, world: &World<'_>, meant: &Meant<'_>) -> Compared {
    let outcome = &world.trace.outcome;
    let Some(whole) = url(outcome) else {
        return Compared::Fails(told(outcome));
    };
    let constant = Form::Constant;
    let (base, form) = match outcome {
        Outcome::Proxy(proxy) => (proxy.upstream.clone(), &world.trace.variation.uri),
        _ => (whole.clone(), &constant),
    };
    compare(wanted, &Made { base, whole, form }, meant)
}

/// Compares where the client is sent to.
pub(super) fn compare_redirect(wanted: &str, world: &World<'_>, meant: &Meant<'_>) -> Compared {
    let outcome = &world.trace.outcome;
    let Some(whole) = redirect(outcome) else {
        return Compared::Fails(told(outcome));
    };
    let form = &world.trace.variation.redirect;
    let mut base = String::new();
    if let Form::Rest { start, .. } = form {
        // A path becomes a URL of the server.
        let rest = [&start[..], &world.trace.request.target].concat();
        let rest = String::from_utf8_lossy(&rest).into_owned();
        match whole.strip_suffix(&rest) {
            Some(before) => base = before.to_owned(),
            None => return Compared::Open(UNKNOWN.to_owned()),
        }
    }
    compare(wanted, &Made { base, whole, form }, meant)
}

const UNKNOWN: &str = "it is made of the path or the query in a way that is not followed";

fn compare(wanted: &str, made: &Made<'_>, meant: &Meant<'_>) -> Compared {
    let (start, from) = match made.form {
        Form::Constant if made.whole == wanted => return Compared::Holds,
        Form::Constant => return Compared::Fails(made.whole.clone()),
        Form::Rest { start, from } => (start, *from),
        Form::Other => return compare_one(wanted, made, meant),
    };
    // With more of the path left out than all have in common, the rest is that below a longer name.
    let name = meant.path.get(..from.max(meant.below.len()));
    let name = name.unwrap_or(meant.path);
    let kept = name.get(from..).unwrap_or_default();
    let actual = [&decoded(start), kept].concat();
    let wanted_start = wanted
        .strip_suffix('*')
        .and_then(|wanted| wanted.strip_prefix(made.base.as_str()));
    let holds = wanted_start.is_some_and(|wanted| {
        let rest = &name[meant.below.len()..];
        actual == [&decoded(wanted.as_bytes()), rest].concat()
    });
    if holds {
        return Compared::Holds;
    }
    let mut shown = format!(
        "{}{}{}*",
        made.base,
        String::from_utf8_lossy(start),
        String::from_utf8_lossy(&escape(kept))
    );
    if name.len() > meant.below.len() {
        shown.push_str(&format!(
            " below {}",
            String::from_utf8_lossy(&escape(name))
        ));
    }
    Compared::Fails(shown)
}

/// Compares one text whose making is not followed: it can tell that a statement fails, not that it holds.
fn compare_one(wanted: &str, made: &Made<'_>, meant: &Meant<'_>) -> Compared {
    let rest = &meant.path[meant.below.len()..];
    let same = match wanted.strip_suffix('*') {
        None => made.whole == wanted,
        Some(start) => {
            let wanted = [start.as_bytes(), &escape(rest)].concat();
            normal(made.whole.as_bytes()) == normal(&wanted)
        }
    };
    match same {
        true => Compared::Open(UNKNOWN.to_owned()),
        false => Compared::Fails(made.whole.clone()),
    }
}

/// A URL without its query, its path as nginx would normalise it.
fn normal(url: &[u8]) -> Vec<u8> {
    let scheme = url.windows(3).position(|part| part == b"://");
    let from = scheme.map_or(0, |at| at + 3);
    let slash = url[from..].iter().position(|byte| *byte == b'/');
    let (host, target) = url.split_at(slash.map_or(url.len(), |at| from + at));
    let path = Uri::parse(target, true).map_or_else(|| target.to_vec(), |uri| uri.path);
    [host, &path].concat()
}

/// A text without its percent escapes.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, value) {
            (b'%', Some(value)) => {
                plain.push(value);
                rest = &after[2..];
            }
            _ => {
                plain.push(*byte);
                rest = after;
            }
        }
    }
    plain
}
