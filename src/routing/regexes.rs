//! Regexes compiled once for all requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pcre2::bytes::{Regex, RegexBuilder};

/// A pattern, and true when case does not count.
type Key = (Vec<u8>, bool);

/// Every regex that was needed so far; nothing for one that PCRE2 refuses or that is not UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Regexes {
    known: Mutex<HashMap<Key, Option<Arc<Regex>>>>,
}

impl Regexes {
    /// The regex of a pattern, compiled with the options that nginx uses (`ngx_regex_compile`).
    pub(crate) fn get(&self, pattern: &[u8], caseless: bool) -> Option<Arc<Regex>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || {
            let pattern = std::str::from_utf8(pattern).ok()?;
            let mut builder = RegexBuilder::new();
            builder.caseless(caseless).build(pattern).ok().map(Arc::new)
        };
        known
            .entry((pattern.to_vec(), caseless))
            .or_insert_with(compile)
            .clone()
    }
}

/// What the last regex that matched has captured (`r->captures`).
#[derive(Debug, Clone, Default)]
pub(super) struct Captures {
    groups: Vec<Vec<u8>>,
    /// True when they may be others for another path or query.
    pub(super) varied: bool,
}

impl Captures {
    /// What a group has captured; nothing for a group that took no part.
    pub(super) fn get(&self, group: usize) -> &[u8] {
        self.groups.get(group).map_or(&[], Vec::as_slice)
    }

    pub(super) fn clear(&mut self) {
        self.groups.clear();
    }
}

/// A match: its groups by number, and those that have names.
pub(super) struct Match {
    pub(super) captures: Captures,
    pub(super) named: Vec<(String, Vec<u8>)>,
}

/// Matches a regex as `ngx_http_regex_exec` does: `Some(None)` when it does not match, nothing when PCRE2 gives up.
pub(super) fn exec(regex: &Regex, subject: &[u8]) -> Option<Option<Match>> {
    let Some(found) = regex.captures(subject).ok()? else {
        return Some(None);
    };
    let text = |group: usize| {
        found
            .get(group)
            .map_or(&b""[..], |part| part.as_bytes())
            .to_vec()
    };
    let names = regex.capture_names().iter().enumerate();
    let named = names
        .filter_map(|(group, name)| Some((name.as_ref()?.to_ascii_lowercase(), text(group))))
        .collect();
    let groups = (0..found.len()).map(text).collect();
    Some(Some(Match {
        captures: Captures {
            groups,
            varied: false,
        },
        named,
    }))
}
