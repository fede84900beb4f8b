//! Sizes, times and numbers.

use super::{Flaw, Setting, shown, text};
use crate::nginx::{self, Contexts, Version};

const SIZE: &str = "a size in bytes, or with `k` or `m` after the number, as `10m`";
const OFFSET: &str = "a size in bytes, or with `k`, `m` or `g` after the number, as `10m`";
const TIME: &str =
    "a time in seconds, or with units from `w`, `d`, `h`, `m`, `s` and `ms`, as `1m30s`";
const LONG_TIME: &str =
    "a time in seconds, or with units from `y`, `M`, `w`, `d`, `h`, `m` and `s`, as `1h30m`";

/// The units that people write after a number of bytes: their letter, and how many of the next smaller they are.
const SIZE_UNITS: [(&str, &str); 4] = [("k", "kilo"), ("m", "mega"), ("g", "giga"), ("t", "tera")];

/// What people write for the units of time, the unit itself last.
const TIME_UNITS: [(&str, &[&str]); 6] = [
    (
        "ms",
        &[
            "msec",
            "msecs",
            "millis",
            "millisecond",
            "milliseconds",
            "ms",
        ],
    ),
    ("s", &["sec", "secs", "second", "seconds", "s"]),
    ("m", &["min", "mins", "minute", "minutes", "m"]),
    ("h", &["hr", "hrs", "hour", "hours", "h"]),
    ("d", &["day", "days", "d"]),
    ("w", &["wk", "week", "weeks", "w"]),
];

fn wrong(setting: &Setting<'_>, index: usize, what: &str, takes: &str) -> Flaw {
    let problem = format!("{} is no {what}", shown(setting.argument(index)));
    Flaw::new(index, problem).help(format!("`{}` takes {takes}.", setting.name))
}

/// A number that may have a fraction, and what follows it, blanks between them dropped.
fn number_and_unit(value: &[u8]) -> Option<(String, String)> {
    let value = text(value).trim().to_owned();
    let end = value
        .find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '.' | ',' | '_'))
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    number
        .starts_with(|first: char| first.is_ascii_digit())
        .then(|| (number.to_owned(), unit.trim().to_ascii_lowercase()))
}

/// The size that was probably meant by a value that is none; `giga` when `g` may be written.
fn meant_size(value: &[u8], giga: bool) -> Option<String> {
    let (number, unit) = number_and_unit(value)?;
    let unit = unit
        .strip_suffix("ytes")
        .or(unit.strip_suffix("yte"))
        .unwrap_or(&unit);
    let unit = unit.strip_suffix('b').unwrap_or(unit);
    let unit = unit.strip_suffix('i').unwrap_or(unit);
    let rank = match unit {
        "" => 0,
        _ => {
            1 + SIZE_UNITS
                .iter()
                .position(|(letter, name)| unit == *letter || unit == *name)?
        }
    };
    let top = if giga { 3 } else { 2 };
    match number.split_once('.') {
        // A fraction of a unit is a number of the next smaller one, if it is whole.
        Some((whole, fraction)) if rank > 0 && fraction.len() <= 2 => {
            let hundredths: u64 = format!("{whole}{fraction:0<2}").parse().ok()?;
            let smaller = hundredths.checked_mul(1024)?;
            (smaller % 100 == 0 && rank <= top + 1).then(|| {
                let unit = if rank == 1 {
                    ""
                } else {
                    SIZE_UNITS[rank - 2].0
                };
                format!("{}{unit}", smaller / 100)
            })
        }
        Some(_) => None,
        None if rank == 0 => Some(whole(&number)?),
        None => {
            let mut number: u64 = whole(&number)?.parse().ok()?;
            let mut rank = rank;
            while rank > top {
                number = number.checked_mul(1024)?;
                rank -= 1;
            }
            Some(format!("{number}{}", SIZE_UNITS[rank - 1].0))
        }
    }
}

