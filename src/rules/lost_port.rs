use crate::rule::*;

rule! {
    /// `$host` leaves out the port that clients need to come back.
    ///
    /// `$host` is the name alone. A server that listens only on ports other than 80 and 443 is asked for
    /// `shop.example:8080`, and a backend that gets `Host: shop.example` builds links and redirects without the port. A
    /// framework that compares `Origin` with `Host` refuses forms, because the one has a port and the other none.
    ///
    /// ## When it is fine
    /// When clients come through a proxy or a mapped port that is a usual one, so that they write no port: `$host` and
    /// `$http_host` are the same then. Nothing is reported where the configuration trusts such a proxy or another header
    /// tells the port.
    ///
    /// ## Fix
    /// Unsafe: send the host as the client wrote it.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#var_host",
}

/// Headers that tell a backend of the port, or of the proxy that the client came through.
const TELLING: [&str; 4] = [
    "X-Forwarded-Port",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Original-Host",
];

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let headers = place.headers();
        let (Some(header), Some(server)) = (headers.get("Host"), place.location.server()) else {
            continue;
        };
        let Some(value) = header.argument(1).filter(|value| value == "$host") else {
            continue;
        };
        let told = TELLING.iter().any(|name| headers.get(name).is_some());
        let passes_on = headers.directives().iter().any(|header| {
            let value = header.argument(1);
            value.is_some_and(|value| value.starts_with(b"$http_x_forwarded"))
        });
        let sockets = server.sockets();
        let usual = sockets.iter().any(|socket| matches!(socket.port, 80 | 443));
        if told || passes_on || usual || server.is_behind_a_proxy() || report.has(header.span()) {
            continue;
        }
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let (Some(url), Some(socket)) = (
            example.and_then(|example| example.url("http")),
            sockets.first(),
        ) else {
            continue;
        };
        // A server without a name of its own is asked for by whatever port leads to its container.
        let Some(host) = server.example_host().filter(|host| host != "localhost") else {
            continue;
        };
        let fixed = match server.speaks_http3() {
            true => "$host:$server_port",
            false => "$http_host",
        };

        let finding = report.at(
            header.span(),
            format!(
                "the backend gets `Host: {host}` for `{host}:{}`: the port is lost",
                socket.port
            ),
        );
        finding
            .here("`$host` is the name without the port")
            .given(place.header_visibility())
            .given(server.directive.visibility())
            .witness(
                Some(format!("GET {url}")),
                format!("the backend builds its links for {host}, where this server does not listen"),
            )
            .behind(place.scope)
            .help("Where clients come by a usual port, mapped to this one, nothing is lost, and `$http_host` is the same.")
            .fix("send the host as the client wrote it", [Edit::replace(value.span, fixed)]);
        if let Some(listen) = server.listens().next() {
            finding.label(listen.span(), "no usual port");
        }
    }
}
