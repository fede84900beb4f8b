//! Variables inside a value, as `ngx_http_script_compile` finds them.

use std::ops::Range;

/// A variable in a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its name without `$` and braces, as written; a digit for a capture.
    pub name: String,
    /// Where it stands in the value, `$` and braces included.
    pub range: Range<usize>,
}

impl Reference {
    /// True for `$1` to `$9`; `$0` and `${1}` are names of variables, which nobody can define.
    pub fn is_capture(&self) -> bool {
        self.range.len() == 2
            && self
                .name
                .starts_with(|first: char| ('1'..='9').contains(&first))
    }
}

/// The variables of a value in order: `$name`, `${name}`, `$1` (one digit).
///
/// A `$` that begins no name is skipped; nginx refuses it, which is for others to say.
pub fn references(value: &[u8]) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = value[at..].iter().position(|byte| *byte == b'$') {
        let start = at + offset;
        at = start + 1;
        let braced = value.get(at) == Some(&b'{');
        let name_start = at + usize::from(braced);
        let name = &value[name_start..];
        let length = match name.first() {
            Some(b'1'..=b'9') if !braced => 1,
            _ => name
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count(),
        };
        let end = name_start + length;
        if length == 0 || (braced && value.get(end) != Some(&b'}')) {
            continue;
        }
        let name = String::from_utf8_lossy(&value[name_start..end]).into_owned();
        at = end + usize::from(braced);
        found.push(Reference {
            name,
            range: start..at,
        });
    }
    found
}

/// The first `$` that begins no name, with the rest of what should be one, and what is wrong with it: nginx refuses such
/// a value wherever it evaluates it (`ngx_http_script_compile`).
pub fn invalid_reference(value: &[u8]) -> Option<(Range<usize>, &'static str)> {
    let mut at = 0;
    loop {
        let start = at + value[at..].iter().position(|byte| *byte == b'$')?;
        at = start + 1;
        if matches!(value.get(at), Some(b'1'..=b'9')) {
            at += 1;
            continue;
        }
        let braced = value.get(at) == Some(&b'{');
        at += usize::from(braced);
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = value[at..].iter().take_while(is_name).count();
        at += length;
        let closed = braced && value.get(at) == Some(&b'}');
        if braced && !closed {
            return Some((
                start..at,
                "the `}` after the name of the variable is missing",
            ));
        }
        if length == 0 {
            let end = at + usize::from(closed);
            return Some((start..end, "a `$` that begins no name of a variable"));
        }
        at += usize::from(closed);
    }
}

/// True when nginx would evaluate the value instead of taking it literally: it holds a `$`.
pub fn has_variables(value: &[u8]) -> bool {
    value.contains(&b'$')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(value: &str) -> Vec<String> {
        references(value.as_bytes())
            .into_iter()
            .map(|reference| reference.name)
            .collect()
    }

    #[test]
    fn names_end_where_nginx_ends_them() {
        assert_eq!(names("http://$host$request_uri"), ["host", "request_uri"]);
        assert_eq!(names("${a}b$a-b$10"), ["a", "a", "1"]);
        assert_eq!(names("$ $$ ${a ^/x$"), [] as [&str; 0]);
        assert_eq!(references(b"x${uri}y")[0].range, 1..7);
    }

    #[test]
    fn a_dollar_must_begin_a_name() {
        let place = |value: &str| invalid_reference(value.as_bytes()).map(|(place, _)| place);
        for value in ["", "a", "$a", "x${a}y$1", "$10$0", "$1$2.$_"] {
            assert_eq!(place(value), None, "{value}");
        }
        for (value, expected) in [
            ("$", 0..1),
            ("a$", 1..2),
            ("$a$ b", 2..3),
            ("$$a", 0..1),
            ("^/x$|y", 3..4),
            ("${a", 0..3),
            ("${a-b}", 0..3),
            ("${", 0..2),
            ("${}", 0..3),
        ] {
            assert_eq!(place(value), Some(expected), "{value}");
        }
    }
}
