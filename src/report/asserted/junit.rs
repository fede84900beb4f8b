//! JUnit's XML: a suite for each file, a test for each statement. What could not be decided is a failure of that type.

use std::io::{self, Write};

use super::{Part, story};
use crate::assertion::{Decision, Judged};
use crate::report::xml::{DECLARATION, escaped};

/// Writes the document.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, parts: &[Part<'_, '_>]) -> io::Result<()> {
    let tests: usize = parts.iter().map(|part| part.judged.len()).sum();
    let failures: usize = parts.iter().map(failures).sum();
    writeln!(out, "{DECLARATION}")?;
    writeln!(
        out,
        "<testsuites name=\"nginspect\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    )?;
    for part in parts {
        let name = escaped(part.file().name());
        writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
            part.judged.len(),
            self::failures(part)
        )?;
        for judged in &part.judged {
            test(out, part, judged, &name)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn failures(part: &Part<'_, '_>) -> usize {
    part.judged.len() - part.count(Decision::Held)
}

fn test(
    out: &mut dyn Write,
    part: &Part<'_, '_>,
    judged: &Judged<'_, '_>,
    suite: &str,
) -> io::Result<()> {
    let line = part.line(judged.route.span);
    let name = escaped(&judged.route.name);
    write!(
        out,
        "    <testcase name=\"{name}\" classname=\"{suite}\" file=\"{suite}\" line=\"{line}\""
    )?;
    let lines: Vec<String> = story(part, judged)
        .iter()
        .map(|line| escaped(line))
        .collect();
    if judged.result() == Decision::Held {
        return writeln!(out, "/>");
    }
    let kind = judged.result().as_str();
    let message = lines[..lines.len().min(2)].join(" ");
    let text = lines.join("\n");
    writeln!(
        out,
        ">\n      <failure type=\"{kind}\" message=\"{message}\">{suite}:{line}: {text}</failure>\n    </testcase>"
    )
}
