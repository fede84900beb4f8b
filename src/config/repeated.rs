//! Directives that stand twice where nginx takes only one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Config, Directive, UNKNOWN_NAME, load};
use crate::nginx::{Duplicate, Form, Kind, Provider};
use crate::source::Span;

/// A directive that nginx refuses because of another one of its level.
#[derive(Debug, Clone, Copy)]
pub struct Repeated<'c> {
    /// The one that nginx takes.
    pub first: Directive<'c>,
    /// The one that it refuses.
    pub second: Directive<'c>,
    /// Where a directive may stand several times: the name that each may have once, as the second has it.
    pub key: Option<Span>,
}

impl Config {
    /// Every directive that nginx refuses since its level has it already, level by level.
    ///
    /// A level is one block: another `server`, an `if` or a `limit_except` starts anew. What an `include` brings belongs
    /// to the level of the `include`.
    pub fn repeated(&self) -> Vec<Repeated<'_>> {
        let mut found = Vec::new();
        for rows in self.level_starts.windows(2) {
            let rows = &self.by_name[rows[0] as usize..rows[1] as usize];
            for run in rows.chunk_by(|a, b| a.0 == b.0) {
                if run.len() > 1 && run[0].0 != UNKNOWN_NAME {
                    let uses = run.iter().map(|(_, id)| self.directive(*id));
                    repeated_in(uses, &mut found);
                }
            }
        }
        found
    }

    /// The sizes of maps' hashes that stand after a `map` of their level, each with the first one (`ngx_http_map_block`).
    pub fn late_map_sizes(&self) -> Vec<(Directive<'_>, Directive<'_>)> {
        let mut late = Vec::new();
        let blocks = self
            .top()
            .filter(|block| block.is("http") || block.is("stream"));
        for block in blocks.filter(|block| !block.is_in_doubt()) {
            let Some(map) = block.own("map").find(|map| map.is_block()) else {
                continue;
            };
            for name in ["map_hash_max_size", "map_hash_bucket_size"] {
                // What stands before the `map` makes a second one an ordinary duplicate.
                let first = block.own(name).next();
                let is_late = |size: &Directive<'_>| map.precedes(*size) && !size.is_in_doubt();
                late.extend(first.filter(is_late).map(|size| (size, map)));
            }
        }
        late
    }
}

/// Lists that `off` makes empty, so that it stands alone (`ngx_http_proxy_redirect` and the setters of cookies).
const ALONE_WITH_OFF: [&str; 4] = [
    "proxy_cookie_domain",
    "proxy_cookie_flags",
    "proxy_cookie_path",
    "proxy_redirect",
];

fn repeated_in<'c>(
    uses: impl Iterator<Item = Directive<'c>> + Clone,
    found: &mut Vec<Repeated<'c>>,
) {
    let is_off = |one: &Directive<'_>| {
        ALONE_WITH_OFF.iter().any(|name| one.is(name))
            && one.arguments().map(|word| word == "off").eq([true])
    };
    let mut pair = uses.clone().filter(|one| !one.is_in_doubt()).take(2);
    if let (Some(first), Some(second)) = (pair.next(), pair.next())
        && (is_off(&first) || is_off(&second))
    {
        found.push(Repeated {
            first,
            second,
            key: None,
        });
        return;
    }
    let mut first_of: HashMap<Option<Vec<u8>>, Directive<'c>> = HashMap::new();
    for second in uses {
        let (name, key) = match second.duplicate() {
            Some(Duplicate::Refused) => (None, None),
            Some(Duplicate::RefusedSame) => match second.key() {
                Some((name, key)) => (Some(name), Some(key)),
                None => continue,
            },
            _ => continue,
        };
        match first_of.entry(name) {
            Entry::Occupied(first) => found.push(Repeated {
                first: *first.get(),
                second,
                key,
            }),
            Entry::Vacant(free) => {
                free.insert(second);
            }
        }
    }
}

impl Directive<'_> {
    /// What becomes of a second use, as far as that is certain: all forms that fit it here agree, and they are
    /// nginx's own.
    fn duplicate(self) -> Option<Duplicate> {
        let mut forms = self.fitting_forms();
        let first = forms.next()?;
        let agrees =
            |form: &Form| form.provider() == Provider::Nginx && form.duplicate == first.duplicate;
        // Who may not change the user takes no notice of `user`, and of a second one neither.
        let is_certain = agrees(first) && forms.all(agrees) && first.kind != Kind::UserGroup;
        let is_refused = matches!(first.duplicate, Duplicate::Refused | Duplicate::RefusedSame);
        (is_certain && is_refused && !self.is_in_doubt()).then_some(first.duplicate)
    }

    /// True when a mistake of syntax leaves it open which block it stands in.
    fn is_in_doubt(self) -> bool {
        let doubtful = |directive: Self| {
            let tree = self.config.tree(directive.entry().file);
            load::has_doubtful_structure(tree)
        };
        doubtful(self) || self.ancestors().any(doubtful)
    }

    /// The name that a directive may have once on a level, as nginx compares it, and where it stands.
    fn key(self) -> Option<(Vec<u8>, Span)> {
        let argument = |index: usize| self.argument(index);
        let parameter = |prefix: &[u8]| {
            let mut words = self.arguments();
            let word = words.find(|word| word.starts_with(prefix))?;
            let value = &word[prefix.len()..];
            let name = value.split(|byte| *byte == b':').next()?.to_vec();
            (!name.is_empty() && !word.has_placeholder()).then_some((name, word.span))
        };
        let name = self.name();
        match &*name {
            b"log_format" | b"thread_pool" | b"load_module" | b"limit_conn" => {
                argument(0).map(|word| (word.to_vec(), word.span))
            }
            b"upstream" => argument(0).map(|word| (word.to_ascii_lowercase(), word.span)),
            b"charset_map" => {
                let (one, other) = (argument(0)?, argument(1)?);
                let mut pair = [one.to_ascii_lowercase(), other.to_ascii_lowercase()];
                pair.sort();
                Some((pair.join(&b' '), one.span.to(other.span)))
            }
            b"limit_req" | b"limit_req_zone" | b"limit_conn_zone" => parameter(b"zone="),
            b"proxy_cache_path"
            | b"fastcgi_cache_path"
            | b"scgi_cache_path"
            | b"uwsgi_cache_path" => parameter(b"keys_zone="),
            _ => None,
        }
    }
}
