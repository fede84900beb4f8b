use crate::rule::*;

/// What the fix lets in where no other location says how much.
const ENOUGH: &str = "50m";

/// Limits from here on are large enough for most, in bytes.
const SMALL: u64 = 1 << 20;

rule! {
    /// Files are sent to a location that takes no more than a megabyte.
    ///
    /// `client_max_body_size` is 1m unless it is set. A larger request is answered with 413 before the backend hears of it,
    /// and the backend's own limit makes no difference. The nearest level counts: a limit in another location is not
    /// inherited, and one that is written in the http block, the server and the location counts once.
    ///
    /// ## When it is fine
    /// When all files are small. Where a location sets its own limit, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: the limit of another location of the server, or 50m.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.passed() {
        let block = place.location.directive;
        let Some(reason) = place.takes_uploads() else {
            continue;
        };
        let limit = place.body_limit();
        let is_own = block.own("client_max_body_size").next().is_some();
        let is_closed = block.own("limit_except").next().is_some();
        if limit.bytes == 0
            || limit.bytes > SMALL
            || is_own
            || is_closed
            || report.has(place.location.path.span)
        {
            continue;
        }
        let larger = place.larger_elsewhere(limit.bytes);
        let size = larger.and_then(|larger| larger.argument(0));
        let size = size.map_or_else(|| ENOUGH.to_owned(), |size| size.text().into_owned());
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let request = example.and_then(|example| example.url("http"));
        let shown = limit.shown();

        let finding = report.at(
            place.location.path.span,
            format!(
                "a file of more than {shown} for `{}` is refused with 413",
                place.location
            ),
        );
        finding
            .here(format!("likely takes files: {reason}"))
            .given(limit.set.visibility)
            .witness(
                request.map(|url| format!("POST {url} with a larger body")),
                "413; the backend is not asked, and the error log says \"client intended to send too large body\"",
            )
            .help(match limit.set.directive() {
                Some(_) => "The nearest `client_max_body_size` counts, and no limit of the backend replaces it.",
                None => "Unless it is set, `client_max_body_size` is 1m. No limit of the backend, such as PHP's, replaces it.",
            })
            .fix(
                "let larger files in",
                block.grow(place.pass, &[format!("client_max_body_size {size};")]),
            );
        if let Some(set) = limit.set.directive() {
            finding.label(set.span(), "the limit here");
        }
        if let Some(larger) = larger {
            finding.label(larger.span(), "counts in its own location only");
        }
    }
}
