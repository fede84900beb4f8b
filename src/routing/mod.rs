//! What happens to a request: which location answers it and which URI its upstream is asked for.
//!
//! [`trace()`] follows one request through all of nginx's phases, and [`Routes`] holds all locations at once. The smaller
//! questions are asked for by themselves: [`choose`] finds the location of a path, [`map`] the URI that `proxy_pass`
//! makes of one, [`example`] a request that reaches a location.

mod access;
mod challenge;
mod choice;
mod content;
mod disk;
mod error_page;
mod example;
mod files;
mod handler;
mod mapping;
mod overmatch;
mod regexes;
mod request;
mod restriction;
mod rewrite;
mod run;
mod script;
mod socket;
mod tables;
mod trace;
mod upstream;
mod uri;
mod value;
mod variables;

pub use challenge::{Blocked, CHALLENGE, blocked_challenges};
pub use choice::{Choice, choose, redirects_without_slash};
pub use disk::{Disk, Entry};
pub use example::{Example, example, meant_request, redirected, request};
pub use handler::{Handler, Upstream};
pub use mapping::{Mapping, map, mapping_example, replacement};
pub use overmatch::{Overmatch, Wrong, overmatches};
pub(crate) use request::validate_host;
pub use request::{Protocol, Request};
pub use restriction::restrictions;
pub(crate) use socket::{Entrance, port, resolved};
pub use trace::{Options, Outcome, Pass, Proxy, Step, Trace, Tracer, WebSocket, trace};
pub(crate) use upstream::READ_TIMEOUT;
pub use uri::{Uri, escape};
