//! Runs the rules over a configuration and puts the findings in order.

use std::collections::HashSet;

use crate::config::{Config, Scope};
use crate::diagnostic::Diagnostic;
use crate::rule::{Report, Rule};
use crate::rules::RULES;
use crate::source::Origin;

/// Runs every rule; the findings that concern `scope`, by file, place and rule.
pub fn lint(config: &Config, scope: &Scope) -> Vec<Diagnostic> {
    lint_with(config, scope, RULES)
}

/// Runs some rules; the findings that concern `scope`, by file, place and rule.
///
/// A finding concerns a file when its place or one of its labels lies in it. A directive that is included at several
/// places is reported once.
pub fn lint_with(
    config: &Config,
    scope: &Scope,
    rules: &[(&'static str, &'static Rule)],
) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> = rules
        .iter()
        .flat_map(|(name, rule)| {
            let mut report = Report::new(name, rule);
            (rule.check)(config, &mut report);
            report.finish().collect::<Vec<_>>()
        })
        .filter(|diagnostic| concerns(config, scope, diagnostic))
        .collect();
    for diagnostic in &mut diagnostics {
        diagnostic.fixes.retain(|fix| {
            fix.edits
                .iter()
                .all(|edit| !is_stock(config, edit.span.file))
        });
    }
    diagnostics.sort_by(|a, b| (a.span, a.rule, &a.message).cmp(&(b.span, b.rule, &b.message)));
    let mut seen = HashSet::new();
    diagnostics.retain(|diagnostic| {
        seen.insert((diagnostic.span, diagnostic.rule, diagnostic.message.clone()))
    });
    diagnostics
}

fn concerns(config: &Config, scope: &Scope, diagnostic: &Diagnostic) -> bool {
    let files = std::iter::once(diagnostic.span.file)
        .chain(diagnostic.labels.iter().map(|label| label.span.file));
    !is_stock(config, diagnostic.span.file)
        && files.into_iter().any(|file| scope.holds(config, file))
}

fn is_stock(config: &Config, file: crate::source::FileId) -> bool {
    *config.sources().file(file).origin() == Origin::Stock
}
