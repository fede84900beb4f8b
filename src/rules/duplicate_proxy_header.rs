use crate::rule::*;

rule! {
    /// A header that is set twice goes to the backend twice.
    ///
    /// `proxy_set_header` does not replace an earlier one of the same level, whatever the case of their names: each makes a
    /// line of its own. Often one of the two comes from an included file such as `proxy_params`. To two `Host` lines a
    /// backend has to answer 400 (RFC 9112); of other headers it takes the first, the last, or both with a comma between.
    ///
    /// ## When it is fine
    /// For headers that are lists, such as `Forwarded` or `Cookie`: those are reported only when the same value is sent
    /// twice. Where one of the two values may be empty, which sends no line, nothing is reported.
    ///
    /// ## Fix
    /// Delete the earlier one. Safe where both say the same, else unsafe: the backend may have listened to the first.
    category: Proxy,
    severity: Warning,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        for (earlier, later) in place.headers().doubled() {
            if report.has(later.span()) {
                continue;
            }
            let (Some(name), Some(first), Some(second)) =
                (later.argument(0), earlier.argument(1), later.argument(1))
            else {
                continue;
            };
            let same = first.value == second.value;
            let message = match same {
                true => format!("the backend gets `{name}` twice, both times as `{first}`"),
                false => format!("the backend gets `{name}` twice: as `{first}` and as `{second}`"),
            };
            let effect = match name.is_header("Host") {
                true => "400 by a backend that keeps to the standard: it gets two `Host` lines",
                false => "the backend chooses one of the two lines, or joins them with a comma",
            };
            let request = routing::passed_example(&place, &["", "x", "/x"]);
            let request = request.and_then(|example| example.url("http"));

            let finding = report.at(later.span(), message);
            finding
                .here("this adds a line, and replaces none")
                .label(earlier.span(), "the other line")
                .witness(request.map(|url| format!("GET {url}")), effect)
                .help("nginx sends every line of the list that is in effect. Their order does not matter to it.");
            // What is written in an included file may be needed elsewhere.
            let block = later.parent().map(|block| block.full_span().file);
            let is_own = |header: Directive<'_>| block == Some(header.full_span().file);
            if same && is_own(later) && !is_own(earlier) {
                finding.fix("set it once", [later.remove()]);
            } else if is_own(earlier) {
                let safety = if same { Safety::Safe } else { Safety::Unsafe };
                finding.fix_that_is(safety, "keep the last one", [earlier.remove()]);
            }
        }
    }
}
