//! Times as nginx writes them.

/// Units with their length in seconds, and how far down the order each stands; milliseconds come last.
const UNITS: [(u8, u64, u8); 8] = [
    (b'y', 365 * 24 * 3600, 1),
    (b'M', 30 * 24 * 3600, 2),
    (b'w', 7 * 24 * 3600, 3),
    (b'd', 24 * 3600, 4),
    (b'h', 3600, 5),
    (b'm', 60, 6),
    (b's', 1, 7),
    (b' ', 1, 9),
];

/// The rank of `ms`.
const MILLISECOND: u8 = 8;

/// The value of a time in milliseconds, or nothing when nginx refuses it.
///
/// Follows `ngx_parse_time` for directives that count milliseconds: units `w d h m s ms`, each at most once and in
/// descending order, blanks allowed after a unit; a number without unit is seconds.
pub fn milliseconds(text: &[u8]) -> Option<u64> {
    // The order begins below the month, so that years and months are refused.
    parse(text, 1000, 2)
}

/// The value of a time in seconds, or nothing when nginx refuses it.
///
/// Follows `ngx_parse_time` for directives that count seconds: units `y M w d h m s`, where `M` is a month.
pub fn seconds(text: &[u8]) -> Option<u64> {
    parse(text, 1, 0)
}

fn parse(text: &[u8], per_second: u64, first: u8) -> Option<u64> {
    let limit = |value: u64| Some(value).filter(|value| *value <= i64::MAX as u64);
    let (mut total, mut value, mut last) = (0_u64, 0_u64, first);
    let mut has_digit = false;
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if byte.is_ascii_digit() {
            let digit = u64::from(byte - b'0');
            value = limit(value.checked_mul(10)?.checked_add(digit)?)?;
            has_digit = true;
            continue;
        }
        let (factor, rank) = match (byte, rest) {
            (b'm', [b's', after @ ..]) if per_second > 1 => {
                rest = after;
                (1, MILLISECOND)
            }
            (b'm', [b's', ..]) => return None,
            _ => {
                let (_, length, rank) = UNITS.iter().find(|(unit, ..)| unit == byte)?;
                (length * per_second, *rank)
            }
        };
        // A blank in the place of a unit ends the value; seconds may not have come before it.
        let reached = if rank == 9 { 7 } else { rank };
        if last >= reached {
            return None;
        }
        last = rank;
        total = limit(total.checked_add(value.checked_mul(factor)?)?)?;
        value = 0;
        while let [b' ', after @ ..] = rest {
            rest = after;
        }
    }
    if !has_digit {
        return None;
    }
    limit(total.checked_add(value.checked_mul(per_second)?)?)
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

    #[test]
    fn seconds_have_years_and_months_and_no_milliseconds() {
        const DAY: u64 = 24 * 3600;
        for (text, expected) in [
            ("30", Some(30)),
            ("1y", Some(365 * DAY)),
            ("2M", Some(60 * DAY)),
            ("1y1M1w1d1h1m1s", Some((365 + 30 + 7 + 1) * DAY + 3661)),
            ("1h 30m", Some(5400)),
            ("5 ", Some(5)),
            ("1hm", Some(3600)),
            ("1M1y", None),
            ("5ms", None),
            ("5 s", None),
            ("1s 5 ", None),
            ("s", None),
            ("1.5h", None),
            ("-1", None),
            ("1Y", None),
            ("9223372036854775807", Some(i64::MAX as u64)),
            ("9223372036854775808", None),
            ("9223372036854775807m", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(milliseconds(b"9223372036854775807"), None);
    }
}
