//! What a rule is made of, and the words that rules are written in.
//!
//! A rule asks the model and reports spans. It reads no file, knows no setting and cannot fail.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

pub use crate::config::*;
pub use crate::diagnostic::{Diagnostic, Edit, Fix, Label, Safety, Severity, Witness};
pub use crate::loops;
pub use crate::nginx::{self, Contexts, Subsystem, Version};
pub use crate::routing;
pub use crate::source::Span;
pub use crate::suppress::{FlawKind, Ignores};
pub use crate::syntax::{Mistake, MistakeKind};
pub use crate::urispace;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// What nginx refuses to load.
    Load,
    /// Which block answers.
    Location,
    /// What the upstream gets.
    Proxy,
    /// Whether a handshake reaches the backend.
    Websocket,
    /// How long nginx waits.
    Timeout,
    /// Files.
    Static,
    /// Servers, and what their nginx knows.
    Server,
    /// What a client could abuse.
    Security,
    /// Slips of the hand.
    Typo,
    /// nginspect's own comments.
    Ignore,
}

impl Category {
    /// The name in settings and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Location => "location",
            Self::Proxy => "proxy",
            Self::Websocket => "websocket",
            Self::Timeout => "timeout",
            Self::Static => "static",
            Self::Server => "server",
            Self::Security => "security",
            Self::Typo => "typo",
            Self::Ignore => "ignore",
        }
    }
}

/// Which fixes a rule may offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixes {
    /// None.
    None,
    /// Safe ones, and unsafe ones where the intent had to be guessed.
    Safe,
    /// Unsafe ones only.
    Unsafe,
}

/// A rule: what it says about itself, and how it looks.
#[derive(Debug)]
pub struct Rule {
    /// The page, in Markdown; its first paragraph is the summary.
    pub docs: &'static str,
    /// What it is about.
    pub category: Category,
    /// How bad its findings are, unless one says otherwise.
    pub severity: Severity,
    /// True for a rule that runs only when it is selected by its own name, or has a level.
    pub off: bool,
    /// Which fixes it may offer.
    pub fix: Fixes,
    /// The version of nginspect that brought it.
    pub since: &'static str,
    /// The page of nginx's manual that it rests on.
    pub see: &'static str,
    /// What it looks at.
    pub check: Check,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// A configuration.
    Config(fn(&Config, &mut Report)),
    /// The comments that ignore findings, after the other rules have found theirs.
    Ignores(fn(&Config, &Ignores, &mut Report)),
}

impl Rule {
    /// The page without the blank that a doc comment has before each line.
    pub fn page(&self) -> String {
        let lines: Vec<&str> = self
            .docs
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        lines.join("\n")
    }

    /// The level that it has by itself: that of its findings, or `off`.
    pub fn level(&self) -> &'static str {
        match self.off {
            true => "off",
            false => self.severity.as_str(),
        }
    }

    /// The first paragraph of the page, on one line.
    pub fn summary(&self) -> String {
        let lines: Vec<&str> = self
            .docs
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty())
            .collect();
        lines.join(" ")
    }
}

