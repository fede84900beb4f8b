//! Codes, URIs, paths and variables that requests are sent through.

use super::{Flaw, Setting, any_of, shown, text};
use crate::nginx::{self, Subsystem, Version};

/// The modules whose variables every nginx has.
const ALWAYS_THERE: [&str; 3] = [
    "ngx_http_core_module",
    "ngx_http_upstream_module",
    "ngx_stream_core_module",
];

pub(super) fn return_code(setting: &Setting<'_>) -> Option<Flaw> {
    let value = setting.argument(0);
    let alone = setting.arguments.len() == 1;
    match nginx::number(value) {
        Some(code) if code <= 999 => return None,
        Some(_) => {}
        None => {
            let redirects = [&b"http://"[..], b"https://", b"$scheme"];
            if alone && redirects.iter().any(|start| value.starts_with(start)) {
                return None;
            }
        }
    }
    let problem = format!("{} is no code of an answer", shown(value));
    let help = if alone && matches!(value.first(), Some(b'/' | b'$')) {
        "A redirect needs its code before it, as `return 302 /path`: only `http://`, `https://` and `$scheme` may begin a lone URL."
    } else {
        "`return` takes a code up to 999 with a text or URL after it if wanted, or a URL alone."
    };
    Some(Flaw::new(0, problem).help(help))
}

pub(super) fn rewrite(setting: &Setting<'_>) -> Option<Flaw> {
    if setting.argument(1).is_empty() {
        return Some(Flaw::new(1, "the replacement is empty").help("`/` stands for the root."));
    }
    let flags = ["last", "break", "redirect", "permanent"];
    let flag = *setting.arguments.get(2)?;
    super::word::exactly(setting, 2, &flags).map(|flaw| {
        let inside = text(flag).trim_matches(['[', ']']).to_ascii_lowercase();
        let meant = match &*inside {
            "l" => Some("last".to_owned()),
            "r=301" | "301" => Some("permanent".to_owned()),
            "r" | "r=302" | "302" => Some("redirect".to_owned()),
            _ => flaw.meant.clone(),
        };
        let help = format!(
            "After the replacement stands {}, or nothing.",
            any_of(flags)
        );
        flaw.meant(meant).help(help)
    })
}

pub(super) fn error_page(setting: &Setting<'_>) -> Option<Flaw> {
    let help =
        "`error_page` takes codes from 300 to 599, then `=` or `=200` if wanted, and last a URI.";
    let last = setting.arguments.len().checked_sub(1)?;
    let answer = setting.argument(last - usize::from(last > 0));
    let mut codes = last;
    if let Some(code) = answer.strip_prefix(b"=") {
        codes -= 1;
        if codes == 0 {
            let problem = format!(
                "before {} the codes are missing that it answers",
                shown(answer)
            );
            return Some(Flaw::new(0, problem).help(help));
        }
        if !code.is_empty() && nginx::number(code).is_none() {
            return Some(
                Flaw::new(codes, format!("{} is no code of an answer", shown(answer))).help(help),
            );
        }
    }
    (0..codes).find_map(|index| {
        let value = setting.argument(index);
        let problem = match nginx::number(value) {
            Some(499) => {
                "`499` is no code that a page can stand for: the client is gone".to_owned()
            }
            Some(300..=599) => return None,
            Some(_) => format!("{} is not from 300 to 599", shown(value)),
            None => format!("{} is no code of an answer", shown(value)),
        };
        Some(Flaw::new(index, problem).help(help))
    })
}

pub(super) fn try_files(setting: &Setting<'_>) -> Option<Flaw> {
    let last = setting.arguments.len().checked_sub(1)?;
    let value = setting.argument(last);
    let code = value.strip_prefix(b"=")?;
    let good = nginx::number(code).is_some_and(|code| code <= 999);
    (!good).then(|| {
        Flaw::new(last, format!("{} is no code of an answer", shown(value)))
            .help("The last word of `try_files` is a URI, a named location, or `=` with a code, as `=404`.")
    })
}

pub(super) fn location(setting: &Setting<'_>) -> Option<Flaw> {
    if setting.arguments.len() < 2 {
        return None;
    }
    let value = setting.argument(0);
    let meant = match value {
        b"=" | b"^~" | b"~" | b"~*" => return None,
        b"==" | b"===" => Some("="),
        b"=~" | b"~~" => Some("~"),
        b"*~" | b"=~*" | b"~~*" => Some("~*"),
        b"^" | b"~^" | b"^=" => Some("^~"),
        _ => None,
    };
    let problem = format!("{} is no modifier of a location", shown(value));
    // After `~^` a regex may be meant, whose first byte was split off.
    let meant = meant.filter(|_| value != b"~^" && value != b"^");
    Some(
        Flaw::new(0, problem)
            .meant(meant.map(str::to_owned))
            .help("Before the name of a location stands `=`, `^~`, `~`, `~*` or nothing."),
    )
}

/// The flaw of the argument that names the variable to be defined.
pub(super) fn defined_variable(setting: &Setting<'_>, index: usize) -> Option<Flaw> {
    let value = *setting.arguments.get(index)?;
    let flaw = |problem: String| Some(Flaw::new(index, problem));
    match value.strip_prefix(b"$") {
        None => {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let plain = !value.is_empty() && value.iter().all(is_name);
            let meant = plain.then(|| format!("${}", text(value)));
            let help = format!(
                "`{}` defines a variable, whose name begins with `$`.",
                setting.name
            );
            Some(
                Flaw::new(
                    index,
                    format!("{} is no variable: the `$` is missing", shown(value)),
                )
                .meant(meant)
                .help(help),
            )
        }
        Some(b"") => flaw("`$` is no variable: the name is missing".to_owned()),
        Some(name) if is_fixed(&text(name), setting.subsystem(), setting.version) => flaw(format!(
            "{} belongs to nginx and cannot be defined anew",
            shown(value)
        )),
        Some(_) => None,
    }
}

