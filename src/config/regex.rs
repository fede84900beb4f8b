//! Regexes of the configuration: compiled by the engine that nginx uses, or read for the literal text they begin with.

use std::ops::Range;
use std::sync::Arc;

use pcre2::bytes::{Regex, RegexBuilder};

use super::{Directive, Location, Modifier, Word};
use crate::nginx::value::{Operand, is_fixed, operand};
use crate::nginx::{Contexts, Version};
use crate::source::Span;

/// From here on nginx is built with PCRE2; before, with PCRE, which takes more.
const PCRE2: Version = Version(1, 21, 5);

/// The errors of PCRE2 that PCRE, the engine of old versions, has too: what is left open, what has nothing to repeat,
/// what is out of order, and groups that nobody has or that two have.
const OLD_ERRORS: [i32; 19] = [
    101, 104, 105, 106, 108, 109, 111, 112, 114, 115, 122, 124, 126, 128, 130, 142, 143, 144, 162,
];

/// A regex of the configuration.
#[derive(Debug, Clone)]
pub(super) struct Pattern<'c> {
    /// The regex without the `~` before it.
    pub(super) word: Word<'c>,
    pub(super) is_caseless: bool,
    /// True when its named groups become variables.
    defines: bool,
    /// How many groups it must have.
    groups: Option<usize>,
}

impl<'c> Pattern<'c> {
    fn new(word: Word<'c>, is_caseless: bool) -> Self {
        Self {
            word,
            is_caseless,
            defines: true,
            groups: None,
        }
    }

    /// The regex of a word that begins with `~`, or with `~*` where that makes it ignore case.
    fn after_tilde(word: &Word<'c>, is_caseless: bool, knows_star: bool) -> Option<Self> {
        let pattern = word.strip_prefix(b"~")?;
        let star = knows_star && pattern.starts_with(b"*");
        let word = word.tail(1 + usize::from(star));
        (!word.is_empty()).then(|| Self::new(word, is_caseless || star))
    }

    /// A regex whose groups are none of nginx's variables.
    fn private(mut self) -> Self {
        self.defines = false;
        self
    }
}

/// A regex that nginx refuses.
#[derive(Debug)]
pub struct BadRegex<'c> {
    /// The regex.
    pub word: Word<'c>,
    /// Where in it the engine stopped, or all of it.
    pub span: Span,
    /// What is wrong: a sentence without a full stop.
    pub problem: String,
}

/// Compiles a regex as nginx does; nothing when it is not UTF-8, of which nothing is known.
pub(super) fn compile(pattern: &[u8], is_caseless: bool) -> Option<Result<Regex, pcre2::Error>> {
    let pattern = std::str::from_utf8(pattern).ok()?;
    Some(RegexBuilder::new().caseless(is_caseless).build(pattern))
}

