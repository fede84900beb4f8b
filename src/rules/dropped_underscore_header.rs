use crate::rule::*;

rule! {
    /// A header with an underscore in its name is dropped before anything sees it.
    ///
    /// nginx takes `api_key` for an invalid name, because `api-key` and `api_key` look alike to many backends. Such a
    /// header is not passed on, and `$http_api_key` is made of `api-key` only. The error log says so at the level
    /// `info`.
    ///
    /// ## When it is fine
    /// When no client sends such headers. Only servers are reported in which `underscores_in_headers off` is written,
    /// or a header is passed on by such a name. This rule is off unless it is selected.
    ///
    /// ## Fix
    /// Unsafe: take such headers. Many backends take `X_Real_IP` of a client for `X-Real-IP`.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#underscores_in_headers",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    for dropping in config.dropped_headers() {
        let Dropping {
            server,
            place,
            sign,
            header,
        } = &dropping;
        if report.has(sign.span()) {
            continue;
        }
        let request = routing::passed_example(place, &["", "x", "/x"]);
        let request = request.and_then(|example| example.url("http"));
        let message = match sign.is("underscores_in_headers") {
            true => "headers with an underscore in their names do not reach the backend".to_owned(),
            false => format!("`{header}` of the client is dropped before it can be passed on"),
        };
        report
            .at(sign.span(), message)
            .given(server.directive.effective("underscores_in_headers").visibility)
            .given(server.directive.effective("ignore_invalid_headers").visibility)
            .witness(
                request.map(|url| format!("curl -H '{header}: 1' {url}")),
                format!("nothing is left of `{header}`"),
            )
            .help("`proxy_pass_header` is about answers. A client that can be changed writes `-` in the place of `_`.")
            .fix("take headers with underscores", dropping.keep());
    }
}