/// True for a variable that every nginx of this version, or of any, defines and lets nobody else define.
pub fn is_fixed(name: &str, subsystem: Subsystem, version: Option<Version>) -> bool {
    nginx::variable(name, subsystem).is_some_and(|known| {
        known.name.eq_ignore_ascii_case(name)
            && !known.is_settable
            && ALWAYS_THERE.contains(&known.module)
            && known.since > Version(0, 0, 0)
            && known.since <= version.unwrap_or(Version(1, 18, 0))
            && known.gone.is_none()
    })
}

pub(super) fn geo(setting: &Setting<'_>) -> Option<Flaw> {
    if setting.arguments.len() < 2 {
        return defined_variable(setting, 0);
    }
    let source = setting.argument(0);
    if source.len() > 1 && source.starts_with(b"$") {
        return defined_variable(setting, 1);
    }
    let problem = format!(
        "{} is no variable: `geo` looks up the address in one",
        shown(source)
    );
    Some(Flaw::new(0, problem))
}

pub(super) fn path(setting: &Setting<'_>) -> Option<Flaw> {
    if !matches!(setting.name, "root" | "alias") {
        return None;
    }
    let value = text(setting.argument(0)).into_owned();
    let own = ["document_root", "realpath_root"];
    let name = own.into_iter().find(|name| {
        value.contains(&format!("${name}")) || value.contains(&format!("${{{name}}}"))
    })?;
    let problem = format!(
        "`${name}` is made of `{}` and cannot be used in it",
        setting.name
    );
    Some(Flaw::new(0, problem))
}

pub(super) fn charset(setting: &Setting<'_>) -> Option<Flaw> {
    (setting.argument(0) == b"$").then(|| Flaw::new(0, "`$` is no variable: the name is missing"))
}

pub(super) fn index(setting: &Setting<'_>) -> Option<Flaw> {
    let index = setting.arguments.iter().position(|name| name.is_empty())?;
    Some(Flaw::new(index, "the name of a file is empty"))
}

pub(super) fn store(setting: &Setting<'_>) -> Option<Flaw> {
    let help = format!("`{}` takes `on`, `off` or a path.", setting.name);
    setting
        .argument(0)
        .is_empty()
        .then(|| Flaw::new(0, "the path is empty").help(help))
}

pub(super) fn sub_filter(setting: &Setting<'_>) -> Option<Flaw> {
    let is_empty = setting.argument(0).is_empty();
    is_empty.then(|| Flaw::new(0, "there is nothing to look for: the text is empty"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flaw, flaw_of, judge, offers};
    use super::*;

    #[test]
    fn codes_flags_and_names_are_what_nginx_reads() {
        judge(
            &[
                "return 404",
                "return 999",
                "return 301 /a",
                "return 302 $x",
                "return https://a",
                "return $scheme://a",
                "rewrite ^ /a last",
                "rewrite ^ /a",
                "error_page 404 /404",
                "error_page 500 502 = /x",
                "error_page 404 =200 $uri",
                "error_page 300 599 @a",
                "try_files $uri =404",
                "try_files $uri =0",
                "try_files =x /a",
                "location = /a",
                "location ~^/a",
                "location /a",
                "set $a 1",
                "set $args 1",
                "set $http_foo 1",
                "set $a.b 1",
                "map $a $b",
                "split_clients a $b",
                "geo $a",
                "geo $a $b",
                "root $docs",
                "alias /a/$1",
                "index a $b",
                "charset $c",
                "charset utf-8",
                "proxy_store on",
            ],
            &[
                "return 1000",
                "return ok",
                "return /a",
                "return $uri",
                "return https://a b",
                "rewrite ^ ",
                "rewrite ^ /a Last",
                "rewrite ^ /a [L]",
                "error_page 200 /a",
                "error_page 499 /a",
                "error_page 4xx /a",
                "error_page =200 /a",
                "error_page 404 =ok /a",
                "error_page 600 =200 /a",
                "try_files $uri =",
                "try_files $uri =1000",
                "try_files $uri =$code",
                "location == /a",
                "location ! /a",
                "set a 1",
                "set $ 1",
                "set $uri 1",
                "set $HOST 1",
                "set $http_host a",
                "map $a b",
                "map $a $request_uri",
                "geo a",
                "geo a $b",
                "geo $a b",
                "root $document_root/a",
                "alias ${realpath_root}",
                "charset $",
            ],
        );
        let empty: [&[u8]; 2] = [b"index", b""];
        assert!(flaw_of(&empty, None).is_some());
        let empty: [&[u8]; 3] = [b"sub_filter", b"", b"a"];
        assert!(flaw_of(&empty, None).is_some());
    }

    #[test]
    fn what_was_meant_is_offered_where_one_answer_is_likely() {
        offers(&[
            ("rewrite ^ /a [L]", "last"),
            ("rewrite ^ /a 301", "permanent"),
            ("rewrite ^ /a permanant", "permanent"),
            ("location =~ /a", "~"),
            ("location *~ /a", "~*"),
            ("set a 1", "$a"),
        ]);
        assert_eq!(flaw("location ^ /a").and_then(|flaw| flaw.meant), None);
    }

    #[test]
    fn a_variable_is_fixed_from_its_version_on() {
        let is_fixed = |name, version| is_fixed(name, Subsystem::Http, version);
        assert!(is_fixed("uri", None));
        assert!(!is_fixed("connection_time", None));
        assert!(is_fixed("connection_time", Some(Version(1, 28, 0))));
        assert!(!is_fixed("ssl_protocol", None));
    }
}
