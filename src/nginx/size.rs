//! Sizes and numbers as nginx writes them.

/// A number as `ngx_atoi` reads it: decimal digits and nothing else.
pub fn number(text: &[u8]) -> Option<u64> {
    scaled(text, 1)
}

/// A size in bytes as `ngx_parse_size` reads it: digits, and `k` or `m` in either case.
pub fn size(text: &[u8]) -> Option<u64> {
    match text {
        [digits @ .., b'k' | b'K'] => scaled(digits, 1 << 10),
        [digits @ .., b'm' | b'M'] => scaled(digits, 1 << 20),
        _ => number(text),
    }
}

/// A size in bytes as `ngx_parse_offset` reads it: as [`size`] does, and with `g`.
pub fn offset(text: &[u8]) -> Option<u64> {
    match text {
        [digits @ .., b'g' | b'G'] => scaled(digits, 1 << 30),
        _ => size(text),
    }
}

fn scaled(digits: &[u8], scale: u64) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let bytes = number.checked_mul(scale)?;
    (bytes <= i64::MAX as u64).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_nginx_reads_them() {
        for (text, as_size, as_offset) in [
            ("0", Some(0), Some(0)),
            ("512", Some(512), Some(512)),
            ("4k", Some(4096), Some(4096)),
            ("1M", Some(1 << 20), Some(1 << 20)),
            ("1g", None, Some(1 << 30)),
            ("007k", Some(7168), Some(7168)),
            ("", None, None),
            ("k", None, None),
            ("1.5m", None, None),
            ("1kb", None, None),
            ("-1", None, None),
            ("1 k", None, None),
            (
                "9223372036854775807",
                Some(i64::MAX as u64),
                Some(i64::MAX as u64),
            ),
            ("9223372036854775808", None, None),
            ("9223372036854775807k", None, None),
            ("99999999999g", None, None),
        ] {
            assert_eq!(size(text.as_bytes()), as_size, "{text}");
            assert_eq!(offset(text.as_bytes()), as_offset, "{text}");
        }
    }
}
