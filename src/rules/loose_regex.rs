use crate::rule::*;

rule! {
    /// A regex of a location matches paths that it does not read like.
    ///
    /// A regex is looked for anywhere in the path: `~ /api` also matches `/shop/api-old`. A dot that is not escaped is any
    /// character, so that `~ .php` takes `/telegraph-phpx`, and an ending without `$` may go on: `~ \.php` takes `/a.phpx`.
    /// A regex wins over every plain prefix, however long.
    ///
    /// ## When it is fine
    /// When it is meant to match widely, as to refuse something: a location with `deny` or a `return` of a 4xx is not
    /// reported, nor `~ /\.git`, a regex with alternatives, or `~ \.php` with `fastcgi_split_path_info`. Only what another
    /// location would answer is.
    ///
    /// ## Fix
    /// Unsafe: `^` at the beginning, `\` before the dot, `$` at the end.
    category: Location,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let Some((loose, end)) = location.loose() else {
            continue;
        };
        let target = match loose {
            Loose::Unanchored => end,
            _ => format!("/page-{end}"),
        };
        let Some(example) = routing::request(&location, target.as_bytes()) else {
            continue;
        };
        let routing::Choice::Location(other) = example.without(&location) else {
            continue;
        };
        let (why, title) = match loose {
            Loose::Unanchored => (
                "matches anywhere in a path, not only at its beginning",
                "match the beginning of the path only",
            ),
            Loose::AnyCharacter(_) => (
                "the dot stands for any character",
                "escape the dot and end with it",
            ),
            Loose::Unended => (
                "may be followed by anything",
                "match the end of the path only",
            ),
        };
        report
            .at(
                location.directive.span(),
                format!(
                    "`{}` is for `location {location}` too, and not for `location {other}`",
                    example.target
                ),
            )
            .label(location.path.span, why)
            .witness(
                example.url("http").map(|url| format!("GET {url}")),
                format!("answered by `location {location}`"),
            )
            .given(location.visibility())
            .fix(title, location.tighten(&loose));
    }
}
