//! Logs: where they go, how much is written, and in which format.

use super::{Flaw, Setting, any_of, parameter, shown, text};
use crate::nginx::{self, Subsystem, closest, invalid_reference};

/// The levels of `err_levels`.
const LEVELS: [&str; 8] = [
    "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg",
];

/// The parts of nginx that can be debugged alone.
const DEBUG_LEVELS: [&str; 7] = [
    "debug_core",
    "debug_alloc",
    "debug_mutex",
    "debug_event",
    "debug_http",
    "debug_mail",
    "debug_stream",
];

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock", "authpriv",
    "ftp", "ntp", "audit", "alert", "cron", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

const SEVERITIES: [&str; 8] = [
    "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug",
];

/// Longest tag of a message to syslog.
const MAX_TAG: usize = 32;

pub(super) fn error_log(setting: &Setting<'_>) -> Option<Flaw> {
    if let Some(flaw) = syslog(setting) {
        return Some(flaw);
    }
    if let Some(size) = setting.argument(0).strip_prefix(b"memory:")
        && nginx::size(size).is_none()
    {
        return Some(Flaw::new(
            0,
            format!("{} is no size of a log in memory", shown(size)),
        ));
    }
    let mut has_level = false;
    let mut has_debug_level = false;
    (1..setting.arguments.len()).find_map(|index| {
        let value = setting.argument(index);
        let is = |level: &&str| level.as_bytes() == value;
        if LEVELS.iter().any(&is) {
            let again = std::mem::replace(&mut has_level, true) || has_debug_level;
            let problem = format!("{} is a second level", shown(value));
            let help = "One level is enough: more severe messages are logged with it.";
            return again.then(|| Flaw::new(index, problem).help(help));
        }
        if DEBUG_LEVELS.iter().any(is) {
            has_debug_level = true;
            return has_level.then(|| {
                Flaw::new(
                    index,
                    format!("{} cannot stand beside another level", shown(value)),
                )
            });
        }
        // nginx Plus writes JSON.
        (value != b"json").then(|| {
            let lower = text(value).to_ascii_lowercase();
            let meant = match &*lower {
                "warning" => Some("warn".to_owned()),
                "err" => Some("error".to_owned()),
                "critical" => Some("crit".to_owned()),
                "emergency" => Some("emerg".to_owned()),
                "information" => Some("info".to_owned()),
                _ if lower.len() < 3 => None,
                _ => closest(&lower, LEVELS.into_iter()),
            };
            Flaw::new(index, format!("{} is no level of a log", shown(value)))
                .meant(meant)
                .help(format!("After the file stands {}.", any_of(LEVELS)))
        })
    })
}

/// The flaw of `syslog:server=…,facility=…`, but for the address of the server.
fn syslog(setting: &Setting<'_>) -> Option<Flaw> {
    let parameters = setting.argument(0).strip_prefix(b"syslog:")?;
    let mut seen: Vec<&[u8]> = Vec::new();
    for parameter in parameters.split(|byte| *byte == b',') {
        let bad = |what: &str| Flaw::new(0, format!("{} is no {what}", shown(parameter)));
        if parameter == b"nohostname" {
            continue;
        }
        let Some(equals) = parameter.iter().position(|byte| *byte == b'=') else {
            return Some(unknown_syslog(parameter));
        };
        let (name, value) = (&parameter[..equals], &parameter[equals + 1..]);
        let is_one_of = |names: &[&str]| names.iter().any(|name| name.as_bytes() == value);
        match name {
            b"server" => {}
            b"facility" if is_one_of(&FACILITIES) => {}
            b"facility" => {
                let help = format!("syslog knows {}.", any_of(FACILITIES));
                return Some(bad("facility of syslog").help(help));
            }
            b"severity" if is_one_of(&SEVERITIES) => {}
            b"severity" => {
                let help = format!("syslog knows {}.", any_of(SEVERITIES));
                return Some(bad("severity of syslog").help(help));
            }
            b"tag" => {
                let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                if value.len() > MAX_TAG || !value.iter().all(is_letter) {
                    let help = "A tag has at most 32 letters, digits and `_`.";
                    return Some(bad("tag of syslog").help(help));
                }
            }
            _ => return Some(unknown_syslog(parameter)),
        }
        if seen.contains(&name) {
            return Some(Flaw::new(
                0,
                format!("{} repeats a parameter", shown(parameter)),
            ));
        }
        seen.push(name);
    }
    let has_server = seen.contains(&&b"server"[..]);
    (!has_server).then(|| {
        Flaw::new(0, "syslog needs a server").help(
            "It is written as `syslog:server=10.0.0.1:514`, or `syslog:server=unix:/dev/log`.",
        )
    })
}

fn unknown_syslog(parameter: &[u8]) -> Flaw {
    Flaw::new(0, format!("{} is no parameter of syslog", shown(parameter)))
        .help("syslog takes `server=`, `facility=`, `severity=`, `tag=` and `nohostname`, with commas and no blanks between them.")
}

