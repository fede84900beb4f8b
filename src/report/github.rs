//! Workflow commands, which GitHub Actions turns into annotations of the changed lines.

use super::{Findings, place, printable, story};
use crate::diagnostic::Severity;
use std::io::{self, Write};

/// Writes one command on a line for each finding.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    for (sources, diagnostic) in findings.iter() {
        let file = sources.file(diagnostic.span.file);
        let start = file.position(diagnostic.span.start);
        let end = file.position(diagnostic.span.end);
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        write!(
            out,
            "::{command} file={},line={},endLine={}",
            property(&place::name(file, findings.base)),
            start.line,
            end.line
        )?;
        // Columns of a place that spans lines make the runner ignore the whole place.
        if start.line == end.line {
            write!(out, ",col={},endColumn={}", start.column, end.column)?;
        }
        let title = property(&format!("nginspect {}", diagnostic.rule));
        let lines: Vec<String> = story(diagnostic).iter().map(|line| data(line)).collect();
        writeln!(out, ",title={title}::{}", lines.join("%0A"))?;
    }
    Ok(())
}

/// The text after the second `::`.
fn data(text: &str) -> String {
    let escaped = text
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    printable(&escaped).into_owned()
}

/// The value of a property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
