//! What happens to a request: which location answers it and which URI its upstream is asked for.
//!
//! [`trace()`] follows one request through all of nginx's phases. The smaller questions are asked for by themselves: [`choose`] finds the location of a path, [`map`] the URI that `proxy_pass`
//! makes of one, [`example`] a request that reaches a location.

mod access;
mod assumption;
mod attempt;
mod certain;
mod challenge;
mod choice;
mod content;
mod contract;
mod disk;
mod duration;
mod error_page;
mod example;
mod files;
mod handler;
mod mapping;
mod near_miss;
mod overmatch;
mod protection;
mod regexes;
mod request;
mod resource;
mod restriction;
mod rewrite;
mod run;
mod script;
mod socket;
mod subrequest;
mod supposed;
mod tables;
mod trace;
mod unused;
mod upstream;
mod uri;
mod value;
mod variables;
mod variation;

pub use assumption::{About, Assumption};
pub use attempt::{Attempt, attempt, request_to};
pub use certain::{handshake_example, passed_example};
pub use challenge::{Blocked, CHALLENGE, blocked_challenges};
pub use choice::{Choice, choose, longest_prefix, redirects_without_slash};
pub use contract::{Broken, broken_contract};
pub use disk::{Disk, Entry};
pub use duration::duration;
pub use example::{Example, example, meant_request, redirected, request, request_url, target};
pub use handler::{Handler, Upstream};
pub use mapping::{Mapping, map, mapping_example, may_be_rewritten, replacement, rooted};
pub use near_miss::{NearMiss, near_miss};
pub use overmatch::{Overmatch, Wrong, overmatches};
pub use protection::{is_open, protections, sets_protection};
pub(crate) use request::validate_host;
pub use request::{Protocol, Request};
pub use resource::Resource;
pub use restriction::restrictions;
pub(crate) use socket::{Entrance, ip, port, resolved};
pub use subrequest::{Gate, TooSmall, gates};
pub use supposed::Supposed;
pub use trace::{Options, Outcome, Pass, Proxy, Step, Trace, Tracer, Turn, WebSocket, trace};
pub use unused::{UnusedReplacement, unused_replacement};
pub(crate) use upstream::READ_TIMEOUT;
pub use uri::{Uri, escape};
pub use variation::{By, Fork, Form, Part, Variation};
