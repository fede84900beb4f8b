use crate::rule::*;

rule! {
    /// The backend is asked for a host that has no valid name: that of an `upstream` with a `_`.
    ///
    /// Unless `proxy_set_header Host` says otherwise, the `Host` header is the host of `proxy_pass`, be it the name of an
    /// `upstream` or of a container. An underscore is no part of a host name, and frameworks that check the header refuse
    /// it: Django answers 400, "Invalid HTTP_HOST header".
    ///
    /// ## When it is fine
    /// When the backend does not look at `Host`. Names that are known on the internet are not reported: the backend goes
    /// by that name.
    ///
    /// ## Fix
    /// Unsafe: send the host that the client asked for. Headers that were inherited so far are copied. Another name for the
    /// `upstream`, without the `_`, cures the complaint too, but the backend still does not learn the host.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let (Some(backend), Some(address)) = (place.backend(), place.pass.argument(0)) else {
            continue;
        };
        let is_valid = backend.peer == Peer::Unix || !backend.host.contains('_');
        if !place.sends_own_host() || is_valid || is_public_name(&backend.host) {
            continue;
        }
        let host = backend.proxy_host();
        let request = routing::passed_example(&place, &["", "x", "/x"]);
        let request = request.and_then(|example| example.url("http"));

        let finding = report.at(
            address.span,
            format!("the backend is asked for the host `{host}`, which is no valid host name"),
        );
        finding
            .here("this becomes the `Host` header")
            .given(place.header_visibility())
            .alike((place.server_number(), &host))
            .witness(
                request.map(|url| format!("GET {url}")),
                format!("the backend gets `Host: {host}`, and answers 400 if it checks that"),
            )
            .behind(place.scope)
            .help("The names that clients use do not reach the backend here. `server_name` has nothing to do with it.");
        if let Peer::Group(group) = backend.peer {
            finding.label(group.span(), "named here");
        }
        let edits = place.send_with_list("Host", "$host");
        finding.fix("send the host that the client asked for", edits);
    }
}
