//! What happens to a request: which location answers it and which URI its upstream is asked for.
//!
//! [`trace()`] follows one request through all of nginx's phases. The smaller questions are asked for by themselves:
//! [`choose`] finds the location of a path, [`map`] the URI that `proxy_pass` makes of one, [`example`] a request that
//! reaches a location.

mod access;
mod choice;
mod content;
mod cover;
mod disk;
mod error_page;
mod example;
mod files;
mod mapping;
mod regexes;
mod request;
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

pub use choice::{Choice, choose};
pub use cover::{Reason, Winner, contested, unreachable, winners};
pub use disk::{Disk, Entry};
pub use example::{Example, example};
pub use mapping::{Mapping, map, mapping_example, replacement};
pub use request::{Protocol, Request};
pub use trace::{Options, Outcome, Pass, Proxy, Step, Trace, Tracer, WebSocket, trace};
pub use uri::{Uri, escape};
