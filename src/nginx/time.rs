//! Times as nginx writes them.

/// The value of a time in milliseconds, or nothing when nginx refuses it.
///
/// Follows `ngx_parse_time` for directives that count milliseconds: units `w d h m s ms`, each at most once and in
/// descending order, blanks allowed after a unit; a number without unit is seconds.
pub fn milliseconds(text: &[u8]) -> Option<u64> {
    const SECOND: u64 = 1000;
    const UNITS: [(&[u8], u64, u8); 6] = [
        (b"ms", 1, 6),
        (b"w", 7 * 24 * 3600 * SECOND, 1),
        (b"d", 24 * 3600 * SECOND, 2),
        (b"h", 3600 * SECOND, 3),
        (b"m", 60 * SECOND, 4),
        (b"s", SECOND, 5),
    ];
    let mut rest = text;
    let mut total = 0_u64;
    let mut last = 0;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number: u64 = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
        rest = &rest[digits..];
        let unit = UNITS.iter().find(|(name, ..)| rest.starts_with(name));
        let (length, factor, rank) = match unit {
            Some((name, factor, rank)) => (name.len(), *factor, *rank),
            None if rest.is_empty() => (0, SECOND, 7),
            None => return None,
        };
        if rank <= last {
            return None;
        }
        last = rank;
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = rest[length..].trim_ascii_start();
    }
    (last > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_nginx_reads_them() {
        let cases: [(&str, Option<u64>); 14] = [
            ("60", Some(60_000)),
            ("60s", Some(60_000)),
            ("7d", Some(604_800_000)),
            ("1h30m", Some(5_400_000)),
            ("1h 30m", Some(5_400_000)),
            ("500ms", Some(500)),
            ("1m500ms", Some(60_500)),
            ("0", Some(0)),
            ("1h30", Some(3_630_000)),
            ("", None),
            ("1y", None),
            ("1M", None),
            ("30m1h", None),
            ("5x", None),
        ];
        for (text, expected) in cases {
            assert_eq!(milliseconds(text.as_bytes()), expected, "{text}");
        }
    }
}
