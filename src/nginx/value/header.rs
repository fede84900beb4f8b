//! Headers, cookies and how long an answer holds.

use super::{Flaw, Setting, amount, shown, word};
use crate::nginx;

/// Seconds of a day.
const DAY: u64 = 24 * 3600;

pub(super) fn added(setting: &Setting<'_>) -> Option<Flaw> {
    word::exactly(setting, 2, &["always"]).map(|flaw| {
        let help = "A value with blanks needs quotes; after the value stands `always` or nothing.";
        flaw.help(help)
    })
}

pub(super) fn parameter(setting: &Setting<'_>) -> Option<Flaw> {
    word::exactly(setting, 2, &["if_not_empty"]).map(|flaw| {
        let help =
            "A value with blanks needs quotes; after the value stands `if_not_empty` or nothing.";
        flaw.help(help)
    })
}

/// The flaw of a lone argument that is none of the words that may stand alone.
pub(super) fn one_of_alone(setting: &Setting<'_>, words: &[&str]) -> Option<Flaw> {
    if setting.arguments.len() != 1 {
        return None;
    }
    word::exactly(setting, 0, words).map(|flaw| {
        let meant = flaw.meant;
        let words = super::any_of(words.iter().copied());
        let problem = format!(
            "{} stands alone, and only {words} may",
            shown(setting.argument(0))
        );
        Flaw::new(0, problem).meant(meant).help(format!(
            "Otherwise `{}` takes what is replaced and by what.",
            setting.name
        ))
    })
}

pub(super) fn expires(setting: &Setting<'_>) -> Option<Flaw> {
    let modified = setting.arguments.len() > 1;
    if let Some(flaw) = modified
        .then(|| word::exactly(setting, 0, &["modified"]))
        .flatten()
    {
        return Some(flaw);
    }
    let index = usize::from(modified);
    let value = setting.argument(index);
    if value.contains(&b'$') || !modified && matches!(value, b"epoch" | b"max" | b"off") {
        return None;
    }
    let (daily, time) = match value {
        [b'@', time @ ..] => (true, time),
        [b'+' | b'-', time @ ..] => (false, time),
        _ => (false, value),
    };
    if daily && modified {
        return Some(Flaw::new(
            index,
            "a time of day has nothing to do with `modified`",
        ));
    }
    let help = "`expires` takes a time with a sign if wanted, as `30d`, a time of day, as `@15h30m`, or `epoch`, `max` or `off`.";
    match nginx::seconds(time) {
        Some(time) if daily && time > DAY => {
            Some(Flaw::new(index, format!("{} is no time of day", shown(value))).help(help))
        }
        Some(_) => None,
        None => {
            let sign = &value[..value.len() - time.len()];
            let arguments = [time];
            let bare = Setting {
                arguments: &arguments,
                ..*setting
            };
            let meant = amount::seconds(&bare).and_then(|flaw| flaw.meant);
            let words = ["epoch", "max", "off"].into_iter();
            let word = words
                .into_iter()
                .find(|word| value.eq_ignore_ascii_case(word.as_bytes()));
            let meant = match word {
                Some(word) if !modified => Some(word.to_owned()),
                _ => meant.map(|time| format!("{}{time}", super::text(sign))),
            };
            Some(
                Flaw::new(index, format!("{} is no time", shown(value)))
                    .meant(meant)
                    .help(help),
            )
        }
    }
}

pub(super) fn userid_expires(setting: &Setting<'_>) -> Option<Flaw> {
    let is_word = matches!(setting.argument(0), b"max" | b"off");
    amount::seconds(setting).filter(|_| !is_word)
}

pub(super) fn userid_mark(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    let is_mark = match value {
        b"off" => true,
        [mark] => mark.is_ascii_alphanumeric() || *mark == b'=',
        _ => false,
    };
    (!is_mark).then(|| {
        Flaw::new(0, format!("{} is no mark", shown(value)))
            .help("`userid_mark` takes `off`, or one letter, digit or `=`.")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{judge, offers};

    #[test]
    fn headers_and_cookies_are_what_nginx_reads() {
        judge(
            &[
                "add_header A b",
                "add_header A b always",
                "add_trailer A b always",
                "fastcgi_param A b",
                "fastcgi_param A b if_not_empty",
                "proxy_redirect off",
                "proxy_redirect default",
                "proxy_redirect a b",
                "proxy_cookie_path off",
                "proxy_cookie_path / /a",
                "proxy_cookie_flags off",
                "proxy_cookie_flags a secure",
                "expires 30d",
                "expires -1",
                "expires +1h",
                "expires @15h30m",
                "expires max",
                "expires $e",
                "expires modified +24h",
                "userid_expires max",
                "userid_expires 1y",
                "userid_mark a",
                "userid_mark off",
            ],
            &[
                "add_header A b c",
                "add_header A b Always",
                "fastcgi_param A b if_empty",
                "proxy_redirect on",
                "proxy_redirect http://a/",
                "proxy_cookie_path /",
                "proxy_cookie_domain none",
                "proxy_cookie_flags secure",
                "expires 30days",
                "expires MAX",
                "expires @25h",
                "expires modified max",
                "expires modified @1h",
                "expires access 1h",
                "userid_expires never",
                "userid_mark ab",
                "userid_mark -",
            ],
        );
        offers(&[
            ("add_header A b alway", "always"),
            ("expires 30days", "30d"),
            ("expires -1day", "-1d"),
            ("expires Max", "max"),
            ("proxy_redirect none", "off"),
        ]);
    }
}