/// The digits of a number that is written in groups of three or not at all.
fn whole(number: &str) -> Option<String> {
    let mut groups = number.split([',', '_']);
    let first = groups.next()?;
    let good = first.len() <= 3 && groups.all(|group| group.len() == 3);
    (good || !number.contains([',', '_'])).then(|| number.replace([',', '_'], ""))
}

/// The time that was probably meant by a value that is none; `fine` when `ms` may be written.
fn meant_time(value: &[u8], fine: bool) -> Option<String> {
    let (number, unit) = number_and_unit(value)?;
    let (unit, _) = *TIME_UNITS
        .iter()
        .find(|(_, names)| unit.is_empty() && names.contains(&"s") || names.contains(&&*unit))?;
    if unit == "ms" && !fine {
        return None;
    }
    match number.split_once('.') {
        Some((whole, fraction)) if fine && unit == "s" && fraction.len() <= 3 => {
            let thousandths: u64 = format!("{whole}{fraction:0<3}").parse().ok()?;
            Some(format!("{thousandths}ms"))
        }
        Some((whole, "5")) => {
            let smaller = match unit {
                "m" => "30s",
                "h" => "30m",
                "d" => "12h",
                _ => return None,
            };
            Some(format!(
                "{}{smaller}",
                if whole == "0" {
                    String::new()
                } else {
                    format!("{whole}{unit}")
                }
            ))
        }
        Some(_) => None,
        None => Some(format!("{}{unit}", whole(&number)?)),
    }
}

/// A time that counts milliseconds, with a year or a month turned into days.
fn meant_milliseconds(value: &[u8]) -> Option<String> {
    match value {
        [number @ .., b'y'] => {
            nginx::number(number).map(|years| format!("{}d", years.saturating_mul(365)))
        }
        _ => meant_time(value, true),
    }
}

pub(super) fn size(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    if setting.is_variable(0) {
        return None;
    }
    match nginx::size(value) {
        Some(size) => bounds(setting, size),
        None => Some(wrong(setting, 0, "size", SIZE).meant(meant_size(value, false))),
    }
}

/// What the handlers after `ngx_conf_set_size_slot` refuse.
fn bounds(setting: &Setting<'_>, size: u64) -> Option<Flaw> {
    let powers = |most: u64| {
        let is_one = size.is_power_of_two() && (512..=most).contains(&size);
        (!is_one).then_some("a power of two that is allowed")
    };
    let (what, takes) = match setting.name {
        "gzip_window" => (powers(32 << 10)?, "512, 1k, 2k, 4k, 8k, 16k or 32k"),
        "gzip_hash" => (
            powers(128 << 10)?,
            "512, 1k, 2k, 4k, 8k, 16k, 32k, 64k or 128k",
        ),
        "connection_pool_size" | "request_pool_size" | "http2_pool_size"
            if size < 64 || !size.is_multiple_of(16) =>
        {
            ("size of a pool", "at least 112 bytes, and a multiple of 16")
        }
        "http2_chunk_size" if size == 0 => ("size of a chunk", "a size above 0"),
        "http2_recv_buffer_size" if size <= 16 => ("size of a buffer", "a size above 16"),
        _ => return None,
    };
    Some(wrong(setting, 0, what, takes))
}

pub(super) fn offset(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    let wrong = || wrong(setting, 0, "size", OFFSET).meant(meant_size(value, true));
    nginx::offset(value).is_none().then(wrong)
}

pub(super) fn offset_or_off(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    if value == b"off" {
        return None;
    }
    let meant = value.eq_ignore_ascii_case(b"off").then(|| "off".to_owned());
    let help = format!("`{}` takes `off`, or {OFFSET}.", setting.name);
    offset(setting).map(|flaw| {
        let meant = meant.or(flaw.meant.clone());
        flaw.meant(meant).help(help)
    })
}

