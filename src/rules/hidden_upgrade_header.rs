use crate::rule::*;

rule! {
    /// `Upgrade` is hidden from the client, so that no browser opens the WebSocket.
    ///
    /// The backend agrees and answers 101, and nginx hands the answer on without its `Upgrade` header. A browser has to
    /// refuse a handshake that is answered so (RFC 6455, section 4.1). The line is usually the cure for something else:
    /// backends that offer `Upgrade: h2,h2c` in ordinary answers, which clients that speak HTTP/2 do not take.
    ///
    /// ## When it is fine
    /// In locations to which no handshake comes. Where none is forwarded, nothing is reported.
    ///
    /// ## Fix
    /// Let the header through: take the line away, or overrule an inherited one by `proxy_pass_header`. Safe in a location
    /// for WebSockets, unsafe where ordinary answers come from there too.
    category: Websocket,
    severity: Error,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_hide_header",
}

fn check(config: &Config, report: &mut Report) {
    for (hidden, places) in config.hidden_upgrades() {
        let Some(place) = places.first() else {
            continue;
        };
        let example = routing::handshake_example(place);
        let name = example.as_ref().map_or_else(
            || place.location.to_string(),
            |example| example.target.clone(),
        );
        let url = example
            .filter(|_| place.upgrade().completes())
            .and_then(|example| example.url("ws"));
        let (mut edits, mut safety) = (Vec::new(), Safety::Safe);
        for place in &places {
            let (more, of_these) = place.show_upgrade(hidden);
            edits.extend(more);
            safety = safety.max(of_these);
        }

        let finding = report.at(
            hidden.span(),
            format!(
                "a 101 for `{name}` reaches the client without `Upgrade`, and browsers refuse it"
            ),
        );
        finding
            .here("hidden in the answers to handshakes too")
            .given(place.scope.effective("proxy_pass_header").visibility)
            .witness(
                url.map(|url| format!("GET {url}")),
                "101 without `Upgrade`, which browsers take for a failed handshake",
            )
            .behind(place.scope)
            .help(match safety {
                Safety::Safe => "Headers towards the backend do not change this: the handshake gets through, its answer does not.",
                Safety::Unsafe => "Headers towards the backend do not change this. If the backend offers `Upgrade: h2,h2c` in ordinary answers, give the WebSocket a location of its own, and hide the header in the others.",
            });
        for place in &places {
            if let Some(header) = place.upgrade().upgrade.filter(|_| places.len() == 1) {
                finding.label(header.span(), "handshakes are forwarded");
            } else {
                finding.label(place.scope.span(), "handshakes are forwarded from here");
            }
        }
        finding.fix_that_is(safety, "let `Upgrade` through", edits);
    }
}
