//! Whether a request that comes to a location also ends there: an `if` or `limit_except` in it may go another way.

use super::disk::Entry;
use super::example::{Example, example};
use super::request::Request;
use super::resource::Resource;
use super::run::run_in;
use super::supposed::Supposed;
use super::trace::{Outcome, Trace, Tracer};
use crate::config::{Directive, Location, Proxied};

/// An [`example`] of the location of a place; without a URL where a plain `GET` for it is certainly not, or not certainly,
/// passed on from there.
pub fn passed_example(place: &Proxied<'_>, tails: &[&str]) -> Option<Example> {
    let found = example(&place.location, tails)?;
    Some(found.passed_from(place, "http"))
}

/// An [`example`] of the location of a place, where somebody may open a WebSocket; without a URL where a handshake for it is
/// certainly not, or not certainly, passed on from there.
pub fn handshake_example(place: &Proxied<'_>) -> Option<Example> {
    let found = example(&place.location, &["", "chat", "/chat"])?;
    Some(found.passed_from(place, "ws"))
}

impl Example {
    /// The same, without a URL where it is not certainly passed on from a place when it is asked for with a scheme.
    fn passed_from(self, place: &Proxied<'_>, scheme: &str) -> Self {
        let block = place.location.directive;
        let has = |name: &str| block.own(name).next().is_some();
        let is_plain =
            place.scope == block && !["if", "limit_except", "try_files"].into_iter().any(has);
        let is_passed = |trace: Trace<'_>| {
            trace.scope == place.scope && matches!(trace.outcome, Outcome::Proxy(_))
        };
        match is_plain
            || self
                .followed(&place.location, scheme, None)
                .is_some_and(is_passed)
        {
            true => self,
            false => self.without_url(),
        }
    }

    /// What a location certainly gets for the request: a file, if it is there, or what an upstream answers.
    pub fn served_in(&self, location: &Location<'_>) -> Option<Resource> {
        let trace = self.followed(location, "http", Some(Entry::File))?;
        let is_there = trace.location.as_ref() == Some(location);
        trace.outcome.resource().filter(|_| is_there)
    }

    /// The same, if a location certainly [serves](Self::served_in) it.
    pub(super) fn served_by(self, location: &Location<'_>) -> Option<Self> {
        self.served_in(location).map(|_| self)
    }

    /// What the request comes to in the server of a location, with everybody let in; with the scheme `ws` it is a handshake.
    fn followed<'c>(
        &self,
        location: &Location<'c>,
        scheme: &str,
        files: Option<Entry>,
    ) -> Option<Trace<'c>> {
        let server = location.server()?;
        let url = self.url(scheme).unwrap_or_else(|| {
            let host = server.example_host();
            let host = host.as_deref().unwrap_or("localhost");
            format!("{scheme}://{host}{}", self.target)
        });
        let request = Request::get(&url).ok()?;
        let supposed = Supposed {
            is_let_in: true,
            files,
            ..Supposed::default()
        };
        let config = Directive::config(location.directive);
        run_in(&Tracer::supposing(config), server, &request, supposed)
    }
}
