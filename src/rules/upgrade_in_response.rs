use crate::rule::*;

rule! {
    /// `Upgrade` is added to answers by `add_header`, and the backend never sees it.
    ///
    /// `add_header` is for what goes to the client. What the backend gets is set by `proxy_set_header`, and nginx forwards
    /// neither `Upgrade` nor the client's `Connection` by itself: the backend answers a handshake as a plain request, with
    /// 400, 426, a page, or a 404 where the route exists only as a WebSocket.
    ///
    /// ## When it is fine
    /// Where the handshake is forwarded as well, or nothing is proxied: there nothing is reported.
    ///
    /// ## Fix
    /// Safe: forward the handshake by `proxy_set_header`, over HTTP/1.1, and take the lines away. Unsafe where that
    /// brings headers of an outer level into the answers.
    category: Websocket,
    severity: Error,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/websocket.html",
}

fn check(config: &Config, report: &mut Report) {
    for (first, places) in config.answered_upgrades() {
        let Some(place) = places.first() else {
            continue;
        };
        let lines = place.answered_upgrade();
        let example = routing::handshake_example(place);
        let name = example.as_ref().map_or_else(
            || place.location.to_string(),
            |example| example.target.clone(),
        );
        let names: Vec<String> = lines
            .iter()
            .filter_map(|line| Some(format!("`{}`", line.argument(0)?)))
            .collect();
        let (edits, safety) = Proxied::forward_instead(&lines, &places);

        let finding = report.at(
            first.span(),
            format!(
                "a handshake for `{name}` does not reach the backend whole: `add_header` sends {} to the client",
                names.join(" and ")
            ),
        );
        finding
            .here("goes to the client, not to the backend")
            .given(place.upgrade().visibility)
            .witness(
                example.and_then(|example| example.url("ws")).map(|url| format!("GET {url}")),
                "answered as a plain request: typically 400, 426, or 404 where the route is only a WebSocket",
            )
            .behind(place.scope)
            .help("What the backend gets is set by `proxy_set_header`. No `add_header` reaches it, with or without `always`.");
        for place in &places {
            finding.label(
                place.pass.span(),
                "goes on from here without a whole handshake",
            );
        }
        finding.fix_that_is(safety, "forward the handshake", edits);
    }
}
