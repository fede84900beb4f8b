use crate::rule::*;

rule! {
    /// `$1` is used where no regex that was tried has such a group, so it is empty.
    ///
    /// `$1` to `$9` are the groups of the regex that matched last: that of the `rewrite` itself, of the `if` around, or of the
    /// location. In a `rewrite` without parentheses `$1` is empty, whatever was captured before. So it is behind a regex that
    /// did not match, as in an `if` with `!~`.
    ///
    /// ## When it is fine
    /// Never. Regexes of a `map`, and for a location without a regex all of its server, are taken to have matched before.
    ///
    /// ## Fix
    /// None: put parentheses around the part that is meant.
    category: Location,
    severity: Warning,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#rewrite",
}

fn check(config: &Config, report: &mut Report) {
    for capture in config.empty_captures() {
        let place = capture.word.part(capture.range.clone());
        if capture.lost.is_some() || report.has(place) || capture.is_dead() {
            continue;
        }
        let name = String::from_utf8_lossy(&capture.word[capture.range.clone()]).into_owned();
        let user = capture.user.name();
        let is_unmatched = capture.is_unmatched();
        let message = match capture.last {
            Some(last) => {
                let shown = config.excerpt(last.span());
                let why = match (is_unmatched, last.is("if")) {
                    (false, _) => format!("`{shown}` has no such group"),
                    (true, true) => format!("`{shown}` is true where its regex does not match"),
                    (true, false) => format!("what `{shown}` matches does not get here"),
                };
                format!("`{name}` is empty in `{user}`: {why}")
            }
            None => {
                format!("`{name}` is empty in `{user}`: no regex of this server has such a group")
            }
        };
        let finding = report.at(place, message);
        finding
            .here("always empty")
            .help("A group is a part of a regex in parentheses, counted by their opening ones; `(?:` begins none.");
        if let Some(last) = capture.last.filter(|last| *last != capture.user) {
            let what = match is_unmatched {
                true => "the regex that was tried last: without a match it leaves no groups",
                false => "the regex that matched last",
            };
            finding.label(last.span(), what);
        }
    }
}
