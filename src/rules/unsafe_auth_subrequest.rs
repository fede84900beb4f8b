use crate::rule::*;

rule! {
    /// The question whether a request is let in announces a body that it does not bring, is a WebSocket handshake, or
    /// is too large.
    ///
    /// For `auth_request` nginx sends a second request, without the body of the first but with its `Content-Length`. A
    /// backend that reads the body waits for it, and when nginx has lost its patience the client gets 500. Headers for
    /// WebSockets that the location inherits go along too; where its backend switches protocols, nginx closes the
    /// connection of the client. And the question has to keep to the `client_max_body_size` of the location that is
    /// asked.
    ///
    /// ## When it is fine
    /// When no request with a body comes, or the backend answers without reading. Locations with `proxy_set_header
    /// Content-Length "";`, and those that set a body of their own, are not reported.
    ///
    /// ## Fix
    /// Safe where only questions come: send no length, no `Upgrade` and no `Connection`, and set no limit. Unsafe where
    /// clients may come to the location as well.
    category: Proxy,
    severity: Warning,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_auth_request_module.html",
}

fn check(config: &Config, report: &mut Report) {
    for gate in routing::gates(config) {
        let (place, name) = (&gate.place, gate.name());
        let head = place.scope.span();
        let safety = match gate.is_open() {
            true => Safety::Unsafe,
            false => Safety::Safe,
        };
        let url = |asker: &Proxied<'_>, scheme| {
            let request = routing::passed_example(asker, &["", "x", "/x"])?;
            request.url(scheme)
        };
        if let Some(asker) = gate.waits_for_body() {
            let finding = report.at(
                head,
                format!("`auth_request` tells `{name}` of a body that it does not send"),
            );
            finding
                .here("`Content-Length` of the client goes along")
                .label(gate.asked.span(), "asks it")
                .given(place.header_visibility())
                .witness(
                    url(asker, "http").map(|url| format!("curl -d x {url}")),
                    format!("500 after {} s where the backend of `{name}` reads the body, which never comes", gate.patience()),
                )
                .help("`proxy_pass_request_body off` does not help: the length is a header, and is sent all the same.")
                .fix_that_is(safety, "send no length", place.send("Content-Length", "\"\""));
        }
        if let Some(asker) = gate.is_upgraded() {
            let headers = place.headers();
            let finding = report.at(
                head,
                format!("for a WebSocket, the question to `{name}` is a handshake too"),
            );
            finding
                .label(gate.asked.span(), "asks it")
                .given(headers.visibility())
                .witness(
                    url(asker, "ws").map(|url| format!("GET {url}")),
                    format!("closed where the backend of `{name}` switches protocols; the error log says \"connection upgrade in subrequest\""),
                )
                .help("Whether the request itself is upgraded has nothing to do with it: that is up to the location that asks.");
            let sent = [headers.get("Upgrade"), headers.get("Connection")];
            for header in sent.into_iter().flatten() {
                finding.label(header.span(), "goes along");
            }
            let edits = place.send_each(&[("Upgrade", "\"\""), ("Connection", "\"\"")]);
            finding.fix_that_is(safety, "ask with a plain request", edits);
        }
        if let Some(routing::TooSmall {
            asker,
            limit,
            own,
            visibility,
        }) = gate.is_too_small()
        {
            report
                .at(head, format!("`{}` takes more than {own}, and `{name}`, which is asked first, does not", asker.location))
                .label(limit.span(), "lets more in")
                .label(gate.asked.span(), "asks it")
                .given(visibility)
                .witness(
                    url(asker, "http").map(|url| format!("a POST of more than {own} to {url}")),
                    "500; the error log says \"auth request unexpected status: 413\"",
                )
                .help("The question has no body, but its length is compared with the limit all the same.")
                .fix_that_is(safety, "set no limit for questions", gate.lift_limit());
        }
    }
}
