use crate::rule::*;

rule! {
    /// What a location protects is given away by another location that asks nobody anything.
    ///
    /// `auth_basic`, `allow` and `deny`, `auth_request` and `internal` belong to the block that answers, and a regex that
    /// matches answers before any prefix without `^~`. With `location /admin/ { auth_basic …; }` beside
    /// `location ~ \.php$ { fastcgi_pass …; }`, every script below `/admin/` runs without a password.
    ///
    /// Reported are requests for which both locations lead to the same file, script, or answer of an upstream. For a
    /// protected `/`, every other location that answers counts.
    ///
    /// ## When it is fine
    /// When what is shown may be seen by everybody, as the style sheets of a login page. A location that was written for a
    /// part of the protected path, or that says by `auth_basic off` or `allow all` that it is open, is not reported.
    ///
    /// ## Fix
    /// Unsafe: a copy of the other location inside the protected one, where it is tried first and inherits the protection.
    /// What would then have nothing left to answer is moved.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for bypass in urispace::bypassed(config) {
        let Some(first) = bypass.ways.first() else {
            continue;
        };
        let (location, place) = (&bypass.location, bypass.location.directive.span());
        let checks = bypass.checks.iter();
        let checks: Vec<String> = checks
            .map(|check| format!("`{}`", config.excerpt(check.span())))
            .collect();
        let checks = checks.join(" and ");
        let target = routing::target(&first.path);
        let other = &first.location;
        let at = config.place(other.directive.span(), place);
        let finding = report.at(
            place,
            format!("`{target}` is open to everybody: `{other}` on {at} answers it, without the {checks} of `{location}`"),
        );
        finding
            .here(format!("{checks} holds for what this block answers"))
            .witness(
                routing::request_url(location, &first.path, "http"),
                format!(
                    "answered by `location {other}` on {at} without a question: {}",
                    first.answer()
                ),
            )
            .given(location.visibility());
        for way in &bypass.ways {
            let (example, resource) = (routing::target(&way.path), &way.resource);
            let span = way.location.directive.span();
            finding
                .label(span, format!("answers `{example}`: {resource}"))
                .given(way.location.visibility());
        }
        let path = &location.path;
        finding.help(match location.modifier {
            _ if first.is_slashless => format!(
                "`{path}` begins only where a slash follows. Add `location = {target} {{ return 301 {path}; }}`."
            ),
            Modifier::Exact => format!(
                "An exact name does not hold for what follows it. `location ^~ {path}/ {{ deny all; }}` closes this way."
            ),
            Modifier::Regex | Modifier::CaselessRegex => format!(
                "Of two regexes the first that matches answers. Put a copy of `location {other}` inside this one, and this one above {at}."
            ),
            _ if first.is_script_of_file => "Moving the blocks changes nothing. Nor is `^~` enough: no script would run any more, and whoever is let in would get their source text.".to_owned(),
            _ => "Moving the blocks changes nothing: a regex that matches answers before every prefix without `^~`.".to_owned(),
        });
        finding.fix(
            format!("put `location {other}` inside `location {location}`"),
            bypass.copies(),
        );
    }
}
