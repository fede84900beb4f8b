use crate::rule::*;

rule! {
    /// A backend that looks at `Origin` sees a `Host` beside it that no browser has asked for.
    ///
    /// A browser sends the site of the page in `Origin`, and nginx passes that on. In `Host` it sends what `proxy_pass`
    /// says unless `proxy_set_header Host` says otherwise. Backends that let only their own pages open a WebSocket compare
    /// the two, and answer 403 although all of the handshake has arrived.
    ///
    /// ## When it is fine
    /// When the backend does not compare them, or has a list of the origins it takes. Where `X-Forwarded-Host` or `Forwarded`
    /// is sent, and for the server of somebody else, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: send the host that the browser has asked for. A backend may build other links by it than before.
    category: Websocket,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
}

fn check(config: &Config, report: &mut Report) {
    for places in config.proxied_alike(Proxied::default_host) {
        let path = |place: &&Proxied<'_>| place.websocket_intent().path;
        let likely = places.iter().find(|place| path(place) >= 2);
        let Some((place, host)) = likely
            .or(places.first())
            .and_then(|place| Some((place, place.default_host()?)))
        else {
            continue;
        };
        let server = place.location.server();
        let example = routing::handshake_example(place);
        let name = example.as_ref().map_or_else(
            || place.location.to_string(),
            |example| example.target.clone(),
        );
        let url = example.and_then(|example| example.url("ws"));
        let origin = url.as_ref().and_then(|url| {
            let (scheme, rest) = url.split_once("://")?;
            let authority = rest.split('/').next()?;
            Some(format!("{}://{authority}", scheme.replace("ws", "http")))
        });
        let seen = origin.map_or_else(
            || format!("the backend gets `Host: {host}`: 403 where it compares that with `Origin`"),
            |origin| format!("the backend gets `Host: {host}` beside `Origin: {origin}`: 403 where it compares the two"),
        );
        let value = match server.is_some_and(Server::speaks_http3) {
            true => "$host",
            false => "$http_host",
        };
        let edits = places.iter().flat_map(|place| place.send("Host", value));

        let finding = report.at(
            place.pass.span(),
            format!("a handshake for `{name}` reaches the backend with `Host: {host}`, not with the host that the browser asked for"),
        );
        finding
            .here("this is where `Host` comes from")
            .given(place.header_visibility())
            .witness(url.map(|url| format!("GET {url}")), seen)
            .behind(place.scope)
            .help("A program that sends no `Origin` may open it all the same: try it with a browser. Backends that have a list of origins do not look at `Host`.");
        for other in places.iter().filter(|other| other.pass != place.pass) {
            finding.label(other.pass.span(), "here too");
        }
        finding.fix("send the host that the browser asked for", edits);
    }
}
