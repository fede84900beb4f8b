//! Words of a closed list, and what is made of words.

use super::{Flaw, Setting, any_of, shown, text};
use crate::nginx::{Subsystem, Version, closest};

/// What people write for `on`, and for `off`.
const YES: [&str; 8] = [
    "true", "yes", "1", "enable", "enabled", "ture", "onn", "active",
];
const NO: [&str; 9] = [
    "false", "no", "0", "disable", "disabled", "none", "of", "fasle", "inactive",
];

/// The methods of `ngx_methods_names`.
const METHODS: [&str; 14] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "MKCOL",
    "COPY",
    "MOVE",
    "OPTIONS",
    "PROPFIND",
    "PROPPATCH",
    "LOCK",
    "UNLOCK",
    "PATCH",
];

/// Words of a row of the table that this version takes, or may take.
fn words<'w>(setting: &Setting<'_>, list: &'w str) -> impl Iterator<Item = &'w str> + Clone {
    let told = setting.version;
    list.split(' ').filter_map(move |entry| {
        let (word, since) = entry.split_once(">=").unwrap_or((entry, ""));
        let since: Option<Version> = since.parse().ok();
        let has = told.zip(since).is_none_or(|(told, since)| told >= since);
        has.then_some(word)
    })
}

/// The word of a list that was probably meant.
fn meant<'w>(value: &[u8], words: impl Iterator<Item = &'w str> + Clone) -> Option<String> {
    let value = text(value).to_ascii_lowercase();
    let has = |wanted: &str| {
        words
            .clone()
            .any(|word| word == wanted)
            .then(|| wanted.to_owned())
    };
    let switch = if YES.contains(&value.as_str()) {
        has("on")
    } else if NO.contains(&value.as_str()) {
        has("off")
    } else {
        None
    };
    let near = || {
        let near = words
            .clone()
            .find(|word| value.eq_ignore_ascii_case(word))
            .map(str::to_owned);
        near.or_else(|| {
            // Of two letters one is half of the word.
            (value.len() > 2)
                .then(|| closest(&value, words.clone()))
                .flatten()
        })
    };
    switch.or_else(near)
}

/// The flaw of an argument that should be one of some words.
fn unlisted<'w>(
    setting: &Setting<'_>,
    index: usize,
    words: impl Iterator<Item = &'w str> + Clone,
) -> Flaw {
    let value = setting.argument(index);
    let problem = format!("{} is nothing that `{}` takes", shown(value), setting.name);
    let help = format!("`{}` takes {}.", setting.name, any_of(words.clone()));
    Flaw::new(index, problem)
        .meant(meant(value, words))
        .help(help)
}

/// The first argument from `start` on that is none of the words, letter by letter.
pub(super) fn exactly(setting: &Setting<'_>, index: usize, words: &[&str]) -> Option<Flaw> {
    let value = setting.arguments.get(index)?;
    let known = words.iter().any(|word| word.as_bytes() == *value);
    (!known).then(|| unlisted(setting, index, words.iter().copied()))
}

pub(super) fn flag(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    let is = |word: &str| value.eq_ignore_ascii_case(word.as_bytes());
    if is("on") || is("off") || setting.is_variable(0) {
        return None;
    }
    let problem = format!("{} is neither `on` nor `off`", shown(value));
    let help = format!("`{}` is a switch: `on` or `off`.", setting.name);
    let meant = meant(value, ["on", "off"].into_iter());
    Some(Flaw::new(0, problem).meant(meant).help(help))
}

pub(super) fn one_of(setting: &Setting<'_>, list: &str) -> Option<Flaw> {
    let found = each_of(setting, list)?;
    // nginx Plus takes any text for the name of the server.
    let is_text = setting.name == "server_tokens" && found.meant.is_none();
    (!is_text).then_some(found)
}

