//! The lines of `map`, `geo`, `types`, `split_clients` and `charset_map`, which are entries and no directives.

use super::{Flaw, Setting, network, shown, text};
use crate::nginx::{Contexts, invalid_reference};

/// The sum that the shares of `split_clients` may reach, in hundredths of a percent.
pub const WHOLE: u64 = 10_000;

/// A line of a table: the context says of which.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The body that it stands in.
    pub context: Contexts,
    /// The arguments of the table.
    pub table: &'a [&'a [u8]],
    /// True after a line `hostnames` in a `map`.
    pub has_hostnames: bool,
    /// True after a line `ranges` in a `geo`.
    pub has_ranges: bool,
    /// Its words, the first one too.
    pub words: &'a [&'a [u8]],
}

impl Line<'_> {
    /// Nothing when nginx takes the line, else what it refuses first; the index is that of the word, from 0.
    pub fn flaw(&self) -> Option<Flaw> {
        match self.context {
            Contexts::MAP => self.map(),
            Contexts::GEO => self.geo(),
            Contexts::SPLIT_CLIENTS => self.split_clients(),
            Contexts::CHARSET_MAP => self.charset_map(),
            Contexts::TYPES => self.types(),
            _ => None,
        }
    }

    fn first(&self) -> &[u8] {
        self.words.first().copied().unwrap_or_default()
    }

    /// The flaw of a line with a wrong number of words.
    fn counted(&self, expected: &str) -> Option<Flaw> {
        let last = self.words.len().saturating_sub(1);
        let surplus = last.min(2);
        let problem = match self.words.len() {
            0 | 1 => format!("{} stands alone", shown(self.first())),
            _ => format!("{} is one word too many", shown(self.words[surplus])),
        };
        Some(Flaw::new(surplus, problem).help(expected))
    }

    fn map(&self) -> Option<Flaw> {
        match self.words {
            [b"hostnames" | b"volatile"] => None,
            [b"include", _] => None,
            [key, value] => {
                let host = || {
                    let key = key.strip_prefix(b"\\").unwrap_or(key);
                    let is_plain = key != b"default" && !key.starts_with(b"~");
                    (self.has_hostnames && is_plain && !is_hostname(key)).then(|| {
                        Flaw::new(0, format!("{} is no host name", shown(key)))
                            .help("With `hostnames` a `*` stands for whole labels at the beginning or the end: `*.example.com`, `www.example.*`.")
                    })
                };
                let variable = invalid_reference(value).map(|(place, problem)| {
                    Flaw::new(1, format!("{}: {problem}", shown(&value[place])))
                });
                variable.or_else(host)
            }
            _ => self.counted("A line of a `map` has a value to look for and one to set; with blanks it needs quotes."),
        }
    }

    fn geo(&self) -> Option<Flaw> {
        match self.words {
            [b"ranges" | b"proxy_recursive" | b"volatile"] => None,
            [_, _] => network::geo_line(self.words, self.has_ranges),
            _ => self.counted(
                "A line of a `geo` has a network and a value; with blanks it needs quotes.",
            ),
        }
    }

    fn split_clients(&self) -> Option<Flaw> {
        let share = self.first();
        if share == b"*" || share == b"include" || percent(share).is_some_and(|share| share > 0) {
            return None;
        }
        let number = text(share).trim_end_matches('%').to_owned();
        let meant = match number.split_once('.') {
            Some((whole, fraction)) if fraction.len() > 2 && fraction.is_ascii() => {
                format!("{whole}.{}%", &fraction[..2])
            }
            _ => format!("{number}%"),
        };
        let is_share = percent(meant.as_bytes()).is_some_and(|share| (1..=WHOLE).contains(&share));
        let meant = Some(meant).filter(|meant| is_share && meant.as_bytes() != share);
        Some(
            Flaw::new(0, format!("{} is no share", shown(share)))
                .meant(meant)
                .help("A share is a percentage above 0 with at most two decimals, as `0.5%`, or `*` for the rest."),
        )
    }

    fn charset_map(&self) -> Option<Flaw> {
        let [source, target] = self.words else {
            return self
                .counted("A line of a `charset_map` has two bytes in hexadecimal, as `80 E2`.");
        };
        if **source == b"include"[..] {
            return None;
        }
        let is_byte = |text: &[u8]| hexadecimal(text).is_some_and(|byte| byte <= 255);
        let utf8 = self
            .table
            .get(1)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"utf-8"));
        let is_target = if utf8 {
            target.len() <= 6
                && target
                    .chunks(2)
                    .all(|byte| byte.len() == 2 && is_byte(byte))
        } else {
            is_byte(target)
        };
        let bad = |index: usize, value: &[u8]| {
            Flaw::new(index, format!("{} is no byte in hexadecimal", shown(value)))
                .help("Bytes go from `00` to `FF`; for UTF-8 up to three stand together.")
        };
        match (is_byte(source), is_target) {
            (false, _) => Some(bad(0, source)),
            (true, false) => Some(bad(1, target)),
            (true, true) => None,
        }
    }

    fn types(&self) -> Option<Flaw> {
        let is_include = self.first() == b"include" && self.words.len() != 2;
        is_include.then(|| Flaw::new(self.words.len() - 1, "`include` takes one file"))
    }
}

