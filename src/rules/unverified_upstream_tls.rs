use crate::rule::*;

rule! {
    /// Nobody checks the certificate of a backend that is reached by TLS.
    ///
    /// `proxy_ssl_verify` is off unless it is set: nginx takes whatever certificate it is shown. Who can answer in the place
    /// of the backend reads and changes what goes there, passwords included.
    ///
    /// ## When it is fine
    /// On a network that is trusted, or with certificates that nobody has signed. This rule is off unless it is selected.
    ///
    /// ## Fix
    /// None: nginspect does not know who signs the backend's certificate. `proxy_ssl_verify on;` needs
    /// `proxy_ssl_trusted_certificate` with the certificates of those who do; the name is that of `proxy_ssl_name`.
    category: Proxy,
    severity: Note,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let Some(backend) = place
            .backend()
            .filter(|backend| backend.tls && backend.peer != Peer::Unix)
        else {
            continue;
        };
        if place.scope.flag("proxy_ssl_verify") == Some(true) {
            continue;
        }
        let verify = place.scope.effective("proxy_ssl_verify");
        let finding = report.at(
            place.pass.span(),
            format!("nobody checks that `{}` is who it says", backend.host),
        );
        finding
            .here("any certificate is taken")
            .given(verify.visibility)
            .alike((place.server_number(), &backend.host))
            .help("`proxy_ssl_verify on;` checks it, with `proxy_ssl_trusted_certificate` and a `proxy_ssl_name` that it holds.");
        if let Some(off) = verify.directive() {
            finding.label(off.span(), "switched off here");
        }
    }
}
