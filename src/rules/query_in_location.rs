use crate::rule::*;

rule! {
    /// The name of a location holds a query, and nginx compares it with the path alone.
    ///
    /// What follows the `?` of a request is no part of the path, so `location /search?page=1` is not for
    /// `/search?page=1`. What does match is a path with an escaped question mark, `/search%3Fpage=1`.
    ///
    /// ## When it is fine
    /// When paths really hold a question mark. Nothing is said where a redirect inside of nginx may bring one.
    ///
    /// ## Fix
    /// None: let a `map` of `$arg_page` or `$args` decide inside the location of the path.
    category: Location,
    severity: Warning,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let Some(place) = location.query_mark() else {
            continue;
        };
        if location.is_internal() || location.may_be_redirected_to() {
            continue;
        }
        let rest = &location.path[place.end..];
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let variable = match (length, rest.get(length)) {
            (1.., Some(b'=')) => format!("`$arg_{}`", String::from_utf8_lossy(&rest[..length])),
            _ => "`$args`".to_owned(),
        };
        let other = routing::meant_request(&location);

        report
            .at(
                location.directive.span(),
                format!("`location {location}` is not for a request with a query: nginx compares the path alone"),
            )
            .here("matches an escaped `%3F` only")
            .label(location.path.part(place), "in a request the query begins here")
            .witness(
                other.as_ref().and_then(|(request, _)| request.url("http")).map(|url| format!("GET {url}")),
                other.map_or_else(String::new, |(_, taker)| format!("answered by `location {taker}`")),
            )
            .help(format!("No location sees the query; in the location of the path a `map` of {variable} can decide."))
            .given(location.visibility());
    }
}
