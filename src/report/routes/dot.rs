//! The routes as a graph for Graphviz.

use std::io::{self, Write};

use super::graph::{Graph, Kind, Shape};
use crate::report::printable;
use crate::routes::Routes;

/// Writes the graph.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, parts: &[Routes<'_>]) -> io::Result<()> {
    let graph = Graph::of(parts);
    writeln!(out, "digraph routes {{")?;
    writeln!(out, "  rankdir=LR;")?;
    writeln!(out, "  ordering=out;")?;
    writeln!(out, "  node [fontname=\"monospace\", fontsize=10];")?;
    for node in &graph.nodes {
        let shape = match node.shape {
            Shape::Server => "box, style=bold",
            Shape::Location => "box, style=rounded",
            Shape::Target(Kind::Upstream) => "component",
            Shape::Target(Kind::Answer) => "oval",
            Shape::Target(Kind::Files) => "folder",
        };
        let dead = if node.is_dead {
            ", color=red, fontcolor=red"
        } else {
            ""
        };
        let lines: Vec<String> = node.lines.iter().map(|line| escaped(line)).collect();
        let (id, label) = (&node.id, lines.join("\\l"));
        writeln!(out, "  {id} [label=\"{label}\\l\", shape={shape}{dead}];")?;
    }
    for arrow in &graph.arrows {
        let dead = if arrow.is_dead {
            " [style=dashed, color=red]"
        } else {
            ""
        };
        writeln!(out, "  {} -> {}{dead};", arrow.from, arrow.to)?;
    }
    writeln!(out, "}}")
}

/// Text in a quoted label: a backslash begins an escape there, and a quote would end it.
fn escaped(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('"', "\\\"")
}
