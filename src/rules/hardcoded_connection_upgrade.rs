use crate::rule::*;

rule! {
    /// A constant `Connection: upgrade` goes out with plain requests too.
    ///
    /// nginx sends the header with every request that the list is in effect for, not only with handshakes. Most backends
    /// ignore it; some answer a POST with 400.
    ///
    /// ## When it is fine
    /// Where all requests are handshakes: a location whose path says so is not reported.
    ///
    /// ## Fix
    /// Safe: a variable that is `upgrade` for handshakes only, with the `map` that defines it.
    category: Websocket,
    severity: Note,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/websocket.html",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let upgrade = place.upgrade();
        let Some(value) = upgrade.connection.and_then(|header| header.argument(1)) else {
            continue;
        };
        if !upgrade.completes()
            || !value.eq_ignore_ascii_case(b"upgrade")
            || place.websocket_intent().path >= 2
            || place.location.sorts_handshakes()
        {
            continue;
        }
        if report.has(value.span) {
            continue;
        }
        let (variable, map) = config.connection_value();

        let finding = report.at(
            value.span,
            format!(
                "`Connection: {value}` goes out with plain requests to `{}` too",
                place.location
            ),
        );
        finding.help("A `map` of `$http_upgrade` says `upgrade` for handshakes and nothing for other requests.");
        if config.fragment().is_none() {
            finding.fix(
                "say it for handshakes only",
                map.into_iter().chain([Edit::replace(value.span, variable)]),
            );
        }
    }
}