pub(super) fn each_of(setting: &Setting<'_>, list: &str) -> Option<Flaw> {
    let words = words(setting, list);
    // nginx Plus knows of upstreams that it is not allowed to use.
    let has_denied = setting.name.ends_with("_next_upstream");
    let is_known = |value: &[u8]| {
        let mut words = words.clone();
        words.any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
            || has_denied && value.eq_ignore_ascii_case(b"denied")
    };
    let index = (0..setting.arguments.len())
        .find(|index| !is_known(setting.argument(*index)) && !setting.is_variable(*index))?;
    let found = unlisted(setting, index, words);
    let value = text(setting.argument(index));
    let later = list.split(' ').find_map(|entry| {
        let (word, since) = entry.split_once(">=")?;
        word.eq_ignore_ascii_case(&value).then_some(since)
    });
    Some(match later {
        Some(since) => Flaw {
            problem: format!("`{}` takes `{value}` from nginx {since} on", setting.name),
            ..found
        },
        None => found,
    })
}

pub(super) fn access(setting: &Setting<'_>) -> Option<Flaw> {
    let is_access = |value: &[u8]| {
        [&b"user:"[..], b"group:", b"all:"]
            .iter()
            .any(|whose| matches!(value.strip_prefix(*whose), Some(b"rw" | b"r")))
    };
    let index = (0..setting.arguments.len()).find(|index| !is_access(setting.argument(*index)))?;
    let problem = format!("{} is no access right", shown(setting.argument(index)));
    let help = format!(
        "`{}` takes `user:`, `group:` or `all:`, each with `r` or `rw`, as `group:rw`.",
        setting.name
    );
    Some(Flaw::new(index, problem).help(help))
}

pub(super) fn event_method(setting: &Setting<'_>) -> Option<Flaw> {
    let methods = [
        "epoll",
        "kqueue",
        "eventport",
        "/dev/poll",
        "poll",
        "select",
        "iocp",
        "rtsig",
    ];
    exactly(setting, 0, &methods)
}

pub(super) fn mail_protocol(setting: &Setting<'_>) -> Option<Flaw> {
    exactly(setting, 0, &["imap", "pop3", "smtp"])
}

pub(super) fn methods(setting: &Setting<'_>) -> Option<Flaw> {
    let is_known = |value: &[u8]| {
        METHODS
            .iter()
            .any(|method| value.eq_ignore_ascii_case(method.as_bytes()))
    };
    // nginx 1.29 and later may know more of them.
    let may_be_known = |value: &[u8]| {
        setting.may_be_since(Version(1, 29, 0))
            && [&b"CONNECT"[..], b"TRACE", b"QUERY"]
                .iter()
                .any(|method| value.eq_ignore_ascii_case(method))
    };
    let index = (0..setting.arguments.len()).find(|index| {
        let value = setting.argument(*index);
        !is_known(value) && !may_be_known(value)
    })?;
    let value = setting.argument(index);
    let upper = text(value).to_ascii_uppercase();
    let meant = closest(&upper, METHODS.into_iter()).filter(|_| upper.len() > 2);
    let problem = format!("{} is no method that nginx knows", shown(value));
    let help = format!("nginx knows {}.", any_of(METHODS));
    Some(Flaw::new(index, problem).meant(meant).help(help))
}

pub(super) fn hash_key(setting: &Setting<'_>) -> Option<Flaw> {
    exactly(setting, 1, &["consistent"])
}

pub(super) fn random(setting: &Setting<'_>) -> Option<Flaw> {
    let by_time = setting.argument(1).starts_with(b"least_time");
    let second = || exactly(setting, 1, &["least_conn"]).filter(|_| !by_time);
    exactly(setting, 0, &["two"]).or_else(second)
}

pub(super) fn least_time(setting: &Setting<'_>) -> Option<Flaw> {
    let first: &[&str] = match setting.subsystem() {
        Subsystem::Http => &["header", "last_byte"],
        Subsystem::Stream => &["connect", "first_byte", "last_byte"],
    };
    exactly(setting, 0, first).or_else(|| exactly(setting, 1, &["inflight"]))
}

