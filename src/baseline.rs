//! A file of accepted findings: what it holds is not reported again.
//!
//! Findings are known again by their file, rule and fingerprint; of equal ones as many are accepted as the file holds.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::fingerprint::Fingerprints;
use crate::fix;
use crate::source::{self, Asked, DEFAULT_SIZE_LIMIT, Origin, ReadError, SourceFile, Sources};

/// The form of the file.
const SCHEMA: u64 = 1;

/// A finding as the file holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// The file that it lies in, from the folder of the baseline if it lies below that.
    pub file: String,
    /// Its rule.
    pub rule: String,
    /// What it is known by.
    pub fingerprint: String,
    /// What it said, for whoever reads the baseline.
    pub message: String,
}

/// Accepted findings, and which of them have been met.
#[derive(Debug, Clone)]
pub struct Baseline {
    folder: PathBuf,
    entries: Vec<Entry>,
    /// Indexes of the entries that have not been met, last one first.
    left: HashMap<[String; 3], Vec<usize>>,
}

impl Baseline {
    /// Reads the file.
    ///
    /// # Errors
    /// When the file cannot be read, or is none that [`write()`] made.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = source::read(path, Asked::ByName, DEFAULT_SIZE_LIMIT)?;
        let entries = parse(&bytes).map_err(ReadError::because)?;
        let mut left: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate().rev() {
            left.entry(key(entry)).or_default().push(index);
        }
        Ok(Self {
            folder: folder(path),
            entries,
            left,
        })
    }

    /// Leaves only those findings that are new.
    pub fn filter(&mut self, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) {
        let found = entries(&self.folder, sources, diagnostics);
        let mut is_new = found.iter().map(|entry| {
            let met = self.left.get_mut(&key(entry)).and_then(Vec::pop);
            met.is_none()
        });
        diagnostics.retain(|_| is_new.next().unwrap_or(true));
    }

    /// The entries that nothing matched, of the files that were looked at or are no longer there.
    pub fn unmatched<'s>(&self, looked_at: impl Iterator<Item = &'s SourceFile>) -> Vec<&Entry> {
        let looked_at: HashSet<String> = looked_at.map(|file| name(&self.folder, file)).collect();
        let mut left: Vec<usize> = self.left.values().flatten().copied().collect();
        left.sort_unstable();
        let entries = left.into_iter().map(|index| &self.entries[index]);
        let is_gone = |entry: &&Entry| {
            looked_at.contains(&entry.file) || !self.folder.join(&entry.file).exists()
        };
        entries.filter(is_gone).collect()
    }
}

/// Writes findings, each with the files that it lies in, to a new file that takes the place of an older one at once.
/// Answers with their number.
///
/// # Errors
/// When the file cannot be written.
pub fn write<'f>(
    path: &Path,
    findings: impl Iterator<Item = (&'f Sources, &'f [Diagnostic])>,
) -> std::io::Result<usize> {
    let folder = folder(path);
    let mut all: Vec<Entry> = findings
        .flat_map(|(sources, diagnostics)| entries(&folder, sources, diagnostics))
        .collect();
    all.sort();
    fix::replace(path, print(&all).as_bytes())?;
    Ok(all.len())
}

fn key(entry: &Entry) -> [String; 3] {
    [&entry.file, &entry.rule, &entry.fingerprint].map(String::clone)
}

fn entries(folder: &Path, sources: &Sources, diagnostics: &[Diagnostic]) -> Vec<Entry> {
    let mut fingerprints = Fingerprints::new(sources);
    diagnostics
        .iter()
        .map(|diagnostic| Entry {
            file: name(folder, sources.file(diagnostic.span.file)),
            rule: diagnostic.rule.to_owned(),
            fingerprint: fingerprints.of(diagnostic),
            message: diagnostic.message.clone(),
        })
        .collect()
}

/// How a file is called in a baseline, wherever nginspect runs.
fn name(folder: &Path, file: &SourceFile) -> String {
    let (Origin::Disk(path) | Origin::Buffer(path)) = file.origin() else {
        return file.name().to_owned();
    };
    let Ok(inside) = path.strip_prefix(folder) else {
        return path.to_string_lossy().into_owned();
    };
    let parts = inside.components();
    let parts: Vec<_> = parts
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// The folder of a file that need not exist.
fn folder(path: &Path) -> PathBuf {
    let mut folder = source::canonical(path);
    folder.pop();
    folder
}

fn print(entries: &[Entry]) -> String {
    let entries: Vec<Value> = entries
        .iter()
        .map(|entry| {
            json!({
                "file": entry.file,
                "rule": entry.rule,
                "fingerprint": entry.fingerprint,
                "message": entry.message,
            })
        })
        .collect();
    let document = json!({
        "schema": SCHEMA,
        "version": env!("CARGO_PKG_VERSION"),
        "entries": entries,
    });
    format!("{document:#}\n")
}

fn parse(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let document: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
    match document.get("schema").and_then(Value::as_u64) {
        Some(SCHEMA) => {}
        Some(schema) => {
            return Err(format!(
                "a baseline of schema {schema}, of which this nginspect knows nothing"
            ));
        }
        None => return Err("no baseline of nginspect: it has no `schema`".to_owned()),
    }
    let entries = document.get("entries").and_then(Value::as_array);
    let entries = entries.ok_or("no baseline of nginspect: it has no `entries`")?;
    entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let text = |key: &str| {
                let text = entry.get(key).and_then(Value::as_str).map(str::to_owned);
                text.ok_or_else(|| format!("entry {} has no text as its `{key}`", index + 1))
            };
            Ok(Entry {
                file: text("file")?,
                rule: text("rule")?,
                fingerprint: text("fingerprint")?,
                message: text("message")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str, message: &str) -> Entry {
        Entry {
            file: file.to_owned(),
            rule: "zero-timeout".to_owned(),
            fingerprint: "0123456789abcdef".to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn what_was_printed_is_read_again() {
        let entries = [
            entry("a", "with \"quotes\", \u{1b} and\nlines"),
            entry("b/ö", ""),
        ];
        assert_eq!(parse(print(&entries).as_bytes()), Ok(entries.to_vec()));
        assert_eq!(parse(print(&[]).as_bytes()), Ok(Vec::new()));
    }

    #[test]
    fn broken_files_are_refused_with_the_reason() {
        let reason = |text: &str| parse(text.as_bytes()).expect_err(text);
        assert!(reason("").starts_with("no JSON"));
        assert!(reason("[]").contains("no `schema`"));
        assert!(reason("{\"schema\":2}").contains("schema 2"));
        assert!(reason("{\"schema\":1}").contains("no `entries`"));
        assert!(reason("{\"schema\":1,\"entries\":[{\"file\":1}]}").contains("entry 1"));
    }
}
