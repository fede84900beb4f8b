use crate::rule::*;

rule! {
    /// A WebSocket asks for a password that a page cannot give it.
    ///
    /// nginx answers a handshake without `Authorization` with 401 before the backend hears of it. JavaScript cannot set a
    /// header of a handshake: whether a browser sends the password that was typed in for the page is up to the browser, and
    /// not all do. In the one it works, in another it does not.
    ///
    /// ## When it is fine
    /// When the clients are programs, or browsers that were tried. This rule is off unless it is selected.
    ///
    /// ## Fix
    /// None: let a cookie or a token in the URL say who it is, with `auth_request` or in the backend, and switch
    /// `auth_basic off` for the WebSocket.
    category: Websocket,
    severity: Note,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html#auth_basic",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    for (directive, places) in config.proxied_under(Proxied::password_before_upgrade) {
        let Some(place) = places.first() else {
            continue;
        };
        let example = routing::handshake_example(place);
        let name = example.as_ref().map_or_else(
            || place.location.to_string(),
            |example| example.target.clone(),
        );

        let finding = report.at(
            directive.span(),
            format!(
                "a handshake for `{name}` needs a password, which not every browser sends with it"
            ),
        );
        finding
            .here("asked before the backend hears of it")
            .witness(
                example.and_then(|example| example.url("ws")).map(|url| format!("GET {url}")),
                "401, unless the browser sends the password of the page along",
            )
            .help("A page cannot set `Authorization` for a WebSocket. A cookie goes along with the handshake, and `auth_request` can look at it.");
        for place in &places {
            finding.label(place.pass.span(), "handshakes go on from here");
        }
    }
}