pub(super) fn number(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    // Sharpness is 0 for whatever is no number.
    if setting.is_variable(0) || setting.name == "image_filter_sharpen" {
        return None;
    }
    match nginx::number(value) {
        Some(0) if setting.name.starts_with("image_filter_") => {
            Some(wrong(setting, 0, "quality", "a whole number above 0"))
        }
        Some(number) if setting.name == "http2_streams_index_size" && !number.is_power_of_two() => {
            Some(wrong(setting, 0, "power of two", "a power of two"))
        }
        Some(_) => None,
        None => Some(not_a_number(setting, 0, "a whole number")),
    }
}

fn not_a_number(setting: &Setting<'_>, index: usize, takes: &str) -> Flaw {
    let value = setting.argument(index);
    let spelled = nginx::offset(value).or_else(|| {
        let (number, unit) = number_and_unit(value)?;
        let plain = unit.is_empty() && !number.contains('.');
        plain.then(|| whole(&number)?.parse().ok()).flatten()
    });
    wrong(setting, index, "whole number", takes).meant(spelled.map(|number| number.to_string()))
}

pub(super) fn number_or_auto(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    if value == b"auto" {
        return None;
    }
    nginx::number(value).is_none().then(|| {
        let flaw = not_a_number(setting, 0, "a whole number or `auto`");
        let auto = value
            .eq_ignore_ascii_case(b"auto")
            .then(|| "auto".to_owned());
        let meant = auto.or(flaw.meant.clone());
        flaw.meant(meant)
    })
}

pub(super) fn signed_number(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    let digits = match value {
        [b'-' | b'+', digits @ ..] => digits,
        _ => value,
    };
    nginx::number(digits).is_none().then(|| {
        wrong(
            setting,
            0,
            "whole number",
            "a whole number, with a sign if wanted",
        )
    })
}

pub(super) fn between(setting: &Setting<'_>, low: u32, high: u32) -> Option<Flaw> {
    let takes = format!("a number from {low} to {high}");
    match nginx::number(setting.argument(0)) {
        Some(number) if (low.into()..=high.into()).contains(&number) => None,
        Some(_) => {
            let problem = format!("{} is not from {low} to {high}", shown(setting.argument(0)));
            Some(Flaw::new(0, problem).help(format!("`{}` takes {takes}.", setting.name)))
        }
        None => Some(not_a_number(setting, 0, &takes)),
    }
}

pub(super) fn seconds(setting: &Setting<'_>) -> Option<Flaw> {
    time_in_seconds(setting, 0)
}

/// The flaw of an argument that should be a time in seconds.
pub(super) fn time_in_seconds(setting: &Setting<'_>, index: usize) -> Option<Flaw> {
    let value = setting.argument(index);
    let wrong = || wrong(setting, index, "time", LONG_TIME).meant(meant_time(value, false));
    nginx::seconds(value).is_none().then(wrong)
}

pub(super) fn milliseconds(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    let wrong = || wrong(setting, 0, "time", TIME).meant(meant_milliseconds(value));
    let is_variable = setting.is_variable(0);
    (nginx::milliseconds(value).is_none() && !is_variable).then(wrong)
}

pub(super) fn keepalive_timeout(setting: &Setting<'_>) -> Option<Flaw> {
    let second = || {
        setting
            .arguments
            .get(1)
            .and_then(|_| time_in_seconds(setting, 1))
    };
    milliseconds(setting).or_else(second)
}

pub(super) fn keepalive(setting: &Setting<'_>) -> Option<Flaw> {
    match nginx::number(setting.argument(0)) {
        None => Some(not_a_number(setting, 0, "a number of connections")),
        Some(0) if !setting.may_be_since(Version(1, 29, 7)) => {
            let problem = "`0` connections cannot be kept: without `keepalive` none is";
            Some(Flaw::new(0, problem).help("`keepalive` takes a number of connections above 0."))
        }
        Some(_) => super::word::exactly(setting, 1, &["local"]),
    }
}

