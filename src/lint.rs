//! Runs the rules over a configuration and puts the findings in order.

use std::collections::HashSet;

use crate::config::{Config, Scope};
use crate::diagnostic::Diagnostic;
use crate::rule::{Check, Report, Rule};
use crate::rules::RULES;
use crate::source::Origin;
use crate::suppress::Ignores;

/// Runs every rule; the findings that concern `scope`, by file, place and rule.
pub fn lint(config: &Config, scope: &Scope) -> Vec<Diagnostic> {
    lint_with(config, scope, RULES)
}

/// Runs some rules; the findings that concern `scope`, by file, place and rule.
///
/// A finding concerns a file when its place or one of its labels lies in it. A directive that is included at several
/// places is reported once. What a comment ignores is left out.
pub fn lint_with(
    config: &Config,
    scope: &Scope,
    rules: &[(&'static str, &'static Rule)],
) -> Vec<Diagnostic> {
    let looks = |(name, rule): &(&'static str, &'static Rule)| match rule.check {
        Check::Config(check) => Some((Report::new(name, rule), check)),
        Check::Ignores(_) => None,
    };
    let looked = rules.iter().filter_map(looks).map(|(mut report, check)| {
        check(config, &mut report);
        report
    });
    let mut diagnostics: Vec<Diagnostic> = looked.flat_map(Report::finish).collect();

    let known = RULES.iter().map(|(name, _)| *name).collect();
    let ran = rules.iter().filter(|rule| looks(rule).is_some());
    let mut ignores = Ignores::read(config, known, ran.map(|(name, _)| *name).collect());
    diagnostics.retain(|found| !ignores.cover(config, found.rule, found.span));
    let mut about_ignores = Vec::new();
    for (name, rule) in rules {
        if let Check::Ignores(check) = rule.check {
            let mut report = Report::new(name, rule);
            check(config, &ignores, &mut report);
            about_ignores.extend(report.finish());
        }
    }
    about_ignores.retain(|found| !ignores.cover(config, found.rule, found.span));
    diagnostics.append(&mut about_ignores);

    diagnostics.retain(|diagnostic| concerns(config, scope, diagnostic));
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

/// True for a rule whose finding is one only when all configurations with the same file have it: a comment that ignores
/// nothing in one may be of use in another.
pub fn must_agree(rule: &str) -> bool {
    let known = RULES.iter().find(|(name, _)| *name == rule);
    known.is_some_and(|(_, rule)| matches!(rule.check, Check::Ignores(_)))
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
