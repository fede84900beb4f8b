use crate::rule::*;

rule! {
    /// A location meant for WebSockets does not forward the handshake.
    ///
    /// nginx forwards neither `Upgrade` nor the client's `Connection` by itself, so the backend sees a plain request. What
    /// it answers depends on it: 400, 426, a page, or a 404 where the route exists only as a WebSocket, which looks
    /// like a wrong path and is none.
    ///
    /// Whether a location is meant for WebSockets is judged by points: for known endpoints and words in its path, the
    /// name of its upstream, a comment, a sibling that forwards handshakes, a long read timeout. Strong signs make it
    /// an error, weaker ones a warning or a note.
    ///
    /// ## When it is fine
    /// When nothing below the path is a WebSocket: SOAP services under `/ws`, event streams under `/live`. List such paths
    /// in `not-websocket-paths` of the settings, and in `websocket-paths` those that only you know for WebSockets.
    ///
    /// ## Fix
    /// Unsafe, since the intent is guessed: forward the handshake, over HTTP/1.1.
    category: Websocket,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/websocket.html",
}

fn check(config: &Config, report: &mut Report) {
    let mut spaces = urispace::Spaces::default();
    for place in config.proxied() {
        let intent = place.websocket_intent();
        let severity = match intent.score {
            0 => continue,
            1 => Severity::Note,
            2 => Severity::Warning,
            _ => Severity::Error,
        };
        let upgrade = place.upgrade();
        let lost = place.lost_headers().iter().any(|header| {
            header
                .argument(0)
                .is_some_and(|name| name.is_header("Upgrade"))
        });
        if upgrade.problem.is_some() || place.headers().get("Upgrade").is_some() || lost {
            continue;
        }
        // Those who wrote `add_header` meant to forward it, which another rule tells of.
        if !place.answered_upgrade().is_empty() {
            continue;
        }
        // What is asked first may send handshakes elsewhere.
        let has_fallback = place.location.directive.own("try_files").next().is_some();
        let is_closed = place.scope.access_rules().first().is_some_and(|rule| {
            rule.is("deny") && rule.argument(0).is_some_and(|who| who == "all")
        });
        if has_fallback
            || is_closed
            || place.location.sorts_handshakes()
            || place.location.may_be_left()
        {
            continue;
        }
        // There the order of the blocks is the problem, and headers would not help.
        if spaces.reached(&place.location).is_nothing() {
            continue;
        }
        let may_be = match intent.score {
            1 => "perhaps ",
            _ => "",
        };
        let example = routing::handshake_example(&place);
        let target = example.as_ref().map_or_else(
            || place.location.to_string(),
            |example| example.target.clone(),
        );

        report
            .at(place.scope.span(), format!("a handshake for `{target}` reaches the backend as a plain GET"))
            .here(format!("{may_be}meant for WebSockets: {}", intent.reason))
            .label(place.pass.span(), "goes on from here without `Upgrade` and `Connection`")
            .severity(severity)
            .given(upgrade.visibility)
            .witness(
                example.and_then(|example| example.url("ws")).map(|url| format!("GET {url}")),
                "the backend sees no Upgrade: typically 400, 426, or 404 where the route is only a WebSocket",
            )
            .behind(place.scope)
            .help(
                "nginx never forwards `Upgrade` or the client's `Connection` by itself. The path and the order of the \
                 blocks are not the problem.",
            )
            .fix("forward the handshake", place.upgrade_edits());
    }
}
