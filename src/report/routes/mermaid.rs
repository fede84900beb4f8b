//! The routes as a flowchart for Mermaid, which Markdown viewers draw.

use std::io::{self, Write};

use super::graph::{Graph, Kind, Shape};
use crate::report::printable;
use crate::routes::Routes;

/// Writes the flowchart.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, parts: &[Routes<'_>]) -> io::Result<()> {
    let graph = Graph::of(parts);
    writeln!(out, "flowchart LR")?;
    for node in &graph.nodes {
        let (open, close) = match node.shape {
            Shape::Server => ("[", "]"),
            Shape::Location => ("(", ")"),
            Shape::Target(Kind::Upstream) => ("[[", "]]"),
            Shape::Target(Kind::Answer) => ("([", "])"),
            Shape::Target(Kind::Files) => ("[/", "/]"),
        };
        let lines: Vec<String> = node.lines.iter().map(|line| escaped(line)).collect();
        let dead = if node.is_dead { ":::dead" } else { "" };
        let (id, label) = (&node.id, lines.join("<br/>"));
        writeln!(out, "  {id}{open}\"{label}\"{close}{dead}")?;
    }
    for arrow in &graph.arrows {
        let line = if arrow.is_dead { "-.->" } else { "-->" };
        writeln!(out, "  {} {line} {}", arrow.from, arrow.to)?;
    }
    writeln!(out, "  classDef dead stroke:red,color:red")
}

/// Text in a quoted label: all signs that mean something to Mermaid, to Markdown or to HTML are written as numbers.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in printable(text).chars() {
        let plain = letter.is_alphanumeric() || matches!(letter, ' ' | '/' | '.' | '-' | ',' | '…');
        match plain {
            true => escaped.push(letter),
            false => escaped.push_str(&format!("#{};", u32::from(letter))),
        }
    }
    escaped
}