pub(super) fn buffers(setting: &Setting<'_>) -> Option<Flaw> {
    let takes = "a number of buffers and the size of each, as `8 4k`";
    let number = nginx::number(setting.argument(0));
    if number.is_none_or(|number| number == 0) {
        return Some(wrong(setting, 0, "number of buffers", takes));
    }
    // What stands in `http` may be in effect nowhere; below, it is merged.
    let is_upstream = matches!(
        setting.name,
        "proxy_buffers" | "fastcgi_buffers" | "uwsgi_buffers" | "scgi_buffers"
    );
    let is_merged = is_upstream && !setting.context.intersects(Contexts::HTTP);
    if is_merged && number == Some(1) {
        let problem = "`1` buffer is too few: there must be two";
        return Some(Flaw::new(0, problem).help(format!("`{}` takes {takes}.", setting.name)));
    }
    let value = setting.argument(1);
    match nginx::size(value) {
        Some(size) if size > 0 => None,
        _ => Some(
            wrong(setting, 1, "size of a buffer", takes)
                .meant(meant_size(value, false).filter(|_| value != b"0")),
        ),
    }
}

pub(super) fn path_levels(setting: &Setting<'_>) -> Option<Flaw> {
    let takes = "a folder, and for up to three levels below it the number of letters of a name, together at most 10";
    let mut letters = 0_u64;
    for index in 1..setting.arguments.len() {
        letters = match nginx::number(setting.argument(index)) {
            None | Some(0) => return Some(wrong(setting, index, "number of letters", takes)),
            Some(more) => letters.saturating_add(more),
        };
        if letters > 10 {
            return Some(wrong(setting, index, "number of letters that fits", takes));
        }
    }
    None
}

pub(super) fn cache_valid(setting: &Setting<'_>) -> Option<Flaw> {
    let last = setting.arguments.len().checked_sub(1)?;
    let is_status = |value: &[u8]| {
        value == b"any" || nginx::number(value).is_some_and(|code| (100..=599).contains(&code))
    };
    let wrong_time = || {
        time_in_seconds(setting, last).map(|flaw| {
            flaw.help(format!(
                "The last word of `{}` is {LONG_TIME}.",
                setting.name
            ))
        })
    };
    wrong_time().or_else(|| {
        let index = (0..last).find(|index| !is_status(setting.argument(*index)))?;
        let takes = "codes from 100 to 599 or `any`, and then a time";
        Some(wrong(setting, index, "code of an answer", takes))
    })
}

