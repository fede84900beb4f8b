use crate::rule::*;

rule! {
    /// Clients can tell nginx or the backend an address that is not theirs.
    ///
    /// `set_real_ip_from` says whose word is taken: who connects from there sets `$remote_addr`, on which `allow`,
    /// `limit_req` and the logs rest. `X-Forwarded-For` is a header as any other: what the client wrote into it stays
    /// in front of what `$proxy_add_x_forwarded_for` adds, and a backend that reads its first address reads what the
    /// client made up.
    ///
    /// ## When it is fine
    /// When only proxies can connect, or the backend counts from the end. Set `trusted-proxies` to the addresses of the
    /// proxies in front: then only others that are trusted are reported. This rule is off unless it is selected.
    ///
    /// ## Fix
    /// Unsafe: send the address of the client alone, and trust the proxies that were told. No proxy in front may be
    /// unknown then.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_realip_module.html",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    for trust in config.open_trust() {
        let Some((first, others)) = trust.directives.split_first() else {
            continue;
        };
        let network = &trust.network;
        let who = match network.ends_with(b"/0") {
            true => "anyone".to_owned(),
            false => format!("who connects from {network}"),
        };
        let here = match config.trusted_proxies().is_empty() {
            true => "everybody is trusted",
            false => "not among your `trusted-proxies`",
        };
        let finding = report.at(
            first.span(),
            format!("{who} may tell by `{}` which address it has", trust.header),
        );
        finding.here(here).help(
            "Name the addresses of the proxies in front only. `real_ip_recursive` does not help: with it nginx skips every \
             address that is trusted.",
        );
        for other in others {
            finding.label(other.span(), here);
        }
        finding.fix("trust the proxies in front", trust.name_proxies());
    }
    for (word, meant) in config.misspelled_real_ip() {
        report
            .at(word.span, format!("no proxy tells an address by `{word}`"))
            .here(format!("did you mean `{meant}`?"))
            .help("A header that no proxy sets comes from the client as it is.")
            .fix(
                "take the header of proxies",
                [Edit::replace(word.span, meant)],
            );
    }
    for place in config.proxied() {
        let Some(told) = place.forged_addresses() else {
            continue;
        };
        let request = routing::passed_example(&place, &["", "x", "/x"]);
        let url = request.and_then(|example| example.url("http"));
        let (span, message, effect) = match &told {
            Told::Appended(header) => (
                header.span(),
                "what a client writes into `X-Forwarded-For` stays in front of its address",
                "the backend gets 192.0.2.1 first, and the address of the client after it",
            ),
            Told::Copied(header) => (
                header.span(),
                "what a client writes into `X-Forwarded-For` reaches the backend",
                "the backend gets 192.0.2.1 and nothing else",
            ),
            Told::Passed => (
                place.pass.span(),
                "what a client writes into `X-Forwarded-For` reaches the backend",
                "the backend gets 192.0.2.1 and nothing else",
            ),
        };
        if report.has(span) {
            continue;
        }
        let edits = match &told {
            Told::Appended(header) | Told::Copied(header) => header
                .argument(1)
                .map(|value| Edit::replace(value.span, "$remote_addr"))
                .into_iter()
                .collect(),
            Told::Passed => place.send("X-Forwarded-For", "$remote_addr"),
        };
        report
            .at(span, message)
            .severity(Severity::Note)
            .given(place.header_visibility())
            .alike((place.server_number(), told.key()))
            .witness(url.map(|url| format!("curl -H 'X-Forwarded-For: 192.0.2.1' {url}")), effect)
            .help("That is right where another proxy stands in front: `trusted-proxies` in the settings, or `set_real_ip_from`, tells of it.")
            .fix("send the address of the client alone", edits);
    }
}
