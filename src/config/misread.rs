//! Names of locations that were written for something else than the decoded path without its query.

use std::ops::Range;

use super::{Directive, Location, Modifier, Shape};
use crate::diagnostic::Edit;

/// A star in the name of a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Glob {
    /// Outside of a regex, where it is a character like any other: its place in the name.
    Literal(usize),
    /// At the end of a regex after a slash, which it repeats: the place of the star.
    Slashes(usize),
}

impl Location<'_> {
    /// The place of the first `%` with two hexadecimal digits that every path holds which this location matches.
    pub fn encoded(&self) -> Option<Range<usize>> {
        let is_encoded = |text: &[u8]| match text {
            [b'%', high, low, ..] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
            _ => false,
        };
        self.demanded(3, is_encoded)
    }

    /// The place of a `?` that every path holds which this location matches: of any in a name, of one before `name=` in a
    /// regex.
    pub fn query_mark(&self) -> Option<Range<usize>> {
        if !self.is_regex() {
            let is_plain = self.path.starts_with(b"/") && Shape::syntax(&self.path).is_none();
            return self
                .demanded(1, |text| text.starts_with(b"?"))
                .filter(|_| is_plain);
        }
        let names_argument = |text: &[u8]| {
            let length = text
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
                .count();
            length > 0 && text.get(length) == Some(&b'=')
        };
        let escaped = |text: &[u8]| text.strip_prefix(b"\\?").is_some_and(names_argument);
        let in_class = |text: &[u8]| text.strip_prefix(b"[?]").is_some_and(names_argument);
        self.demanded(2, escaped)
            .or_else(|| self.demanded(3, in_class))
    }

    /// A star that was meant as in the name of a file.
    pub fn glob(&self) -> Option<Glob> {
        let path = &*self.path;
        match self.modifier {
            Modifier::Named => None,
            Modifier::Regex | Modifier::CaselessRegex => {
                let is_free = !has_class(path) && !path.contains(&b'|') && !self.refuses();
                (path.ends_with(b"/*") && is_free).then(|| Glob::Slashes(path.len() - 1))
            }
            _ if !path.starts_with(b"/") || Shape::syntax(path).is_some() => None,
            _ => path
                .iter()
                .position(|byte| *byte == b'*')
                .map(Glob::Literal),
        }
    }

    /// The place of something that every path must hold to match: in a regex outside of groups and classes, with nothing
    /// after it that makes it optional, and no alternative.
    fn demanded(&self, length: usize, is: impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
        let path = &*self.path;
        if self.modifier == Modifier::Named || self.path.has_placeholder() {
            return None;
        }
        if !self.is_regex() {
            let at = (0..path.len()).find(|at| is(&path[*at..]))?;
            return Some(at..at + length);
        }
        if path.contains(&b'|') || path.windows(2).any(|pair| matches!(pair, b"(?" | b"\\Q")) {
            return None;
        }
        let mut depth = 0_usize;
        let mut at = 0;
        while at < path.len() {
            let is_optional = || matches!(path.get(at + length), Some(b'?' | b'*' | b'{'));
            if depth == 0 && is(&path[at..]) && !is_optional() {
                return Some(at..at + length);
            }
            match path[at] {
                b'\\' => at += 1,
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                b'[' => {
                    at += path[at..]
                        .iter()
                        .position(|byte| *byte == b']')
                        .unwrap_or(0)
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// An edit that writes the name decoded, where that is plain text that no other location of the level has.
    pub fn decode(&self) -> Option<Edit> {
        let mut decoded = Vec::new();
        let mut rest = &*self.path;
        while let Some((first, tail)) = rest.split_first() {
            let digits = tail.get(..2).filter(|_| *first == b'%');
            let byte = digits
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| u8::from_str_radix(digits, 16).ok());
            rest = if byte.is_some() { &tail[2..] } else { tail };
            decoded.push(byte.unwrap_or(*first));
        }
        let text = String::from_utf8(decoded).ok()?;
        let is_plain = |letter: char| {
            letter.is_alphanumeric() || "/-_~!@&=:,^".contains(letter) || letter == '.'
        };
        let is_written = |letter: char| is_plain(letter) || letter == ' ';
        let is_shifting = text.contains("//") || text.contains("/./") || text.contains("/../");
        let is_name = !self.is_regex() && text.chars().all(is_written) && !is_shifting;
        if !is_name || !self.is_free(text.as_bytes()) {
            return None;
        }
        match text.chars().all(is_plain) {
            true => self.path.rewrite(&text),
            // A glued modifier cannot stay outside of the quotes.
            false => {
                let is_apart =
                    self.directive.argument(1).is_some() || self.modifier == Modifier::Prefix;
                is_apart.then(|| Edit::replace(self.path.span, format!("\"{text}\"")))
            }
        }
    }

    /// An edit that says what a star was meant to: a prefix without it, a regex for the names of files, or a slash that
    /// is not repeated.
    pub fn without_star(&self, glob: &Glob) -> Option<Edit> {
        let path = &*self.path;
        let star = match glob {
            Glob::Slashes(star) => {
                let twins = || self.level().named(&path[..*star]);
                let is_free = !twins().any(|other| other.is_regex());
                let place = self.path.part(*star..star + 1);
                return (is_free && *star > 1 && place != self.path.span)
                    .then(|| Edit::delete(place));
            }
            Glob::Literal(star) => *star,
        };
        let name = std::str::from_utf8(&path[..star]).ok()?;
        let is_prefix =
            self.modifier == Modifier::Prefix || self.modifier == Modifier::PreferentialPrefix;
        if star + 1 == path.len() {
            return self
                .path
                .rewrite(name)
                .filter(|_| is_prefix && self.is_free(name.as_bytes()));
        }
        let ending = path.strip_prefix(b"/*.")?;
        let regex = format!("\\.{}$", std::str::from_utf8(ending).ok()?);
        let is_word = ending.iter().all(u8::is_ascii_alphanumeric);
        let is_written = self.modifier == Modifier::Prefix && self.path.rewrite("").is_some();
        let is_free = !self
            .level()
            .named(regex.as_bytes())
            .any(|other| other.is_regex());
        (is_word && is_written && is_free)
            .then(|| Edit::replace(self.path.span, format!("~ {regex}")))
    }

    /// True for a location that lets not everybody in, which may well be meant to match widely.
    pub(super) fn refuses(&self) -> bool {
        let has = |name: &str| self.directive.own(name).next().is_some();
        let is_refusal = |answer: Directive<'_>| {
            answer
                .argument(0)
                .is_some_and(|code| code.starts_with(b"4"))
        };
        ["deny", "auth_basic", "auth_request", "internal"]
            .into_iter()
            .any(has)
            || self.own_return().is_some_and(is_refusal)
    }

    /// True when no other location of the level has this name.
    fn is_free(&self, name: &[u8]) -> bool {
        !self.level().named(name).any(|other| other != *self)
    }
}

fn has_class(pattern: &[u8]) -> bool {
    pattern.contains(&b'[')
}
