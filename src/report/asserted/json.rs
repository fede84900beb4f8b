//! One JSON document for programs. Its keys and their order are a promise, numbered by `schema`.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Part, request};
use crate::assertion::{Asked, Decision, Judged, Verdict};

/// Writes the document on one line.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, parts: &[Part<'_, '_>]) -> io::Result<()> {
    let count = |decision| parts.iter().map(|part| part.count(decision)).sum::<usize>();
    let routes: Vec<Value> = parts
        .iter()
        .flat_map(|part| part.judged.iter().map(|judged| route(part, judged)))
        .collect();
    let document = json!({
        "schema": 1,
        "summary": {
            "routes": routes.len(),
            "held": count(Decision::Held),
            "failed": count(Decision::Failed),
            "undecided": count(Decision::Undecided),
        },
        "routes": routes,
    });
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

fn route(part: &Part<'_, '_>, judged: &Judged<'_, '_>) -> Value {
    let route = judged.route;
    let expectations: Vec<Value> = route
        .expectations
        .iter()
        .zip(&judged.verdicts)
        .map(|(expectation, verdict)| {
            let (result, actual, reason) = match verdict {
                Verdict::Held => (Decision::Held, None, None),
                Verdict::Failed { actual, .. } => (Decision::Failed, Some(actual), None),
                Verdict::Undecided(reason) => (Decision::Undecided, None, Some(reason)),
            };
            json!({
                "key": expectation.wanted.key(),
                "expected": expectation.wanted.to_string(),
                "result": result.as_str(),
                "actual": actual,
                "reason": reason,
            })
        })
        .collect();
    let witness = judged.witness();
    let answering = witness.and_then(|trace| part.answering(trace));
    let answered_by = answering.map(|(block, span)| {
        let (file, line) = part.place(span);
        json!({"file": file, "line": line, "block": block})
    });
    json!({
        "file": part.file().name(),
        "line": part.line(route.span),
        "name": route.name,
        "config": part.root(),
        "request": format!("{} {}", route.request.method, route.request.url()),
        "under": route.asked != Asked::One,
        "result": judged.result().as_str(),
        "expectations": expectations,
        "witness": witness.map(request),
        "answered_by": answered_by,
        "assumptions": judged.assumptions,
    })
}
