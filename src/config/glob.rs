//! Include patterns, as `glob(3)` matches them for nginx.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// True when nginx hands the path to `glob(3)` instead of opening it (`ngx_conf_include`).
pub(crate) fn is_pattern(path: &[u8]) -> bool {
    path.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// The files that match an absolute or relative pattern, sorted by their bytes; `list` names the entries of a folder.
pub(crate) fn expand(pattern: &[u8], list: &dyn Fn(&Path) -> Vec<Vec<u8>>) -> Vec<PathBuf> {
    let mut found = vec![if pattern.starts_with(b"/") {
        b"/".to_vec()
    } else {
        Vec::new()
    }];
    for component in pattern
        .split(|byte| *byte == b'/')
        .filter(|component| !component.is_empty())
    {
        found = found
            .iter()
            .flat_map(|folder| {
                let names = if is_pattern(component) {
                    let entries = list(Path::new(OsStr::from_bytes(if folder.is_empty() {
                        b"."
                    } else {
                        folder
                    })));
                    entries
                        .into_iter()
                        .filter(|name| matches(component, name))
                        .collect()
                } else {
                    vec![component.to_vec()]
                };
                names.into_iter().map(|name| join(folder, &name))
            })
            .collect();
    }
    found.sort();
    found
        .into_iter()
        .map(|path| PathBuf::from(std::ffi::OsString::from_vec(path)))
        .collect()
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let separator: &[u8] = if folder.is_empty() || folder.ends_with(b"/") {
        b""
    } else {
        b"/"
    };
    [folder, separator, name].concat()
}

/// Matches one component of a path: `*`, `?`, `[…]` and `\x`; a leading dot must be written out.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let hidden = name.first() == Some(&b'.') && pattern.first() != Some(&b'.');
    !hidden && matches_text(pattern, name)
}

/// Matches a whole path with `/` between its parts; `**` as a part stands for any number of parts, also none.
pub(crate) fn covers(pattern: &[u8], path: &[u8]) -> bool {
    let split = |text| <[u8]>::split(text, |byte| *byte == b'/').collect::<Vec<_>>();
    let (pattern, path): (Vec<&[u8]>, Vec<&[u8]>) = (split(pattern), split(path));
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < path.len() {
        match (pattern.get(p), star) {
            (Some(part), _) if *part == b"**" => {
                p += 1;
                star = Some((p, n));
            }
            (Some(part), _) if matches_text(part, path[n]) => {
                p += 1;
                n += 1;
            }
            (_, Some((after, from))) => {
                p = after;
                n = from + 1;
                star = Some((after, n));
            }
            (_, None) => return false,
        }
    }
    pattern[p..].iter().all(|part| *part == b"**")
}

fn matches_text(pattern: &[u8], name: &[u8]) -> bool {
    // On a mismatch the last star takes one byte more; earlier stars need no second look.
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match step(&pattern[p..], name[n]) {
            Step::Star => {
                star = Some((p + 1, n));
                p += 1;
            }
            Step::Taken(length) => {
                p += length;
                n += 1;
            }
            Step::Refused => match star {
                Some((after, from)) => {
                    p = after;
                    n = from + 1;
                    star = Some((after, n));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

enum Step {
    Star,
    Taken(usize),
    Refused,
}

fn step(pattern: &[u8], byte: u8) -> Step {
    match pattern {
        [b'*', ..] => Step::Star,
        [b'?', ..] => Step::Taken(1),
        [b'[', rest @ ..] => match class(rest, byte) {
            Some((length, true)) => Step::Taken(1 + length),
            Some((_, false)) => Step::Refused,
            None if byte == b'[' => Step::Taken(1),
            None => Step::Refused,
        },
        [b'\\', escaped, ..] if *escaped == byte => Step::Taken(2),
        [plain, ..] if *plain == byte && byte != b'\\' => Step::Taken(1),
        _ => Step::Refused,
    }
}

/// Length of a bracket expression after its `[`, and whether it holds the byte; nothing when no `]` ends it.
fn class(pattern: &[u8], byte: u8) -> Option<(usize, bool)> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let body = &pattern[usize::from(negated)..];
    let end = 1 + body.get(1..)?.iter().position(|byte| *byte == b']')?;
    let set = &body[..end];
    let mut at = 0;
    let mut held = false;
    while at < set.len() {
        if at + 2 < set.len() && set[at + 1] == b'-' {
            held |= (set[at]..=set[at + 2]).contains(&byte);
            at += 3;
        } else {
            held |= set[at] == byte;
            at += 1;
        }
    }
    Some((usize::from(negated) + end + 1, held != negated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_match_as_in_glob() {
        for (pattern, name, expected) in [
            ("*", "a.conf", true),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf~", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?.conf", "a.conf", true),
            ("[ab].conf", "b.conf", true),
            ("[!ab].conf", "b.conf", false),
            ("[0-9][0-9]-*", "50-mod.conf", true),
            ("[]x]", "]", true),
            ("a[1", "a[1", true),
            (r"\*", "*", true),
            (r"\*", "x", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn two_stars_stand_for_any_number_of_parts() {
        for (pattern, path, expected) in [
            ("/ws/**", "/ws/", true),
            ("/ws/**", "/ws", true),
            ("/ws/**", "/ws/a/b", true),
            ("/ws/**", "/wsx", false),
            ("/ws/*", "/ws/a", true),
            ("/ws/*", "/ws/a/b", false),
            ("/**/live", "/live", true),
            ("/**/live", "/a/b/live", true),
            ("/**/live/**/x", "/live/live/y/x", true),
            ("/**/live", "/a/live/b", false),
            ("**", "", true),
            ("vendor", "vendor", true),
            ("**/*.bak", "a/.b.bak", true),
        ] {
            let covered = covers(pattern.as_bytes(), path.as_bytes());
            assert_eq!(covered, expected, "{pattern} {path}");
        }
    }

    #[test]
    fn matches_come_in_byte_order_across_folders() {
        let list = |folder: &Path| -> Vec<Vec<u8>> {
            let names: &[&str] = match folder.to_str() {
                Some("/etc") => &["b", "a", "B"],
                Some("/etc/a" | "/etc/b") => &["z.conf", "y.conf", "x.txt"],
                _ => &[],
            };
            names.iter().map(|name| name.as_bytes().to_vec()).collect()
        };
        let found = expand(b"/etc/*/*.conf", &list);
        let expected: Vec<PathBuf> = [
            "/etc/a/y.conf",
            "/etc/a/z.conf",
            "/etc/b/y.conf",
            "/etc/b/z.conf",
        ]
        .map(PathBuf::from)
        .into();
        assert_eq!(found, expected);
    }
}
