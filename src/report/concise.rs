//! One line for each finding: `file:line:column: level[rule] message`.

use super::{Findings, printable};
use std::io::{self, Write};

/// Writes the findings, one on a line, and nothing else.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    for (sources, diagnostic) in findings.iter() {
        let file = sources.file(diagnostic.span.file);
        let place = file.position(diagnostic.span.start);
        writeln!(
            out,
            "{}:{}:{}: {}[{}] {}",
            printable(file.name()),
            place.line,
            place.column,
            diagnostic.severity.as_str(),
            diagnostic.rule,
            printable(&diagnostic.message),
        )?;
    }
    Ok(())
}
