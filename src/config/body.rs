//! How large a request may be.

use super::{Directive, Effective, Proxied};
use crate::nginx;

/// The limit in bytes where none is written.
const DEFAULT: u64 = 1 << 20;

/// A limit for the bodies of requests.
#[derive(Debug, Clone)]
pub struct BodyLimit<'c> {
    /// The limit in bytes; 0 stands for none.
    pub bytes: u64,
    /// The directives that set it, and whether others could.
    pub set: Effective<'c>,
}

impl<'c> Proxied<'c> {
    /// The limit for requests to this place.
    pub fn body_limit(&self) -> BodyLimit<'c> {
        let set = self.location.directive.effective("client_max_body_size");
        // Of what nginx refuses nothing is known.
        let bytes = set.directive().map_or(DEFAULT, |limit| {
            let written = limit.argument(0);
            written.and_then(|limit| nginx::offset(&limit)).unwrap_or(0)
        });
        BodyLimit { bytes, set }
    }

    /// The largest limit that another location of the server sets for itself.
    pub fn larger_elsewhere(&self, bytes: u64) -> Option<Directive<'c>> {
        let server = self.location.server()?;
        let limits = server.directive.descendants().filter(|limit| {
            limit.is("client_max_body_size") && limit.parent() != Some(server.directive)
        });
        let size = |limit: &Directive<'c>| {
            let word = limit.argument(0)?;
            nginx::offset(&word)
        };
        limits
            .filter(|limit| size(limit).is_some_and(|size| size > bytes))
            .max_by_key(size)
    }
}

impl BodyLimit<'_> {
    /// The limit as it would be written.
    pub fn shown(&self) -> String {
        match self.set.directive().and_then(|limit| limit.argument(0)) {
            Some(limit) => limit.text().into_owned(),
            None => "1m".to_owned(),
        }
    }
}
