//! nginspect reads an nginx configuration and says what nginx will do with it.
//!
//! The way through the house: [`source`] holds bytes, [`syntax`] turns them into a lossless tree, [`config`] merges the
//! trees as nginx does, [`routing`] says what happens to a request and [`urispace`] to all of them, [`routes`] lists them
//! by location, [`loops`] finds those that come back and [`difference`] those that two configurations answer differently,
//! [`assertion`] says whether statements about them hold, [`rules`] ask that model for what goes wrong, [`settings`] and
//! flags say which are wanted, [`lint`] runs them and leaves out what a comment ignores ([`suppress`]), [`fingerprint`]
//! knows a finding again, for [`baseline`] among others, [`report`] prints the findings, [`fix`] makes their edits, and
//! [`cli`] is the program. Imports go one way only.

pub mod assertion;
pub mod baseline;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod difference;
pub mod fingerprint;
pub mod fix;
pub mod lint;
pub mod loops;
pub mod nginx;
pub mod report;
pub mod routes;
pub mod routing;
pub mod rule;
pub mod rules;
pub mod settings;
pub mod source;
pub mod suppress;
pub mod syntax;
pub mod urispace;
