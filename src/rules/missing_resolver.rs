use crate::rule::*;

rule! {
    /// A name in a `proxy_pass` with variables is looked up for each request, and no `resolver` says where.
    ///
    /// With a variable anywhere in its address, `proxy_pass` does not look the host up when nginx starts. It asks the DNS
    /// server of the `resolver` directive; without one the answer is 502, and the error log says "no resolver defined to
    /// resolve". Neither `/etc/hosts` nor `/etc/resolv.conf` is read for that, so that even `localhost` is not found.
    ///
    /// ## When it is fine
    /// When the variable holds an IP address, the name of an `upstream`, or a host and port that another directive names
    /// without variables: those are known. A variable of which nothing is written is told of in a note.
    ///
    /// ## Fix
    /// Unsafe: set the `resolver` that is used elsewhere in the configuration, or Docker's for a name without dots.
    category: Proxy,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver",
}

fn check(config: &Config, report: &mut Report) {
    // Resolvers and upstreams usually live in other files.
    if config.visibility_of_definitions() != Visibility::Whole {
        return;
    }
    let known = config
        .directives()
        .find(|other| other.is("resolver") && other.subsystem() == Some(nginx::Subsystem::Http));
    for place in config.proxied() {
        let Some(address) = place.pass.argument(0).filter(Word::has_variables) else {
            continue;
        };
        let resolver = place.scope.effective("resolver");
        if resolver.directive().is_some() || report.has(address.span) {
            continue;
        }
        let found = match place.backends() {
            None => continue,
            Some(Err(name)) => {
                report
                    .at(address.span, format!("a name in `${name}` is not found: no `resolver` is set"))
                    .severity(Severity::Note)
                    .here("502 unless it is an IP address or the name of an `upstream`")
                    .help("nginx asks neither /etc/hosts nor /etc/resolv.conf for what it looks up while it runs.");
                continue;
            }
            Some(Ok(backends)) => {
                let late: Vec<_> = backends
                    .iter()
                    .filter(|one| one.is_resolved_late(config))
                    .collect();
                let [first, ..] = late[..] else { continue };
                let severity = match late.len() == backends.len() {
                    true => Severity::Error,
                    false => Severity::Note,
                };
                let is_one = backends.iter().all(|other| other.host == first.host);
                (severity, first.host.clone(), is_one)
            }
        };
        let (severity, host, is_one) = found;
        let requests = match is_one {
            true => "each request",
            false => "some requests",
        };
        let request = routing::passed_example(&place, &["", "x", "/x"]);
        // Which value a plain request gets is not known.
        let request = request.filter(|_| is_one);
        let request = request.and_then(|example| example.url("http"));
        let finding = report.at(
            address.span,
            format!("`{host}` is looked up for {requests}, and no `resolver` is set"),
        );
        finding
            .severity(severity)
            .here("the variable puts the lookup off until a request comes")
            .witness(
                request.map(|url| format!("GET {url}")),
                format!("502; the error log says \"no resolver defined to resolve {host}\""),
            )
            .behind(place.scope)
            .help(
                "While nginx runs it asks only the `resolver`, neither /etc/hosts nor /etc/resolv.conf. A name in \
                 `proxy_pass` without variables is looked up by the system when nginx starts.",
            );
        let line = match known {
            Some(known) => Some(known.written()),
            None if !host.contains('.') && host != "localhost" => {
                Some("resolver 127.0.0.11 valid=10s;".to_owned())
            }
            None => None,
        };
        let edit = line.map(|line| place.pass.prepend_lines(&[line]));
        finding.fix("name a DNS server", edit);
    }
}
