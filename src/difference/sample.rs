//! Texts that a regex probably matches. Nothing relies on them: each is tried.

/// How deep groups are followed.
const DEPTH: usize = 50;

/// Most repetitions of one atom.
const REPEATS: usize = 64;

/// How many ways through the alternatives of a pattern are tried.
const WAYS: usize = 4;

/// Texts of which a pattern probably matches some.
pub(super) fn samples(pattern: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for way in 0..WAYS {
        for once in [false, true] {
            let mut reader = Reader {
                rest: pattern,
                way,
                once,
            };
            if let Some(text) = reader.alternatives(0).filter(|text| !all.contains(text)) {
                all.push(text);
            }
        }
    }
    all
}

/// Reads a pattern and writes a text that it would match.
struct Reader<'p> {
    rest: &'p [u8],
    /// Which of several alternatives is taken, as far as there are that many.
    way: usize,
    /// True when what may be left out is taken once.
    once: bool,
}

impl Reader<'_> {
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

    /// Up to the end of the group, or of the pattern.
    fn alternatives(&mut self, depth: usize) -> Option<Vec<u8>> {
        if depth > DEPTH {
            return None;
        }
        let mut all = vec![Vec::new()];
        while let Some(byte) = self.next() {
            let atom = match byte {
                b')' if depth > 0 => break,
                b'|' => {
                    all.push(Vec::new());
                    continue;
                }
                b'^' | b'$' => continue,
                b'.' => vec![b'x'],
                b'[' => vec![self.class()?],
                b'\\' => self.escaped()?,
                b'(' => {
                    let is_look = self.group();
                    let inside = self.alternatives(depth + 1)?;
                    if is_look { Vec::new() } else { inside }
                }
                plain => vec![plain],
            };
            let times = self.times();
            let current = all.last_mut()?;
            for _ in 0..times {
                current.extend(&atom);
            }
        }
        let taken = self.way % all.len();
        Some(all.swap_remove(taken))
    }

    /// What stands after `(`; true when the group only looks ahead or back.
    fn group(&mut self) -> bool {
        if !self.skip(b"?") {
            return false;
        }
        if [&b"="[..], b"!", b"<=", b"<!"]
            .iter()
            .any(|look| self.skip(look))
        {
            return true;
        }
        if self.skip(b">") || self.skip(b"|") {
            return false;
        }
        // A name, or options: `(?<name>`, `(?i:`, `(?i)`.
        self.skip(b"P");
        let end = if self.skip(b"<") {
            b'>'
        } else if self.skip(b"'") {
            b'\''
        } else {
            b':'
        };
        while let Some(byte) = self.rest.first().filter(|byte| **byte != b')') {
            let is_end = *byte == end;
            self.next();
            if is_end {
                break;
            }
        }
        false
    }

    fn escaped(&mut self) -> Option<Vec<u8>> {
        Some(match self.next()? {
            b'd' => vec![b'1'],
            b'w' | b'D' | b'S' | b'N' => vec![b'x'],
            b's' | b'h' => vec![b' '],
            b'W' => vec![b'-'],
            b'b' | b'B' | b'A' | b'z' | b'Z' | b'G' | b'K' | b'Q' | b'E' => Vec::new(),
            b't' => vec![b'\t'],
            b'n' => vec![b'\n'],
            b'r' => vec![b'\r'],
            letter if letter.is_ascii_alphanumeric() => return None,
            sign => vec![sign],
        })
    }

    /// A member of a class, after its `[`.
    fn class(&mut self) -> Option<u8> {
        let negated = self.skip(b"^");
        let mut members = [false; 256];
        let mut first = true;
        let mut last = None;
        loop {
            let byte = self.next()?;
            match byte {
                b']' if !first => break,
                b'[' if self.rest.first() == Some(&b':') => {
                    let end = self.rest.windows(2).position(|pair| pair == b":]")?;
                    self.rest = &self.rest[end + 2..];
                    members[usize::from(b'a')] = true;
                }
                b'\\' => {
                    let class = self.next()?;
                    let fits = |byte: u8| match class {
                        b'd' => byte.is_ascii_digit(),
                        b'w' => byte.is_ascii_alphanumeric() || byte == b'_',
                        b's' => byte == b' ',
                        other => byte == other,
                    };
                    (0..=255).for_each(|byte| members[usize::from(byte)] |= fits(byte));
                    last = Some(class);
                }
                b'-' if last.is_some() && self.rest.first() != Some(&b']') => {
                    let end = self.next()?;
                    let start = last.take()?;
                    (start..=end).for_each(|byte| members[usize::from(byte)] = true);
                }
                plain => {
                    members[usize::from(plain)] = true;
                    last = Some(plain);
                }
            }
            first = false;
        }
        let usual = (b'a'..=b'z').rev().chain(b'0'..=b'9').chain(b'A'..=b'Z');
        let signs = b"-_./~".iter().copied();
        usual
            .chain(signs)
            .chain(1..=255)
            .find(|byte| members[usize::from(*byte)] != negated)
    }

    /// How often the atom that was just read is written.
    fn times(&mut self) -> usize {
        let times = match self.rest {
            [b'*' | b'?', rest @ ..] => {
                self.rest = rest;
                usize::from(self.once)
            }
            [b'+', rest @ ..] => {
                self.rest = rest;
                1
            }
            [b'{', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let number = std::str::from_utf8(&rest[..digits]).ok();
                let times = number.and_then(|number| number.parse().ok()).unwrap_or(1);
                let end = rest.iter().position(|byte| *byte == b'}');
                self.rest = end.map_or(&[], |end| &rest[end + 1..]);
                usize::min(times, REPEATS)
            }
            _ => return 1,
        };
        // Lazy or possessive.
        if !self.skip(b"?") {
            self.skip(b"+");
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcre2::bytes::Regex;

    #[test]
    fn a_sample_of_a_usual_pattern_matches_it() {
        for pattern in [
            r"\.php$",
            r"^/api/(v1|v2)/users/\d+$",
            r"\.(?:css|js)(?:\?.*)?$",
            r"^/(?<lang>[a-z]{2})(?:/|$)",
            r"^(.+\.php)(/.*)$",
            r"/\.(?!well-known)",
            r"(?i)^/A[^/]+/b",
            r"^/[\w-]+/[[:digit:]]?x",
            r"^/a\b/.*?z++$",
            r"^/(?'id'\d{3,5})$",
            "^/[]x]y",
        ] {
            let regex = Regex::new(pattern).expect("a pattern");
            let all = samples(pattern.as_bytes());
            let hit = all.iter().any(|text| {
                let rooted = [b"/", &text[..]].concat();
                regex.is_match(text).expect("an answer")
                    || regex.is_match(&rooted).expect("an answer")
            });
            assert!(hit, "{pattern}: {all:?}");
        }
    }
}