/// A share such as `12.5%` in hundredths of a percent (`ngx_atofp`).
pub fn percent(text: &[u8]) -> Option<u64> {
    let number = text.strip_suffix(b"%")?;
    let mut decimals = None;
    let mut value = 0_u64;
    for byte in number {
        match (byte, &mut decimals) {
            (b'.', None) => decimals = Some(0),
            (b'0'..=b'9', Some(2)) => return None,
            (b'0'..=b'9', decimals) => {
                value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
                if let Some(count) = decimals {
                    *count += 1;
                }
            }
            _ => return None,
        }
    }
    let missing = 2 - decimals.unwrap_or(0);
    (!number.is_empty()).then_some(value.checked_mul(10_u64.pow(missing))?)
}

fn hexadecimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
}

/// True for what `ngx_hash_add_key` takes for a host name, a wildcard or plain text.
fn is_hostname(key: &[u8]) -> bool {
    let stars = key.iter().filter(|byte| **byte == b'*').count();
    let wild = key.len() > 1 && key.starts_with(b".")
        || key.len() > 2 && (key.starts_with(b"*.") || key.ends_with(b".*"));
    stars <= usize::from(wild) && !key.windows(2).any(|pair| pair == b"..")
}

/// The flaw of the two names of a `charset_map`.
pub(super) fn charset_map(setting: &Setting<'_>) -> Option<Flaw> {
    let [source, target] = setting.arguments else {
        return None;
    };
    source
        .eq_ignore_ascii_case(target)
        .then(|| Flaw::new(1, format!("{} is mapped to itself", shown(target))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(context: Contexts, line: &str) -> Option<Flaw> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let line = Line {
            context,
            table: &[b"koi8-r", b"utf-8"],
            has_hostnames: true,
            has_ranges: false,
            words: &words,
        };
        line.flaw()
    }

    #[test]
    fn lines_are_what_nginx_reads() {
        for (context, taken, refused) in [
            (
                Contexts::MAP,
                &[
                    "hostnames",
                    "volatile",
                    "a b",
                    "default $x",
                    "~^a $1",
                    "~*( b",
                    "*.a 1",
                    ".a 1",
                    "a.* 1",
                    "\\default 1",
                    "include f",
                ][..],
                &[
                    "a", "a b c", "a $", "a ${b", "*a 1", "a..b 1", "*.a.* 1", "a*b 1",
                ][..],
            ),
            (
                Contexts::GEO,
                &["ranges", "default 0", "10.0.0.0/8 1"],
                &["default", "10.0.0.0/8 a b"],
            ),
            (
                Contexts::SPLIT_CLIENTS,
                &["50% a", "0.5% a", "33.33% a", "* a", ".5% a", "100% a"],
                &[
                    "50 a",
                    "0% a",
                    "33.333% a",
                    "-1% a",
                    "a% a",
                    "% a",
                    "1.2.3% a",
                ],
            ),
            (
                Contexts::CHARSET_MAP,
                &["80 E282AC", "c0 D18E", "7 41"],
                &["80", "80 8", "100 41", "xx 41", "80 41424344", "80 4g"],
            ),
            (
                Contexts::TYPES,
                &["text/html html htm", "a/b"],
                &["include a b"],
            ),
        ] {
            for line in taken {
                assert_eq!(flaw(context, line), None, "{line}");
            }
            for line in refused {
                assert!(flaw(context, line).is_some(), "{line}");
            }
        }
        let meant = |line| flaw(Contexts::SPLIT_CLIENTS, line).and_then(|flaw| flaw.meant);
        assert_eq!(meant("50 a").as_deref(), Some("50%"));
        assert_eq!(meant("33.333% a").as_deref(), Some("33.33%"));
        assert_eq!(meant("half a"), None);
    }
}
