use crate::rule::*;

rule! {
    /// The name of a location can equal no path of a request.
    ///
    /// nginx compares names with the path of the request: it begins with `/`, and before the comparison its dot segments
    /// are resolved and, unless `merge_slashes` is off, its runs of slashes merged. A name without a leading slash, with
    /// `//` or with `/../` can only be reached by an internal redirect.
    ///
    /// ## When it is fine
    /// When an internal redirect leads there: a `rewrite`, `try_files`, `auth_request` and the like that could make such
    /// a URI are looked for, and nothing is said if there is one. Nor for a location with `internal`.
    ///
    /// ## Fix
    /// Unsafe: add the leading `/`, or the `~` that a regex needs.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let Some(reason) = location.mismatch() else {
            continue;
        };
        let never = reason == Mismatch::BlankBeforeAnchor;
        if !never && (location.is_internal() || location.may_be_redirected_to()) {
            continue;
        }
        let shown = config.excerpt(location.directive.span());
        let (why, help) = match reason {
            Mismatch::NoSlash if location.path.starts_with(b"^") => (
                "a path begins with `/`, not with `^`",
                "A regex needs `~` before it.",
            ),
            Mismatch::NoSlash if location.path.starts_with(b" ") => (
                "the blank inside the quotes belongs to the name, and a path begins with `/`",
                "Put the quotes around the name only.",
            ),
            Mismatch::NoSlash if location.path.first().is_some_and(u8::is_ascii_alphanumeric) => (
                "a path begins with `/`",
                "Begin the name with `/`. The name of a host belongs into `server_name`.",
            ),
            Mismatch::NoSlash => (
                "a path begins with `/`",
                "A file extension or another pattern needs `~` before it, and to be written as a regex.",
            ),
            Mismatch::DoubleSlash => (
                "nginx merges `//` in a path to `/`",
                "Write a single slash, or set `merge_slashes off` for the server.",
            ),
            Mismatch::DotSegment => (
                "nginx resolves `.` and `..` in a path",
                "Write the path that the dots lead to.",
            ),
            Mismatch::BlankBeforeAnchor => (
                "the blank inside the quotes belongs to the regex, and nothing can stand before `^`",
                "Put the quotes around the regex only.",
            ),
        };
        report
            .at(
                location.directive.span(),
                format!("no request matches `{shown}`: {why}"),
            )
            .here(if never {
                "nothing leads here"
            } else {
                "only an internal redirect could lead here"
            })
            .help(help)
            .given(location.visibility())
            .fix(
                "write the name as a path that can match",
                location.rename(reason),
            );
    }
}
