use crate::rule::*;

rule! {
    /// The handshakes of an application are answered with a page: no location passes them on.
    ///
    /// A server that keeps its pages as files and passes `/api/` on has to pass on the path of the WebSocket, too. Without a
    /// location for that it falls to `location /`, where `try_files` finds nothing and sends the page of the application
    /// instead: 200 with HTML, where the browser waits for 101.
    ///
    /// ## When it is fine
    /// When the clients open their WebSockets elsewhere. nginspect goes by the name of the server or of the upstream, and knows
    /// where a few applications open them by default.
    ///
    /// ## Fix
    /// Unsafe: a location for the path that passes handshakes on to the same upstream.
    category: Websocket,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/websocket.html",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let Some((application, path)) = place.application_endpoint() else {
            continue;
        };
        let Some(server) = place.location.server() else {
            continue;
        };
        let routing::Choice::Location(taker) = routing::choose(server, path.as_bytes()) else {
            continue;
        };
        let Some(page) = taker.fallback_page().filter(|page| !report.has(page.span)) else {
            continue;
        };
        let Some(example) = routing::request(&taker, path.as_bytes()) else {
            continue;
        };
        report
            .at(
                page.span,
                format!("`{path}`, where {application} opens WebSockets, is answered with `{page}`"),
            )
            .here("sent to handshakes, too")
            .label(place.pass.span(), format!("{application} is asked here"))
            .given(taker.visibility())
            .witness(
                example.url("ws").map(|url| format!("GET {url}")),
                format!("the file `{page}` with 200, in the place of a 101"),
            )
            .help("Headers and timeouts in the other locations change nothing about it: no location passes this path on.")
            .fix("pass its handshakes on", place.send_on_from(path));
    }
}
