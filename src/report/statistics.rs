//! How often each rule found something.

use super::Findings;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes a line for each rule that found something, the most frequent first.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, diagnostic) in findings.iter() {
        *counts.entry(diagnostic.rule).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let width = counts
        .first()
        .map_or(0, |(_, count)| count.to_string().len());
    for (rule, count) in counts {
        writeln!(out, "{count:width$} {rule}")?;
    }
    Ok(())
}
