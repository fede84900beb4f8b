use crate::rule::*;

rule! {
    /// The backend cannot tell that the client speaks HTTPS, or is told that it does not.
    ///
    /// Behind a server with TLS the backend gets plain HTTP. An application that builds links, secure cookies or redirects
    /// to HTTPS asks `X-Forwarded-Proto` about the client. Without it links begin with `http://`, and a redirect to HTTPS
    /// comes back forever. Behind another proxy it is the reverse: `$scheme` is that of the connection between the two, and
    /// setting the header to it replaces what the other proxy said.
    ///
    /// ## When it is fine
    /// When the application does not ask. Reported is only a backend that is told the host of the client, and its address
    /// too or, elsewhere, its scheme. Where `proxy_redirect` turns `http://` into `https://`, where only WebSockets are
    /// served, and where any header says how the client came, nothing is reported; that such a header is lost between two
    /// lists is the finding of lost-proxy-header.
    ///
    /// ## Fix
    /// Unsafe: send the header, or pass on what the other proxy said.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#var_scheme",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        match place.scheme_problem() {
            Some(SchemeProblem::Unsaid) => unsaid(&place, report),
            Some(SchemeProblem::Overwritten) => overwritten(config, &place, report),
            None => {}
        }
    }
}

fn request(place: &Proxied<'_>) -> Option<String> {
    let example = routing::passed_example(place, &["", "x", "/x"])?;
    Some(format!("GET {}", example.url("http")?))
}

/// TLS ends in the server of this place, which does not say so.
fn unsaid(place: &Proxied<'_>, report: &mut Report) {
    report
        .at(
            place.pass.span(),
            format!("the backend at `{}` is not told that the client speaks HTTPS", place.location),
        )
        .here("it gets plain HTTP and the host of the client")
        .given(place.header_visibility())
        .alike(place.server_number())
        .witness(request(place), "the backend takes it for http://, and may redirect it to itself")
        .behind(place.scope)
        .help("nginx sends no `X-Forwarded-Proto` by itself. What a client sends under this name is passed on.")
        .fix(
            "say which scheme the client speaks",
            place.send_with_list("X-Forwarded-Proto", "$scheme"),
        );
}

/// A proxy in front of the server said which scheme it is, and this place says something else.
fn overwritten(config: &Config, place: &Proxied<'_>, report: &mut Report) {
    let header = place.headers().get("X-Forwarded-Proto");
    let value = header.and_then(|header| Some((header, header.argument(1)?)));
    let Some((header, word)) = value.filter(|(header, _)| !report.has(header.span())) else {
        return;
    };
    let (value, map) = config.forwarded_scheme_value();
    let edits = [Edit::replace(word.span, &value)].into_iter().chain(map);

    report
        .at(
            header.span(),
            "`$scheme` is always `http` here, and replaces what the proxy in front says",
        )
        .here("no socket of this server speaks TLS")
        .given(place.header_visibility())
        .alike(place.server_number())
        .witness(request(place), "the backend gets `X-Forwarded-Proto: http`, also for clients that speak HTTPS")
        .behind(place.scope)
        .help("The configuration trusts a proxy in front of it. What that one says comes as `$http_x_forwarded_proto`.")
        .fix("pass on what the proxy in front says", edits);
}
