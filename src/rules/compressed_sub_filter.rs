use crate::rule::*;

rule! {
    /// `sub_filter` looks for its text in compressed answers, and replaces nothing.
    ///
    /// nginx passes `Accept-Encoding` of the client on, and a backend that compresses does so for nearly every browser.
    /// The filter then searches the compressed bytes. With curl, which asks for no compression, everything looks right.
    ///
    /// ## When it is fine
    /// When the backend never compresses. Where `Accept-Encoding` is set to nothing or to `identity`, nothing is
    /// reported.
    ///
    /// ## Fix
    /// Safe: ask the backend for plain answers. nginx compresses them for clients by itself where `gzip` is on.
    category: Proxy,
    severity: Warning,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_sub_module.html",
}

fn check(config: &Config, report: &mut Report) {
    for (filter, places) in config.proxied_under(Proxied::replaces_compressed) {
        let Some(place) = places.first() else {
            continue;
        };
        let request = routing::passed_example(place, &["", "x", "/x"]);
        let request = request.and_then(|example| example.url("http"));
        let visibility = places.iter().map(Proxied::header_visibility).max();

        let finding = report.at(
            filter.span(),
            format!(
                "`{}` replaces nothing in answers that the backend compresses",
                filter.name()
            ),
        );
        finding
            .given(visibility.unwrap_or(Visibility::Whole))
            .witness(
                request.map(|url| format!("curl --compressed {url}")),
                "unchanged where the backend compresses its answer",
            )
            .help(
                "`gunzip on` does not help: nginx unpacks only for clients that take no gzip. The order of the directives \
                 makes no difference.",
            );
        for place in &places {
            let (span, text) = match place.headers().get("Accept-Encoding") {
                Some(header) => (header.span(), "asks for compression"),
                None => (
                    place.pass.span(),
                    "passes `Accept-Encoding` of the client on",
                ),
            };
            finding.label(span, text);
        }
        let edits = places
            .iter()
            .flat_map(|place| place.send("Accept-Encoding", "\"\""));
        finding.fix("ask for plain answers", edits);
    }
}
