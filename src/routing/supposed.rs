//! What a request would come to if something were otherwise: another location answered, every check let it in.

use super::choice::Choice;
use super::disk::Entry;
use super::regexes::Regexes;
use super::request::Request;
use super::run::run_in;
use super::socket::Entrances;
use super::trace::{Options, Trace, Tracer};
use super::uri::escape;
use crate::config::{Config, Server};

/// What is supposed of a request that is followed.
#[derive(Debug, Clone, Default)]
pub struct Supposed<'c> {
    /// Where the first search for a location ends, whatever nginx would find.
    pub choice: Option<Choice<'c>>,
    /// True when every check of the access phase lets the request in.
    pub is_let_in: bool,
    /// What there is at each path of which nothing else is said and that does not end with a slash.
    pub files: Option<Entry>,
    /// True when the request is a WebSocket handshake.
    pub is_handshake: bool,
}

impl<'c> Tracer<'c> {
    /// A tracer for [`Self::suppose`] only, which looks for no server.
    pub fn supposing(config: &'c Config) -> Self {
        Self {
            config,
            options: Options::default(),
            entrances: Entrances::default(),
            regexes: Regexes::default(),
            ends_at_handlers: false,
            skipped: Vec::new(),
        }
    }

    /// Follows a `GET` for a decoded path in a server, whatever leads there; nothing where nginx does not accept it.
    pub fn suppose(
        &self,
        server: Server<'c>,
        path: &[u8],
        supposed: Supposed<'c>,
    ) -> Option<Trace<'c>> {
        let scheme = if supposed.is_handshake { "ws" } else { "http" };
        let host = server.example_host();
        let host = host.as_deref().unwrap_or("localhost");
        let mut request = Request::get(&format!("{scheme}://{host}/")).ok()?;
        request.target = escape(path);
        run_in(self, server, &request, supposed)
    }
}
