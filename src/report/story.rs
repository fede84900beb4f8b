//! One cause, one story: findings of a rule that have the same cause are told together, and of two that say the same of a
//! place, or guess differently what it is for, one is told.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::{FileId, Span};

/// What findings must share to be told together.
type Key = (&'static str, FileId, Severity, String);

/// Rules of which one is told of a place: the graver finding, or else that of the second rule, whose place lies in that of
/// the first.
const RIVALS: [(&str, &str); 2] = [
    // What nothing is left of loses something.
    ("hijacked-location", "unreachable-location"),
    // A path such as `/events` may be either.
    ("missing-websocket-upgrade", "buffered-stream"),
];

/// Tells the findings of one rule in one file together that are one story; the rest stays as it is.
///
/// The first of them is told, with the others as its labels; its fixes make the edits of all.
pub fn together(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    leave_out_rivals(&mut findings);
    let mut told: Vec<(Diagnostic, usize)> = Vec::with_capacity(findings.len());
    let mut known: HashMap<Key, usize> = HashMap::new();
    for finding in findings {
        let Some(story) = finding.story.clone() else {
            told.push((finding, 0));
            continue;
        };
        let key = (finding.rule, finding.span.file, finding.severity, story);
        let first = *known.entry(key).or_insert(told.len());
        match told.get_mut(first) {
            Some((first, others)) => {
                *others += 1;
                join(first, finding);
            }
            None => told.push((finding, 0)),
        }
    }
    let tell = |(mut finding, others): (Diagnostic, usize)| {
        match others {
            0 => {}
            1 => finding.message.push_str(" (and at one more place)"),
            _ => finding.message += &format!(" (and at {others} more places)"),
        }
        finding
    };
    told.into_iter().map(tell).collect()
}

fn leave_out_rivals(findings: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<(&str, FileId, u32), (u32, Severity)> = BTreeMap::new();
    for finding in &*findings {
        let Span { file, start, end } = finding.span;
        known.insert((finding.rule, file, start), (end, finding.severity));
    }
    findings.retain(|finding| {
        let Span { file, start, end } = finding.span;
        let loses = |(first, second): &(&'static str, &'static str)| {
            if finding.rule == *first {
                let inside = (*second, file, start)..(*second, file, end);
                let mut others = known.range(inside).map(|(_, (_, severity))| severity);
                return others.any(|severity| *severity >= finding.severity);
            }
            let until = (*first, file, 0)..=(*first, file, start);
            let around = known.range(until).next_back();
            finding.rule == *second
                && around.is_some_and(|(_, (around, severity))| {
                    *around >= end && *severity > finding.severity
                })
        };
        !RIVALS.iter().any(loses)
    });
}

fn join(first: &mut Diagnostic, other: Diagnostic) {
    let message = match other.message == first.message {
        true => "here too".to_owned(),
        false => other.message,
    };
    let mut add = |label: Label| {
        let is_known =
            label.span == first.span || first.labels.iter().any(|known| known.span == label.span);
        if !is_known {
            first.labels.push(label);
        }
    };
    add(Label {
        span: other.span,
        message,
    });
    other.labels.into_iter().for_each(&mut add);
    if first.fixes.is_empty() {
        first.fixes = other.fixes;
        return;
    }
    for (fix, more) in first.fixes.iter_mut().zip(other.fixes) {
        fix.safety = fix.safety.max(more.safety);
        let edits = more.edits.into_iter();
        let edits: Vec<_> = edits.filter(|edit| !fix.edits.contains(edit)).collect();
        fix.edits.extend(edits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Edit, Fix, Safety};
    use crate::source::{Origin, Sources};

    fn finding(start: u32, causes: &[u32], message: &str) -> Diagnostic {
        let file = Sources::default().add("a.conf", Origin::Dump, Vec::new());
        let span = |start| Span::new(file, start, start + 1);
        Diagnostic {
            rule: "a-rule",
            severity: Severity::Warning,
            message: message.to_owned(),
            span: span(start),
            label: None,
            labels: causes
                .iter()
                .map(|cause| Label {
                    span: span(*cause),
                    message: "the cause".to_owned(),
                })
                .collect(),
            story: causes.first().map(|cause| cause.to_string()),
            witness: None,
            help: None,
            fixes: vec![Fix {
                title: "mend it".to_owned(),
                safety: Safety::Safe,
                edits: vec![Edit::delete(span(start))],
            }],
        }
    }

    #[test]
    fn findings_with_the_same_causes_are_told_together() {
        let told = together(vec![
            finding(1, &[10], "lost"),
            finding(2, &[20], "lost"),
            finding(3, &[10], "lost"),
            finding(4, &[10], "gone"),
            finding(5, &[], "lost"),
            finding(6, &[], "lost"),
        ]);
        let messages: Vec<&str> = told.iter().map(|found| &*found.message).collect();
        assert_eq!(
            messages,
            ["lost (and at 2 more places)", "lost", "lost", "lost"]
        );
        let labels: Vec<(u32, &str)> = told[0]
            .labels
            .iter()
            .map(|label| (label.span.start, &*label.message))
            .collect();
        assert_eq!(labels, [(10, "the cause"), (3, "here too"), (4, "gone")]);
        assert_eq!(told[0].fixes[0].edits.len(), 3);
    }

    #[test]
    fn of_two_rules_about_a_place_the_graver_is_told_or_the_second() {
        let of = |rule, start: u32, end: u32, severity| Diagnostic {
            rule,
            severity,
            span: Span::new(finding(0, &[], "").span.file, start, end),
            ..finding(start, &[], "gone")
        };
        let told = |findings| {
            let told = together(findings).into_iter();
            told.map(|found| (found.rule, found.span.start))
                .collect::<Vec<_>>()
        };
        let (note, warning, error) = (Severity::Note, Severity::Warning, Severity::Error);
        assert_eq!(
            told(vec![
                of("hijacked-location", 10, 20, warning),
                of("unreachable-location", 10, 20, error),
                of("hijacked-location", 30, 40, warning),
            ]),
            [("unreachable-location", 10), ("hijacked-location", 30)]
        );
        assert_eq!(
            told(vec![
                of("missing-websocket-upgrade", 10, 20, note),
                of("buffered-stream", 15, 20, note),
                of("missing-websocket-upgrade", 30, 40, error),
                of("buffered-stream", 35, 40, note),
                of("buffered-stream", 45, 50, note),
            ]),
            [
                ("buffered-stream", 15),
                ("missing-websocket-upgrade", 30),
                ("buffered-stream", 45)
            ]
        );
    }
}
