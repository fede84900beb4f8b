//! What happens to a request: which location answers it and which URI its upstream is asked for.
//!
//! [`trace()`] follows one request through all of nginx's phases, and [`Routes`] holds all locations at once. The smaller
//! questions are asked for by themselves: [`choose`] finds the location of a path, [`map`] the URI that `proxy_pass`
//! makes of one, [`example`] a request that reaches a location.

mod access;
mod choice;
mod content;
mod cover;
mod disk;
mod error_page;
mod example;
mod files;
mod handler;
mod mapping;
mod reach;
mod regexes;
mod request;
mod restriction;
mod rewrite;
mod routes;
mod run;
mod sample;
mod script;
mod socket;
mod tables;
mod trace;
mod upstream;
mod uri;
mod value;
mod variables;

pub use choice::{Choice, choose, redirects_without_slash};
pub use cover::{Reason, Winner, contested, unreachable, winners};
pub use disk::{Disk, Entry};
pub use example::{Example, example};
pub use handler::{Handler, Upstream};
pub use mapping::{Mapping, map, mapping_example, replacement};
pub use reach::Reach;
pub use request::{Protocol, Request};
pub use routes::{Answering, Before, Forwarding, Listening, Route, Routes, Site};
pub use sample::samples;
pub use trace::{Options, Outcome, Pass, Proxy, Step, Trace, Tracer, WebSocket, trace};
pub use uri::{Uri, escape};
