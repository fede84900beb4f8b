//! Regexes of the configuration: compiled by the engine that nginx uses, or read for the literal text they begin with.

use std::ops::Range;
use std::sync::Arc;

use pcre2::bytes::{Regex, RegexBuilder};

use super::{Location, Modifier};

impl Location<'_> {
    /// The compiled regex of a regex location; nothing when PCRE2 refuses it or it is not UTF-8.
    pub fn regex(&self) -> Option<Arc<Regex>> {
        let compile = || {
            let pattern = std::str::from_utf8(&self.path).ok()?;
            let caseless = self.modifier == Modifier::CaselessRegex;
            RegexBuilder::new()
                .caseless(caseless)
                .build(pattern)
                .ok()
                .map(Arc::new)
        };
        if !self.is_regex() {
            return None;
        }
        let mut regexes = self
            .directive
            .config
            .regexes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        regexes
            .entry(self.directive.id)
            .or_insert_with(compile)
            .clone()
    }
}

/// What can be said of a regex without an automaton.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The text that every match begins with, at the beginning of the subject.
    pub prefix: Vec<u8>,
    /// True when nothing follows that text: every subject that begins with it matches.
    pub is_prefix_only: bool,
    /// True when every subject on one line that begins with that text matches: at most `.*$` follows.
    pub is_line_only: bool,
}

impl Shape {
    /// Reads a pattern of the form `^text…`; nothing for any other, or when an alternative could match elsewhere.
    pub fn of(pattern: &[u8]) -> Option<Self> {
        let body = pattern.strip_prefix(b"^")?;
        if has_alternatives(body) {
            return None;
        }
        let mut prefix = Vec::new();
        let mut rest = body;
        loop {
            let (literal, length) = match rest {
                [b'\\', escaped, ..] if !escaped.is_ascii_alphanumeric() => (*escaped, 2),
                [plain, ..] if !is_special(*plain) => (*plain, 1),
                _ => break,
            };
            let next = &rest[length..];
            // A quantifier makes its atom optional or repeated.
            if matches!(next.first(), Some(b'*' | b'?' | b'{' | b'+')) {
                return Some(Self {
                    prefix,
                    is_prefix_only: false,
                    is_line_only: false,
                });
            }
            prefix.push(literal);
            rest = next;
        }
        let is_anything =
            |tail: &[u8]| matches!(tail, b"" | b".*" | b".*?" | b"(.*)" | b"(.*?)" | b"(?:.*)");
        let is_prefix_only = is_anything(rest);
        // The dot stops at a line feed, and `$` is also found before a last one.
        let line = rest.strip_suffix(b"$");
        let is_line_only = line.is_some_and(|tail| !tail.is_empty() && is_anything(tail));
        Some(Self {
            prefix,
            is_prefix_only,
            is_line_only: is_line_only || is_prefix_only,
        })
    }
}

impl Shape {
    /// The part of a location's name that only makes sense in a regex; nothing for what may be a glob or plain text.
    pub fn syntax(name: &[u8]) -> Option<Range<usize>> {
        // `/*.php`: a star in the place of a name is a glob.
        if name.windows(2).any(|pair| matches!(pair, b"/*" | b"**")) || name.starts_with(b"*") {
            return None;
        }
        if name.len() > 1 && name.ends_with(b"$") {
            return Some(name.len() - 1..name.len());
        }
        (0..name.len()).find_map(|at| {
            let length = match &name[at..] {
                [b'.', b'*' | b'+', ..] => 2,
                [b'\\', b'.' | b'd' | b'w' | b's' | b'/' | b'-' | b'b', ..] => 2,
                [b'(', b'?', ..] => 2,
                [b'(', rest @ ..] => {
                    let end = rest.iter().position(|byte| *byte == b')')?;
                    rest[..end].contains(&b'|').then_some(end + 2)?
                }
                [b'[', rest @ ..] => {
                    let end = rest.iter().position(|byte| *byte == b']')?;
                    let repeated = matches!(rest.get(end + 1), Some(b'+' | b'*' | b'?' | b'{'));
                    (end > 0 && repeated).then_some(end + 3)?
                }
                _ => return None,
            };
            Some(at..at + length)
        })
    }
}

fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'\\' | b'^' | b'$' | b'.' | b'[' | b'|' | b'(' | b')' | b'?' | b'*' | b'+' | b'{'
    )
}

/// True when a `|` stands outside of all groups and classes.
fn has_alternatives(pattern: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'[' => {
                // A `]` right after `[` or `[^` is a member of the class.
                let start = at + 1 + usize::from(pattern.get(at + 1) == Some(&b'^'));
                let mut end = start + 1;
                while pattern.get(end).is_some_and(|byte| *byte != b']') {
                    end += 1 + usize::from(pattern[end] == b'\\');
                }
                at = end;
            }
            b'|' if depth == 0 => return true,
            _ => {}
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(pattern: &str) -> Option<(String, bool)> {
        Shape::of(pattern.as_bytes()).map(|shape| {
            (
                String::from_utf8_lossy(&shape.prefix).into_owned(),
                shape.is_prefix_only,
            )
        })
    }

    #[test]
    fn what_only_a_regex_would_hold_is_told_from_globs_and_plain_text() {
        let syntax = |name: &str| {
            Shape::syntax(name.as_bytes()).map(|part| name.get(part).unwrap_or_default().to_owned())
        };
        for (name, part) in [
            ("/img/.*", ".*"),
            (r"/a\.php", r"\."),
            ("/a/(?:b)", "(?"),
            ("/(a|b)/", "(a|b)"),
            ("/[a-z0-9]+/", "[a-z0-9]+"),
            ("/a$", "$"),
        ] {
            assert_eq!(syntax(name).as_deref(), Some(part), "{name}");
        }
        for name in [
            "/",
            "/a/*",
            "/*.php",
            "/a*",
            "/a+b",
            "/a?b",
            "/a(b)",
            "/[id]",
            "/a.b",
            "/$x/",
            "/a|b",
            "/.well-known",
        ] {
            assert_eq!(syntax(name), None, "{name}");
        }
    }

    #[test]
    fn a_pattern_may_take_all_of_a_line_and_no_more() {
        let covers = |pattern: &str| Shape::of(pattern.as_bytes()).map(|shape| shape.is_line_only);
        for pattern in ["^/a/", "^/a/.*", "^/a/.*$", "^/a/(.*)$", "^/a/(.*?)$"] {
            assert_eq!(covers(pattern), Some(true), "{pattern}");
        }
        for pattern in ["^/a/$", "^/a/.+$", "^/a/(.*)x", "^/a/.*\\$", "^/a/[^/]*$"] {
            assert_eq!(covers(pattern), Some(false), "{pattern}");
        }
    }

    #[test]
    fn the_literal_beginning_of_a_pattern_is_found() {
        let text = |text: &str, only: bool| Some((text.to_owned(), only));
        assert_eq!(shape("^/api/"), text("/api/", true));
        assert_eq!(shape(r"^/a\.b/.*"), text("/a.b/", true));
        assert_eq!(shape("^/api/?$"), text("/api", false));
        assert_eq!(shape(r"^/api/\d+"), text("/api/", false));
        assert_eq!(shape("^/api/(v1|v2)/"), text("/api/", false));
        assert_eq!(shape("^/api$"), text("/api", false));
        assert_eq!(shape("^/api/(.*)"), text("/api/", true));
        assert_eq!(shape("^/api/(.*)$"), text("/api/", false));
        assert_eq!(shape("^/a|/b"), None);
        assert_eq!(shape("/api"), None);
        assert_eq!(shape("^/a[|]b"), text("/a", false));
        assert_eq!(shape("^/ab+c"), text("/a", false));
    }
}
