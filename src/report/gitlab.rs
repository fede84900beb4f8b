//! GitLab's Code Quality report, which merge requests show beside the changed lines.

use super::{Findings, place, printable};
use crate::diagnostic::Severity;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes an array on one line.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let issues: Vec<Value> = findings
        .iter()
        .zip(findings.fingerprints())
        .map(|((sources, diagnostic), fingerprint)| {
            let file = sources.file(diagnostic.span.file);
            let severity = match diagnostic.severity {
                Severity::Error => "critical",
                Severity::Warning => "major",
                Severity::Note => "info",
            };
            json!({
                "description": printable(&diagnostic.message),
                "check_name": diagnostic.rule,
                "fingerprint": fingerprint,
                "severity": severity,
                "location": {
                    "path": place::name(file, findings.base),
                    "lines": {
                        "begin": file.position(diagnostic.span.start).line,
                        "end": file.position(diagnostic.span.end).line,
                    },
                },
            })
        })
        .collect();
    serde_json::to_writer(&mut *out, &issues)?;
    writeln!(out)
}
