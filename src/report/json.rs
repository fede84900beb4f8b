//! One JSON document for programs. Its keys and their order are a promise, numbered by `schema`.

use super::Findings;
use crate::diagnostic::{Diagnostic, Fix, Label, Severity};
use crate::source::{Sources, Span};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Writes the document on one line.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let diagnostics: Vec<Value> = findings
        .iter()
        .map(|(sources, diagnostic)| finding(findings, sources, diagnostic))
        .collect();
    let document = json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "summary": {
            "errors": findings.count(Severity::Error),
            "warnings": findings.count(Severity::Warning),
            "notes": findings.count(Severity::Note),
            "files": findings.files,
        },
        "diagnostics": diagnostics,
    });
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

fn finding(findings: &Findings, sources: &Sources, diagnostic: &Diagnostic) -> Value {
    let description = (findings.describe)(diagnostic.rule);

    let own = diagnostic
        .label
        .as_ref()
        .map(|message| label(sources, diagnostic.span, message));
    let others = diagnostic
        .labels
        .iter()
        .map(|Label { span, message }| label(sources, *span, message));
    let labels: Vec<Value> = own.into_iter().chain(others).collect();
    let witness = diagnostic
        .witness
        .as_ref()
        .map(|witness| json!({"request": witness.request, "effect": witness.effect}));
    let fixes: Vec<Value> = diagnostic
        .fixes
        .iter()
        .map(|one| fix(sources, one))
        .collect();

    let mut object = Map::new();
    object.insert("rule".into(), diagnostic.rule.into());
    object.insert("category".into(), description.category.into());
    object.insert("severity".into(), diagnostic.severity.as_str().into());
    object.insert("message".into(), diagnostic.message.as_str().into());
    object.extend(place(sources, diagnostic.span));
    object.insert("labels".into(), labels.into());
    object.insert("witness".into(), witness.into());
    object.insert("help".into(), diagnostic.help.as_deref().into());
    object.insert("url".into(), description.url.into());
    object.insert("fixes".into(), fixes.into());
    Value::Object(object)
}

fn label(sources: &Sources, span: Span, message: &str) -> Value {
    let mut object = place(sources, span);
    object.insert("message".into(), message.into());
    Value::Object(object)
}

fn place(sources: &Sources, span: Span) -> Map<String, Value> {
    let file = sources.file(span.file);
    let start = file.position(span.start);
    let end = file.position(span.end);

    let mut object = Map::new();
    object.insert("file".into(), file.name().into());
    object.insert("line".into(), start.line.into());
    object.insert("column".into(), start.column.into());
    object.insert("end_line".into(), end.line.into());
    object.insert("end_column".into(), end.column.into());
    object
}

fn fix(sources: &Sources, fix: &Fix) -> Value {
    let edits: Vec<Value> = fix
        .edits
        .iter()
        .map(|edit| {
            json!({
                "file": sources.file(edit.span.file).name(),
                "start": edit.span.start,
                "end": edit.span.end,
                "text": edit.text,
            })
        })
        .collect();
    json!({"title": fix.title, "safety": fix.safety.as_str(), "edits": edits})
}
