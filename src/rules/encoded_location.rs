use crate::rule::*;

rule! {
    /// The name of a location holds an escape such as `%20`, and nginx compares it with the decoded path.
    ///
    /// A request for `/a%20b/` is compared as `/a b/`, so `location /a%20b/` is not for it. What does match is a path in
    /// which the percent sign itself was escaped: `/a%2520b/`.
    ///
    /// ## When it is fine
    /// When clients really escape twice. Nothing is said where a redirect inside of nginx may bring such a path, as
    /// `rewrite` with `$request_uri` does.
    ///
    /// ## Fix
    /// Unsafe: the decoded name, in quotes where it holds a blank.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let Some(place) = location.encoded() else {
            continue;
        };
        if location.is_internal() || location.may_be_redirected_to() {
            continue;
        }
        let text = |range| String::from_utf8_lossy(&location.path[range]).into_owned();
        let escape = text(place.clone());
        let twice = escape.replace('%', "%25");
        let other = routing::meant_request(&location);

        report
            .at(
                location.directive.span(),
                format!("`location {location}` is not for a request with `{escape}`: nginx decodes the path first"),
            )
            .here(format!("matches `{twice}` only"))
            .label(location.path.part(place), "compared with the decoded path")
            .witness(
                other.as_ref().and_then(|(request, _)| request.url("http")).map(|url| format!("GET {url}")),
                other.map_or_else(String::new, |(_, taker)| format!("answered by `location {taker}`")),
            )
            .help("Write the name as it reads decoded, in quotes where it holds a blank.")
            .given(location.visibility())
            .fix("write the name decoded", location.decode());
    }
}
