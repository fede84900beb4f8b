use crate::rule::*;

rule! {
    /// A WebSocket is opened at the name of a location without its last slash, and gets a redirect.
    ///
    /// A location that proxies and ends with a slash also answers its name without it, with a 301 to the one with the
    /// slash, unless another location has that name. A page is loaded all the same; a browser does not follow a redirect in
    /// a handshake, and the WebSocket fails.
    ///
    /// Reported are paths that are known as endpoints of applications, such as `/ws/` and `/cable/`, and those in
    /// `websocket-paths` of the settings.
    ///
    /// ## When it is fine
    /// When all clients open longer paths, as `/ws/room/1`. Where an application is known for that, such as Socket.IO, where
    /// there is a location for a longer path, or where several locations end in the same word, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: a location for just this path, with the same settings.
    category: Websocket,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let location = &place.location;
        let is_own = place.scope == location.directive;
        if !is_own || !location.is_endpoint_with_slash() || place.websocket_intent().score < 2 {
            continue;
        }
        let Some(example) = routing::redirected(location) else {
            continue;
        };
        let target = &example.target;

        report
            .at(
                location.path.span,
                format!("a handshake for `{target}` is answered with a 301 to `{target}/`"),
            )
            .here("answers its name without the slash too, by a redirect")
            .label(place.pass.span(), "not asked: the redirect comes first")
            .given(location.visibility())
            .witness(
                example.url("ws").map(|url| format!("GET {url}")),
                format!("301 to {target}/, which browsers do not follow in a handshake"),
            )
            .help(
                "No header changes this: nginx redirects before it looks at any. Clients that open longer paths are not \
                 affected.",
            )
            .fix(
                format!("add a location for just `{target}`"),
                place.copy_without_slash(),
            );
    }
}
