use crate::rule::*;

rule! {
    /// A prefix without a slash at the end also answers for longer names.
    ///
    /// nginx compares the beginning of the path and knows no segments: `location /api` answers `/api`, `/api/users` and
    /// `/apix`. With `location /media` and `alias /srv/media`, `/media-private/x` reads `/srv/media-private/x`.
    ///
    /// Reported is a proxy or an `alias` beside whose name there are longer ones, when something else would answer without
    /// it, and an `alias` that leads into another folder of the configuration. A prefix whose path goes wrong by itself is
    /// the matter of `proxy-path-mismatch` and `alias-traversal`.
    ///
    /// ## When it is fine
    /// When the longer names belong to the same application.
    ///
    /// ## Fix
    /// Unsafe: a slash at the end, or `=` where another location has the name with a slash. A request without the slash is
    /// then redirected to the one with it by a proxy, and answered by another location where files are served.
    category: Location,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for found in routing::overmatches(config) {
        let target = &found.example.target;
        let place = found.location.path.span;
        let request = found.example.url("http").map(|url| format!("GET {url}"));
        let edits = found.cure();
        match &found.wrong {
            routing::Wrong::Beside {
                folder,
                other,
                file,
            } => report
                .at(
                    place,
                    format!("`{target}` reads `{file}`, from another folder"),
                )
                .here("this is replaced by the alias, no more and no less")
                .label(folder.span, "not a whole segment of the path")
                .label(other.span, "its files can be read by another name")
                .severity(Severity::Warning)
                .witness(request, format!("the file {file}"))
                .help("What protects the other folder in its own location does not count here.")
                .fix("end both with a slash", edits),
            routing::Wrong::Taken {
                answer,
                instead,
                other,
                is_slashed,
            } => {
                let (why, title) = match is_slashed {
                    true => ("what lies below the name goes here", "match the name only"),
                    false => (
                        "another name that begins so",
                        "end the location with a slash",
                    ),
                };
                let but = instead.as_ref().map_or_else(String::new, |instead| {
                    format!(", and not by `location {instead}`")
                });
                report
                    .at(place, format!("`{target}` is answered here too{but}"))
                    .here(format!("also the beginning of `{target}`"))
                    .label(other.path.span, why)
                    .witness(
                        request,
                        format!("answered by `{}`", config.excerpt(answer.span())),
                    )
                    .help("The order of the blocks makes no difference: the longest prefix wins.")
                    .fix(title, edits)
            }
        }
        .given(found.location.visibility());
    }
}
