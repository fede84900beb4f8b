use crate::rule::*;

rule! {
    /// A redirect of the backend leads clients to an address that only nginx knows.
    ///
    /// Unless `Host` is set, the backend is told the host of `proxy_pass`, and builds its redirects from it. By itself nginx
    /// puts its own address in the place of that one (`proxy_redirect default`). With `off` it does not, nor with a rule for
    /// `http://` where the backend speaks `https://`: a client that is sent to `http://app/login` finds nothing there.
    ///
    /// ## When it is fine
    /// When the backend redirects with paths only, or clients can reach it by that name. Where the backend is told another
    /// host in `Host` or `X-Forwarded-Host`, or has a public name, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: `proxy_redirect default`, or the scheme of `proxy_pass`.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_redirect",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let Some(found) = place.unchanged_redirects() else {
            continue;
        };
        let (directive, address) = (found.directive, &found.address);
        if report.has(place.pass.span()) {
            continue;
        }
        let is_scheme = found.scheme.is_some();
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let request = example.and_then(|example| example.url("http"));

        let finding = report.at(
            place.pass.span(),
            format!("a redirect of the backend to `{address}` reaches the client as it is"),
        );
        finding
            .here("the backend is told this host")
            .given(place.redirect_visibility())
            .alike((directive.number(), address))
            .label(
                directive.span(),
                if is_scheme { "changes other addresses only" } else { "nginx changes no `Location`" },
            )
            .witness(
                request.map(|url| format!("GET {url}")),
                format!("where the backend redirects, the client is sent to {address}"),
            )
            .behind(place.scope)
            .help("A backend that is told the client's `Host` builds the redirects for clients, and needs no `proxy_redirect`.");
        finding.fix(
            "put nginx's own address in its place",
            place.change_redirects(&found),
        );
    }
}
