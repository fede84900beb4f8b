use crate::rule::*;

rule! {
    /// A backend that is reached by TLS is not told which host is wanted, or the name of an `upstream` instead.
    ///
    /// nginx sends no server name (SNI) in the TLS handshake with a backend unless `proxy_ssl_server_name` is on. A server
    /// with several names then shows the certificate of another one, or refuses the handshake, which clients see as 502. Where it is on, the name is the host of `proxy_pass`, and that of an `upstream` is its own.
    ///
    /// ## When it is fine
    /// When the backend has one certificate for all. For names that only one house knows this is a note; where
    /// `proxy_ssl_server_name off` is written, or an address is all that is known, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: send the name. A backend may show another certificate for it than before, or choose another site by it.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_server_name",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let (Some(problem), Some(backend), Some(address)) =
            (place.sni_problem(), place.backend(), place.pass.argument(0))
        else {
            continue;
        };
        let name = backend.name();
        let message = match &problem {
            SniProblem::Unnamed => {
                format!("the TLS handshake with `{}` names no host", backend.host)
            }
            SniProblem::Group => format!(
                "the TLS handshake names `{}`, which is an `upstream` and no host",
                backend.host
            ),
        };
        let here = match &problem {
            SniProblem::Unnamed => "`proxy_ssl_server_name` is off unless it is set",
            SniProblem::Group => "without `proxy_ssl_name` this is the name that is sent",
        };
        let is_public = name.as_deref().is_some_and(is_public_name);
        let request = routing::passed_example(&place, &["", "x", "/x"]);
        let request = request.and_then(|example| example.url("http"));

        let finding = report.at(address.span, message);
        finding
            .here(here)
            .severity(if is_public { Severity::Warning } else { Severity::Note })
            .given(place.scope.effective("proxy_ssl_server_name").visibility)
            .given(place.scope.effective("proxy_ssl_name").visibility)
            .alike((place.server_number(), &backend.host))
            .witness(
                request.map(|url| format!("GET {url}")),
                "502 where the backend refuses such a handshake; else it shows the certificate of its choice",
            )
            .help(
                "`proxy_set_header Host` does not change the handshake: it is sent later. A browser names the host by itself, so \
                 that the same address works there.",
            );
        finding.fix(
            "name the host in the handshake",
            place.name_upstream(&problem),
        );
    }
}
