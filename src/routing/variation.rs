//! What of an answer may be another for another path or query of the same request.
//!
//! A [`Trace`](super::Trace) follows one request. Where nothing on its way depends on the path or the query, every
//! other request that the same location is chosen for goes the same way; what does depend on them is kept here.

use crate::source::Span;

/// What of an answer depends on the path or the query of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variation {
    /// Where nginx decided by them, besides choosing the first location.
    pub forks: Vec<Fork>,
    /// Paths of the disk that were looked at, and true for those that depend on them.
    pub looked: Vec<(Vec<u8>, bool)>,
    /// Parts of the outcome that hold something of them.
    pub parts: Vec<Part>,
    /// The URI that an upstream is asked for.
    pub uri: Form,
    /// The `Location` of the answer.
    pub redirect: Form,
}

/// A decision by the path or the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The directive that decides.
    pub span: Option<Span>,
    /// By what.
    pub by: By,
}

/// By what of a request nginx decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Whether the path of the client ends with a slash.
    Slash,
    /// The pattern of a `rewrite` that did not match the path of the client.
    Unmatched(Vec<u8>),
    /// The location of the path with the name of an index after it.
    Index,
    /// Anything else.
    Other,
}

/// A part of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Where an upstream is.
    Upstream,
    /// The method that it receives.
    Method,
    /// A header or a parameter that it receives, in lower case.
    Header(String),
    /// The path of a file.
    File,
}

/// How a text is made of the path and the query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Form {
    /// Not at all.
    #[default]
    Constant,
    /// This text, then the path from a byte on, then the query. The path is spelled as nginx has normalised it, or as the
    /// client wrote it.
    Rest {
        /// What stands before.
        start: Vec<u8>,
        /// How many bytes of the normalised path are left out.
        from: usize,
    },
    /// In another way.
    Other,
}

/// How a value depends on the path and the query of the client's request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Varies {
    /// Not at all.
    #[default]
    No,
    /// It is the normalised path.
    Path,
    /// It is that path with the name of an index after it.
    Index,
    /// It is the query.
    Query,
    /// From this byte on, it is the target as the client sent it.
    Target(usize),
    /// In any other way, but for as many bytes at its beginning.
    From(usize),
}

impl Varies {
    /// That of a text with another one put at its end, by the lengths of both.
    pub(super) fn then(self, length: usize, other: Self, other_length: usize) -> Self {
        match (self, other) {
            (Self::No, Self::No) => Self::No,
            (Self::No, Self::Target(at)) => Self::Target(length + at),
            (Self::No, Self::From(at)) => Self::From(length + at),
            (Self::No, Self::Path | Self::Index | Self::Query) => Self::From(length),
            (own, Self::No) if other_length == 0 => own,
            (own, _) => Self::From(own.fixed(length)),
        }
    }

    /// How many bytes at the beginning of a text of some length are always the same.
    pub(super) fn fixed(self, length: usize) -> usize {
        match self {
            Self::No => length,
            Self::Path | Self::Index | Self::Query => 0,
            Self::Target(at) | Self::From(at) => at.min(length),
        }
    }

    /// That of a text to which a part may be added that depends on the path or the query.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (own, Self::No) => own,
            (Self::No, _) => Self::From(0),
            (own, _) => Self::From(own.fixed(usize::MAX)),
        }
    }

    /// That of another text which was made of this one.
    pub(super) fn changed(self) -> Self {
        match self {
            Self::No => Self::No,
            _ => Self::From(0),
        }
    }
}
