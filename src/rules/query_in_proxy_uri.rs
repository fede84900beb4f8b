use crate::rule::*;

rule! {
    /// A query in the URI of `proxy_pass` ends up in the middle of what the backend is asked for.
    ///
    /// nginx puts the URI part in the place of the location's name and appends what is left of the path, and then `?` and
    /// the query of the request. With `location /a` and `http://b/z?k=1`, `/ax?b=2` becomes `/z?k=1x?b=2`.
    ///
    /// ## When it is fine
    /// When the rest of the path is meant to be a value, as after `http://b/resize?url=`; a URI that ends in a sign is not
    /// reported. Neither are exact and internal locations.
    ///
    /// ## Fix
    /// None: only you know where the rest of the path should go. `rewrite ^ /z?k=1 break;` before a `proxy_pass` without a
    /// URI part asks for `/z?k=1`, and adds the query of the request with a `&`.
    category: Proxy,
    severity: Warning,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let location = &place.location;
        let Some((url, uri)) = routing::replacement(&place) else {
            continue;
        };
        let ends_in_sign = !uri.last().is_some_and(u8::is_ascii_alphanumeric);
        let Some(query) = uri.iter().position(|byte| *byte == b'?') else {
            continue;
        };
        if ends_in_sign || location.is_internal() || report.has(uri.span) {
            continue;
        }
        let tail = if location.path.ends_with(b"/") {
            "x?b=2"
        } else {
            "/x?b=2"
        };
        let Some(mapping) = routing::mapping_example(&place, &url, tail) else {
            continue;
        };

        report
            .at(
                uri.part(query..uri.len()),
                format!("`{}` reaches the backend as `{}`", mapping.target(), mapping.upstream()),
            )
            .here("the rest of the path and the client's query are appended to this")
            .label(location.path.span, "this is cut off")
            .witness(mapping.url("http"), format!("the backend is asked for {}", mapping.upstream()))
            .behind(place.scope)
            .help(
                "nginx does not see a query in this part. `rewrite ^ /path?k=1 break;` before a `proxy_pass` without a URI \
                 part sends a query, and adds the client's with a `&`.",
            );
    }
}
