//! The request target as nginx understands it.

use crate::nginx::Version;

/// A normalised URI with what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// The request target as the client sent it.
    pub target: Vec<u8>,
    /// The path: decoded, dot segments resolved, slashes merged. What locations are compared with.
    pub path: Vec<u8>,
    /// What follows the `?`, untouched.
    pub arguments: Option<Vec<u8>>,
    /// True when the target held a percent escape, so that the path is escaped again on its way upstream.
    pub is_quoted: bool,
}

impl Uri {
    /// Reads a request target in origin form, as `ngx_http_parse_complex_uri` does; nothing where nginx answers 400.
    pub fn parse(target: &[u8], merge_slashes: bool) -> Option<Self> {
        let end = target
            .iter()
            .position(|byte| *byte == b'#')
            .unwrap_or(target.len());
        let (raw, arguments) = match target[..end].iter().position(|byte| *byte == b'?') {
            Some(mark) => (&target[..mark], Some(target[mark + 1..end].to_vec())),
            None => (&target[..end], None),
        };
        let path = normalise(&decode(raw)?, merge_slashes)?;
        Some(Self {
            target: target.to_vec(),
            path,
            arguments,
            is_quoted: raw.contains(&b'%'),
        })
    }
}

fn decode(raw: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        let value = u8::from_str_radix(digits, 16)
            .ok()
            .filter(|value| *value != 0 && !digits.starts_with('+'))?;
        decoded.push(value);
        rest = &after[2..];
    }
    Some(decoded)
}

fn normalise(path: &[u8], merge_slashes: bool) -> Option<Vec<u8>> {
    let body = path.strip_prefix(b"/")?;
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut pieces = body.split(|byte| *byte == b'/').peekable();
    let mut ends_with_slash = false;
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        ends_with_slash = is_last && matches!(piece, b"" | b"." | b"..");
        match piece {
            b"" if is_last || merge_slashes => {}
            b"." => {}
            b".." => drop(segments.pop()?),
            piece => segments.push(piece),
        }
    }
    let mut normal = b"/".to_vec();
    normal.extend(segments.join(&b'/'));
    if ends_with_slash && !segments.is_empty() {
        normal.push(b'/');
    }
    Some(normal)
}

/// Escapes a path for a request line, as `ngx_escape_uri` does since nginx 1.21.1.
pub fn escape(path: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(path.len());
    for byte in path {
        match byte {
            0..=b' '
            | b'"'
            | b'#'
            | b'%'
            | b'<'
            | b'>'
            | b'?'
            | b'\\'
            | b'^'
            | b'`'
            | b'{'..=b'}'
            | 0x7f.. => {
                escaped.extend(format!("%{byte:02X}").bytes());
            }
            plain => escaped.push(*plain),
        }
    }
    escaped
}

/// [`escape`] as a version of nginx does it: before 1.21.1, fewer characters were escaped.
pub(super) fn escape_for(path: &[u8], version: Version) -> Vec<u8> {
    if version >= Version(1, 21, 1) {
        return escape(path);
    }
    escaped(
        path,
        |byte| matches!(byte, 0..=b' ' | b'#' | b'%' | b'?' | 0x7f..),
    )
}

/// Escapes a text that becomes an argument (`ngx_escape_uri` with `NGX_ESCAPE_ARGS`).
pub(super) fn escape_args(text: &[u8], version: Version) -> Vec<u8> {
    let now = version >= Version(1, 21, 1);
    escaped(text, |byte| match byte {
        0..=b' ' | b'#' | b'%' | b'&' | b'+' | b';' | b'?' | 0x7f.. => true,
        b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{'..=b'}' => now,
        _ => false,
    })
}

fn escaped(text: &[u8], is_escaped: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match is_escaped(*byte) {
            true => escaped.extend(format!("%{byte:02X}").bytes()),
            false => escaped.push(*byte),
        }
    }
    escaped
}

/// Undoes the escapes of a target that a client is redirected to, but those that it has to have
/// (`ngx_unescape_uri` with `NGX_UNESCAPE_REDIRECT`); what follows a `?` stays as it is.
pub(super) fn unescape_redirect(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'?' => {
                plain.push(b'?');
                plain.extend(rest);
                break;
            }
            b'%' => {
                let Some((first, after)) = rest.split_first() else {
                    break;
                };
                rest = after;
                let Some(high) = hex(*first) else {
                    plain.push(*first);
                    continue;
                };
                let Some((second, after)) = rest.split_first() else {
                    break;
                };
                rest = after;
                let Some(low) = hex(*second) else { continue };
                let decoded = high << 4 | low;
                // nginx takes `%3f` for a mark where its second digit is a letter.
                if decoded == b'?' && !second.is_ascii_digit() {
                    plain.push(b'?');
                    plain.extend(rest);
                    break;
                }
                match decoded > b'%' && decoded < 0x7f {
                    true => plain.push(decoded),
                    false => plain.extend([b'%', *first, *second]),
                }
            }
            plain_byte => plain.push(*plain_byte),
        }
    }
    plain
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Option<String> {
        Uri::parse(target.as_bytes(), true)
            .map(|uri| String::from_utf8_lossy(&uri.path).into_owned())
    }

    #[test]
    fn paths_are_normalised_as_nginx_normalises_them() {
        for (target, expected) in [
            ("/", Some("/")),
            ("/a//b///c", Some("/a/b/c")),
            ("/a/./b/../c", Some("/a/c")),
            ("/a/..", Some("/")),
            ("/a/b/..", Some("/a/")),
            ("/a/.", Some("/a/")),
            ("/a%2Fb%20c", Some("/a/b c")),
            ("/a%2F..%2Fb", Some("/b")),
            ("/a%3Fb?c=%20", Some("/a?b")),
            ("/a#b", Some("/a")),
            ("/..", None),
            ("/a%00", None),
            ("/a%zz", None),
            ("/a%2", None),
            ("a", None),
        ] {
            assert_eq!(path(target).as_deref(), expected, "{target}");
        }
        assert_eq!(
            Uri::parse(b"//a//b", false).map(|uri| uri.path),
            Some(b"//a//b".to_vec())
        );
    }
}
