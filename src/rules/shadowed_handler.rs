use crate::rule::*;

rule! {
    /// A `return` or a redirecting `rewrite` answers every request of a location before its handler is asked.
    ///
    /// nginx runs `return` and `rewrite` before it looks for a handler, wherever in the block they stand. A `proxy_pass`
    /// beside an unconditional `return` passes nothing on.
    ///
    /// ## When it is fine
    /// While something is switched off for a time. Where a `break` above may skip the `return`, nothing is said.
    ///
    /// ## Fix
    /// None: keep the one that is meant, or put a condition around the `return`.
    category: Location,
    severity: Note,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let handlers = location.directive.handlers();
        let (Some(first), Some(answer)) = (handlers.first(), location.directive.answers_first())
        else {
            continue;
        };
        if location.directive.is_incomplete() {
            continue;
        }
        let shown = config.excerpt(answer.span());
        let example = routing::example(&location, &["x", ""]).filter(|_| answer.is("return"));

        let finding = report.at(
            first.span(),
            format!(
                "`{}` answers nothing: `{shown}` comes first",
                config.excerpt(first.span())
            ),
        );
        finding
            .here("never asked")
            .label(answer.span(), "answers every request of this location")
            .witness(
                example
                    .and_then(|example| example.url("http"))
                    .map(|url| format!("GET {url}")),
                format!("answered by `{shown}`"),
            )
            .help("The order of the two lines makes no difference.");
        for other in &handlers[1..] {
            finding.label(other.span(), "never asked either");
        }
    }
}
