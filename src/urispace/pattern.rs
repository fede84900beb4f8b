//! The syntax of PCRE2, as far as a pattern is a regular language over bytes.
//!
//! nginx compiles without UTF and without multi-line mode (`ngx_regex_compile`). Only what PCRE2 accepts comes here.
//! Captures, names and greediness do not change which texts match, so they are left out; what does, and is not regular
//! or differs between versions of PCRE2, is refused with a word for it.

use super::bytes::{Bytes, is_word};

/// How deep groups may be nested; PCRE2's own limit.
const DEPTH: usize = 250;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// A byte of a set.
    Byte(Bytes),
    /// One after the other.
    All(Vec<Self>),
    /// One of several.
    Any(Vec<Self>),
    /// The same again and again.
    Repeat {
        inside: Box<Self>,
        least: u32,
        /// Nothing for no limit.
        most: Option<u32>,
    },
    /// `^`
    Start,
    /// `$`, which a last line feed may follow, or `\z`, which it may not.
    End { may_break: bool },
    /// `\b`, or `\B`.
    Boundary { is_inside: bool },
    /// `(?=…)`, or `(?!…)`.
    Ahead {
        inside: Box<Self>,
        is_negative: bool,
    },
}

/// The options that a group may change.
#[derive(Debug, Clone, Copy)]
struct Options {
    caseless: bool,
    dot_all: bool,
    extended: bool,
}

struct Parser<'p> {
    rest: &'p [u8],
    depth: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl Pattern {
    /// Reads a pattern; otherwise says what of it cannot be expressed.
    pub(super) fn parse(text: &[u8], caseless: bool) -> Parsed<Self> {
        let mut parser = Parser {
            rest: text,
            depth: 0,
        };
        let options = Options {
            caseless,
            dot_all: false,
            extended: false,
        };
        if text.starts_with(b"(*") {
            return Err("a verb");
        }
        let pattern = parser.alternatives(options)?;
        match parser.rest {
            [] => Ok(pattern),
            _ => Err("an unopened group"),
        }
    }

    fn is_zero_wide(&self) -> bool {
        match self {
            Self::Start | Self::End { .. } | Self::Boundary { .. } | Self::Ahead { .. } => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_zero_wide),
            Self::Byte(_) | Self::Repeat { .. } => false,
        }
    }
}

