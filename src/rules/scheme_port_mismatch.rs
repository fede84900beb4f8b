use crate::rule::*;

rule! {
    /// Plain HTTP is sent to a port for TLS, or TLS to a port for plain HTTP.
    ///
    /// The scheme of `proxy_pass` alone decides what nginx speaks; the port changes nothing. A server that waits for a TLS
    /// handshake answers plain HTTP with 400, as nginx does ("The plain HTTP request was sent to HTTPS port"), or closes the
    /// connection, which clients see as 502. A handshake at a plain port fails with 502, or nobody answers it until nginx
    /// gives up with 504.
    ///
    /// ## When it is fine
    /// When the backend has an unusual use for a usual port. What a server of this configuration says of its port counts
    /// more than custom, and where TLS with the backend is tuned (`proxy_ssl_verify` and its like) nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: the other scheme. It may be the port that is wrong.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

fn check(config: &Config, report: &mut Report) {
    let own = config.own_ports();
    for place in config.proxied() {
        let (Some(mismatch), Some(backend), Some(url)) =
            (place.port_mismatch(&own), place.backend(), place.url())
        else {
            continue;
        };
        let Some(address) = place
            .pass
            .argument(0)
            .filter(|address| !report.has(address.span))
        else {
            continue;
        };
        let port = mismatch.port;
        let (spoken, expected, effect) = match mismatch.fitting {
            "https" => (
                "plain HTTP",
                "TLS",
                "the backend gets plain HTTP instead of a handshake: 400 by a web server, 502 where it just hangs up",
            ),
            _ => (
                "TLS",
                "plain HTTP",
                "the backend gets a TLS handshake instead of a request: 502, or 504 where it waits for more",
            ),
        };
        let usual = match mismatch.listen {
            Some(_) => format!("where this configuration speaks {expected}"),
            None => format!("which is one for {expected} by custom"),
        };
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let request = example.and_then(|example| example.url("http"));
        let scheme = url.word.slice(0..url.scheme().len() - "://".len());

        let finding = report.at(
            address.span,
            format!("{spoken} is sent to port {port}, {usual}"),
        );
        finding
            .here(format!("the scheme decides: nginx speaks {spoken}"))
            .given(mismatch.visibility)
            .alike((place.server_number(), &backend.host, port, mismatch.fitting))
            .witness(request.map(|url| format!("GET {url}")), effect)
            .help("Headers such as `X-Forwarded-Proto` do not change what is spoken with the backend.");
        if let Some(listen) = mismatch.listen {
            finding.label(listen.span(), format!("{expected} is spoken here"));
        }
        finding.fix(
            format!("speak {expected}"),
            scheme.rewrite(mismatch.fitting),
        );
    }
}
