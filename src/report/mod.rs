//! Prints the findings of a run; a format is a function over the same [`Findings`].
//!
//! Names, messages and excerpts may hold any byte that somebody wrote into a configuration, so whatever reaches a
//! terminal goes through [`printable`] first.

pub mod asserted;
pub mod checkstyle;
pub mod concise;
mod diff;
pub mod difference;
pub mod github;
pub mod gitlab;
pub mod json;
pub mod junit;
mod place;
pub mod routes;
pub mod sarif;
mod shown;
pub mod statistics;
pub mod story;
mod style;
pub mod text;
pub mod trace;
mod xml;

use crate::diagnostic::{Diagnostic, Severity};
use crate::fingerprint::Fingerprints;
use crate::rule::Rule;
use crate::source::Sources;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// What was found in one configuration.
pub struct Part<'a> {
    /// The files that the findings' spans lie in.
    pub sources: &'a Sources,
    /// The findings, in the order in which they are to be printed.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a run found, for the formats.
pub struct Findings<'a> {
    /// The configurations that were looked at, in the order in which they are to be printed.
    pub parts: &'a [Part<'a>],
    /// How many configuration files were read.
    pub files: usize,
    /// Tells what a rule's name stands for.
    pub describe: &'a dyn Fn(&str) -> Description,
    /// Every rule by its name, for formats that list them.
    pub rules: &'a [(&'static str, &'static Rule)],
    /// The folder of the run, at which paths start in formats whose readers look for the files.
    pub base: Option<&'a Path>,
    /// What could not be read, and why.
    pub failures: &'a [String],
}

impl Findings<'_> {
    /// The findings with the files that they lie in.
    pub fn iter(&self) -> impl Iterator<Item = (&Sources, &Diagnostic)> {
        self.parts.iter().flat_map(|part| {
            part.diagnostics
                .iter()
                .map(|diagnostic| (part.sources, diagnostic))
        })
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.iter()
            .filter(|(_, diagnostic)| diagnostic.severity == severity)
            .count()
    }

    /// The fingerprints of all findings in their order. Equal ones are numbered, because services take findings with the
    /// same fingerprint for one.
    fn fingerprints(&self) -> Vec<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut fingerprints = Vec::new();
        for part in self.parts {
            let mut maker = Fingerprints::new(part.sources);
            for diagnostic in &part.diagnostics {
                let fingerprint = maker.of(diagnostic);
                let count = seen.entry(fingerprint.clone()).or_default();
                *count += 1;
                fingerprints.push(match *count {
                    1 => fingerprint,
                    count => format!("{fingerprint}:{count}"),
                });
            }
        }
        fingerprints
    }
}

/// What the formats say about a rule besides its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The rule's category.
    pub category: &'static str,
    /// Where the rule's page is.
    pub url: String,
}

/// What a finding says, each line for itself: the message, an example, and help.
fn story(diagnostic: &Diagnostic) -> Vec<String> {
    let mut lines = vec![printable(&diagnostic.message).into_owned()];
    lines.extend(diagnostic.witness.as_ref().map(|witness| {
        let (request, effect) = (printable(&witness.request), printable(&witness.effect));
        format!("Example: {request} → {effect}")
    }));
    lines.extend(
        diagnostic
            .help
            .as_deref()
            .map(|help| printable(help).into_owned()),
    );
    lines
}

/// The text on one line, with everything visible that a terminal would obey or hide: a line feed becomes `␊`, an
/// escape `␛`, an override of the writing direction `\u{202e}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unprintable) {
        printable_bytes(text.as_bytes())
    } else {
        Cow::Borrowed(text)
    }
}

/// Like [`printable`], for bytes that may not be UTF-8: those that are not become `\xFF`.
pub fn printable_bytes(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(is_unprintable) => Cow::Borrowed(text),
        _ => {
            let mut visible = String::with_capacity(bytes.len() + 16);
            for chunk in bytes.utf8_chunks() {
                for letter in chunk.valid().chars() {
                    push_visible(&mut visible, letter);
                }
                for byte in chunk.invalid() {
                    push_byte(&mut visible, *byte);
                }
            }
            Cow::Owned(visible)
        }
    }
}

/// Control characters, and the format characters that reorder their neighbours or cannot be seen.
fn is_unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn push_visible(visible: &mut String, letter: char) {
    match letter {
        '\0'..='\x1f' => visible.extend(char::from_u32(0x2400 + u32::from(letter))),
        '\x7f' => visible.push('␡'),
        _ if is_unprintable(letter) => visible.extend(letter.escape_unicode()),
        _ => visible.push(letter),
    }
}

fn push_byte(visible: &mut String, byte: u8) {
    visible.push_str(&format!("\\x{byte:02X}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_surprises_is_borrowed() {
        assert!(matches!(
            printable("größe: 5 µs 日本"),
            Cow::Borrowed("größe: 5 µs 日本")
        ));
        assert!(matches!(printable_bytes(b"a b"), Cow::Borrowed("a b")));
    }

    #[test]
    fn what_a_terminal_would_obey_becomes_visible() {
        assert_eq!(printable("a\u{1b}[31m\u{7}\r\n\t\0\u{7f}"), "a␛[31m␇␍␊␉␀␡");
        assert_eq!(
            printable("\u{9b}\u{202e}\u{2066}\u{feff}"),
            r"\u{9b}\u{202e}\u{2066}\u{feff}"
        );
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_named() {
        assert_eq!(printable_bytes(b"caf\xe9 \xff\xc3"), r"caf\xE9 \xFF\xC3");
    }
}