pub(super) fn access_log(setting: &Setting<'_>) -> Option<Flaw> {
    let path = setting.argument(0);
    if path == b"off" {
        return setting.arguments.get(1).map(|_| {
            Flaw::new(1, "after `off` nothing may follow")
                .help("`access_log off` switches all logs of the level off.")
        });
    }
    if let Some(flaw) = syslog(setting) {
        return Some(flaw);
    }
    if setting.arguments.len() == 1 && setting.subsystem() == Subsystem::Stream {
        return Some(
            Flaw::new(0, "in `stream` a log needs the name of a format")
                .help("There is no format that is used by itself: `log_format` defines one."),
        );
    }
    parameter::buffered_log(setting).or_else(|| {
        let position = |name: &str| {
            let mut arguments = setting.arguments.iter();
            arguments
                .rposition(|argument| argument.starts_with(name.as_bytes()))
                .filter(|index| *index > 1)
        };
        let buffer = position("buffer=").or_else(|| position("gzip"));
        let problem = match (buffer, position("flush=")) {
            (None, Some(index)) => {
                return Some(
                    Flaw::new(index, "without a buffer there is nothing to flush")
                        .help("`flush=` stands beside `buffer=` or `gzip`."),
                );
            }
            (None, None) => return None,
            _ if path.starts_with(b"syslog:") => "messages to syslog cannot be buffered",
            _ if path.contains(&b'$') => "a log with a variable in its name cannot be buffered",
            _ => return None,
        };
        Some(Flaw::new(buffer?, problem))
    })
}

pub(super) fn log_format(setting: &Setting<'_>) -> Option<Flaw> {
    if setting.argument(0) == b"combined" && setting.subsystem() == Subsystem::Http {
        return Some(Flaw::new(0, "`combined` is a format that nginx has itself"));
    }
    let escape = setting.argument(1).strip_prefix(b"escape=");
    if let Some(escape) = escape {
        let known = ["default", "json", "none"];
        if !known.iter().any(|known| known.as_bytes() == escape) {
            let near = closest(&text(escape).to_ascii_lowercase(), known.into_iter());
            let meant = near.map(|near| format!("escape={near}"));
            return Some(
                Flaw::new(1, format!("{} is no way to escape", shown(escape)))
                    .meant(meant)
                    .help(format!("`escape=` takes {}.", any_of(known))),
            );
        }
    }
    let first = 1 + usize::from(escape.is_some());
    (first..setting.arguments.len()).find_map(|index| {
        let format = without_captures(setting.argument(index));
        let (place, problem) = invalid_reference(&format)?;
        let place = &setting.argument(index)[place];
        Some(Flaw::new(index, format!("{}: {problem}", shown(place))))
    })
}

/// A format with the digits after a `$` as the letters that they are to it: it knows no captures.
fn without_captures(format: &[u8]) -> Vec<u8> {
    format
        .iter()
        .map(|byte| if byte.is_ascii_digit() { b'a' } else { *byte })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flaw, judge, offers};

    #[test]
    fn logs_are_what_nginx_reads() {
        judge(
            &[
                "error_log /l",
                "error_log /l warn",
                "error_log stderr debug_http debug_core",
                "error_log /l debug_http json",
                "error_log memory:32m debug",
                "error_log syslog:server=unix:/dev/log,nohostname,tag=a_1,facility=local0,severity=info error",
                "access_log off",
                "access_log /l main buffer=32k flush=5m",
                "access_log /l main gzip flush=5m",
                "access_log /l main gzip=9 if=$loggable",
                "access_log /l$host main if=$a",
                "access_log syslog:server=10.0.0.1 main",
                "log_format main escape=json $a${b}c",
                "log_format main $1a",
                "log_format main 100%",
            ],
            &[
                "error_log /l warning",
                "error_log /l WARN",
                "error_log /l error debug_http",
                "error_log /l debug_http info",
                "error_log /l error warn",
                "error_log memory:much",
                "error_log syslog:facility=local0",
                "error_log syslog:server=a,facility=local8",
                "error_log syslog:server=a,severity=warning",
                "error_log syslog:server=a,tag=my-app",
                "error_log syslog:server=a,tag=a,tag=b",
                "error_log syslog:server=a,colour=red",
                "access_log off main",
                "access_log /l main buffer=0",
                "access_log /l main flush=5m",
                "access_log /l main gzip=10",
                "access_log /l main buffer=1k gzipped",
                "access_log /l main unless=$a",
                "access_log /l$host main buffer=32k",
                "access_log syslog:server=10.0.0.1 main buffer=32k",
                "log_format main escape=yes $a",
                "log_format combined $a",
                "log_format main $a$",
                "log_format main ${a",
            ],
        );
    }

    #[test]
    fn the_level_that_was_meant_is_found() {
        offers(&[
            ("error_log /l warning", "warn"),
            ("error_log /l Error", "error"),
            ("log_format main escape=jsn $a", "escape=json"),
        ]);
        assert_eq!(
            flaw("error_log /l verbose").and_then(|flaw| flaw.meant),
            None
        );
    }
}
