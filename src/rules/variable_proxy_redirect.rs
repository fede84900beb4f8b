use std::collections::HashSet;

use crate::rule::*;

rule! {
    /// Redirects of the backend reach the client as they are, because `proxy_pass` holds a variable.
    ///
    /// Without variables nginx puts its own address in the place of the backend's in `Location`
    /// (`proxy_redirect default`). With one it cannot, and a backend that builds its redirects from the `Host` that it gets
    /// sends the client to a name that only nginx knows.
    ///
    /// ## When it is fine
    /// When the backend redirects with paths only, or is told the client's host in `Host` or `X-Forwarded-Host`. Where that
    /// is sent, or `proxy_redirect` is set, nothing is reported, nor of an endpoint for WebSockets, whose clients follow no
    /// redirect, nor inside of a location that passes on without variables: what nginx makes of its address serves for both.
    ///
    /// ## Fix
    /// Unsafe: put the rule in that nginx would make itself.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_redirect",
}

fn check(config: &Config, report: &mut Report) {
    let mut told = HashSet::new();
    for place in config.proxied() {
        let Some(address) = place.pass.argument(0).filter(Word::has_variables) else {
            continue;
        };
        let Some(backend) = place.backend().filter(|backend| backend.peer != Peer::Unix) else {
            continue;
        };
        let redirect = place.scope.effective("proxy_redirect");
        // Without a resolver nothing comes back at all.
        let is_found = !backend.is_resolved_late(config)
            || place.scope.effective("resolver").directive().is_some();
        let is_set = redirect.directive().is_some();
        if is_set
            || !is_found
            || !place.is_told_its_own_host()
            || place.location.is_internal()
            || place.keeps_redirects()
            || place.inherits_redirects()
            || place.upgrade().completes() && place.websocket_intent().path >= 3
            || report.has(address.span)
        {
            continue;
        }
        let scheme = if backend.tls { "https" } else { "http" };
        let host = backend.proxy_host();
        // What a block inside of a location needs is written into the location, which may need it itself.
        let line = (told.insert(place.location.directive.number()))
            .then(|| format!("proxy_redirect {scheme}://$proxy_host/ /;"));
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let url = example.and_then(|example| example.url("http"));

        report
            .at(
                address.span,
                format!("a redirect of the backend to `{scheme}://{host}/` reaches the client as it is"),
            )
            .here("with a variable here nginx does not change `Location`")
            .given(redirect.visibility)
            .given(place.header_visibility())
            .witness(
                url.map(|url| format!("GET {url}")),
                format!("where the backend redirects, the client is sent to {scheme}://{host}/"),
            )
            .behind(place.scope)
            .help("`proxy_redirect default` is refused beside a variable. The backend is told the host `$proxy_host` here.")
            .fix(
                "put nginx's own address in its place",
                line.and_then(|line| place.scope.grow(place.pass, &[line])),
            );
    }
}
