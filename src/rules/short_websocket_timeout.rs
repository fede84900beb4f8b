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
    /// When client or backend send pings more often than that. Applications known to do so are reported only where the
    /// time is shorter than nginx's own minute, and then with a note. Where nothing but the forwarded headers speaks for
    /// WebSockets, one note is made for a server whose time nobody set, and none where a location of its own has them.
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
    let forwards = |place: &Proxied<'_>| {
        (place.upgrade().completes() && !place.location.is_never_websocket()).then_some(())
    };
    for places in config.proxied_alike(forwards) {
        let intents: Vec<Intent> = places.iter().map(Proxied::websocket_intent).collect();
        let is_told = intents.iter().any(|intent| intent.score > 0);
        let widest = places.iter().min_by_key(|place| place.location.path.len());
        for (place, intent) in places.iter().zip(&intents) {
            let is_main = !is_told && widest.is_some_and(|widest| widest.scope == place.scope);
            check_place(place, intent, is_main, report);
        }
    }
}

/// Judges one place, which stands for its server when it is the main one of places that nothing but headers speaks for.
fn check_place(place: &Proxied<'_>, intent: &Intent, is_main: bool, report: &mut Report) {
    let set = place.time("proxy_read_timeout");
    let time = set.map_or(DEFAULT, |(_, time)| time);
    let effective = place.scope.effective("proxy_read_timeout");
    if time == 0 || time >= LONG_ENOUGH || (set.is_none() && effective.directive().is_some()) {
        return;
    }
    let is_guess = intent.score == 0 && (set.is_some() || !is_main);
    if time >= DEFAULT && (intent.pings || is_guess) {
        return;
    }
    let span = set.map_or(place.scope.span(), |(directive, _)| directive.span());
    if report.has(span) {
        return;
    }
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
