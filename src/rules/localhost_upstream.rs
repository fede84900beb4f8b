use crate::rule::*;

/// How many other places are shown.
const MOST_PLACES: usize = 12;

rule! {
    /// `localhost` may be two servers to nginx, of which only one answers.
    ///
    /// nginx looks the name up when it starts, and takes each address for a server of its own. Where `localhost` is both
    /// 127.0.0.1 and ::1, and the backend listens on one of them, every try of the other is refused; the next one helps out.
    /// But as soon as the backend is late once, it counts as failed as well, and for the next 10 seconds every request is a
    /// 502: the error log says "no live upstreams". A backend with a single address is asked again at once.
    ///
    /// ## When it is fine
    /// When the system knows only one address by the name, which is not seen here, or the backend listens on both; then a
    /// request that is too slow is sent twice. An `upstream` with other servers, or with a `max_fails` or `fail_timeout` of
    /// its own, is not reported.
    ///
    /// ## Fix
    /// Unsafe: 127.0.0.1. A backend that listens on ::1 only is `[::1]`, and where no `Host` is set the backend then gets the
    /// address in it.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server",
}

fn check(config: &Config, report: &mut Report) {
    for backend in config.localhost_backends() {
        let Some((name, others)) = backend.words.split_first() else {
            continue;
        };
        if report.has(name.span) {
            continue;
        }
        let example = routing::passed_example(&backend.place, &["", "x", "/x"]);
        let request = example.and_then(|example| example.url("http"));
        let edits = backend
            .words
            .iter()
            .filter_map(|word| word.rewrite("127.0.0.1"));

        let finding = report.at(
            name.span,
            "`localhost` is two servers where it is 127.0.0.1 and ::1",
        );
        finding
            .here("all of its addresses are tried in turn")
            .witness(
                request.map(|url| format!("GET {url}")),
                "502 for 10 seconds after one late answer, where the backend listens on 127.0.0.1 only",
            )
            .help("`proxy_next_upstream` makes no difference to that, and a longer timeout only makes it rarer.")
            .fix("name the address", edits);
        for other in others.iter().take(MOST_PLACES) {
            finding.label(other.span, "here too");
        }
    }
}