impl Location<'_> {
    /// The compiled regex of a regex location; nothing when PCRE2 refuses it or it is not UTF-8.
    pub fn regex(&self) -> Option<Arc<Regex>> {
        let compile = || {
            let caseless = self.modifier == Modifier::CaselessRegex;
            compile(&self.path, caseless)?.ok().map(Arc::new)
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

impl<'c> Directive<'c> {
    /// The regexes of this directive that nginx refuses.
    pub fn bad_regexes(self) -> Vec<BadRegex<'c>> {
        let is_compiled = |pattern: &Pattern<'c>| !self.config.is_filled_in(&pattern.word);
        self.patterns()
            .into_iter()
            .filter(is_compiled)
            .filter_map(|pattern| self.bad_regex(pattern))
            .collect()
    }

    /// How many groups the regex of a `rewrite` or an `if` has; nothing when it has none that PCRE2 takes.
    pub(super) fn groups(self) -> Option<usize> {
        let pattern = self.patterns().into_iter().next()?;
        let regex = compile(&pattern.word, pattern.is_caseless)?.ok()?;
        Some(regex.captures_len() - 1)
    }

    fn bad_regex(self, pattern: Pattern<'c>) -> Option<BadRegex<'c>> {
        let word = pattern.word;
        let whole = |problem: String| BadRegex {
            span: word.span,
            word: word.clone(),
            problem,
        };
        let regex = match compile(&word, pattern.is_caseless)? {
            Ok(regex) => regex,
            Err(error) => {
                let is_known = OLD_ERRORS.contains(&error.code())
                    || self.config.version.is_some_and(|told| told >= PCRE2);
                let text = error.to_string();
                let message = text.splitn(3, ": ").last().unwrap_or(&text);
                let at = error
                    .offset()
                    .unwrap_or(0)
                    .min(word.len().saturating_sub(1));
                return is_known.then(|| BadRegex {
                    span: word.part(at..word.len().min(at + 1)),
                    ..whole(format!("PCRE2 says “{message}”"))
                });
            }
        };
        let groups = regex.captures_len() - 1;
        if let Some(wanted) = pattern.groups.filter(|wanted| *wanted != groups) {
            return Some(whole(format!(
                "it has {groups} groups, and nginx takes it with {wanted}"
            )));
        }
        let subsystem = self.subsystem().filter(|_| pattern.defines)?;
        let name = regex
            .capture_names()
            .iter()
            .flatten()
            .find(|name| is_fixed(name, subsystem, self.config.version))?;
        Some(whole(format!(
            "its group `{name}` is called as a variable that belongs to nginx"
        )))
    }

    /// The regexes that nginx compiles when it reads this directive.
    pub(super) fn patterns(self) -> Vec<Pattern<'c>> {
        if self.context() == Contexts::MAP {
            let is_line = self.argument(0).is_some() && self.argument(1).is_none();
            let key = Pattern::after_tilde(&self.name(), false, true);
            return key.filter(|_| is_line).into_iter().collect();
        }
        let Some(known) = self.known().filter(|known| has_regexes(known.name)) else {
            return Vec::new();
        };
        if self.fitting_forms().next().is_none() {
            return Vec::new();
        }
        let first = || self.argument(0);
        let all = |of: &dyn Fn(&Word<'c>) -> Option<Pattern<'c>>| {
            self.arguments().filter_map(|word| of(&word)).collect()
        };
        let pair = |is_caseless: bool, knows_star: bool| {
            let word = first().filter(|_| self.argument(1).is_some());
            word.and_then(|word| Pattern::after_tilde(&word, is_caseless, knows_star))
                .into_iter()
                .collect()
        };
        match known.name {
            "location" => {
                let location = Location::of(self).filter(Location::is_regex);
                let pattern = location.map(|location| {
                    Pattern::new(location.path, location.modifier == Modifier::CaselessRegex)
                });
                pattern.into_iter().collect()
            }
            "server_name" if self.subsystem().is_some() => all(&|word| {
                let is_caseless = word.iter().any(u8::is_ascii_uppercase);
                Pattern::after_tilde(word, is_caseless, false)
            }),
            "rewrite" if self.argument(1).is_some() => first()
                .map(|word| Pattern::new(word, false))
                .into_iter()
                .collect(),
            "if" => self.condition_regex().into_iter().collect(),
            "gzip_disable" => all(&|word| {
                let is_mask = *word == "msie6" || *word == "degradation";
                (!is_mask).then(|| Pattern::new(word.clone(), true).private())
            }),
            "valid_referers" => {
                all(&|word| Pattern::after_tilde(word, true, false).map(Pattern::private))
            }
            "proxy_redirect" | "proxy_cookie_path" => pair(false, true),
            "proxy_cookie_domain" | "proxy_cookie_flags" => pair(true, false),
            "fastcgi_split_path_info" => {
                let pattern = first().map(|word| Pattern::new(word, false).private());
                pattern
                    .map(|pattern| Pattern {
                        groups: Some(2),
                        ..pattern
                    })
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn condition_regex(self) -> Option<Pattern<'c>> {
        let words: Vec<Word<'c>> = self.arguments().collect();
        let arguments: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
        match operand(&arguments)? {
            Operand::Regex(index, place, is_caseless) => {
                Some(Pattern::new(words[index].slice(place), is_caseless))
            }
            Operand::Text(..) => None,
        }
    }
}

/// True for the directives among whose arguments a regex may stand.
fn has_regexes(name: &str) -> bool {
    matches!(
        name,
        "location"
            | "server_name"
            | "rewrite"
            | "if"
            | "gzip_disable"
            | "valid_referers"
            | "proxy_redirect"
            | "proxy_cookie_path"
            | "proxy_cookie_domain"
            | "proxy_cookie_flags"
            | "fastcgi_split_path_info"
    )
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
