use crate::rule::*;

rule! {
    /// A host in `proxy_pass` that is written almost like an `upstream`.
    ///
    /// A host that is no `upstream` is looked up by its name. When that fails, nginx does not start ("host not found in
    /// upstream"), or, where the address holds a variable, answers 502. When it succeeds, the requests go to somebody else.
    ///
    /// ## When it is fine
    /// When a machine or a container has this name. Names that differ in a digit or at their end are not reported, nor is
    /// a host with a port or a domain.
    ///
    /// ## Fix
    /// Unsafe: name the `upstream`.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#upstream",
}

fn check(config: &Config, report: &mut Report) {
    let visibility = config.visibility_of_definitions();
    for place in config.proxied() {
        let (Some(backend), Some(address)) = (place.backend(), place.pass.argument(0)) else {
            continue;
        };
        let is_plain =
            backend.peer == Peer::Name && backend.port.is_none() && !backend.host.contains('.');
        if !is_plain || report.has(address.span) {
            continue;
        }
        let host = backend.host.to_ascii_lowercase();
        let mut meant = config.upstream_names().filter(|name| is_slip(&host, name));
        let (Some(meant), None) = (meant.next(), meant.next()) else {
            continue;
        };
        let Some(group) = config.upstream(meant) else {
            continue;
        };
        let name = group
            .argument(0)
            .map_or(meant.to_owned(), |name| name.text().into_owned());
        let start = address
            .windows(host.len())
            .position(|part| part.eq_ignore_ascii_case(host.as_bytes()));
        let effect = match backend.evaluated {
            true => "502 unless a machine has this name",
            false => "nginx does not start unless a machine has this name",
        };

        let finding = report.at(
            start.map_or(address.span, |start| {
                address.part(start..start + host.len())
            }),
            format!("`{}` is no upstream; `{name}` is", backend.host),
        );
        finding
            .here(effect)
            .label(group.span(), "meant, perhaps")
            .given(visibility)
            .help("nginx looks up as a host what is not the name of an `upstream`, and does not tell the two apart.");
        if let Some(start) = start.filter(|_| address.is_verbatim()) {
            let place = address.part(start..start + host.len());
            finding.fix(format!("name `{name}`"), [Edit::replace(place, name)]);
        }
    }
}
