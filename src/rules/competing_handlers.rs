use crate::rule::*;

rule! {
    /// Two directives of one location want to answer its requests, and only the last one does.
    ///
    /// A location has one handler: `proxy_pass`, `fastcgi_pass`, `stub_status`, `empty_gif` and their like each put
    /// themselves in the place of the one before. nginx refuses two of one name, and takes two different ones without a word.
    ///
    /// ## When it is fine
    /// Never: the first one is dead.
    ///
    /// ## Fix
    /// None: keep the one that is meant, or give each a location of its own.
    category: Location,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let block = location.directive;
        // What answers before all of them is the matter of another rule.
        if block.answers_first().is_some() {
            continue;
        }
        let conditions = block.own("if").chain(block.own("limit_except"));
        for place in std::iter::once(block).chain(conditions) {
            let mut handlers = place.handlers();
            if handlers.len() < 2 || place.answers_first().is_some() || place.is_incomplete() {
                continue;
            }
            let Some(winner) = handlers.pop() else {
                continue;
            };
            let first = handlers[0];
            let target = routing::example(&location, &["x", ""]).filter(|_| place == block);
            let shown = config.excerpt(winner.span());

            let finding = report.at(
                first.span(),
                format!(
                    "`{}` answers nothing: `{shown}` stands below it, and the last handler wins",
                    config.excerpt(first.span())
                ),
            );
            finding
                .here("never asked")
                .label(winner.span(), "answers here")
                .witness(
                    target
                        .and_then(|example| example.url("http"))
                        .map(|url| format!("GET {url}")),
                    format!("answered by `{shown}`"),
                )
                .help("A location has one handler. `nginx -t` does not mind.");
            for other in &handlers[1..] {
                finding.label(other.span(), "never asked either");
            }
        }
    }
}
