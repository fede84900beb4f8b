//! What a finding is: a message at a place, labels elsewhere, and the edit that would cure it.

use crate::source::Span;

/// How bad a finding is; the order is from mild to grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Advice; never fails a run.
    Note,
    /// Very likely wrong.
    Warning,
    /// nginx refuses the configuration, or some request certainly goes wrong.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// One level milder; a note stays a note.
    pub fn milder(self) -> Self {
        match self {
            Self::Error => Self::Warning,
            Self::Warning | Self::Note => Self::Note,
        }
    }
}

/// How far a fix may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// nginx behaves the same, except for the reported defect.
    Safe,
    /// Requests may be answered differently; shown, applied only on request.
    Unsafe,
}

impl Safety {
    /// `safe` or `unsafe`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

/// Replaces the bytes of a span by a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// What is replaced; an empty span inserts.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

impl Edit {
    /// Puts `text` in the place of `span`.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
        }
    }

    /// Puts `text` right before `span`.
    pub fn insert_before(span: Span, text: impl Into<String>) -> Self {
        Self::replace(span.before(), text)
    }

    /// Puts `text` right after `span`.
    pub fn insert_after(span: Span, text: impl Into<String>) -> Self {
        Self::replace(span.after(), text)
    }

    /// Takes the bytes of `span` away.
    pub fn delete(span: Span) -> Self {
        Self::replace(span, "")
    }
}

/// Edits that belong together: all are made or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the edits do, as an imperative without a full stop.
    pub title: String,
    /// How far they may be trusted.
    pub safety: Safety,
    /// The edits, possibly in several files, none overlapping another.
    pub edits: Vec<Edit>,
}

/// A place that matters for a finding, and why; possibly in another file than the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Why it matters.
    pub message: String,
}

/// A request that shows the defect, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Method and URL, as `GET http://h/api/x`.
    pub request: String,
    /// What happens to it.
    pub effect: String,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Name of the rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line that is understandable alone, without a full stop.
    pub message: String,
    /// The place a person should look at first.
    pub span: Span,
    /// What to say at that place, beside the message.
    pub label: Option<String>,
    /// Other places that matter.
    pub labels: Vec<Label>,
    /// What it has in common with others of its rule that have the same cause; reports tell these together.
    pub story: Option<String>,
    /// A request that shows the defect.
    pub witness: Option<Witness>,
    /// What to do, and what would not help.
    pub help: Option<String>,
    /// Edits that would cure it, best first.
    pub fixes: Vec<Fix>,
}
