//! What the XML formats share: text that breaks no document, and findings by file.

use super::{Findings, place, printable};
use crate::diagnostic::Diagnostic;
use crate::source::{Origin, SourceFile, Sources};
use std::collections::HashMap;

pub(super) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// Text between tags or in a quoted attribute. XML has no way to write most control characters; they become visible
/// ones.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in printable(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// A file and what was found in it.
pub(super) struct Group<'a> {
    pub(super) name: String,
    pub(super) found: Vec<(&'a SourceFile, &'a Diagnostic)>,
}

/// The files that were read, in the order of the run, with their findings.
pub(super) fn by_file<'a>(findings: &'a Findings) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index = HashMap::new();
    let mut group = |file: &SourceFile, groups: &mut Vec<Group<'a>>| {
        let name = place::name(file, findings.base);
        *index.entry(name.clone()).or_insert_with(|| {
            groups.push(Group {
                name,
                found: Vec::new(),
            });
            groups.len() - 1
        })
    };
    for part in findings.parts {
        let sources: &Sources = part.sources;
        for (_, file) in sources.iter() {
            if *file.origin() != Origin::Stock {
                group(file, &mut groups);
            }
        }
        for diagnostic in &part.diagnostics {
            let file = sources.file(diagnostic.span.file);
            let at = group(file, &mut groups);
            groups[at].found.push((file, diagnostic));
        }
    }
    groups
}
