use crate::rule::*;

rule! {
    /// Somebody else's server is asked for the name of this site.
    ///
    /// A server on the internet chooses the site by the `Host` header. With `proxy_set_header Host $host` it is asked for
    /// the name that the client used, which it does not know: it answers 404, shows its default site, or, for a storage
    /// service, says that there is no such bucket.
    ///
    /// ## When it is fine
    /// When the other server knows the name of this site too. Where it shares its domain with a name of this server, or
    /// answers for it below `/.well-known/`, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: send the name of the other server.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
}

/// The name of the other server, where it gets the host of the client and shares no domain with this server.
fn foreign(place: &Proxied<'_>) -> Option<String> {
    let headers = place.headers();
    let header = place
        .host_header()
        .filter(|_| !headers.is_repeated("Host"))?;
    let name = place
        .backend()?
        .name()
        .filter(|name| is_public_name(name))?;
    let domain = |name: &str| {
        let labels: Vec<&str> = name.trim_end_matches('.').rsplit('.').take(2).collect();
        labels.join(".").to_ascii_lowercase()
    };
    let server = place.location.server()?;
    let is_ours = server
        .names()
        .any(|own| domain(&own.text()) == domain(&name) || own.starts_with(b"~"));
    let is_clients = ["$host", "$http_host"]
        .iter()
        .any(|clients| header == *clients);
    (is_clients && !is_ours).then_some(name)
}

fn check(config: &Config, report: &mut Report) {
    for places in config.proxied_alike(foreign) {
        // A server that answers for the names below this path knows them.
        let is_known = |place: &Proxied<'_>| place.location.path.text().contains("/.well-known");
        if places.iter().any(is_known) {
            continue;
        }
        let Some((place, name)) = places
            .first()
            .and_then(|place| Some((place, foreign(place)?)))
        else {
            continue;
        };
        let Some(header) = place.headers().get("Host") else {
            continue;
        };
        let example = routing::passed_example(place, &["", "x", "/x"]);
        let url = example.and_then(|example| example.url("http"));
        let host = place
            .location
            .server()
            .and_then(|server| server.example_host());
        let shown = host.map_or("the name of this site".to_owned(), |host| {
            format!("the host `{host}`")
        });

        let finding = report.at(header.span(), format!("`{name}` is asked for {shown}"));
        finding
            .here("this is the name that the client used")
            .given(place.header_visibility())
            .witness(
                url.map(|url| format!("GET {url}")),
                format!("`{name}` answers 404 or with another site, unless it knows {shown}"),
            )
            .behind(place.scope)
            .help("Without a `Host` of your own nginx sends the host of `proxy_pass`.");
        for place in &places {
            finding.label(place.pass.span(), "somebody else's server");
        }
        let is_group = matches!(
            place.backend(),
            Some(Backend {
                peer: Peer::Group(_),
                ..
            })
        );
        let value = if is_group {
            name.as_str()
        } else {
            "$proxy_host"
        };
        let edits = places.iter().flat_map(|place| place.send("Host", value));
        finding.fix("send the name of the other server", edits);
    }
}
