//! Checkstyle's XML, which many review tools read.

use super::Findings;
use super::xml::{DECLARATION, by_file, escaped};
use crate::diagnostic::Severity;
use std::io::{self, Write};

/// Writes the document; files without findings are not in it.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    writeln!(out, "{DECLARATION}\n<checkstyle version=\"4.3\">")?;
    for group in by_file(findings) {
        if group.found.is_empty() {
            continue;
        }
        writeln!(out, "  <file name=\"{}\">", escaped(&group.name))?;
        for (file, diagnostic) in group.found {
            let place = file.position(diagnostic.span.start);
            let severity = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "info",
            };
            writeln!(
                out,
                "    <error line=\"{}\" column=\"{}\" severity=\"{severity}\" message=\"{}\" source=\"nginspect.{}\"/>",
                place.line,
                place.column,
                escaped(&diagnostic.message),
                escaped(diagnostic.rule)
            )?;
        }
        writeln!(out, "  </file>")?;
    }
    writeln!(out, "</checkstyle>")
}
