use crate::rule::*;

rule! {
    /// Where people sign in, headers get larger than nginx's buffers.
    ///
    /// The header of an answer must fit into one `proxy_buffer_size`, a page of memory: 4 KB on most machines. Tokens of
    /// OpenID Connect and SAML in `Set-Cookie` are larger; then the client gets a 502, and the error log says "upstream sent
    /// too big header". The next request brings the cookies back: a line of more than 8 KB is refused with 400 "Request
    /// Header Or Cookie Too Large" before any location is looked for.
    ///
    /// ## When it is fine
    /// When the application keeps its tokens to itself, which cannot be seen here; this is why the rule is off unless it is
    /// selected. Where either size is set, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: 16 KB for answers, with buffers that fit, and 32 KB for the headers of requests.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    let mut told = None;
    for place in config.proxied() {
        let server = place.location.server();
        if !place.has_default_header_buffers() || told == Some(server) {
            continue;
        }
        let Some(reason) = place.signs_in() else {
            continue;
        };
        told = Some(server);
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let request = example.and_then(|example| example.url("http"));

        report
            .at(
                place.location.path.span,
                format!("an answer to `{}` with a header of more than 4 KB becomes a 502", place.location),
            )
            .here(format!("people likely sign in here: {reason}"))
            .given(place.header_buffers_visibility())
            .witness(
                request.map(|url| format!("GET {url}")),
                "502 where the backend sends large cookies; the error log says \"upstream sent too big header\"",
            )
            .help(
                "More `proxy_buffers` alone do not help: the header goes into `proxy_buffer_size`. Cookies of more than 8 KB \
                 are refused with 400, until `large_client_header_buffers` is larger.",
            )
            .fix("make room for large headers", place.grow_header_buffers());
    }
}
