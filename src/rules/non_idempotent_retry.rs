use crate::rule::*;

rule! {
    /// A request that changes something may be carried out by two servers.
    ///
    /// When a server is late or fails, nginx asks the next one. A POST, a PATCH or a LOCK that has been sent is not sent
    /// again, since the first server may have acted on it already; `non_idempotent` in `proxy_next_upstream` switches
    /// this protection off. An order is then placed twice, and the client sees one answer.
    ///
    /// ## When it is fine
    /// When a POST here only reads, as in searches and JSON-RPC, or the backend knows a request again by a key. With a single
    /// server nothing is sent twice yet, which is a note; `proxy_next_upstream_tries 1` keeps it so.
    ///
    /// ## Fix
    /// Unsafe: drop the word. A server that refuses the connection is passed over all the same, with a POST too.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
}

fn check(config: &Config, report: &mut Report) {
    let retries = config
        .passed()
        .filter(Proxied::takes_post)
        .filter_map(|place| {
            let retry = place.retry()?;
            Some((place, retry))
        });
    let mut retries: Vec<_> = retries.collect();
    // Of what one directive does at several places, the worst is told.
    retries.sort_by_key(|(_, retry)| !matches!(retry.peers, Peers::Several(_)));
    for (place, retry) in retries {
        let span = retry.word.span;
        if report.has(span) {
            continue;
        }
        let when = &retry.when;
        let (severity, message) = match &retry.peers {
            Peers::Several(name) => (
                Severity::Warning,
                format!("a POST goes to a second server of `{name}` when the first one {when}"),
            ),
            Peers::One(name) => (
                Severity::Note,
                format!(
                    "as soon as `{name}` has two servers, a POST goes to both when the first one {when}"
                ),
            ),
            Peers::Named(name) => (
                Severity::Note,
                format!(
                    "where `{name}` has two addresses, a POST goes to both when the first one {when}"
                ),
            ),
        };
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let request = example
            .filter(|_| severity == Severity::Warning)
            .and_then(|example| example.url("http"));

        report
            .at(span, message)
            .severity(severity)
            .here("the first one may have acted on it already")
            .label(place.pass.span(), "for requests from here")
            .witness(request.map(|url| format!("POST {url}")), "both servers get it where the first one fails so")
            .help("Without the word a POST that no server has got yet is still sent to the next, and so is every GET.")
            .fix("send such requests once", retry.without_word());
    }
}
