use crate::rule::*;

rule! {
    /// A location misses requests by a slash at their end, or by capital letters.
    ///
    /// Paths are compared byte by byte. `= /health/` does not answer `/health`, and `/API/` not `/api/`; both then come
    /// to another location, often to the one that answers everything with a page.
    ///
    /// ## When it is fine
    /// When nobody asks for the other form. Nothing is reported where a location of the other form, or a regex, answers
    /// it. This rule is off unless it is selected.
    ///
    /// ## Fix
    /// Unsafe: take the slash off an exact name. The path with the slash is missed then.
    category: Location,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    for location in config.locations() {
        let Some(miss) = routing::near_miss(&location) else {
            continue;
        };
        let by = match &miss.taker {
            Some(taker) => format!("answered by `{taker}`"),
            None => "looked up as a file".to_owned(),
        };
        let finding = report.at(
            location.path.span,
            format!("`{location}` does not answer `{}`", miss.path),
        );
        finding
            .given(location.visibility())
            .witness(miss.request, by.clone())
            .here(format!("`{}` is {by}", miss.path))
            .help("The order of the locations has nothing to do with it.");
        if let Some(taker) = &miss.taker {
            finding.label(taker.path.span, "answers it");
        }
        finding.fix("take the slash off", miss.edit);
    }
}
