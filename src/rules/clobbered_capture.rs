use crate::rule::*;

rule! {
    /// `$1` of a location's regex is used after another regex was tried, and does not hold what the location captured.
    ///
    /// There is one set of `$1` to `$9` for a request. A regex in `if` or `rewrite` that matches puts its own groups there,
    /// and one that does not match leaves none. `proxy_pass`, `alias` and the like are evaluated after all of them,
    /// wherever in the block they stand.
    ///
    /// ## When it is fine
    /// When `$1` of the `if` is meant. That of a `rewrite` with such a group, and one inside the block of the `if`, is not
    /// reported; nor is any where the request may have left the list before, by `break`.
    ///
    /// ## Fix
    /// None: name the group, as in `(?<rest>.*)`, and use `$rest`; or keep it with `set` before the other regex.
    category: Location,
    severity: Warning,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#if",
}

fn check(config: &Config, report: &mut Report) {
    for capture in config.empty_captures() {
        let (Some(location), Some(last)) = (&capture.lost, capture.last) else {
            continue;
        };
        let name = String::from_utf8_lossy(&capture.word[capture.range.clone()]).into_owned();
        let regex = config.excerpt(last.span());
        let user = capture.user.name();
        let is_own = last == capture.user;
        let message = match (is_own, capture.may_be_other) {
            (true, _) => format!(
                "`{name}` is empty: this `{user}` has a regex of its own, without such a group"
            ),
            (false, false) => format!(
                "`{name}` is empty in `{user}`: `{regex}` was tried since the location captured it"
            ),
            (false, true) => format!(
                "`{name}` in `{user}` is not what the location captured: `{regex}` was tried since"
            ),
        };
        let effect = match capture.may_be_other {
            false => format!("`{name}` is empty"),
            true => format!("`{name}` is what the other regex captured, or empty"),
        };
        let example = routing::example(location, &["x", "/x", "x/x", "/x/x"]);
        let place = capture.word.part(capture.range.clone());
        if report.has(place) {
            continue;
        }

        let finding = report.at(place, message);
        finding
            .label(location.path.span, "captured here")
            .witness(
                example.and_then(|example| example.url("http")).map(|url| format!("GET {url}")),
                effect,
            )
            .help("A group with a name, as `(?<rest>.*)`, keeps its value whatever regex is tried afterwards.");
        if !is_own {
            finding.label(
                last.span(),
                "leaves nothing of the location's groups, whether it matches or not",
            );
        }
    }
}
