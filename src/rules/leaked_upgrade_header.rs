use crate::rule::*;

rule! {
    /// A backend that offers `Upgrade: h2,h2c` breaks its answers for clients that speak HTTP/2.
    ///
    /// Some web servers say in ordinary answers that they speak HTTP/2 as well. nginx hands the header on, and over HTTP/2
    /// an answer that holds it is malformed (RFC 9113, section 8.2.2): curl gives up with PROTOCOL_ERROR. Over HTTP/1.1
    /// nothing is wrong with it.
    ///
    /// ## When it is fine
    /// When the backend makes no such offer, which nginspect cannot see. This rule is off unless it is selected. Locations
    /// for WebSockets are not reported: there the header has to get through. Nor is anything from nginx 1.31 on.
    ///
    /// ## Fix
    /// Safe: hide the header, except where handshakes go through.
    category: Websocket,
    severity: Note,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_hide_header",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let Some(server) = place.leaks_upgrade() else {
            continue;
        };
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let url = example.and_then(|example| example.url("http"));
        let hidden = place.scope.effective("proxy_hide_header");

        let finding = report.at(
            place.pass.span(),
            "an `Upgrade` of the backend is handed to clients of HTTP/2, which do not take the answer",
        );
        finding
            .here("nothing hides it")
            .given(hidden.visibility)
            .alike(server.directive.number())
            .witness(
                url.map(|url| match url.starts_with("https") {
                    true => format!("curl -i {url}"),
                    false => format!("curl -i --http2-prior-knowledge {url}"),
                }),
                "PROTOCOL_ERROR if the backend offers `Upgrade: h2,h2c`",
            )
            .help("Hide it in each location but those for WebSockets: hidden in the server, it would keep them from opening. It helps as well to let the backend make no such offer.");
        finding.fix("hide the header", place.hide_upgrade());
    }
}
