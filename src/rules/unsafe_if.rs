use crate::rule::*;

rule! {
    /// Where an `if` in a location is true, the location loses its `try_files` or headers.
    ///
    /// An `if` is a location of its own that nginx moves the request into. It inherits the handler and most settings, but no
    /// `try_files`, not even when it only sets a variable: `/index.html` or the named location is not tried, and a missing file is a
    /// 404. One `add_header` in it drops all that the location and the levels around it add, and of two that are true
    /// the last one counts.
    ///
    /// ## When it is fine
    /// When the `if` answers by itself: with `return`, a redirect, a handler or a file of its own. Such are not reported, nor is a
    /// `set` or `rewrite` where there is no `try_files`.
    ///
    /// ## Fix
    /// None: let a `map` make the value, and use it without an `if`; a header whose value is empty is not sent.
    category: Location,
    severity: Warning,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#if",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let Some(loss) = location.lost_by_condition() else {
            continue;
        };
        let (Loss::TryFiles { condition, .. }
        | Loss::Headers { condition, .. }
        | Loss::Earlier { condition, .. }) = &loss;
        let place = condition.span();
        if report.has(place) {
            continue;
        }
        let shown = config.excerpt(place);
        match &loss {
            Loss::TryFiles { lost, .. } => {
                let last = lost.arguments().next_back();
                let last = last.map_or_else(String::new, |word| word.text().into_owned());
                report
                    .at(place, format!("where `{shown}` is true, `try_files` is not run, and `{last}` is not tried"))
                    .here("a location of its own, without `try_files`")
                    .label(lost.span(), "no `if` inherits this")
                    .help("An `if` that only sets a variable, or holds nothing, does the same, and the order of the two makes no difference. A `map` can make the value instead, or the `if` can stand in the server.");
            }
            Loss::Headers { own, lost, .. } => {
                let finding = report.at(
                    place,
                    format!(
                        "where `{shown}` is true, {} {} not sent",
                        names(lost),
                        are(lost.len())
                    ),
                );
                finding
                    .label(own.span(), "drops all that are inherited")
                    .help("Add the header without an `if`, with a value that a `map` makes: an empty one is not sent.");
                for header in lost {
                    finding.label(header.span(), "not sent then");
                }
            }
            Loss::Earlier { later, lost, .. } => {
                let finding = report.at(
                    place,
                    format!(
                        "where `{}` is true too, {} {} not sent: the last `if` counts",
                        config.excerpt(later.span()),
                        names(lost),
                        are(lost.len())
                    ),
                );
                finding
                    .label(later.span(), "the request ends up here")
                    .help("Add the headers without an `if`, with values that a `map` makes: an empty one is not sent.");
            }
        }
    }
}

fn are(lost: usize) -> &'static str {
    match lost {
        1 => "is",
        _ => "are",
    }
}

/// The names of headers, as `X-A, X-B`.
fn names(headers: &[Directive<'_>]) -> String {
    let names = headers.iter().filter_map(|header| header.argument(0));
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
