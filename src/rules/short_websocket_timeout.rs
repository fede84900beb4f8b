use crate::rule::*;

/// An idle time from here on, in milliseconds, is taken for long enough.
const LONG_ENOUGH: u64 = 5 * 60 * 1000;

/// What `proxy_read_timeout` is when nothing sets it, in milliseconds.
const DEFAULT: u64 = 60 * 1000;

rule! {
    /// An idle WebSocket is closed after less than five minutes.
    ///
    /// Once a handshake is through, only `proxy_read_timeout` ends an idle tunnel; traffic in either direction starts it
    /// again. It is 60 seconds unless set.
    ///
    /// ## When it is fine
    /// When client or backend send pings more often than that. For applications known to do so, and where nothing but
    /// the forwarded headers speaks for WebSockets, it is only a note.
    ///
    /// ## Fix
    /// Unsafe: an hour. Shorter pings do as well.
    category: Websocket,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout",
}

fn check(config: &Config, report: &mut Report) {
    for place in config
        .proxied()
        .filter(|place| place.upgrade().completes() && !place.location.is_never_websocket())
    {
        let set = place.time("proxy_read_timeout");
        let time = set.map_or(DEFAULT, |(_, time)| time);
        let effective = place.scope.effective("proxy_read_timeout");
        if time == 0 || time >= LONG_ENOUGH || (set.is_none() && effective.directive().is_some()) {
            continue;
        }
        let span = set.map_or(place.scope.span(), |(directive, _)| directive.span());
        if report.has(span) {
            continue;
        }
        let intent = place.websocket_intent();
        let guessed = intent.path < 2 || intent.pings;
        let line = "proxy_read_timeout 1h;";
        let value =
            set.and_then(|(directive, _)| directive.argument(0).map(|value| (directive, value)));
        let edit = match value {
            Some((directive, value)) if directive.parent() == Some(place.scope) => {
                Some(Edit::replace(value.span, "1h"))
            }
            _ => place.scope.grow(place.pass, &[line.to_owned()]),
        };

        let seconds = time as f64 / 1000.0;
        report
            .at(span, format!("an idle WebSocket at `{}` is closed after {seconds} s", place.location))
            .severity(if guessed { Severity::Note } else { Severity::Warning })
            .given(if set.is_some() { Visibility::Whole } else { effective.visibility })
            .help(
                "Only `proxy_read_timeout` ends an idle tunnel: raise it here, or let the application ping more often. \
                 Connect and send timeouts and buffering do nothing for it.",
            )
            .fix("keep idle tunnels for an hour", edit);
    }
}
