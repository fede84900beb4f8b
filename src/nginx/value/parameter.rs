//! Directives whose arguments are parameters such as `zone=one:10m`.

use super::{Flaw, Setting, any_of, shown, text};
use crate::nginx::{self, closest};

/// The least size of most zones in memory: eight pages, which have 4 KiB or more.
const EIGHT_PAGES: u64 = 8 * 4096;

/// What follows the `=` of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Nothing: the word stands alone.
    Nothing,
    /// Whatever it is.
    Anything,
    /// A number, from this one on.
    Number(u64),
    /// A size, from this one on.
    Size(u64),
    /// A size that may have a `g`.
    Offset,
    /// A time in seconds.
    Seconds,
    /// A time in milliseconds, from this one on.
    Milliseconds(u64),
    /// `on` or `off`.
    Switch,
    /// A name and a size, from this one on.
    Zone(u64),
    /// The digits of `levels=`.
    Levels,
    /// Requests in a second or a minute.
    Rate,
    /// `gzip` alone, or with a level.
    Level,
}

type Parameter = (&'static str, Takes);

const CACHE_PATH: [Parameter; 16] = [
    ("levels=", Takes::Levels),
    ("use_temp_path=", Takes::Switch),
    ("keys_zone=", Takes::Zone(2 * 4096)),
    ("inactive=", Takes::Seconds),
    ("max_size=", Takes::Offset),
    ("min_free=", Takes::Offset),
    ("loader_files=", Takes::Number(0)),
    ("loader_sleep=", Takes::Milliseconds(0)),
    ("loader_threshold=", Takes::Milliseconds(0)),
    ("manager_files=", Takes::Number(0)),
    ("manager_sleep=", Takes::Milliseconds(0)),
    ("manager_threshold=", Takes::Milliseconds(0)),
    // nginx Plus has these.
    ("purger=", Takes::Anything),
    ("purger_files=", Takes::Anything),
    ("purger_sleep=", Takes::Anything),
    ("purger_threshold=", Takes::Anything),
];

const OPEN_FILE_CACHE: [Parameter; 3] = [
    ("max=", Takes::Number(1)),
    ("inactive=", Takes::Seconds),
    ("off", Takes::Nothing),
];

const OPEN_LOG_FILE_CACHE: [Parameter; 5] = [
    ("max=", Takes::Number(0)),
    ("inactive=", Takes::Seconds),
    ("min_uses=", Takes::Number(0)),
    ("valid=", Takes::Seconds),
    ("off", Takes::Nothing),
];

const CERTIFICATE_CACHE: [Parameter; 4] = [
    ("max=", Takes::Number(1)),
    ("inactive=", Takes::Seconds),
    ("valid=", Takes::Seconds),
    ("off", Takes::Nothing),
];

const LIMIT_REQ: [Parameter; 4] = [
    ("zone=", Takes::Anything),
    ("burst=", Takes::Number(1)),
    ("delay=", Takes::Number(1)),
    ("nodelay", Takes::Nothing),
];

const LIMIT_REQ_ZONE: [Parameter; 3] = [
    ("zone=", Takes::Zone(EIGHT_PAGES)),
    ("rate=", Takes::Rate),
    // nginx Plus has this.
    ("sync", Takes::Nothing),
];

const LIMIT_CONN_ZONE: [Parameter; 1] = [("zone=", Takes::Zone(EIGHT_PAGES))];

const BUFFERED_LOG: [Parameter; 4] = [
    ("buffer=", Takes::Size(1)),
    ("flush=", Takes::Milliseconds(1)),
    ("gzip", Takes::Level),
    ("if=", Takes::Anything),
];

impl Takes {
    /// True when nginx takes what follows the name of the parameter.
    fn takes(self, value: &[u8]) -> bool {
        let from = |least: u64, amount: Option<u64>| amount.is_some_and(|amount| amount >= least);
        match self {
            Self::Nothing => value.is_empty(),
            Self::Anything => true,
            Self::Number(least) => from(least, nginx::number(value)),
            Self::Size(least) => from(least, nginx::size(value)),
            Self::Offset => nginx::offset(value).is_some(),
            Self::Seconds => nginx::seconds(value).is_some(),
            Self::Milliseconds(least) => from(least, nginx::milliseconds(value)),
            Self::Switch => matches!(value, b"on" | b"off"),
            Self::Zone(least) => match split(value) {
                Some((name, size)) => !name.is_empty() && from(least, nginx::size(size)),
                None => false,
            },
            Self::Levels => levels(value),
            Self::Rate => {
                let number = value.strip_suffix(b"r/s").or(value.strip_suffix(b"r/m"));
                from(1, nginx::number(number.unwrap_or(value)))
            }
            Self::Level => match value {
                [] => true,
                [b'=', level @ ..] => {
                    nginx::number(level).is_some_and(|level| (1..=9).contains(&level))
                }
                _ => false,
            },
        }
    }

    /// What is wrong with a parameter that has this value.
    fn problem(self, parameter: &[u8], value: &[u8]) -> String {
        let what = match self {
            Self::Nothing | Self::Anything => "value",
            Self::Number(_) => "number that it takes",
            Self::Size(_) | Self::Offset => "size",
            Self::Seconds | Self::Milliseconds(_) => "time",
            Self::Switch => "switch",
            Self::Zone(least) => {
                let size = split(value).and_then(|(_, size)| nginx::size(size));
                if size.is_some_and(|size| size < least) {
                    return format!("the zone of {} is too small", shown(parameter));
                }
                "name with a size"
            }
            Self::Levels => "depth of folders",
            Self::Rate => "rate",
            Self::Level => return format!("{} is no level of compression", shown(parameter)),
        };
        format!("in {} stands no {what}", shown(parameter))
    }

    /// What the parameter takes, for a sentence.
    fn help(self, name: &str) -> String {
        match self {
            Self::Nothing | Self::Anything => format!("`{name}` stands alone."),
            Self::Number(0) => format!("After `{name}` stands a whole number."),
            Self::Number(_) => format!("After `{name}` stands a whole number above 0."),
            Self::Size(_) => format!("After `{name}` stands a size above 0, as `64k`."),
            Self::Offset => format!("After `{name}` stands a size, as `512m` or `10g`."),
            Self::Seconds => format!("After `{name}` stands a time, as `10m` or `1h30m`."),
            Self::Milliseconds(_) => format!("After `{name}` stands a time, as `200ms` or `5s`."),
            Self::Switch => format!("After `{name}` stands `on` or `off`."),
            Self::Zone(least) => {
                format!(
                    "After `{name}` stand a name and a size of {}k or more, as `one:10m`.",
                    least >> 10
                )
            }
            Self::Levels => {
                format!("After `{name}` stand up to three numbers from 1 to 2, as `1:2`.")
            }
            Self::Rate => {
                format!(
                    "After `{name}` stands a whole number above 0 with `r/s` or `r/m`: a rate below one a second is written by the minute."
                )
            }
            Self::Level => format!("`{name}` stands alone, or with a level from 1 to 9 after `=`."),
        }
    }

    /// What was probably meant by a value that is not taken.
    fn meant(self, value: &[u8]) -> Option<String> {
        let written = text(value);
        let value = written.to_ascii_lowercase();
        match self {
            Self::Rate => {
                let per = |units: &[&str]| units.iter().find_map(|unit| value.strip_suffix(unit));
                let by_second =
                    per(&["rps", "req/s", "r/sec", "/s", "/sec"]).map(|number| (number, "r/s"));
                let by_minute =
                    || per(&["rpm", "req/m", "r/min", "/m", "/min"]).map(|number| (number, "r/m"));
                let (number, unit) = by_second.or_else(by_minute)?;
                nginx::number(number.as_bytes()).filter(|number| *number > 0)?;
                Some(format!("{number}{unit}"))
            }
            Self::Switch if matches!(&*value, "on" | "true" | "yes" | "1") => Some("on".to_owned()),
            Self::Switch if matches!(&*value, "off" | "false" | "no" | "0") => {
                Some("off".to_owned())
            }
            Self::Zone(least) => {
                let (name, size) = written.rsplit_once(':')?;
                let size = size.strip_suffix(['b', 'B'])?;
                let fits = nginx::size(size.as_bytes()).is_some_and(|size| size >= least);
                fits.then(|| format!("{name}:{size}"))
            }
            Self::Offset | Self::Size(_) => {
                let size = value.strip_suffix("b")?;
                nginx::offset(size.as_bytes()).map(|_| size.to_owned())
            }
            _ => None,
        }
    }
}

/// The name and the size of `one:10m`.
fn split(zone: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = zone.iter().position(|byte| *byte == b':')?;
    Some((&zone[..colon], &zone[colon + 1..]))
}

/// True for nothing, or one to three of `1` and `2` with colons between them.
fn levels(value: &[u8]) -> bool {
    value.is_empty()
        || value.len() <= 5
            && value
                .split(|byte| *byte == b':')
                .all(|level| matches!(level, b"1" | b"2"))
}

/// The first argument from `start` on that is no parameter of the list, or not with this value.
fn refused(setting: &Setting<'_>, start: usize, known: &[Parameter]) -> Option<Flaw> {
    (start..setting.arguments.len()).find_map(|index| {
        let argument = setting.argument(index);
        let found = known
            .iter()
            .filter_map(|(name, takes)| {
                Some((*name, *takes, argument.strip_prefix(name.as_bytes())?))
            })
            .max_by_key(|(name, ..)| name.len());
        match found {
            Some((_, takes, value)) if takes.takes(value) => None,
            Some((name, takes, value)) if takes != Takes::Nothing => {
                let problem = takes.problem(argument, value);
                let meant = takes.meant(value).map(|value| format!("{name}{value}"));
                Some(
                    Flaw::new(index, problem)
                        .meant(meant)
                        .help(takes.help(name)),
                )
            }
            _ => Some(unknown(setting, index, known)),
        }
    })
}

fn unknown(setting: &Setting<'_>, index: usize, known: &[Parameter]) -> Flaw {
    let argument = setting.argument(index);
    let value = text(argument);
    let names = known.iter().map(|(name, _)| *name);
    let (name, rest) = value.split_once('=').unwrap_or((&value, ""));
    let bare = names.clone().map(|name| name.trim_end_matches('='));
    let meant = closest(&name.to_ascii_lowercase(), bare)
        .filter(|_| name.len() > 2)
        .map(|near| {
            let valued = known
                .iter()
                .any(|(known, _)| known.strip_suffix('=') == Some(&near));
            (valued, near)
        })
        .filter(|(valued, _)| *valued == value.contains('='))
        .map(|(valued, near)| {
            if valued {
                format!("{near}={rest}")
            } else {
                near
            }
        })
        .filter(|meant| *meant != value);
    let problem = format!("{} is no parameter of `{}`", shown(argument), setting.name);
    let help = format!("`{}` takes {}.", setting.name, any_of(names));
    Flaw::new(index, problem).meant(meant).help(help)
}

/// The flaw of a directive without a parameter that it must have.
fn missing(setting: &Setting<'_>, start: usize, parameter: &str, example: &str) -> Option<Flaw> {
    let has = setting
        .arguments
        .iter()
        .skip(start)
        .any(|argument| argument.starts_with(parameter.as_bytes()));
    (!has).then(|| {
        let last = setting.arguments.len().saturating_sub(1);
        let problem = format!("`{}` must have a parameter `{parameter}`", setting.name);
        Flaw::new(last, problem).help(format!("It is written as `{example}`."))
    })
}

pub(super) fn cache_path(setting: &Setting<'_>) -> Option<Flaw> {
    refused(setting, 1, &CACHE_PATH)
        .or_else(|| missing(setting, 1, "keys_zone=", "keys_zone=one:10m"))
}

pub(super) fn open_file_cache(setting: &Setting<'_>) -> Option<Flaw> {
    let known: &[Parameter] = match setting.name {
        "open_file_cache" => &OPEN_FILE_CACHE,
        _ => &OPEN_LOG_FILE_CACHE,
    };
    cache(setting, known)
}

pub(super) fn certificate_cache(setting: &Setting<'_>) -> Option<Flaw> {
    cache(setting, &CERTIFICATE_CACHE)
}

fn cache(setting: &Setting<'_>, known: &[Parameter]) -> Option<Flaw> {
    if let Some(flaw) = refused(setting, 0, known) {
        return Some(flaw);
    }
    if setting.arguments.contains(&&b"off"[..]) {
        return None;
    }
    // The last one stands, and 0 is as good as none.
    let most = setting
        .arguments
        .iter()
        .rposition(|argument| argument.starts_with(b"max="));
    match most {
        Some(index)
            if setting.argument(index)[4..]
                .iter()
                .all(|digit| *digit == b'0') =>
        {
            let problem = format!("{} leaves no room", shown(setting.argument(index)));
            Some(Flaw::new(index, problem).help(Takes::Number(1).help("max=")))
        }
        _ => missing(setting, 0, "max=", "max=1000"),
    }
}

pub(super) fn limit_req(setting: &Setting<'_>) -> Option<Flaw> {
    refused(setting, 0, &LIMIT_REQ).or_else(|| missing(setting, 0, "zone=", "zone=one"))
}

pub(super) fn zone_key(setting: &Setting<'_>) -> Option<Flaw> {
    let known: &[Parameter] = match setting.name {
        "limit_req_zone" => &LIMIT_REQ_ZONE,
        _ => &LIMIT_CONN_ZONE,
    };
    refused(setting, 1, known).or_else(|| missing(setting, 1, "zone=", "zone=one:10m"))
}

pub(super) fn limit_conn(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(1);
    let fits = nginx::number(value).is_some_and(|number| (1..=65535).contains(&number));
    (!fits).then(|| {
        Flaw::new(1, format!("{} is no number of connections", shown(value)))
            .help("`limit_conn` takes the name of a zone and a number from 1 to 65535.")
    })
}

pub(super) fn shared_zone(setting: &Setting<'_>) -> Option<Flaw> {
    let help = "`zone` takes a name and a size of 32k or more, as `zone backend 64k`.";
    if setting.argument(0).is_empty() {
        return Some(Flaw::new(0, "the name of the zone is empty").help(help));
    }
    let size = *setting.arguments.get(1)?;
    let problem = match nginx::size(size) {
        None => format!("{} is no size", shown(size)),
        Some(bytes) if bytes < EIGHT_PAGES => format!("a zone of {} is too small", shown(size)),
        Some(_) => return None,
    };
    let meant = Takes::Size(EIGHT_PAGES).meant(size);
    Some(Flaw::new(1, problem).meant(meant).help(help))
}

/// True for `shared:` with a name and a size that is large enough.
fn is_shared(value: &[u8]) -> bool {
    value
        .strip_prefix(b"shared:")
        .is_some_and(|zone| Takes::Zone(EIGHT_PAGES).takes(zone))
}

pub(super) fn session_cache(setting: &Setting<'_>) -> Option<Flaw> {
    let is_cache = |value: &[u8]| {
        let builtin = || value.strip_prefix(b"builtin:").and_then(nginx::number);
        matches!(value, b"off" | b"none" | b"builtin") || builtin().is_some() || is_shared(value)
    };
    let index = (0..setting.arguments.len()).find(|index| !is_cache(setting.argument(*index)))?;
    let help = "`ssl_session_cache` takes `off`, `none`, `builtin` with a number after a colon if wanted, or `shared:` with a name and a size of 32k or more, as `shared:SSL:10m`.";
    Some(bad_cache(setting, index).help(help))
}

pub(super) fn ocsp_cache(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    let is_cache = value == b"off" || is_shared(value);
    let help = "`ssl_ocsp_cache` takes `off`, or `shared:` with a name and a size of 32k or more, as `shared:ocsp:10m`.";
    (!is_cache).then(|| bad_cache(setting, 0).help(help))
}

fn bad_cache(setting: &Setting<'_>, index: usize) -> Flaw {
    let value = setting.argument(index);
    let zone = value.strip_prefix(b"shared:");
    let meant = zone.and_then(|_| Takes::Zone(EIGHT_PAGES).meant(value));
    let size = zone.and_then(split).and_then(|(_, size)| nginx::size(size));
    let problem = match size {
        Some(size) if size < EIGHT_PAGES => format!("{} is too small for a cache", shown(value)),
        _ => format!("{} is no cache", shown(value)),
    };
    Flaw::new(index, problem).meant(meant)
}

pub(super) fn thread_pool(setting: &Setting<'_>) -> Option<Flaw> {
    // What is no parameter at all is passed over.
    let bad = (1..setting.arguments.len()).find_map(|index| {
        let value = setting.argument(index);
        let threads = value
            .strip_prefix(b"threads=")
            .map(|number| (number, Takes::Number(1), "threads="));
        let queue = || {
            value
                .strip_prefix(b"max_queue=")
                .map(|number| (number, Takes::Number(0), "max_queue="))
        };
        let (number, takes, name) = threads.or_else(queue)?;
        (!takes.takes(number))
            .then(|| Flaw::new(index, takes.problem(value, number)).help(takes.help(name)))
    });
    bad.or_else(|| missing(setting, 1, "threads=", "threads=32"))
}

pub(super) fn degradation(setting: &Setting<'_>) -> Option<Flaw> {
    refused(setting, 0, &[("sbrk=", Takes::Size(0))])
}

/// The flaw of the parameters that follow the name of a log's format.
pub(super) fn buffered_log(setting: &Setting<'_>) -> Option<Flaw> {
    refused(setting, 2, &BUFFERED_LOG)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flaw, judge, offers};

    #[test]
    fn parameters_are_what_nginx_reads() {
        judge(
            &[
                "proxy_cache_path /c keys_zone=a:10m",
                "proxy_cache_path /c levels=1:2 keys_zone=a:8k max_size=10g inactive=1M use_temp_path=off min_free=1g",
                "proxy_cache_path /c levels= keys_zone=a:1m loader_sleep=50ms manager_files=1",
                "proxy_cache_path /c keys_zone=a:1m purger=on",
                "open_file_cache max=1000 inactive=20s",
                "open_file_cache off",
                "open_log_file_cache max=10 valid=1m min_uses=2 inactive=1s",
                "ssl_certificate_cache max=10 valid=1h",
                "limit_req zone=a burst=5 nodelay",
                "limit_req zone=a delay=8",
                "limit_req_zone $a zone=a:32k rate=1r/s",
                "limit_req_zone $a rate=30r/m zone=a:1m",
                "limit_req_zone $a zone=a:1m rate=5",
                "limit_conn_zone $a zone=a:10m",
                "limit_conn a 65535",
                "zone a",
                "zone a 32k",
                "ssl_session_cache shared:SSL:10m",
                "ssl_session_cache builtin:1000 shared:a:1m",
                "ssl_session_cache none",
                "ssl_ocsp_cache off",
                "ssl_ocsp_cache shared:a:1m",
                "thread_pool a threads=1 nonsense",
                "thread_pool a max_queue=0 threads=2",
                "degradation sbrk=500m",
            ],
            &[
                "proxy_cache_path /c levels=1:2",
                "proxy_cache_path /c keys_zone=a",
                "proxy_cache_path /c keys_zone=a:4k",
                "proxy_cache_path /c keys_zone=:10m",
                "proxy_cache_path /c keys_zone=a:1g",
                "proxy_cache_path /c levels=3 keys_zone=a:1m",
                "proxy_cache_path /c levels=1:2:1:2 keys_zone=a:1m",
                "proxy_cache_path /c levels=1: keys_zone=a:1m",
                "proxy_cache_path /c keys_zone=a:1m use_temp_path=yes",
                "proxy_cache_path /c keys_zone=a:1m maxsize=1g",
                "proxy_cache_path /c keys_zone=a:1m inactive=1ms",
                "open_file_cache max=0",
                "open_file_cache inactive=20s",
                "open_file_cache on",
                "open_log_file_cache valid=1m",
                "open_log_file_cache max=5 max=0",
                "ssl_certificate_cache max=-1",
                "limit_req burst=5",
                "limit_req zone=a burst=0",
                "limit_req zone=a burst=5 nodelays",
                "limit_req zone=a delay",
                "limit_req_zone $a zone=a:16k rate=1r/s",
                "limit_req_zone $a zone=a rate=1r/s",
                "limit_req_zone $a zone=a:1m rate=0r/s",
                "limit_req_zone $a zone=a:1m rate=0.5r/s",
                "limit_req_zone $a zone=a:1m rate=10r/h",
                "limit_conn_zone $a name=a:10m",
                "limit_conn a 0",
                "limit_conn a 65536",
                "limit_conn a many",
                "zone a 16k",
                "zone a 64kb",
                "ssl_session_cache shared:SSL",
                "ssl_session_cache shared:SSL:1k",
                "ssl_session_cache builtin:",
                "ssl_session_cache on",
                "ssl_ocsp_cache shared::1m",
                "ssl_ocsp_cache none",
                "thread_pool a threads=0",
                "thread_pool a max_queue=1",
                "degradation 500m",
            ],
        );
    }

    #[test]
    fn the_parameter_that_was_meant_is_found() {
        offers(&[
            ("limit_req_zone $a zone=a:10m rate=10rps", "rate=10r/s"),
            ("limit_req_zone $a zone=a:10m rate=10/s", "rate=10r/s"),
            ("limit_req_zone $a zone=a:10mb rate=1r/s", "zone=a:10m"),
            ("limit_req zone=a bust=5", "burst=5"),
            ("limit_req zone=a no_delay", "nodelay"),
            (
                "proxy_cache_path /c keys_zone=a:1m maxsize=1g",
                "max_size=1g",
            ),
            (
                "proxy_cache_path /c keys_zone=a:1m max_size=1gb",
                "max_size=1g",
            ),
            (
                "proxy_cache_path /c keys_zone=a:1m use_temp_path=no",
                "use_temp_path=off",
            ),
            ("zone a 64kb", "64k"),
        ]);
        assert_eq!(
            flaw("limit_req_zone $a zone=a:10m rate=1r/h").and_then(|flaw| flaw.meant),
            None
        );
    }
}
