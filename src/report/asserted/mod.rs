//! Prints what was found about statements; a format is a function over the same [`Part`]s.

pub mod json;
pub mod junit;
pub mod text;

use crate::assertion::{Decision, Judged, Suite};
use crate::config::Config;
use crate::routing::Trace;
use crate::source::{SourceFile, Span};

/// A file of statements, and what was found about them.
pub struct Part<'a, 'c> {
    /// The file.
    pub suite: &'a Suite,
    /// The configuration that it was held against.
    pub config: &'c Config,
    /// What was found about each of its statements.
    pub judged: Vec<Judged<'a, 'c>>,
}

impl Part<'_, '_> {
    /// How many statements were decided so.
    pub fn count(&self, decision: Decision) -> usize {
        let decided = |judged: &&Judged<'_, '_>| judged.result() == decision;
        self.judged.iter().filter(decided).count()
    }

    fn file(&self) -> &SourceFile {
        self.suite.sources.file(self.suite.file)
    }

    fn line(&self, span: Span) -> u32 {
        self.file().position(span.start).line
    }

    /// The root file of the configuration.
    fn root(&self) -> &str {
        let mut files = self.config.sources().iter();
        files.next().map_or("", |(_, file)| file.name())
    }

    /// What answers a request, and where it stands.
    fn answering(&self, trace: &Trace<'_>) -> Option<(String, Span)> {
        match (&trace.location, trace.server) {
            (Some(location), _) => {
                let span = location.directive.span();
                Some((format!("location `{location}`"), span))
            }
            (None, Some(server)) => Some((
                "the server, by no location".to_owned(),
                server.directive.span(),
            )),
            (None, None) => None,
        }
    }

    fn place(&self, span: Span) -> (&str, u32) {
        let file = self.config.sources().file(span.file);
        (file.name(), file.position(span.start).line)
    }
}

/// The request of a trace, as `GET http://host/path`.
fn request(trace: &Trace<'_>) -> String {
    format!("{} {}", trace.request.method, trace.request.url())
}

/// What is wrong with a statement, each line for itself; nothing where it holds.
fn story(part: &Part<'_, '_>, judged: &Judged<'_, '_>) -> Vec<String> {
    use crate::assertion::Verdict;
    let mut lines = Vec::new();
    for (expectation, verdict) in judged.route.expectations.iter().zip(&judged.verdicts) {
        let key = expectation.wanted.key();
        match verdict {
            Verdict::Held => {}
            Verdict::Failed { actual, .. } => {
                lines.push(format!("{key}: expected {}", expectation.wanted));
                lines.push(format!(
                    "{:>1$} {actual}",
                    "found",
                    key.chars().count() + 10
                ));
            }
            Verdict::Undecided(reason) => {
                lines.push(format!("{key}: expected {}", expectation.wanted));
                lines.push(format!("  undecided: {reason}"));
            }
        }
    }
    if let Some(trace) = judged.witness() {
        lines.push(format!("request: {}", request(trace)));
        if let Some((block, span)) = part.answering(trace) {
            let (file, line) = part.place(span);
            lines.push(format!("answered by {block} at {file}:{line}"));
        }
    }
    if judged.result() != Decision::Held {
        let assumed = judged.assumptions.iter();
        lines.extend(assumed.map(|assumption| format!("assumed: {assumption}")));
    }
    lines
}
