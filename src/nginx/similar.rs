//! Names that were probably meant.

use std::iter::zip;

/// The candidate that is written most like `name`: at most two letters differ, of a short name one.
pub fn closest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Option<String> {
    let allowed = if name.len() < 6 { 1 } else { 2 };
    candidates
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// True when two names differ by one slip of the hand: a letter too much or too few, two swapped, or another one, and not
/// where names of the same kind differ: in a digit or at their ends.
pub fn is_slip(name: &str, meant: &str) -> bool {
    let (short, long) = match name.len() <= meant.len() {
        true => (name, meant),
        false => (meant, name),
    };
    let same = |a: &u8, b: &u8| a == b;
    let front = zip(short.bytes(), long.bytes())
        .take_while(|(a, b)| same(a, b))
        .count();
    let (a, b) = (&short.as_bytes()[front..], &long.as_bytes()[front..]);
    let back = zip(a.iter().rev(), b.iter().rev())
        .take_while(|(a, b)| same(a, b))
        .count();
    let (a, b) = (&a[..a.len() - back], &b[..b.len() - back]);
    let is_one = match (a, b) {
        ([], [_]) | ([_], [_]) => true,
        ([first, second], [third, fourth]) => first == fourth && second == third,
        _ => false,
    };
    let has_digit = a.iter().chain(b).any(u8::is_ascii_digit);
    is_one && !has_digit && back > 0 && front > 0 && short.len() >= 4
}

/// The parameter that is written most like `written`, with the value of this one; names that take a value end in `=`.
pub fn closest_parameter(written: &str, known: &[&str]) -> Option<String> {
    let (name, value) = written.split_once('=').unwrap_or((written, ""));
    let bare = |known: &str| known.trim_end_matches('=').to_owned();
    let names: Vec<String> = known.iter().map(|known| bare(known)).collect();
    let meant = closest(&name.to_ascii_lowercase(), names.iter().map(String::as_str))?;
    let known = known.iter().find(|known| bare(known) == meant)?;
    let value = if known.ends_with('=') { value } else { "" };
    Some(format!("{known}{value}")).filter(|meant| meant != written)
}

/// How many bytes have to be inserted, removed, replaced or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_letter_and_no_number() {
        for (name, meant) in [
            ("bakend", "backend"),
            ("my-app", "my_app"),
            ("bcakend", "backend"),
        ] {
            assert!(is_slip(name, meant) && is_slip(meant, name), "{name}");
        }
        for (name, other) in [
            ("app", "api"),
            ("web1", "web2"),
            ("front", "fronts"),
            ("node-a", "node-b"),
        ] {
            assert!(!is_slip(name, other) && !is_slip(other, name), "{name}");
        }
        assert!(!is_slip("backend", "backend") && !is_slip("web-eu1", "web-us1"));
    }

    #[test]
    fn the_closest_name_is_found_if_any_is_close() {
        let closest = |name| closest(name, ["host", "request_uri", "remote_addr"].into_iter());
        assert_eq!(closest("hots").as_deref(), Some("host"));
        assert_eq!(closest("reqeust_ur").as_deref(), Some("request_uri"));
        assert_eq!(closest("remote_addresses"), None);
        assert_eq!(closest("h"), None);
        assert_eq!(closest(""), None);
    }

    #[test]
    fn a_parameter_that_was_meant_keeps_its_value() {
        let closest = |written| closest_parameter(written, &["backlog=", "ssl"]);
        assert_eq!(closest("backlg=5").as_deref(), Some("backlog=5"));
        assert_eq!(closest("backlog").as_deref(), Some("backlog="));
        assert_eq!(closest("SSL").as_deref(), Some("ssl"));
        assert_eq!(closest("ssl=on").as_deref(), Some("ssl"));
        assert_eq!(closest("bind"), None);
    }
}