pub(super) fn aio(setting: &Setting<'_>) -> Option<Flaw> {
    if setting.argument(0).starts_with(b"threads=") {
        return None;
    }
    // `sendfile` was taken on FreeBSD.
    exactly(setting, 0, &["on", "off", "threads", "sendfile"]).map(|flaw| {
        flaw.help("`aio` takes `on`, `off`, `threads` or `threads=` with the name of a pool.")
    })
}

pub(super) fn disable_symlinks(setting: &Setting<'_>) -> Option<Flaw> {
    let is_from = |index: usize| setting.argument(index).starts_with(b"from=");
    let modes = ["off", "on", "if_not_owner"];
    let help = "`disable_symlinks` takes `off`, `on` or `if_not_owner`, the last two with a `from=` beside them if wanted.";
    let unknown = (0..setting.arguments.len()).find_map(|index| {
        exactly(setting, index, &modes)
            .filter(|_| !is_from(index))
            .map(|flaw| flaw.help(help))
    });
    if unknown.is_some() {
        return unknown;
    }
    let problem = match setting.arguments.len() {
        1 if is_from(0) => "`from=` says where to begin, not whether: a mode is missing",
        2 if is_from(0) && is_from(1) => "both words are a `from=`: a mode is missing",
        2 if !is_from(0) && !is_from(1) => "there are two modes, and only one can hold",
        2 if setting.arguments.contains(&&b"off"[..]) => "`from=` has nothing to do with `off`",
        _ => return None,
    };
    Some(Flaw::new(setting.arguments.len() - 1, problem).help(help))
}

pub(super) fn browser(setting: &Setting<'_>) -> Option<Flaw> {
    let browsers = ["msie", "gecko", "opera", "safari", "konqueror"];
    let value = setting.argument(0);
    if setting.arguments.len() == 1 {
        return exactly(setting, 0, &["unlisted"]).map(|flaw| {
            flaw.help("A browser needs a version, as `msie 5.5`; alone stands `unlisted`.")
        });
    }
    if !browsers
        .iter()
        .any(|browser| value.eq_ignore_ascii_case(browser.as_bytes()))
    {
        return Some(unlisted(setting, 0, browsers.into_iter()));
    }
    let version = setting.argument(1);
    let is_version = version
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    (!is_version).then(|| {
        Flaw::new(1, format!("{} is no version of a browser", shown(version)))
            .help("A version is numbers with dots, as `5.5`.")
    })
}

pub(super) fn server_names(setting: &Setting<'_>) -> Option<Flaw> {
    let index = (0..setting.arguments.len()).find(|index| match setting.argument(*index) {
        b"~" | b"." => true,
        [b'*', rest @ ..] => rest.len() < 2 || rest[0] != b'.',
        _ => false,
    })?;
    let value = setting.argument(index);
    let help = "A `*` stands for whole labels at the beginning or the end: `*.example.com`, `www.example.*`.";
    Some(match value {
        b"~" => Flaw::new(index, "`~` begins a regex, and none follows"),
        b"." => Flaw::new(index, "`.` is no server name").help(help),
        b"*" => Flaw::new(index, "`*` is no server name").help(
            "For all names that no other server has, write `default_server` after the address in `listen`, and any name, as `_`.",
        ),
        [_, rest @ ..] => {
            let plain = rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
            let meant = format!("*.{}", text(rest));
            Flaw::new(index, format!("{} is no server name", shown(value)))
                .meant(Some(meant).filter(|_| plain && !rest.is_empty() && rest != b"."))
                .help(help)
        }
        [] => Flaw::new(index, "an empty word is no server name"),
    })
}

