use crate::rule::*;

rule! {
    /// A gRPC backend is asked in HTTP/1, or no client can bring gRPC to nginx.
    ///
    /// gRPC needs HTTP/2 on both sides. `proxy_pass` speaks HTTP/1 unless it is told otherwise, and what a gRPC server
    /// answers to that is not understood: the error log says "upstream sent no valid HTTP/1.0 header". `grpc_pass`
    /// speaks HTTP/2 to the backend, but a client can only use it where nginx speaks HTTP/2 to clients too.
    ///
    /// ## When it is fine
    /// When the backend takes HTTP/1.1 as well, as Connect, gRPC-Web and gateways do. A backend is only suspected if it
    /// listens on port 50051 or is called `grpc`, and names of such translators are left out.
    ///
    /// ## Fix
    /// Unsafe: pass the requests on as gRPC, and speak HTTP/2 to clients. Headers then are set with `grpc_set_header`.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_grpc_module.html",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let Some(backend) = place.grpc_backend() else {
            continue;
        };
        let Some(address) = place.pass.argument(0).filter(|word| !report.has(word.span)) else {
            continue;
        };
        let version = place.scope.effective("proxy_http_version").directive();
        let version = version.and_then(|version| version.argument(0));
        let version = version.map_or_else(
            || config.version().default_proxy_http_version().to_owned(),
            |version| version.text().into_owned(),
        );
        let finding = report.at(
            address.span,
            format!(
                "a gRPC server at `{}` is asked in HTTP/{version}",
                backend.proxy_host()
            ),
        );
        finding
            .here("gRPC needs HTTP/2")
            .help(
                "Clients get an answer without status and headers, and the error log says \"upstream sent no valid HTTP/1.0 \
                 header\". `proxy_http_version 1.1` does not help, and `http2 on` is about clients only.",
            )
            .fix("pass it on as gRPC", place.pass_as_grpc());
    }
    for one in config.unreached_grpc() {
        let finding = report.at(
            one.place.pass.span(),
            format!(
                "no gRPC client can ask for `{}`: nginx speaks only HTTP/1 to clients here",
                one.place.location
            ),
        );
        finding.help(
            "A gRPC client begins with HTTP/2 at once, and nginx answers that with 400. With TLS the handshake does not \
             agree on HTTP/2.",
        );
        for listen in one.server.listens() {
            finding.label(listen.span(), "without HTTP/2");
        }
        finding.fix("speak HTTP/2 to clients", one.server.speak_http2());
    }
}
