//! One cause, one story: findings that go back to the same lines of a file are told together, and what follows from
//! another finding is not told beside it.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::{FileId, Span};

/// What findings must share to be told together.
type Key = (&'static str, FileId, Severity, Vec<Span>);

/// Rules whose findings follow from those of another rule at the same place.
const FOLLOWING: [(&str, &str); 1] = [("hijacked-location", "unreachable-location")];

/// Tells the findings of one rule in one file together that have the same causes; the rest stays as it is.
///
/// The first of them is told, with the others as its labels; its fixes make the edits of all.
pub fn together(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let places: HashSet<(&str, Span)> = findings
        .iter()
        .map(|finding| (finding.rule, finding.span))
        .collect();
    findings.retain(|finding| {
        !FOLLOWING
            .iter()
            .any(|(rule, other)| finding.rule == *rule && places.contains(&(*other, finding.span)))
    });
    let mut told: Vec<(Diagnostic, usize)> = Vec::with_capacity(findings.len());
    let mut known: HashMap<Key, usize> = HashMap::new();
    for finding in findings {
        if finding.causes.is_empty() {
            told.push((finding, 0));
            continue;
        }
        let key = (
            finding.rule,
            finding.span.file,
            finding.severity,
            finding.causes.clone(),
        );
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
            causes: causes.iter().map(|cause| span(*cause)).collect(),
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
            finding(2, &[10, 20], "lost"),
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
    fn what_follows_from_another_finding_is_not_told_beside_it() {
        let of = |rule, start| Diagnostic {
            rule,
            ..finding(start, &[], "gone")
        };
        let told = together(vec![
            of("hijacked-location", 1),
            of("unreachable-location", 1),
            of("hijacked-location", 2),
        ]);
        let rules: Vec<&str> = told.iter().map(|found| found.rule).collect();
        assert_eq!(rules, ["unreachable-location", "hijacked-location"]);
    }
}
