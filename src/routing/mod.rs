//! What happens to a request: which location answers it and which URI its upstream is asked for.
//!
//! So far this room knows location choice and the mapping of `proxy_pass`; it says nothing where a rewrite or a variable
//! decides.

mod choice;
mod cover;
mod example;
mod mapping;
mod uri;

pub use choice::{Choice, choose};
pub use cover::{Reason, Winner, contested, unreachable, winners};
pub use example::{Example, example};
pub use mapping::{Mapping, map, mapping_example, replacement};
pub use uri::{Uri, escape};
