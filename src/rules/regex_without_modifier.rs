use crate::rule::*;

rule! {
    /// A location is written like a regex, but without `~` nginx takes it literally.
    ///
    /// `location /img/.*\.png` only matches paths that begin with these very characters, the star and the backslash
    /// among them. Which location then answers depends on the rest of the server; nginx says nothing.
    ///
    /// ## When it is fine
    /// When paths really hold such characters. A name with a lone `*`, `?` or `+` is not reported here.
    ///
    /// ## Fix
    /// Unsafe: `~ ^` before the name. A regex is tried before plain prefixes, so other requests may land here too.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let is_path = location.is_prefix() || location.modifier == Modifier::Exact;
        if !is_path || !location.path.starts_with(b"/") {
            continue;
        }
        let Some(syntax) = Shape::syntax(&location.path) else {
            continue;
        };
        let syntax = String::from_utf8_lossy(&location.path[syntax]).into_owned();
        let how = if location.modifier == Modifier::Exact {
            "is"
        } else {
            "begins with"
        };
        report
            .at(
                location.directive.span(),
                format!("`location {location}` is no regex: it matches only a path that {how} this very text"),
            )
            .label(location.path.span, format!("`{syntax}` is taken literally"))
            .help("Only `~` and `~*` make a regex. Quotes do not.")
            .fix("make it a regex", location.as_regex());
    }
}
