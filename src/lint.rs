//! Runs the rules over a configuration and puts the findings in order.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::config::{Config, Excluded, Scope};
use crate::diagnostic::{Diagnostic, Severity};
use crate::rule::{Check, Report, Rule};
use crate::rules::RULES;
use crate::source::{FileId, Origin};
use crate::suppress::Ignores;

/// The rule that no choice of others, no comment and no baseline leaves out: what cannot be read is never called clean.
pub const ALWAYS: &str = "syntax-error";

/// Which findings are wanted, and how bad each is. Rules are named by themselves or by their category.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The rules that run; when empty, all.
    pub select: Vec<String>,
    /// The rules that do not run.
    pub ignore: Vec<String>,
    /// The severity of rules' findings; nothing for a rule that does not run.
    pub levels: Vec<(String, Option<Severity>)>,
    /// The files whose findings are not wanted.
    pub excluded: Excluded,
}

impl Policy {
    /// True when a rule of this name runs.
    pub fn runs(&self, name: &str) -> bool {
        RULES
            .iter()
            .any(|(known, rule)| *known == name && self.of(known, rule).is_some())
    }

    /// What becomes of a rule: nothing when it does not run, else the severity of all its findings if one is set.
    ///
    /// A name says more than a category: a rule that is selected itself runs although its category is ignored or off, and
    /// one that is off by itself runs only when its name is selected or has a level.
    fn of(&self, name: &str, rule: &Rule) -> Option<Option<Severity>> {
        let category = rule.category.as_str();
        let has = |list: &[String], wanted: &str| list.iter().any(|name| name == wanted);
        let level = |wanted: &str| self.levels.iter().rfind(|(name, _)| name == wanted);
        if has(&self.ignore, name) {
            return None;
        }
        let named = has(&self.select, name);
        let set = match name {
            ALWAYS => level(name),
            _ if !named && has(&self.ignore, category) => return None,
            _ if !named && !self.select.is_empty() && !has(&self.select, category) => return None,
            _ => level(name).or_else(|| level(category)),
        };
        if rule.off && !named && level(name).is_none() {
            return None;
        }
        match set {
            Some((_, Some(severity))) => Some(Some(*severity)),
            Some((_, None)) if !named => None,
            _ => Some(None),
        }
    }
}

/// Runs every rule that is not off by itself; the findings that concern `scope`, by file, place and rule.
pub fn lint(config: &Config, scope: &Scope) -> Vec<Diagnostic> {
    run(config, scope, RULES, &Policy::default())
}

/// Runs the rules that are wanted; the wanted findings that concern `scope`, by file, place and rule.
pub fn lint_as(config: &Config, scope: &Scope, policy: &Policy) -> Vec<Diagnostic> {
    run(config, scope, RULES, policy)
}

/// Runs some rules, be they off by themselves or not; the findings that concern `scope`, by file, place and rule.
///
/// A finding concerns a file when its place or one of its labels lies in it. A directive that is included at several
/// places is reported once. What a comment ignores is left out.
pub fn lint_with(
    config: &Config,
    scope: &Scope,
    rules: &[(&'static str, &'static Rule)],
) -> Vec<Diagnostic> {
    let names = rules.iter().map(|(name, _)| (*name).to_owned());
    let policy = Policy {
        select: names.collect(),
        ..Policy::default()
    };
    run(config, scope, rules, &policy)
}

