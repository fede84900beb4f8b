use crate::rule::*;

rule! {
    /// A timeout of 0 does not mean never: every request gets a 504 at once.
    ///
    /// nginx starts a timer of no time, which ends before the backend can connect or answer. This holds for the connect
    /// and read timeouts of `proxy_pass` and all its relatives; a send timeout of 0 does no such harm.
    ///
    /// ## When it is fine
    /// To connect to a Unix socket without TLS takes no time: there a connect timeout of 0 is not reported.
    ///
    /// ## Fix
    /// Unsafe: a day to wait for an answer, a minute to connect.
    category: Timeout,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.passed() {
        for (kind, instead) in [("read", "24h"), ("connect", "60s")] {
            let name = format!("{}_{kind}_timeout", place.family());
            let Some((directive, 0)) = place.time(&name) else {
                continue;
            };
            // Connecting to a socket in the file system ends before a timer starts.
            let is_at_once = kind == "connect" && place.connects_at_once();
            if is_at_once || report.has(directive.span()) {
                continue;
            }
            let example = routing::passed_example(&place, &["", "x", "/x"])
                .and_then(|example| example.url("http"));

            report
                .at(
                    directive.span(),
                    format!(
                        "requests to `{}` get a 504 at once: 0 does not mean never",
                        place.location
                    ),
                )
                .label(place.pass.span(), "these requests")
                .witness(
                    example.map(|url| format!("GET {url}")),
                    "504 without waiting for the backend",
                )
                .behind(place.scope)
                .help("There is no way to switch the timeout off; a long time comes closest.")
                .fix(
                    "wait",
                    directive
                        .argument(0)
                        .map(|value| Edit::replace(value.span, instead)),
                );
        }
    }
}
