use crate::rule::*;

rule! {
    /// Whatever a client asks to upgrade to is forwarded, and what follows goes past the checks of nginx.
    ///
    /// `$http_upgrade` holds what the client has sent: `websocket`, or `h2c`, or anything. When the backend answers 101,
    /// nginx copies bytes in both directions and looks at none of them. A backend that speaks HTTP/2 without TLS then takes
    /// any request from the client, for paths that nginx would refuse too.
    ///
    /// ## When it is fine
    /// When the backend upgrades to nothing but WebSockets, as most do. nginx's authors hold it to be the backend's affair, so
    /// this rule is off unless it is selected. Where nothing is guarded, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: forward `Upgrade` only when it says `websocket`, by a `map`.
    category: Websocket,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/websocket.html",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    let groups = config.proxied_under(|place| place.forwarded_token().map(|(header, _)| header));
    for (header, places) in groups {
        let Some((place, (_, guard))) = places
            .first()
            .and_then(|place| Some((place, place.forwarded_token()?)))
        else {
            continue;
        };
        let example = routing::passed_example(place, &["", "x", "/x"]);
        let url = example.and_then(|example| example.url("http"));

        report
            .at(
                header.span(),
                format!(
                    "`Upgrade: h2c` gets through too, and after a 101 `{}` is not asked",
                    config.excerpt(guard.span())
                ),
            )
            .here("whatever the client sends")
            .label(guard.span(), "not looked at in what follows a 101")
            .witness(
                url.map(|url| format!("curl -i -H 'Connection: Upgrade' -H 'Upgrade: h2c' {url}")),
                "the backend gets `Upgrade: h2c`",
            )
            .help("A backend that answers 101 to that speaks with the client directly. `Connection` needs no change: it goes with `Upgrade`.")
            .fix("forward nothing but `websocket`", config.forward_only_websocket(header));
    }
}
