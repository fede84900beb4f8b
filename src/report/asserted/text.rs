//! For people: a line for each statement, then what is wrong with those that do not hold.

use std::io::{self, Write};

use super::{Part, story};
use crate::assertion::{Decision, Judged};
use crate::report::printable;
use crate::report::style::Style;

/// How the text looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// In colours.
    pub color: bool,
    /// Only what does not hold.
    pub quiet: bool,
    /// What was assumed for those that hold, too.
    pub verbose: bool,
}

/// Writes the lines of each file, the story of each statement that does not hold, and how many there are.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, parts: &[Part<'_, '_>], options: Options) -> io::Result<()> {
    let style = Style(options.color);
    let mut is_first = true;
    if !options.quiet {
        for part in parts {
            if !is_first {
                writeln!(out)?;
            }
            is_first = false;
            lines(out, part, style, options)?;
        }
    }
    for part in parts {
        for judged in &part.judged {
            if judged.result() == Decision::Held {
                continue;
            }
            if !is_first {
                writeln!(out)?;
            }
            is_first = false;
            tell(out, part, judged, style)?;
        }
    }
    if options.quiet || parts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", summary(parts))
}

/// How many statements there are of each kind.
pub fn summary(parts: &[Part<'_, '_>]) -> String {
    let count = |decision| parts.iter().map(|part| part.count(decision)).sum::<usize>();
    let all: usize = parts.iter().map(|part| part.judged.len()).sum();
    let routes = if all == 1 { "route" } else { "routes" };
    format!(
        "{all} {routes}: {} ok, {} failed, {} undecided",
        count(Decision::Held),
        count(Decision::Failed),
        count(Decision::Undecided)
    )
}

fn lines(
    out: &mut dyn Write,
    part: &Part<'_, '_>,
    style: Style,
    options: Options,
) -> io::Result<()> {
    let (file, root) = (printable(part.file().name()), printable(part.root()));
    writeln!(out, "{} against {root}", style.strong(&file))?;
    for judged in &part.judged {
        let (word, shown) = word(judged.result(), style);
        let gap = " ".repeat("undecided".len() - word.len());
        writeln!(out, "{shown}{gap}  {}", printable(&judged.route.name))?;
        if options.verbose && judged.result() == Decision::Held {
            for assumption in &judged.assumptions {
                let line = format!("           assumed: {}", printable(assumption));
                writeln!(out, "{}", style.faint(&line))?;
            }
        }
    }
    Ok(())
}

fn word(decision: Decision, style: Style) -> (&'static str, String) {
    match decision {
        Decision::Held => ("ok", style.good("ok")),
        Decision::Failed => ("FAILED", style.bad("FAILED")),
        Decision::Undecided => ("undecided", style.warn("undecided")),
    }
}

fn tell(
    out: &mut dyn Write,
    part: &Part<'_, '_>,
    judged: &Judged<'_, '_>,
    style: Style,
) -> io::Result<()> {
    let route = judged.route;
    let (_, shown) = word(judged.result(), style);
    let name = printable(&route.name).into_owned();
    writeln!(out, "{shown} {}", style.strong(&name))?;
    let place = format!("{}:{}", part.file().name(), part.line(route.span));
    let requests = route.requests();
    let place = match requests == route.name {
        true => place,
        false => format!("{place}: {requests}"),
    };
    writeln!(out, "  {}", style.faint(&printable(&place)))?;
    for line in story(part, judged) {
        writeln!(out, "  {}", printable(&line))?;
    }
    Ok(())
}
