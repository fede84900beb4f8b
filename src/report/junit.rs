//! JUnit's XML, which nearly every CI system shows: a suite for each file, a test for each finding.

use super::xml::{DECLARATION, Group, by_file, escaped};
use super::{Findings, story};
use crate::diagnostic::{Diagnostic, Severity};
use std::io::{self, Write};

/// Writes the document. Errors and warnings are failed tests, notes are passed tests with output, and a file without
/// findings is one passed test; what could not be read is an error.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let groups = by_file(findings);
    let tests: usize = groups.iter().map(tests).sum();
    let failures: usize = groups.iter().map(failures).sum();
    let errors = findings.failures.len();
    writeln!(out, "{DECLARATION}")?;
    writeln!(
        out,
        "<testsuites name=\"nginspect\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\">",
        tests + errors
    )?;
    for group in &groups {
        suite(out, group)?;
    }
    if errors > 0 {
        writeln!(
            out,
            "  <testsuite name=\"nginspect\" tests=\"{errors}\" failures=\"0\" errors=\"{errors}\">"
        )?;
        for failure in findings.failures {
            let failure = escaped(failure);
            writeln!(
                out,
                "    <testcase name=\"{failure}\" classname=\"nginspect\">\n      <error message=\"{failure}\"/>\n    </testcase>"
            )?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn tests(group: &Group) -> usize {
    group.found.len().max(1)
}

fn failures(group: &Group) -> usize {
    let failed = |(_, diagnostic): &&(_, &Diagnostic)| diagnostic.severity > Severity::Note;
    group.found.iter().filter(failed).count()
}

fn suite(out: &mut dyn Write, group: &Group) -> io::Result<()> {
    let name = escaped(&group.name);
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        tests(group),
        failures(group)
    )?;
    if group.found.is_empty() {
        writeln!(
            out,
            "    <testcase name=\"no findings\" classname=\"{name}\"/>"
        )?;
    }
    for (file, diagnostic) in &group.found {
        let place = file.position(diagnostic.span.start);
        let (line, column) = (place.line, place.column);
        writeln!(
            out,
            "    <testcase name=\"{}:{line}:{column}\" classname=\"{name}\" file=\"{name}\" line=\"{line}\">",
            escaped(diagnostic.rule)
        )?;
        let lines: Vec<String> = story(diagnostic).iter().map(|line| escaped(line)).collect();
        let text = format!("{name}:{line}:{column}: {}", lines.join("\n"));
        let message = escaped(&diagnostic.message);
        match diagnostic.severity {
            Severity::Note => writeln!(out, "      <system-out>{text}</system-out>")?,
            severity => writeln!(
                out,
                "      <failure type=\"{}\" message=\"{message}\">{text}</failure>",
                severity.as_str()
            )?,
        }
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}
