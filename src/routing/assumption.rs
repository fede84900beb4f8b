//! What the configuration does not tell about a request, and how it was taken.

use std::fmt;

use super::disk::Entry;

/// Something that was taken to be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumption {
    /// What, in words.
    pub text: String,
    /// What it is about.
    pub about: About,
}

/// What an assumption is about, and so what it would take to know better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// What there is at a path of the disk.
    File(Vec<u8>, Entry),
    /// A value that is shown by the name of its variable; nothing was decided by it.
    Name,
    /// The client, the network, caches, limits, passwords, and answers of others: no part of a configuration.
    Outside,
    /// A file of the configuration that was not read.
    Unread,
    /// A value that nginx goes another way by, or a part of the configuration that it does not take.
    Other,
}

impl fmt::Display for Assumption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
