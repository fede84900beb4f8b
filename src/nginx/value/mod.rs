//! Values as the setters of nginx take them.
//!
//! One question: would nginx refuse these arguments by themselves, whatever else the configuration says? The answer
//! follows the function that nginx calls for the directive; where that depends on the system, on a library, or on
//! another directive, the arguments pass.

use super::{Contexts, Kind, Version};

/// A directive as its setter sees it.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The name of the directive.
    pub name: &'a str,
    /// What the setter takes.
    pub kind: Kind,
    /// Where it stands.
    pub context: Contexts,
    /// The arguments, quotes and escapes undone.
    pub arguments: &'a [&'a [u8]],
    /// The nginx that reads it; nothing when that is not known, and then what any version takes passes.
    pub version: Option<Version>,
}

/// Why nginx refuses an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Its index, from 0.
    pub argument: usize,
    /// What is wrong with it: a sentence without a full stop, the value in backquotes.
    pub problem: String,
    /// What to write in its place, where one answer is likely.
    pub meant: Option<String>,
    /// What the setter takes, in a sentence.
    pub help: Option<String>,
}

impl Setting<'_> {
    /// Nothing when the setter takes the arguments, else what it refuses first.
    pub fn flaw(&self) -> Option<Flaw> {
        match self.kind {
            _ => None,
        }
    }
}