pub(super) fn image_filter(setting: &Setting<'_>) -> Option<Flaw> {
    let is_length = |index: usize| {
        let value = setting.argument(index);
        setting.is_variable(index)
            || value == b"-"
            || nginx::number(value).is_some_and(|length| length > 0)
    };
    match setting.arguments.len() {
        1 => super::word::exactly(setting, 0, &["off", "test", "size"]),
        2 => super::word::exactly(setting, 0, &["rotate"]).or_else(|| {
            let is_angle = matches!(nginx::number(setting.argument(1)), Some(90 | 180 | 270));
            (!is_angle && !setting.is_variable(1)).then(|| {
                wrong(
                    setting,
                    1,
                    "angle that it turns by",
                    "`rotate` with 90, 180 or 270",
                )
            })
        }),
        _ => super::word::exactly(setting, 0, &["resize", "crop"]).or_else(|| {
            let index = [1, 2].into_iter().find(|index| !is_length(*index))?;
            Some(wrong(
                setting,
                index,
                "length in pixels",
                "a width and a height in pixels, or `-` for one of them",
            ))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flaw, flaw_of, judge, offers};
    use super::*;

    #[test]
    fn amounts_are_what_nginx_reads() {
        judge(
            &[
                "client_body_buffer_size 16k",
                "limit_rate $speed",
                "limit_rate 0",
                "client_max_body_size 1g",
                "directio off",
                "directio 4m",
                "worker_connections 1024",
                "image_filter_jpeg_quality $quality",
                "worker_processes auto",
                "worker_processes 4",
                "worker_priority -5",
                "gzip_comp_level 9",
                "limit_req_status 429",
                "ssl_session_timeout 1M",
                "open_file_cache_valid 1y",
                "proxy_read_timeout 1h",
                "keepalive_timeout 65 1y",
                "keepalive 16",
                "keepalive 0",
                "keepalive 16 local",
                "proxy_buffers 8 4k",
                "proxy_temp_path /t 1 2",
                "proxy_temp_path t 3 3 4",
                "proxy_cache_valid 10m",
                "proxy_cache_valid 200 any 1h",
                "gzip_window 32k",
                "gzip_hash 128k",
                "request_pool_size 4k",
                "http2_streams_index_size 32",
                "image_filter off",
                "image_filter rotate 90",
                "image_filter rotate $angle",
                "image_filter resize - 100",
                "image_filter crop $w 100",
            ],
            &[
                "client_body_buffer_size 16kb",
                "client_body_buffer_size 1g",
                "client_body_buffer_size $size",
                "limit_rate fast",
                "client_max_body_size 1.5m",
                "client_max_body_size -1",
                "client_max_body_size",
                "directio Off",
                "worker_connections 1k",
                "worker_connections $n",
                "worker_processes Auto",
                "worker_priority --5",
                "gzip_comp_level 10",
                "gzip_comp_level high",
                "limit_req_status 200",
                "ssl_session_timeout 5ms",
                "proxy_read_timeout 1M",
                "proxy_read_timeout 30sec",
                "keepalive_timeout 65 x",
                "keepalive all",
                "keepalive 16 global",
                "proxy_buffers 0 4k",
                "proxy_buffers 8 0",
                "proxy_buffers 8 4kb",
                "proxy_temp_path /t 0",
                "proxy_temp_path /t 4 4 3",
                "proxy_cache_valid 200 x",
                "proxy_cache_valid 200x 1h",
                "proxy_cache_valid 10m 200m x",
                "proxy_cache_valid 600 1h",
                "gzip_window 64k",
                "gzip_hash 100",
                "request_pool_size 100",
                "http2_streams_index_size 33",
                "image_filter on",
                "image_filter rotate 45",
                "image_filter resize 0 100",
                "image_filter scale 1 1",
            ][..],
        );
        let none: [&[u8]; 2] = [b"keepalive", b"0"];
        assert!(flaw_of(&none, Some(Version(1, 28, 0))).is_some());
    }

    #[test]
    fn the_unit_that_was_meant_is_found() {
        offers(&[
            ("client_max_body_size 10MB", "10m"),
            ("client_max_body_size 10Mib", "10m"),
            ("client_max_body_size 1gb", "1g"),
            ("client_max_body_size 1t", "1024g"),
            ("client_max_body_size 1.5m", "1536k"),
            ("client_max_body_size 10megabytes", "10m"),
            ("client_max_body_size 1,000,000", "1000000"),
            ("client_body_buffer_size 1g", "1024m"),
            ("client_body_buffer_size 512b", "512"),
            ("proxy_read_timeout 5sec", "5s"),
            ("proxy_read_timeout 30S", "30s"),
            ("proxy_read_timeout 5minutes", "5m"),
            ("proxy_read_timeout 5M", "5m"),
            ("proxy_read_timeout 1.5s", "1500ms"),
            ("proxy_read_timeout 1.5h", "1h30m"),
            ("proxy_read_timeout 0.5h", "30m"),
            ("proxy_read_timeout 2y", "730d"),
            ("ssl_session_timeout 1day", "1d"),
            ("worker_connections 1k", "1024"),
            ("worker_connections 10_000", "10000"),
            ("worker_processes AUTO", "auto"),
            ("directio OFF", "off"),
        ]);
        for line in [
            "client_max_body_size large",
            "client_max_body_size 1.2.3m",
            "proxy_read_timeout 5x",
            "ssl_session_timeout 500ms",
            "worker_connections 1.5",
        ] {
            assert_eq!(flaw(line).map(|flaw| flaw.meant), Some(None), "{line}");
        }
    }
}
