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
    for places in config.proxied_alike(Proxied::scheme_problem) {
        let Some(place) = places.first() else {
            continue;
        };
        let request = routing::example(&place.location, &["", "x", "/x"]);
        let request = request
            .and_then(|example| example.url("http"))
            .map(|url| format!("GET {url}"));
        match place.scheme_problem() {
            Some(SchemeProblem::Unsaid) => unsaid(&places, request, report),
            Some(SchemeProblem::Overwritten) => overwritten(config, &places, request, report),
            None => {}
        }
    }
}

/// TLS ends in this server, and its places do not say so.
fn unsaid(places: &[Proxied<'_>], request: Option<String>, report: &mut Report) {
    let message = format!(
        "the backend at `{}` is not told that the client speaks HTTPS",
        places[0].location
    );
    let finding = report.at(places[0].pass.span(), message);
    finding
        .here("it gets plain HTTP and the host of the client")
        .witness(request, "the backend takes it for http://, and may redirect it to itself")
        .help("nginx sends no `X-Forwarded-Proto` by itself. What a client sends under this name is passed on.");
    for place in places {
        finding.given(place.header_visibility());
    }
    for other in places
        .iter()
        .skip(1)
        .filter(|other| other.pass != places[0].pass)
    {
        finding.label(other.pass.span(), "here too");
    }
    let edits = places
        .iter()
        .flat_map(|place| place.send_with_list("X-Forwarded-Proto", "$scheme"));
    finding.fix("say which scheme the client speaks", edits);
}

/// A proxy in front of this server said which scheme it is, and its places say something else.
fn overwritten(
    config: &Config,
    places: &[Proxied<'_>],
    request: Option<String>,
    report: &mut Report,
) {
    let headers = places
        .iter()
        .filter_map(|place| place.headers().get("X-Forwarded-Proto"));
    let mut headers: Vec<Directive<'_>> = headers
        .filter(|header| !report.has(header.span()))
        .collect();
    headers.dedup();
    let Some(first) = headers.first() else { return };
    let (value, map) = config.forwarded_scheme_value();
    let words = headers.iter().filter_map(|header| header.argument(1));
    let mut edits: Vec<Edit> = words.map(|word| Edit::replace(word.span, &value)).collect();
    edits.extend(map);

    let message = "`$scheme` is always `http` here, and replaces what the proxy in front says";
    let finding = report.at(first.span(), message);
    finding
        .here("no socket of this server speaks TLS")
        .witness(request, "the backend gets `X-Forwarded-Proto: http`, also for clients that speak HTTPS")
        .help("The configuration trusts a proxy in front of it. What that one says comes as `$http_x_forwarded_proto`.")
        .fix("pass on what the proxy in front says", edits);
    for place in places {
        finding.given(place.header_visibility());
    }
    for other in &headers[1..] {
        finding.label(other.span(), "here too");
    }
}
