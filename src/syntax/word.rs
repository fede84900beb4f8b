//! What a word says once its escapes are undone.

use std::borrow::Cow;

/// Undoes the escapes that nginx undoes in every word, quoted or not: `\"`, `\'`, `\\`, `\t`, `\r`, `\n`.
///
/// Any other backslash stays, with the byte after it (`ngx_conf_read_token`).
pub fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut value = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let plain = match (byte, bytes.peek()) {
            (b'\\', Some(quoted @ (b'"' | b'\'' | b'\\'))) => Some(*quoted),
            (b'\\', Some(b't')) => Some(b'\t'),
            (b'\\', Some(b'r')) => Some(b'\r'),
            (b'\\', Some(b'n')) => Some(b'\n'),
            _ => None,
        };
        value.push(plain.unwrap_or(byte));
        if plain.is_some() {
            bytes.next();
        }
    }
    Cow::Owned(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nginx_own_escapes_are_undone() {
        assert_eq!(
            unescape(br#"a\"b\'c\\d\t\r\n"#).as_ref(),
            b"a\"b'c\\d\t\r\n"
        );
        assert_eq!(
            unescape(br"\.php\;\{\ \$x\").as_ref(),
            br"\.php\;\{\ \$x\".as_slice()
        );
        assert_eq!(unescape(br"\\\\n").as_ref(), br"\\n".as_slice());
    }
}
