use crate::rule::*;

rule! {
    /// `$http_host` is empty in HTTP/3, so that the backend gets no `Host`.
    ///
    /// Clients that speak HTTP/3 send `:authority` and no `Host` header, and nginx makes none of it, as it does for
    /// HTTP/2. A header whose value is empty is not sent: the backend answers 400, or builds its links without a host. It
    /// comes and goes, because a browser speaks HTTP/3 only once it knows that it can.
    ///
    /// ## When it is fine
    /// Never where `quic` is listened on.
    ///
    /// ## Fix
    /// Unsafe: use `$host`, with the port where that is not the usual one.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_v3_module.html",
}

fn check(config: &Config, report: &mut Report) {
    for server in config.servers().filter(|server| server.speaks_http3()) {
        for answer in server.redirects() {
            tell(
                answer,
                server,
                "a client of HTTP/3 is redirected to a URL without a host",
                report,
            );
        }
    }
    for place in config.proxied() {
        let Some(server) = place
            .location
            .server()
            .filter(|server| server.speaks_http3())
        else {
            continue;
        };
        for name in ["Host", "X-Forwarded-Host"] {
            if let Some(header) = place.headers().get(name) {
                let message =
                    format!("over HTTP/3 the backend gets no `{name}`: `$http_host` is empty");
                tell(header, server, &message, report);
            }
        }
    }
}

fn tell(directive: Directive<'_>, server: Server<'_>, message: &str, report: &mut Report) {
    let mut words = directive.arguments().skip(1);
    let found = words.find_map(|word| {
        let references = nginx::references(&word);
        let reference = references
            .into_iter()
            .find(|known| known.name.eq_ignore_ascii_case("http_host"))?;
        Some(word.part(reference.range))
    });
    let Some(place) = found.filter(|place| !report.has(*place)) else {
        return;
    };
    let quic = server
        .listens()
        .find(|listen| listen.listen().is_some_and(|listen| listen.quic));
    let usual = server
        .sockets()
        .iter()
        .all(|socket| matches!(socket.port, 80 | 443));
    let value = if usual { "$host" } else { "$host:$server_port" };
    let finding = report.at(place, message);
    finding
        .here("HTTP/3 has `:authority` in its place")
        .help("HTTP/1.1 and HTTP/2 are not concerned, so that a test with curl may show nothing wrong.")
        .fix("use the host that nginx found out", [Edit::replace(place, value)]);
    if let Some(quic) = quic {
        finding.label(quic.span(), "HTTP/3 is spoken here");
    }
}