/// Declares the rule of a file: its page as a doc comment, what it is, and the function `check` beside it, which looks at
/// configurations unless `looks_at` says otherwise. With `unless_selected: Off` it runs only when it is asked for.
macro_rules! rule {
    (@check) => { crate::rule::Check::Config(check) };
    (@check $what:ident) => { crate::rule::Check::$what(check) };
    (@off) => { false };
    (@off Off) => { true };
    (
        $(#[doc = $doc:literal])+
        category: $category:ident,
        severity: $severity:ident,
        fix: $fix:ident,
        since: $since:literal,
        see: $see:literal,
        $(looks_at: $what:ident,)?
        $(unless_selected: $off:ident,)?
    ) => {
        /// The rule of this file.
        pub(super) static RULE: crate::rule::Rule = crate::rule::Rule {
            docs: concat!($($doc, "\n"),+),
            category: crate::rule::Category::$category,
            severity: crate::rule::Severity::$severity,
            off: crate::rule::rule!(@off $($off)?),
            fix: crate::rule::Fixes::$fix,
            since: $since,
            see: $see,
            check: crate::rule::rule!(@check $($what)?),
        };
    };
}
pub(crate) use rule;

/// Where a rule puts what it finds.
#[derive(Debug)]
pub struct Report {
    rule: &'static str,
    severity: Severity,
    fix: Fixes,
    findings: Vec<Finding>,
    places: HashSet<Span>,
}

impl Report {
    /// An empty report of one rule.
    pub(crate) fn new(name: &'static str, rule: &Rule) -> Self {
        Self {
            rule: name,
            severity: rule.severity,
            fix: rule.fix,
            findings: Vec::new(),
            places: HashSet::new(),
        }
    }

    /// True when this rule has found something at the place already: what several places inherit is one mistake.
    pub fn has(&self, span: Span) -> bool {
        self.places.contains(&span)
    }

    /// A new finding at a place, to be decorated; the message is one line without a full stop.
    pub fn at(&mut self, span: Span, message: impl Into<String>) -> &mut Finding {
        let safety = if self.fix == Fixes::Safe {
            Safety::Safe
        } else {
            Safety::Unsafe
        };
        self.places.insert(span);
        self.findings.push(Finding {
            safety,
            visibility: Visibility::Whole,
            diagnostic: Diagnostic {
                rule: self.rule,
                severity: self.severity,
                message: message.into(),
                span,
                label: None,
                labels: Vec::new(),
                story: None,
                witness: None,
                help: None,
                fixes: Vec::new(),
            },
        });
        self.findings.last_mut().expect("a finding was just added")
    }

    /// What was found, without what rests on something unseen; what several places tell of the same line is said once.
    pub(crate) fn finish(self) -> impl Iterator<Item = Diagnostic> {
        let mut said = HashSet::new();
        let findings = self.findings.into_iter().filter_map(Finding::finish);
        findings.filter(move |finding| said.insert((finding.span, finding.message.clone())))
    }
}

/// A finding that is being written.
#[derive(Debug)]
pub struct Finding {
    diagnostic: Diagnostic,
    safety: Safety,
    visibility: Visibility,
}

impl Finding {
    /// Says something at the place itself.
    pub fn here(&mut self, message: impl Into<String>) -> &mut Self {
        self.diagnostic.label = Some(message.into());
        self
    }

    /// Says why another place matters.
    pub fn label(&mut self, span: Span, message: impl Into<String>) -> &mut Self {
        self.diagnostic.labels.push(Label {
            span,
            message: message.into(),
        });
        self
    }

    /// Says what this has in common with others of the rule that have the same cause: in one file they are one story.
    pub fn alike(&mut self, cause: impl fmt::Debug) -> &mut Self {
        self.diagnostic.story = Some(format!("{cause:?}"));
        self
    }

    /// Says what to do, and what would not help.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    /// Makes the finding graver or milder than the rule is.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.diagnostic.severity = severity;
        self
    }

    /// Shows a request and what becomes of it.
    pub fn witness(&mut self, request: Option<String>, effect: impl Into<String>) -> &mut Self {
        self.diagnostic.witness = request.map(|request| Witness {
            request,
            effect: effect.into(),
        });
        self
    }

    /// Says, where a block lets only some requests in, that the witness shows what becomes of those.
    pub fn behind(&mut self, block: Directive<'_>) -> &mut Self {
        let is_open = routing::restrictions(block).is_empty();
        if let Some(witness) = self.diagnostic.witness.as_mut().filter(|_| !is_open) {
            witness.effect.insert_str(0, "for those who are let in, ");
        }
        self
    }

    /// Says how much was visible of what the finding rests on: with a part unseen there is no finding, and a lone
    /// server block makes it one level milder.
    pub fn given(&mut self, visibility: Visibility) -> &mut Self {
        self.visibility = self.visibility.max(visibility);
        self
    }

    /// Offers a fix of the rule's own safety; no edits, no fix. What several places ask for alike is edited once.
    pub fn fix(
        &mut self,
        title: impl Into<String>,
        edits: impl IntoIterator<Item = Edit>,
    ) -> &mut Self {
        self.fix_that_is(self.safety, title, edits)
    }

    /// Offers a fix of a certain safety.
    pub fn fix_that_is(
        &mut self,
        safety: Safety,
        title: impl Into<String>,
        edits: impl IntoIterator<Item = Edit>,
    ) -> &mut Self {
        let mut seen = BTreeSet::new();
        let is_new = |edit: &Edit| seen.insert(edit.clone());
        let edits: Vec<Edit> = edits.into_iter().filter(is_new).collect();
        if !edits.is_empty() {
            self.diagnostic.fixes.push(Fix {
                title: title.into(),
                safety,
                edits,
            });
        }
        self
    }

    fn finish(mut self) -> Option<Diagnostic> {
        match self.visibility {
            Visibility::Partial => return None,
            Visibility::Whole => {}
            Visibility::Lone => {
                self.diagnostic.severity = self.diagnostic.severity.milder();
                let help = self.diagnostic.help.get_or_insert_default();
                if !help.is_empty() {
                    help.push(' ');
                }
                help.push_str("The http level was not found and is judged as if it set nothing.");
            }
        }
        Some(self.diagnostic)
    }
}
