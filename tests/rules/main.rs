//! Every rule against the configurations in its folder, and all rules against sane ones.
//!
//! `NGINSPECT_RULE=name` looks at one rule only.

mod fixes;
mod fixture;
mod pitfalls;

use std::collections::BTreeSet;
use std::path::Path;

use fixture::{Texts, concise, entries, fixtures, place, read, roots};
use nginspect::diagnostic::Severity;
use nginspect::lint::lint;
use nginspect::rule::Fixes;
use nginspect::rules::RULES;

#[test]
fn rules_find_what_their_fixtures_announce_and_nothing_else() {
    let surprises: Vec<_> = fixtures()
        .iter()
        .flat_map(fixture::Fixture::surprises)
        .collect();
    assert!(surprises.is_empty(), "\n{}", surprises.join("\n"));
}

#[test]
fn fixes_cure_their_findings_and_break_nothing() {
    let faults: Vec<_> = fixtures().iter().flat_map(fixes::faults).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_rule_that_declares_fixes_has_a_fixture_with_one() {
    let fixtures = fixtures();
    let fixing: BTreeSet<_> = fixtures
        .iter()
        .filter(|fixture| {
            let findings = fixture.findings(&fixture.load(&Texts::new()));
            findings.iter().any(|finding| !finding.fixes.is_empty())
        })
        .map(|fixture| fixture.rule.0)
        .collect();
    for fixture in &fixtures {
        let (name, rule) = fixture.rule;
        assert_eq!(fixing.contains(name), rule.fix != Fixes::None, "{name}");
    }
}

#[test]
fn every_rule_has_an_example_with_a_finding_and_a_location_without() {
    let fixtures = fixtures();
    for (name, _) in RULES {
        let own: Vec<_> = fixtures
            .iter()
            .filter(|fixture| fixture.rule.0 == *name)
            .collect();
        let Some(first) = own.first() else {
            let filtered = std::env::var_os("NGINSPECT_RULE").is_some();
            assert!(filtered, "{name} has no fixtures");
            continue;
        };
        let example = first.path.with_file_name("example.conf");
        assert!(example.is_file(), "{} is missing", example.display());
        let fixture = fixture::Fixture {
            rule: first.rule,
            path: example,
        };
        let job = fixture.load(&Texts::new());
        let findings = fixture.findings(&job);
        assert!(!findings.is_empty(), "the example of {name} shows nothing");
        let is_clean = |location: nginspect::config::Location<'_>| {
            let span = location.directive.full_span();
            let inside = |place: u32| (span.start..span.end.max(span.start + 1)).contains(&place);
            let found = |finding: &&nginspect::diagnostic::Diagnostic| {
                finding.span.file == span.file && inside(finding.span.start)
            };
            findings.iter().filter(found).count() == 0
        };
        let clean = job.config.locations().any(is_clean);
        assert!(
            clean,
            "the example of {name} shows no location that is fine"
        );
    }
}

#[test]
fn every_folder_of_fixtures_belongs_to_a_rule() {
    for folder in entries(Path::new("fixtures/rules")) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        assert!(
            RULES.iter().any(|(rule, _)| *rule == name),
            "{}",
            folder.display()
        );
    }
}

#[test]
fn every_rule_has_a_page_of_the_same_form() {
    for (name, rule) in RULES {
        let headings: Vec<_> = rule
            .docs
            .lines()
            .filter_map(|line| line.trim().strip_prefix("## "))
            .collect();
        assert_eq!(headings, ["When it is fine", "Fix"], "{name}");
        let summary = rule.summary();
        assert!(
            summary.ends_with('.') && !summary.contains("##"),
            "{name}: {summary}"
        );
        assert!(rule.see.starts_with("https://nginx.org/"), "{name}");
    }
    assert!(RULES.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn all_rules_over_every_example() {
    let mut lines = String::new();
    for (name, _) in RULES {
        let path = Path::new("fixtures/rules").join(name).join("example.conf");
        for line in all_findings(&path) {
            lines += &format!("{line}\n");
        }
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn sane_configurations_earn_nothing_worse_than_a_note() {
    let mut lines = String::new();
    let real = Path::new("fixtures/real");
    let folders = entries(real).into_iter().filter(|path| path.is_dir());
    for root in roots(real)
        .into_iter()
        .chain(folders.flat_map(|path| roots(&path)))
    {
        for line in all_findings(&root) {
            lines += &format!("{line}\n");
        }
    }
    for level in [Severity::Error, Severity::Warning] {
        assert!(
            !lines.contains(&format!(": {}[", level.as_str())),
            "{lines}"
        );
    }
    insta::assert_snapshot!(lines);
}

/// What all rules say of a configuration, a line each.
fn all_findings(root: &Path) -> Vec<String> {
    let job = read(root, &Texts::new());
    assert_eq!(job.config.unreadable(), [], "{}", root.display());
    lint(&job.config, &job.scope)
        .iter()
        .map(|finding| format!("{}: {}", place(&job.config, finding), concise(finding)))
        .collect()
}
