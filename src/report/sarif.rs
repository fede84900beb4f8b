//! SARIF 2.1.0, the format of code scanning services and editors.

use super::{Findings, place, printable, story};
use crate::diagnostic::{Diagnostic, Edit, Fix, Safety};
use crate::rule::Rule;
use crate::source::{FileId, Sources, Span};
use serde_json::{Value, json};
use std::io::{self, Write};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The folder of the run; whoever reads the file says where it is now.
const BASE: &str = "%SRCROOT%";

/// The version counts up when fingerprints are made differently.
const FINGERPRINT: &str = "nginspect/v1";

/// Writes a log with one run on one line.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let rules: Vec<Value> = findings
        .rules
        .iter()
        .map(|(name, rule)| described(findings, name, rule))
        .collect();
    let results: Vec<Value> = findings
        .iter()
        .zip(findings.fingerprints())
        .map(|((sources, diagnostic), fingerprint)| {
            result(&Log { findings, sources }, diagnostic, &fingerprint)
        })
        .collect();
    let failures: Vec<Value> = findings
        .failures
        .iter()
        .map(|failure| json!({"level": "error", "message": {"text": printable(failure)}}))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "nginspect",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": failures.is_empty(),
                "toolExecutionNotifications": failures,
            }],
            "originalUriBaseIds": {
                BASE: {"description": {"text": "The folder that nginspect ran in."}},
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer(&mut *out, &log)?;
    writeln!(out)
}

/// A rule with its page, for the reader who does not have nginspect.
fn described(findings: &Findings, name: &str, rule: &Rule) -> Value {
    let (category, page) = (rule.category.as_str(), rule.page());
    let configuration = match rule.off {
        true => json!({"level": rule.severity.as_str(), "enabled": false}),
        false => json!({"level": rule.severity.as_str()}),
    };
    json!({
        "id": name,
        "name": pascal_case(name),
        "shortDescription": {"text": rule.summary()},
        "fullDescription": {"text": paragraphs(&page)},
        "helpUri": (findings.describe)(name).url,
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": configuration,
        "properties": {"category": category, "tags": ["nginx", category]},
    })
}

fn pascal_case(name: &str) -> String {
    let capitalized = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('-')
        .filter(|word| !word.is_empty())
        .map(capitalized)
        .collect()
}

/// What stands above the first heading of a page, each paragraph on one line.
fn paragraphs(page: &str) -> String {
    let above = page.split("\n## ").next().unwrap_or(page);
    let paragraphs: Vec<String> = above
        .trim()
        .split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "))
        .collect();
    paragraphs.join("\n\n")
}

/// What places and paths need to be known.
struct Log<'a> {
    findings: &'a Findings<'a>,
    sources: &'a Sources,
}

fn result(log: &Log, diagnostic: &Diagnostic, fingerprint: &str) -> Value {
    let mut location = log.location(diagnostic.span);
    if let Some(label) = &diagnostic.label {
        location["message"] = json!({"text": printable(label)});
    }
    let related: Vec<Value> = diagnostic
        .labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let mut location = log.location(label.span);
            location["id"] = (index + 1).into();
            location["message"] = json!({"text": printable(&label.message)});
            location
        })
        .collect();
    let fixes: Vec<Value> = diagnostic
        .fixes
        .iter()
        .filter_map(|fix| log.fix(fix))
        .collect();
    let mut result = json!({
        "ruleId": diagnostic.rule,
        "level": diagnostic.severity.as_str(),
        "message": {"text": message(diagnostic)},
        "locations": [location],
        "relatedLocations": related,
        "partialFingerprints": {FINGERPRINT: fingerprint},
        "fixes": fixes,
    });
    let mut rules = log.findings.rules.iter();
    if let Some(index) = rules.position(|(name, _)| *name == diagnostic.rule) {
        result["ruleIndex"] = index.into();
    }
    result
}

/// The message with all that belongs to it: GitHub shows nothing else, and related places only where the text links to
/// them.
fn message(diagnostic: &Diagnostic) -> String {
    let mut lines = story(diagnostic);
    lines.extend(diagnostic.labels.iter().enumerate().map(|(index, label)| {
        let text = printable(&label.message)
            .replace('\\', "\\\\")
            .replace('[', "\\[")
            .replace(']', "\\]");
        format!("[{text}]({})", index + 1)
    }));
    lines.join("\n")
}

impl Log<'_> {
    fn location(&self, span: Span) -> Value {
        json!({"physicalLocation": {
            "artifactLocation": self.artifact(span.file),
            "region": self.region(span),
        }})
    }

    fn artifact(&self, file: FileId) -> Value {
        let path = place::path(self.sources.file(file), self.findings.base);
        let uri = place::uri(&path);
        if path.is_absolute() {
            json!({"uri": uri})
        } else {
            json!({"uri": uri, "uriBaseId": BASE})
        }
    }

    fn region(&self, span: Span) -> Value {
        let file = self.sources.file(span.file);
        let (start, end) = (file.position(span.start), file.position(span.end));
        json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        })
    }

    fn fix(&self, fix: &Fix) -> Option<Value> {
        let mut edits: Vec<&Edit> = fix.edits.iter().collect();
        edits.sort_by_key(|edit| edit.span);
        let changes: Vec<Value> = edits
            .chunk_by(|one, next| one.span.file == next.span.file)
            .map(|edits| {
                let replacements = self.replacements(edits);
                json!({"artifactLocation": self.artifact(edits[0].span.file), "replacements": replacements})
            })
            .collect();
        let title = printable(&fix.title);
        let title = match fix.safety {
            Safety::Safe => title.into_owned(),
            Safety::Unsafe => format!("{title} (unsafe)"),
        };
        (!changes.is_empty()).then(|| {
            json!({
                "description": {"text": title},
                "artifactChanges": changes,
                "properties": {"safety": fix.safety.as_str()},
            })
        })
    }

    /// The edits of one file; several insertions at the same place are one.
    fn replacements(&self, edits: &[&Edit]) -> Vec<Value> {
        let edits: Vec<(Value, &str)> = edits
            .iter()
            .map(|edit| (self.region(edit.span), &*edit.text))
            .collect();
        edits
            .chunk_by(|(one, _), (next, _)| one == next)
            .map(|edits| {
                let text: String = edits.iter().map(|(_, text)| *text).collect();
                json!({"deletedRegion": edits[0].0, "insertedContent": {"text": text}})
            })
            .collect()
    }
}
