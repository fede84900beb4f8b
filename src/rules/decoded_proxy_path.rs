use crate::rule::*;

rule! {
    /// A URI part in `proxy_pass` makes nginx decode the path: `%2F` in an identifier becomes a `/`.
    ///
    /// To put the URI part in the place of the location's name, nginx takes the path that it has decoded, resolved and
    /// freed of double slashes, and escapes again only what it has to. Package registries, object stores, and APIs with
    /// names in their paths tell `a%2Fb` from `a/b`, and answer 404.
    ///
    /// ## When it is fine
    /// When no identifier of the backend holds an escaped slash, which is why this rule is off unless it is selected.
    ///
    /// ## Fix
    /// Unsafe: drop a URI part that repeats the location. Where the two differ there is none: a `rewrite` decodes the path
    /// too, so the backend has to be told its base path.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let location = &place.location;
        let Some((url, uri)) = routing::replacement(&place) else {
            continue;
        };
        let tail = if location.path.ends_with(b"/") {
            "a%2Fb"
        } else {
            "/a%2Fb"
        };
        let Some(mapping) =
            routing::mapping_example(&place, &url, tail).filter(|_| !report.has(uri.span))
        else {
            continue;
        };

        let finding = report.at(
            uri.span,
            format!(
                "`{}` reaches the backend as `{}`",
                mapping.target(),
                mapping.upstream()
            ),
        );
        finding
            .here("to put this in, nginx decodes the path")
            .label(location.path.span, "in the place of this")
            .witness(mapping.url("http"), format!("the backend is asked for {}", mapping.upstream()))
            .behind(place.scope)
            .help("Without a URI part the path is passed on as it was sent. `merge_slashes` makes no difference to `%2F`.");
        if uri.value == location.path.value {
            finding.fix("drop the URI part", [Edit::delete(uri.span)]);
        }
    }
}
