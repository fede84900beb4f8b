use crate::rule::*;

rule! {
    /// A socket speaks TLS and its default server has no certificate, or a certificate has no key.
    ///
    /// nginx asks the default server of every socket with `ssl` or `quic` for a certificate; the others may do without, and
    /// then answer with that of the default server. Certificates and keys are two lists, each inherited as a whole, and a
    /// server needs as many keys as certificates even where it speaks no TLS.
    ///
    /// ## When it is fine
    /// When the default server rejects handshakes (`ssl_reject_handshake on`) and every other server of the socket has a
    /// certificate or rejects them too. Nothing is said where a part of the configuration cannot be seen.
    ///
    /// ## Fix
    /// None: name the certificate and its key.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/configuring_https_servers.html",
}

fn check(config: &Config, report: &mut Report) {
    // What fills a template in may name the certificate.
    let is_template = |block: Directive<'_>| config.is_called_template(block.span());
    if !config.is_whole()
        || config
            .directives()
            .any(|block| block.is("server") && is_template(block))
    {
        return;
    }
    for servers in [Contexts::SERVER, Contexts::STREAM_SERVER] {
        let listening = config.listening(servers).into_iter();
        for listening in listening.filter(|listening| listening.is_certain) {
            look_at(&listening, report);
        }
    }
    for server in config
        .directives()
        .filter(|block| block.is("server") && block.is_block())
    {
        let alone = match server.inside() {
            Contexts::SERVER => server.old_switch(),
            Contexts::MAIL_SERVER => server.asks_for_tls(),
            _ => None,
        };
        let is_known = report.has(server.span());
        if let Some(switch) = alone.filter(|_| !server.has_certificate() && !is_known) {
            report
                .at(
                    switch.span(),
                    "this asks for TLS, and the server has no certificate",
                )
                .label(server.span(), "no `ssl_certificate` is in effect here");
        }
        let Some(certificate) = server.certificate_without_key() else {
            continue;
        };
        if !report.has(certificate.span()) {
            let name = config.excerpt(certificate.span());
            report
                .at(certificate.span(), format!("no `ssl_certificate_key` belongs to `{name}`"))
                .here("the key is missing")
                .help("A file that holds both is named twice: as `ssl_certificate` and as `ssl_certificate_key`.");
        }
    }
}

fn look_at(listening: &Listening<'_>, report: &mut Report) {
    let speaks = |one: &&Use<'_>| one.listen.ssl || one.listen.quic;
    let uses = &listening.uses;
    let (Some(tls), Some(default)) = (uses.iter().find(speaks), listening.default_server()) else {
        return;
    };
    let socket = &listening.socket;
    let mut explain = |one: &Use<'_>, message: String, help: &str| {
        if !report.has(one.server.span()) {
            let at = if speaks(&one) { one } else { tls };
            report
                .at(one.server.span(), message)
                .here("no `ssl_certificate` is in effect here")
                .label(at.directive.span(), "TLS is spoken here")
                .help(help);
        }
    };
    if default.server.has_certificate() {
        return;
    }
    if !default.server.rejects_handshakes() {
        let message = format!("the default server of `{socket}` speaks TLS and has no certificate");
        explain(
            default,
            message,
            "It needs `ssl_certificate` and `ssl_certificate_key`, or `ssl_reject_handshake on` when it is to answer nobody.",
        );
        return;
    }
    for one in uses {
        if !one.server.has_certificate() && !one.server.rejects_handshakes() {
            let message = format!("this server of `{socket}` speaks TLS and has no certificate");
            explain(
                one,
                message,
                "The default server of the socket has none either and rejects handshakes, so that each of the others needs its own.",
            );
        }
    }
}
