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
}