fn run(
    config: &Config,
    scope: &Scope,
    rules: &[(&'static str, &'static Rule)],
    policy: &Policy,
) -> Vec<Diagnostic> {
    let wanted: Vec<(&'static str, &'static Rule, Option<Severity>)> = rules
        .iter()
        .filter_map(|(name, rule)| Some((*name, *rule, policy.of(name, rule)?)))
        .collect();
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut ran = HashSet::new();
    for (name, rule, _) in &wanted {
        if let Check::Config(check) = rule.check {
            let mut report = Report::new(name, rule);
            check(config, &mut report);
            diagnostics.extend(report.finish());
            ran.insert(*name);
        }
    }

    let known = RULES.iter().map(|(name, _)| *name).collect();
    let mut ignores = Ignores::read(config, known, ran);
    diagnostics
        .retain(|found| found.rule == ALWAYS || !ignores.cover(config, found.rule, found.span));
    let mut about_ignores = Vec::new();
    for (name, rule, _) in &wanted {
        if let Check::Ignores(check) = rule.check {
            let mut report = Report::new(name, rule);
            check(config, &ignores, &mut report);
            about_ignores.extend(report.finish());
        }
    }
    about_ignores.retain(|found| !ignores.cover(config, found.rule, found.span));
    diagnostics.append(&mut about_ignores);

    let mut excluded: HashMap<FileId, bool> = HashMap::new();
    diagnostics.retain(|diagnostic| {
        let file = diagnostic.span.file;
        let is_excluded = || {
            policy
                .excluded
                .holds(Path::new(config.sources().file(file).name()))
        };
        concerns(config, scope, diagnostic) && !*excluded.entry(file).or_insert_with(is_excluded)
    });
    let levels: HashMap<&str, Severity> = wanted
        .iter()
        .filter_map(|(name, _, level)| Some((*name, (*level)?)))
        .collect();
    for diagnostic in &mut diagnostics {
        diagnostic.severity = levels
            .get(diagnostic.rule)
            .copied()
            .unwrap_or(diagnostic.severity);
    }
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

fn is_stock(config: &Config, file: FileId) -> bool {
    *config.sources().file(file).origin() == Origin::Stock
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Category, Fixes};

    static RULE: Rule = Rule {
        docs: "",
        category: Category::Timeout,
        severity: Severity::Warning,
        off: false,
        fix: Fixes::None,
        since: "0.1.0",
        see: "",
        check: Check::Config(|_, _| {}),
    };

    fn runs(
        select: &[&str],
        ignore: &[&str],
        levels: &[(&str, Option<Severity>)],
    ) -> Option<Option<Severity>> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let levels = levels
            .iter()
            .map(|(name, level)| ((*name).to_owned(), *level));
        let policy = Policy {
            select: owned(select),
            ignore: owned(ignore),
            levels: levels.collect(),
            ..Policy::default()
        };
        policy.of("short-timeout", &RULE)
    }

    #[test]
    fn a_name_says_more_than_a_category() {
        let note = Some(Severity::Note);
        assert_eq!(runs(&[], &[], &[]), Some(None));
        assert_eq!(runs(&["timeout"], &[], &[]), Some(None));
        assert_eq!(runs(&["proxy"], &[], &[]), None);
        assert_eq!(runs(&["short-timeout"], &["timeout"], &[]), Some(None));
        assert_eq!(runs(&["timeout"], &["short-timeout"], &[]), None);
        assert_eq!(runs(&["timeout"], &["timeout"], &[]), None);
        assert_eq!(
            runs(&[], &[], &[("timeout", None), ("short-timeout", note)]),
            Some(note)
        );
        assert_eq!(runs(&["timeout"], &[], &[("short-timeout", None)]), None);
        assert_eq!(
            runs(&["short-timeout"], &[], &[("short-timeout", None)]),
            Some(None)
        );
    }

    #[test]
    fn a_rule_that_is_off_runs_when_its_own_name_is_wanted() {
        let rule = Rule { off: true, ..RULE };
        let runs = |select: &[&str], level: Option<&str>| {
            let policy = Policy {
                select: select.iter().map(|name| (*name).to_owned()).collect(),
                levels: level
                    .map(|name| (name.to_owned(), Some(Severity::Note)))
                    .into_iter()
                    .collect(),
                ..Policy::default()
            };
            policy.of("short-timeout", &rule).is_some()
        };
        assert!(!runs(&[], None) && !runs(&["timeout"], None) && !runs(&[], Some("timeout")));
        assert!(runs(&["short-timeout"], None) && runs(&[], Some("short-timeout")));
    }

    #[test]
    fn syntax_errors_are_left_out_by_their_own_name_only() {
        let all_but = |policy: Policy| policy.of(ALWAYS, &RULE).is_some();
        let names = || vec!["timeout".to_owned()];
        assert!(all_but(Policy {
            ignore: names(),
            ..Policy::default()
        }));
        assert!(all_but(Policy {
            select: vec!["proxy".to_owned()],
            ..Policy::default()
        }));
        assert!(all_but(Policy {
            levels: vec![("timeout".to_owned(), None)],
            ..Policy::default()
        }));
        assert!(!all_but(Policy {
            ignore: vec![ALWAYS.to_owned()],
            ..Policy::default()
        }));
    }
}
