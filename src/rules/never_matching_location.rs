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
        if location.is_internal() || location.may_be_redirected_to() {
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
            Mismatch::NoSlash => (
                "a path begins with `/`",
                "A host, a file extension or a pattern is no prefix of a path either: names of hosts belong into `server_name`, patterns need `~`.",
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
            .here("only an internal redirect could lead here")
            .help(help)
            .given(location.visibility())
            .fix(
                "write the name as a path that can match",
                location.rename(reason),
            );
    }
}
