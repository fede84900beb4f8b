use crate::rule::*;

rule! {
    /// The time for trying other servers is over before the first one is given up.
    ///
    /// `proxy_next_upstream_timeout` is looked at when a try has failed, and does not end the try itself. Connecting to
    /// a server that is gone takes as long as `proxy_connect_timeout`, 60 seconds unless it is set. If that is as long
    /// as the limit, no other server is asked, and the client gets 504. The same goes for `fastcgi_` and the others.
    ///
    /// ## When it is fine
    /// When only servers that fail at once are to be followed by another one. Nothing is reported where the limit is
    /// longer than connecting may take, or there is one server only.
    ///
    /// ## Fix
    /// Unsafe: a time for connecting that leaves room for the other servers.
    category: Timeout,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream_timeout",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.passed() {
        let Some(late) = place.late_retry() else {
            continue;
        };
        let (limit, connect) = (late.limit, late.connect);
        if report.has(limit.span()) {
            continue;
        }
        let seconds = |time: u64| time as f64 / 1000.0;
        let finding = report.at(
            limit.span(),
            format!(
                "when a server of `{}` cannot be reached for {} s, no other one is tried",
                late.group,
                seconds(late.connect_time)
            ),
        );
        let name = format!("{}_connect_timeout", place.family());
        let help = format!(
            "The limit does not end the first try: the client waits for {} s and gets 504. The limit is reached by then.",
            seconds(late.connect_time)
        );
        finding
            .here(format!("{} s are over by then", seconds(late.time)))
            .help(help);
        match connect {
            Some(connect) => finding.label(connect.span(), "how long connecting may take"),
            None => finding.given(place.scope.effective(&name).visibility),
        };
        finding.fix("give up connecting earlier", late.remedy(&name));
    }
}
