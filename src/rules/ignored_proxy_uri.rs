use crate::rule::*;

rule! {
    /// After a `rewrite … break` the URI part of `proxy_pass` is not used.
    ///
    /// nginx puts the URI part in the place of the location's name only where the URI is still the one that was compared
    /// with it. Once a `rewrite` has changed the URI in the location, the changed one is sent as it is.
    ///
    /// ## When it is fine
    /// When the URI part is `/`, or what the `rewrite` writes begins with the URI part already: the outcome is the same,
    /// and nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: drop the URI part, which changes nothing for what is rewritten. If the backend should see it, write it at
    /// the beginning of what the `rewrite` writes.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let Some(unused) = routing::unused_replacement(&place) else {
            continue;
        };
        let uri = &unused.uri;
        if report.has(uri.span) {
            continue;
        }
        report
            .at(
                uri.span,
                format!("`{uri}` is not used: `{}` reaches the backend as `{}`", unused.target, unused.upstream),
            )
            .here("a rewritten URI is sent as it is")
            .label(unused.rewrite.span(), "this has changed the URI")
            .witness(unused.request.clone(), format!("the backend is asked for {}", unused.upstream))
            .behind(place.scope)
            .help("Where the two lines stand makes no difference. A base path for the backend belongs into the `rewrite`.")
            .fix("drop the URI part", [Edit::delete(uri.span)]);
    }
}
