use crate::rule::*;

rule! {
    /// A URI part that repeats the location only normalises the path.
    ///
    /// Without a URI part `proxy_pass` hands the path on as the client sent it; nothing is stripped. With one that
    /// equals the location's name, plain paths arrive unchanged too, but every path is decoded first, its dot segments
    /// are resolved and its slashes merged: `%2F` in an identifier becomes a `/`.
    ///
    /// ## When it is fine
    /// When the backend should see normalised paths and none of its identifiers holds an escaped slash.
    ///
    /// ## Fix
    /// Unsafe: drop the URI part. The backend then sees paths as they were sent. Unless `proxy_redirect` is set, nginx then
    /// also changes the backend's redirects to paths that do not begin with the location's name.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let location = &place.location;
        let Some((url, uri)) = routing::replacement(&place) else {
            continue;
        };
        if uri.value != location.path.value {
            continue;
        }
        let tail = if location.path.ends_with(b"/") {
            "a%2Fb"
        } else {
            "/a%2Fb"
        };
        let Some(mapping) = routing::mapping_example(&place, &url, tail) else {
            continue;
        };

        report
            .at(uri.span, format!("`{uri}` repeats the location, so it only normalises the path"))
            .here("without it the path is passed on as it was sent")
            .label(location.path.span, "the same text")
            .witness(
                mapping.url("http").or(Some(format!("GET {}", mapping.target()))),
                format!("the backend is asked for {}", mapping.upstream()),
            )
            .behind(place.scope)
            .help(
                "`proxy_pass` without a URI part strips nothing: plain paths arrive the same with and without this part.",
            )
            .fix("drop the URI part", [Edit::delete(uri.span)]);
    }
}
