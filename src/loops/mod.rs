//! Requests that come back to where they were: redirects that clients follow in circles, and circles inside of nginx.

mod client;
mod redirect;
mod rewrite;
mod tries;

pub use redirect::{Hop, RedirectLoop, redirect_loops};
pub use rewrite::{RewriteCycle, rewrite_cycles};
