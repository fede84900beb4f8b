//! Statements about what becomes of requests, read from a file and held against a configuration.
//!
//! [`read()`] makes a [`Suite`] of a file. [`Judge`] says of each of its routes whether it holds: of one request by
//! following it, of all requests below a path by proving it.

mod below;
mod compare;
mod draft;
mod judge;
mod read;
mod route;
mod template;
mod worlds;

pub use draft::{Draft, draft};
pub use judge::{Decision, Judge, Judged, Verdict};
pub use read::{Broken, KEYS, Key, NAME, Place, read};
pub use route::{Asked, Bound, Expectation, Route, Suite, Wanted};
