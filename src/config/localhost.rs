//! Backends that are called `localhost`, which may be two addresses.

use std::collections::HashMap;

use super::{Config, Directive, Proxied, Word};
use crate::nginx::Contexts;
use crate::source::FileId;

/// The name.
const NAME: &str = "localhost";

/// Everything in one file that leads to one port of `localhost` by way of one balancer of nginx.
#[derive(Debug)]
pub struct Localhost<'c> {
    /// The name where it is written, at least once.
    pub words: Vec<Word<'c>>,
    /// A place that requests go there from.
    pub place: Proxied<'c>,
}

impl Config {
    /// The backends that are called `localhost` and have no other server beside them, in file order.
    ///
    /// An address without variables is looked up when nginx starts, and each address that is found becomes a server of its
    /// own (`ngx_http_upstream_init_round_robin`); those for the same port are the same servers.
    pub fn localhost_backends(&self) -> Vec<Localhost<'_>> {
        let mut found: Vec<Localhost<'_>> = Vec::new();
        let mut known: HashMap<(FileId, Vec<u8>), usize> = HashMap::new();
        for place in self.passed() {
            let Some(word) = place.pass.argument(0).filter(|word| !word.has_variables()) else {
                continue;
            };
            let start = word.windows(3).position(|part| part == b"://");
            let start = start.map_or(0, |at| at + 3);
            let end = word[start..]
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?'));
            let authority = &word[start..end.map_or(word.len(), |end| start + end)];
            let group = self.upstream(&String::from_utf8_lossy(authority));
            let (name, key) = match group {
                Some(group) => match group.only_localhost() {
                    Some(name) => (name, authority.to_vec()),
                    None => continue,
                },
                None if is_localhost(authority) => {
                    let scheme = word[..start].to_ascii_lowercase();
                    let port = &authority[NAME.len()..];
                    let key = match port.is_empty() {
                        true => [&scheme, port].concat(),
                        false => port.to_vec(),
                    };
                    (word.slice(start..start + NAME.len()), key)
                }
                None => continue,
            };
            let key = (name.span.file, key);
            match known.get(&key) {
                Some(index) => found[*index].words.push(name),
                None => {
                    known.insert(key, found.len());
                    found.push(Localhost {
                        words: vec![name],
                        place,
                    });
                }
            }
        }
        for one in &mut found {
            one.words.dedup_by_key(|word| word.span);
        }
        found
    }
}

impl<'c> Directive<'c> {
    /// The name in the only server of an `upstream`, if it is `localhost` and nginx takes note of its failures.
    fn only_localhost(self) -> Option<Word<'c>> {
        let is_up = |server: &Self| !server.arguments().any(|word| word == "down");
        let mut servers = self.own("server").filter(is_up);
        let server = servers.next().filter(|_| servers.next().is_none())?;
        // With other numbers it fails after other times than nginx's own.
        let is_kept = server.arguments().any(|word| {
            word == "resolve"
                || word.starts_with(b"max_fails=")
                || word.starts_with(b"fail_timeout=")
        });
        let address = server.argument(0)?;
        let is_whole = self.inside() == Contexts::UPSTREAM && !self.is_incomplete();
        (is_whole && !is_kept && is_localhost(&address)).then(|| address.slice(0..NAME.len()))
    }
}

/// True for the name with or without a port.
fn is_localhost(authority: &[u8]) -> bool {
    let start = authority.get(..NAME.len());
    let rest = authority.get(NAME.len()..).unwrap_or_default();
    start.is_some_and(|start| start.eq_ignore_ascii_case(NAME.as_bytes()))
        && (rest.is_empty() || rest.starts_with(b":"))
}
