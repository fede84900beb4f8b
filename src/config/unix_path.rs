//! Unix sockets in `proxy_pass`, and URIs that became a part of their path.

use super::{Modifier, Proxied, ProxyUrl, Word};
use crate::diagnostic::Edit;
use crate::nginx;

/// How the names of socket files end.
const ENDINGS: [&str; 2] = [".sock", ".socket"];

/// Variables that begin with a slash.
const PATHS: [&str; 3] = ["request_uri", "uri", "document_uri"];

impl<'c> ProxyUrl<'c> {
    /// What follows the name of a socket file without a colon between them, so that nginx takes it for more of the path
    /// (`ngx_parse_unix_domain_url`); nothing where the name of a file may still follow.
    pub fn swallowed_uri(&self) -> Option<Word<'c>> {
        const START: &[u8] = b"unix:";
        let word = &self.word;
        let path = self.scheme().len() + START.len();
        if !self.authority().starts_with(START) || word[path..].contains(&b':') {
            return None;
        }
        let text = String::from_utf8_lossy(&word[path..]).to_lowercase();
        let ends = ENDINGS.iter().filter_map(|ending| {
            let mut found = text.match_indices(ending);
            let end = found.find_map(|(at, _)| {
                let end = at + ending.len();
                (text[end..].starts_with('/') || begins_with_path(&word[path + end..]))
                    .then_some(end)
            });
            end.map(|end| path + end)
        });
        let end = ends.min()?;
        let rest = &text[end - path..];
        let is_folder = ENDINGS.iter().any(|ending| rest.contains(ending));
        (!is_folder).then(|| word.tail(end))
    }
}

/// True for a text that begins with a variable which is a path.
fn begins_with_path(text: &[u8]) -> bool {
    nginx::references(text).first().is_some_and(|reference| {
        reference.range.start == 0
            && PATHS
                .iter()
                .any(|path| reference.name.eq_ignore_ascii_case(path))
    })
}

impl Proxied<'_> {
    /// An edit that ends the path of the socket before `uri`; nothing where nginx refuses a URI in `proxy_pass`.
    pub fn end_socket(&self, uri: &Word<'_>) -> Option<Edit> {
        let mut around = std::iter::successors(Some(self.location.clone()), |inner| inner.parent());
        let is_refused = self.pass.parent() != Some(self.location.directive)
            || around.any(|location| location.is_regex() || location.modifier == Modifier::Named);
        let is_evaluated = self
            .pass
            .argument(0)
            .is_some_and(|word| word.has_variables());
        let edit = uri.prepend(":");
        edit.filter(|_| is_evaluated || !is_refused)
    }
}
