use crate::rule::*;

rule! {
    /// A WebSocket keeps a prefix that the location around it takes away from all other requests.
    ///
    /// Two locations lead to the same backend. One has a URI in its `proxy_pass`, so that the backend does not see the prefix;
    /// the one for the WebSocket has none, so that it does. The backend is asked for paths of both forms, and an
    /// application usually knows one: the WebSocket ends in a 404 while the pages work, or its route was written with the
    /// prefix for this.
    ///
    /// ## When it is fine
    /// When the routes of the application are written so. nginspect cannot see them.
    ///
    /// ## Fix
    /// None: which of the two the application expects stands in its routes.
    category: Websocket,
    severity: Note,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let is_meant = || {
            place.upgrade().upgrade.is_some() && place.headers().level() == Some(place.scope)
                || place.websocket_intent().score >= 2
        };
        let Some(broken) = routing::broken_contract(&place).filter(|_| is_meant()) else {
            continue;
        };
        let (own, other) = (&broken.own, &broken.other);

        let finding = report.at(
            place.pass.span(),
            format!(
                "`{}` reaches the backend as it is, while `{}` becomes `{}`",
                own.target(),
                other.target(),
                other.upstream()
            ),
        );
        finding
            .here("without a URI nothing is taken away")
            .label(broken.outer.path.span, "taken away here, for the same backend")
            .given(place.location.visibility())
            .witness(own.url("http"), format!("the backend is asked for {}", own.upstream()))
            .behind(place.scope)
            .help("Look at the routes of the application for the path that it knows. The order of the two locations makes no difference: the longer name wins.");
    }
}