impl Parser<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn skip(&mut self, text: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Up to the end of a group, which is left standing, or of the pattern.
    fn alternatives(&mut self, mut options: Options) -> Parsed<Pattern> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("groups nested too deeply");
        }
        let mut all = Vec::new();
        let mut parts: Vec<Pattern> = Vec::new();
        loop {
            self.blanks(options);
            match self.rest.first() {
                None | Some(b')') => break,
                Some(b'|') => {
                    self.next();
                    all.push(Pattern::All(std::mem::take(&mut parts)));
                }
                Some(_) => {
                    let Some(atom) = self.atom(&mut options)? else {
                        continue;
                    };
                    self.blanks(options);
                    parts.push(self.repeated(atom)?);
                }
            }
        }
        self.depth -= 1;
        all.push(Pattern::All(parts));
        Ok(match all.len() {
            1 => all.swap_remove(0),
            _ => Pattern::Any(all),
        })
    }

    /// What `(?x)` passes over.
    fn blanks(&mut self, options: Options) {
        if !options.extended {
            return;
        }
        loop {
            match self.rest.first() {
                Some(b'\t'..=b'\r' | b' ') => drop(self.next()),
                Some(b'#') => while self.next().is_some_and(|byte| byte != b'\n') {},
                _ => break,
            }
        }
    }

    /// One item; nothing where it only sets options.
    fn atom(&mut self, options: &mut Options) -> Parsed<Option<Pattern>> {
        let byte = |byte: u8| {
            let set = Bytes::one(byte);
            Pattern::Byte(match options.caseless {
                true => set.caseless(),
                false => set,
            })
        };
        let Some(first) = self.next() else {
            return Ok(None);
        };
        Ok(Some(match first {
            b'^' => Pattern::Start,
            b'$' => Pattern::End { may_break: true },
            b'.' if options.dot_all => Pattern::Byte(Bytes::ALL),
            b'.' => Pattern::Byte(Bytes::one(b'\n').not()),
            b'[' => Pattern::Byte(self.class(*options)?),
            b'(' => return self.group(options),
            b'\\' if self.skip(b"Q") => {
                let mut parts = Vec::new();
                while !self.skip(b"\\E") {
                    match self.next() {
                        Some(literal) => parts.push(byte(literal)),
                        None => break,
                    }
                }
                // What follows repeats the last byte only.
                let Some(last) = parts.pop() else {
                    return self.options_only();
                };
                parts.push(self.repeated(last)?);
                Pattern::All(parts)
            }
            b'\\' if self.skip(b"E") => return self.options_only(),
            b'\\' => match self.escaped()? {
                Escape::Byte(literal) => byte(literal),
                Escape::Set(set) => Pattern::Byte(set),
                Escape::Assertion(assertion) => assertion,
            },
            b'*' | b'+' | b'?' => return Err("a quantifier of nothing"),
            literal => byte(literal),
        }))
    }

    /// After something that matches nothing by itself: a quantifier there belongs to what stands before it, or to
    /// nothing.
    fn options_only(&self) -> Parsed<Option<Pattern>> {
        match self.rest.first() {
            Some(b'*' | b'+' | b'?' | b'{') => Err("a quantifier apart from what it repeats"),
            _ => Ok(None),
        }
    }

    /// What stands after `(`.
    fn group(&mut self, options: &mut Options) -> Parsed<Option<Pattern>> {
        let mut inner = *options;
        if self.rest.starts_with(b"*") {
            return Err("a verb");
        }
        if !self.skip(b"?") {
            return self.closed(inner).map(Some);
        }
        if self.skip(b"#") {
            while self.next().is_some_and(|byte| byte != b')') {}
            return self.options_only();
        }
        for (start, is_negative) in [(&b"="[..], false), (b"!", true)] {
            if self.skip(start) {
                let inside = Box::new(self.closed(inner)?);
                return Ok(Some(Pattern::Ahead {
                    inside,
                    is_negative,
                }));
            }
        }
        if self.rest.starts_with(b"<=") || self.rest.starts_with(b"<!") {
            return Err("a lookbehind");
        }
        if self.skip(b":") || self.skip(b"|") {
            return self.closed(inner).map(Some);
        }
        if self.skip(b">") {
            return Err("an atomic group");
        }
        let end = match self.rest {
            [b'P', b'<', ..] | [b'<', ..] => Some(b'>'),
            [b'\'', ..] => Some(b'\''),
            _ => None,
        };
        if let Some(end) = end {
            let opening = if self.rest.starts_with(b"P") { 2 } else { 1 };
            self.rest = &self.rest[opening..];
            while self.next().is_some_and(|byte| byte != end) {}
            return self.closed(inner).map(Some);
        }
        let mut sets = true;
        loop {
            match self.next() {
                Some(b'^') => {
                    (inner.caseless, inner.dot_all, inner.extended) = (false, false, false);
                }
                Some(b'-') => sets = false,
                Some(b'i') => inner.caseless = sets,
                Some(b's') => inner.dot_all = sets,
                Some(b'x') if self.rest.first() == Some(&b'x') => return Err("`(?xx)`"),
                Some(b'x') => inner.extended = sets,
                // They change captures and greediness only.
                Some(b'n' | b'J' | b'U') => {}
                Some(b':') => return self.closed(inner).map(Some),
                Some(b')') => {
                    *options = inner;
                    return self.options_only();
                }
                Some(b'm') => return Err("`(?m)`"),
                _ => return Err("a reference or a condition"),
            }
        }
    }

    fn closed(&mut self, options: Options) -> Parsed<Pattern> {
        let inside = self.alternatives(options)?;
        match self.next() {
            Some(b')') => Ok(inside),
            _ => Err("an unclosed group"),
        }
    }

    /// An item with the quantifiers behind it.
    fn repeated(&mut self, mut item: Pattern) -> Parsed<Pattern> {
        loop {
            let (least, most) = match self.rest.first() {
                Some(b'*') => (0, None),
                Some(b'+') => (1, None),
                Some(b'?') => (0, Some(1)),
                Some(b'{') => match self.braces()? {
                    Some(counts) => counts,
                    None => return Ok(item),
                },
                _ => return Ok(item),
            };
            self.next();
            if item.is_zero_wide() {
                return Err("a repeated assertion");
            }
            if self.skip(b"+") {
                return Err("a possessive quantifier");
            }
            self.skip(b"?");
            item = Pattern::Repeat {
                inside: Box::new(item),
                least,
                most,
            };
        }
    }

    /// The counts of `{2}`, `{2,}` or `{2,3}`, up to its last brace; nothing when the brace is one of the text.
    fn braces(&mut self) -> Parsed<Option<(u32, Option<u32>)>> {
        let Some(length) = self.rest.iter().position(|byte| *byte == b'}') else {
            return Ok(None);
        };
        let inside = &self.rest[1..length];
        let is_count = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        let number = |text: &[u8]| -> Option<u32> { std::str::from_utf8(text).ok()?.parse().ok() };
        let (least, most) = match inside.iter().position(|byte| *byte == b',') {
            Some(comma) => (&inside[..comma], Some(&inside[comma + 1..])),
            None => (inside, None),
        };
        if !is_count(least) || most.is_some_and(|most| !most.is_empty() && !is_count(most)) {
            // Newer versions take more for a quantifier: `{,3}` and blanks.
            let is_new = inside
                .iter()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b' ' | b'\t'));
            return match is_new && inside.iter().any(u8::is_ascii_digit) {
                true => Err("`{,n}`, which versions of PCRE2 read differently"),
                false => Ok(None),
            };
        }
        let too_large = "a count that is too large";
        let least = number(least).ok_or(too_large)?;
        let most = match most {
            None => Some(least),
            Some(b"") => None,
            Some(most) => Some(number(most).ok_or(too_large)?),
        };
        self.rest = &self.rest[length..];
        Ok(Some((least, most)))
    }

    /// What stands after a backslash, outside a class.
    fn escaped(&mut self) -> Parsed<Escape> {
        let assertion = match self.rest.first() {
            Some(b'b') => Pattern::Boundary { is_inside: false },
            Some(b'B') => Pattern::Boundary { is_inside: true },
            // A search begins at the beginning.
            Some(b'A' | b'G') => Pattern::Start,
            Some(b'Z') => Pattern::End { may_break: true },
            Some(b'z') => Pattern::End { may_break: false },
            Some(b'N') => {
                self.next();
                return Ok(Escape::Set(Bytes::one(b'\n').not()));
            }
            Some(b'1'..=b'9' | b'g' | b'k') => return Err("a backreference"),
            Some(b'R' | b'X' | b'K' | b'C') => return Err("`\\R`, `\\X`, `\\K` or `\\C`"),
            _ => return self.member(),
        };
        self.next();
        Ok(Escape::Assertion(assertion))
    }

    /// What stands after a backslash, in a class or not.
    fn member(&mut self) -> Parsed<Escape> {
        let space = |byte: u8| matches!(byte, b'\t'..=b'\r' | b' ');
        let blank = |byte: u8| matches!(byte, b'\t' | b' ' | 0xa0);
        let vertical = |byte: u8| matches!(byte, b'\n'..=b'\r' | 0x85);
        let first = self.next().ok_or("an open escape")?;
        Ok(match first {
            b'd' => Escape::Set(Bytes::that(|byte| byte.is_ascii_digit())),
            b'D' => Escape::Set(Bytes::that(|byte| !byte.is_ascii_digit())),
            b'w' => Escape::Set(Bytes::that(is_word)),
            b'W' => Escape::Set(Bytes::that(|byte| !is_word(byte))),
            b's' => Escape::Set(Bytes::that(space)),
            b'S' => Escape::Set(Bytes::that(space).not()),
            b'h' => Escape::Set(Bytes::that(blank)),
            b'H' => Escape::Set(Bytes::that(blank).not()),
            b'v' => Escape::Set(Bytes::that(vertical)),
            b'V' => Escape::Set(Bytes::that(vertical).not()),
            b'a' => Escape::Byte(7),
            b'e' => Escape::Byte(27),
            b'f' => Escape::Byte(12),
            b'n' => Escape::Byte(b'\n'),
            b'r' => Escape::Byte(b'\r'),
            b't' => Escape::Byte(b'\t'),
            b'x' => Escape::Byte(self.hexadecimal()?),
            b'0' => {
                let digits = self.rest.iter().take(2);
                let digits = digits
                    .take_while(|byte| matches!(byte, b'0'..=b'7'))
                    .count();
                let value = self.rest[..digits]
                    .iter()
                    .fold(0, |value, digit| value * 8 + (digit - b'0'));
                self.rest = &self.rest[digits..];
                Escape::Byte(value)
            }
            b'c' => {
                let letter = self.next().ok_or("an open escape")?;
                Escape::Byte(letter.to_ascii_uppercase() ^ 64)
            }
            letter if letter.is_ascii_alphanumeric() => {
                return Err("an escape that is not regular");
            }
            sign => Escape::Byte(sign),
        })
    }

    /// `\x`, with up to two digits or braces.
    fn hexadecimal(&mut self) -> Parsed<u8> {
        let digits = match self.skip(b"{") {
            true => {
                let length = self.rest.iter().position(|byte| *byte == b'}');
                let length = length.ok_or("an open escape")?;
                let digits = &self.rest[..length];
                self.rest = &self.rest[length + 1..];
                digits
            }
            false => {
                let pair = self.rest.iter().take(2);
                let length = pair.take_while(|byte| byte.is_ascii_hexdigit()).count();
                let digits = &self.rest[..length];
                self.rest = &self.rest[length..];
                digits
            }
        };
        let text = std::str::from_utf8(digits).map_err(|_| "a strange escape")?;
        match text {
            "" => Ok(0),
            text => u8::from_str_radix(text.trim(), 16).map_err(|_| "a character beyond a byte"),
        }
    }

    /// The set of a class, after its `[`.
    fn class(&mut self, options: Options) -> Parsed<Bytes> {
        let is_negative = self.skip(b"^");
        let mut set = Bytes::NONE;
        let mut is_first = true;
        loop {
            let byte = self.next().ok_or("an open class")?;
            if byte == b']' && !is_first {
                break;
            }
            is_first = false;
            let start = match self.class_member(byte, options)? {
                Escape::Byte(start) => start,
                Escape::Set(members) => {
                    set = set.or(members);
                    // A hyphen after a set stands for itself.
                    if self.rest.starts_with(b"-") && !self.rest.starts_with(b"-]") {
                        return Err("a range that begins with a set");
                    }
                    continue;
                }
                Escape::Assertion(_) => return Err("an assertion in a class"),
            };
            let is_range = self.rest.first() == Some(&b'-')
                && self.rest.get(1).is_some_and(|after| *after != b']');
            if !is_range {
                set = set.with(start);
                continue;
            }
            self.next();
            let byte = self.next().ok_or("an open class")?;
            match self.class_member(byte, options)? {
                Escape::Byte(end) if start <= end => {
                    set = (start..=end).fold(set, Bytes::with);
                }
                _ => return Err("a range that ends with a set"),
            }
        }
        if options.caseless {
            set = set.caseless();
        }
        Ok(if is_negative { set.not() } else { set })
    }

    fn class_member(&mut self, byte: u8, options: Options) -> Parsed<Escape> {
        match byte {
            b'\\' => match self.rest.first() {
                Some(b'b') => {
                    self.next();
                    Ok(Escape::Byte(8))
                }
                Some(b'1'..=b'9' | b'Q' | b'E' | b'N' | b'R' | b'X' | b'B') => {
                    Err("an escape in a class")
                }
                _ => self.member(),
            },
            b'[' if matches!(self.rest.first(), Some(b'.' | b'=')) => Err("a collating element"),
            b'[' if self.rest.first() == Some(&b':') => {
                let Some(length) = self.rest.windows(2).position(|pair| pair == b":]") else {
                    return Ok(Escape::Byte(b'['));
                };
                let name = &self.rest[1..length.max(1)];
                let (name, is_negative) = match name.strip_prefix(b"^") {
                    Some(name) => (name, true),
                    None => (name, false),
                };
                if !name.iter().all(u8::is_ascii_alphabetic) || name.is_empty() {
                    return Err("a strange name in a class");
                }
                let set = named(name, options.caseless).ok_or("a strange name in a class")?;
                self.rest = &self.rest[length + 2..];
                Ok(Escape::Set(if is_negative { set.not() } else { set }))
            }
            literal => Ok(Escape::Byte(literal)),
        }
    }
}

enum Escape {
    Byte(u8),
    Set(Bytes),
    Assertion(Pattern),
}

/// The bytes of a POSIX name.
fn named(name: &[u8], caseless: bool) -> Option<Bytes> {
    let test: fn(u8) -> bool = match name {
        b"lower" | b"upper" if caseless => |byte| byte.is_ascii_alphabetic(),
        b"alpha" => |byte| byte.is_ascii_alphabetic(),
        b"lower" => |byte| byte.is_ascii_lowercase(),
        b"upper" => |byte| byte.is_ascii_uppercase(),
        b"alnum" => |byte| byte.is_ascii_alphanumeric(),
        b"ascii" => |byte| byte.is_ascii(),
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => |byte| byte.is_ascii_control(),
        b"digit" => |byte| byte.is_ascii_digit(),
        b"graph" => |byte| byte.is_ascii_graphic(),
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => |byte| byte.is_ascii_punctuation(),
        b"space" => |byte| matches!(byte, b'\t'..=b'\r' | b' '),
        b"word" => is_word,
        b"xdigit" => |byte| byte.is_ascii_hexdigit(),
        _ => return None,
    };
    Some(Bytes::that(test))
}