pub(super) fn cpu_affinity(setting: &Setting<'_>) -> Option<Flaw> {
    let auto = usize::from(setting.argument(0) == b"auto");
    if auto == 1 && setting.arguments.len() > 2 {
        return Some(Flaw::new(2, "after `auto` there may be one mask"));
    }
    let is_mask = |value: &[u8]| value.iter().all(|byte| matches!(byte, b'0' | b'1' | b' '));
    let index = (auto..setting.arguments.len()).find(|index| !is_mask(setting.argument(*index)))?;
    let value = setting.argument(index);
    let meant = text(value)
        .eq_ignore_ascii_case("auto")
        .then(|| "auto".to_owned());
    let problem = format!("{} is no mask of processors", shown(value));
    let help = "A mask has a `0` or a `1` for each processor, the first one last, as `0101`; `auto` binds by itself.";
    Some(Flaw::new(index, problem).meant(meant).help(help))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flaw, flaw_of, judge, offers};
    use super::*;

    #[test]
    fn words_are_compared_as_the_setters_compare_them() {
        judge(
            &[
                "gzip ON",
                "gzip off",
                "satisfy Any",
                "gzip_proxied expired no-cache",
                "proxy_http_version 2",
                "client_body_in_file_only clean",
                "proxy_store_access user:rw group:r all:r",
                "use epoll",
                "use kqueue",
                "limit_except get POST",
                "limit_except CONNECT",
                "hash $uri consistent",
                "hash $uri",
                "random",
                "random two least_conn",
                "random two least_time=header",
                "least_time header inflight",
                "aio threads",
                "aio threads=$pool",
                "aio off",
                "disable_symlinks if_not_owner from=$document_root",
                "disable_symlinks off",
                "modern_browser unlisted",
                "modern_browser MSIE 5.5",
                "server_name a *.b .c www.* ~^x _ $hostname",
                "server_name w*.a",
                "worker_cpu_affinity auto 0011",
                "worker_cpu_affinity 01 10",
                "server_tokens example",
                "server_tokens build",
            ],
            &[
                "gzip ture",
                "gzip 1",
                "satisfy either",
                "gzip_proxied any never",
                "proxy_store_access user:w",
                "proxy_store_access rw",
                "use Epoll",
                "limit_except FETCH",
                "hash $uri Consistent",
                "random three",
                "random two least",
                "aio On",
                "aio threading",
                "disable_symlinks from=/a",
                "disable_symlinks on off",
                "disable_symlinks off from=/a",
                "disable_symlinks yes",
                "modern_browser msie",
                "modern_browser chrome 5",
                "modern_browser msie 5b",
                "server_name *",
                "server_name *a.b",
                "server_name *.",
                "server_name a .",
                "server_name ~",
                "worker_cpu_affinity auto 1 1",
                "worker_cpu_affinity 0x3",
                "server_tokens false",
            ],
        );
    }

    #[test]
    fn what_was_meant_is_offered_where_one_answer_is_likely() {
        offers(&[
            ("gzip ture", "on"),
            ("gzip false", "off"),
            ("server_tokens none", "off"),
            ("gzip_proxied no_cache", "no-cache"),
            ("limit_except PSOT", "POST"),
            ("server_name *example.com", "*.example.com"),
            ("use Epoll", "epoll"),
        ]);
        assert_eq!(flaw("gzip maybe").and_then(|flaw| flaw.meant), None);
        assert_eq!(flaw("server_name *").and_then(|flaw| flaw.meant), None);
    }

    #[test]
    fn a_word_is_taken_from_its_version_on() {
        let words: [&[u8]; 2] = [b"proxy_http_version", b"2"];
        let old = flaw_of(&words, Some(Version(1, 28, 0))).map(|flaw| flaw.problem);
        assert_eq!(
            old.as_deref(),
            Some("`proxy_http_version` takes `2` from nginx 1.29.4 on")
        );
        assert_eq!(flaw_of(&words, Some(Version(1, 29, 4))), None);
    }
}
