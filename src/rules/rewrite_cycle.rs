use crate::rule::*;

rule! {
    /// A request goes round inside of nginx, which answers with 500.
    ///
    /// A `rewrite` with `last` or without a flag, the last argument of `try_files` and an `error_page` make nginx look
    /// for a location again. If that leads back to the same directive each time, nginx gives up after ten rounds, with
    /// `rewrite or internal redirection cycle` in the error log.
    ///
    /// Only what no file can prevent is reported: a `try_files` that ends in a page of its own location is one when that
    /// page is missing, and is not looked at.
    ///
    /// ## When it is fine
    /// Never.
    ///
    /// ## Fix
    /// None: only you know where the request was to go.
    category: Location,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#rewrite",
}

fn check(config: &Config, report: &mut Report) {
    for cycle in loops::rewrite_cycles(config) {
        let Some((first, others)) = cycle.round.split_first() else {
            continue;
        };
        if report.has(first.span()) {
            continue;
        }
        let mut goals: Vec<String> = cycle.turns.iter().map(|turn| turn.to.clone()).collect();
        goals.truncate(others.len().max(1) + 1);
        goals.dedup();
        let goals: Vec<String> = goals.iter().map(|goal| format!("`{goal}`")).collect();
        let way = goals.join(", then ");
        let target = &cycle.target;
        let finding = report.at(
            first.span(),
            format!("`{target}` ends in a 500: nginx leads it to {way}, and so on without end"),
        );
        finding
            .here("the request comes back to this again and again")
            .given(cycle.visibility)
            .witness(
                Some(format!("GET {}", cycle.url)),
                "500, after ten rounds inside of nginx",
            );
        for other in others {
            finding.label(other.span(), "and this is on the way");
        }
        let stays = others.is_empty() && first.is("rewrite");
        finding.help(match (stays, first.is("try_files")) {
            (true, _) => {
                "An `error_page` for 500 is not looked for any more. With `break` the rewritten URI would stay in \
                 this location."
            }
            (_, true) => {
                "An `error_page` for 500 is not looked for any more. `=404` as the last argument of `try_files` ends \
                 the search."
            }
            _ => "An `error_page` for 500 is not looked for any more.",
        });
    }
}
