use crate::rule::*;

rule! {
    /// The address of a container is looked up once, when nginx starts.
    ///
    /// A name that is written out in `proxy_pass` or in a `server` of an `upstream` is looked up by the system when the
    /// configuration is loaded, and never again. A container that is started anew may get another address; nginx goes on
    /// connecting to the old one, and answers 502 or shows what now has that address, until it is reloaded.
    ///
    /// ## When it is fine
    /// When the name stands for an address that does not change, as that of a Kubernetes service does. Only names without
    /// dots are reported, and only where a `resolver` of Docker's is set or other names are those of a cluster.
    ///
    /// ## Fix
    /// Unsafe: look the name up again and again, in an `upstream` of nginx 1.27.3 or later. In a `proxy_pass` a variable
    /// does that, which also changes how paths are mapped and redirects are changed back.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#resolve",
}

fn check(config: &Config, report: &mut Report) {
    let Some(sign) = config.sign_of_containers() else {
        return;
    };
    for place in config.proxied() {
        let Some(backend) = place.backend().filter(|backend| !backend.evaluated) else {
            continue;
        };
        let Some(address) = place
            .pass
            .argument(0)
            .filter(|_| backend.peer == Peer::Name)
        else {
            continue;
        };
        if backend.host.contains('.') || backend.host == "localhost" || report.has(address.span) {
            continue;
        }
        report
            .at(address.span, format!("`{}` is looked up once, when nginx starts", backend.host))
            .here("a new container with this name may have another address")
            .alike(&backend.host)
            .label(sign.span(), "containers are looked up here")
            .help("The `resolver` is asked only for addresses with variables, and for servers of an `upstream` with `resolve`.");
    }
    for group in config.upstreams_of_http() {
        for frozen in group.frozen_servers() {
            let Some(address) = frozen
                .argument(0)
                .filter(|address| !report.has(address.span))
            else {
                continue;
            };
            let host = address
                .text()
                .split(':')
                .next()
                .unwrap_or_default()
                .to_owned();
            report
                .at(address.span, format!("`{host}` is looked up once, when nginx starts"))
                .here("a new container with this name may have another address")
                .alike(&host)
                .label(sign.span(), "containers are looked up here")
                .help("The `resolver` is asked only for addresses with variables, and for servers with `resolve`.")
                .fix("look it up again and again", group.thaw(frozen));
        }
    }
}
