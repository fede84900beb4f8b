use crate::rule::*;

rule! {
    /// nginx refuses a literal URI in `proxy_pass` where there is no name that it could replace.
    ///
    /// A URI part replaces the name of a location. A regex or named location has no such name, nor has an `if` or a
    /// `limit_except`, so nginx does not start.
    ///
    /// ## When it is fine
    /// Never; with a variable in the address nginx accepts it, and replaces the whole URI.
    ///
    /// ## Fix
    /// Unsafe: drop the URI part. The backend is then asked for the request's own URI.
    category: Load,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

fn check(config: &Config, report: &mut Report) {
    for pass in config
        .directives()
        .filter(|directive| directive.is("proxy_pass"))
    {
        let Some(block) = pass.parent() else { continue };
        let inside = match Location::of(block) {
            Some(location) if location.is_regex() => "a regex location",
            Some(location) if location.modifier == Modifier::Named => "a named location",
            _ if block.inside() == Contexts::LOCATION_IF => "`if`",
            _ if block.inside() == Contexts::LIMIT_EXCEPT => "`limit_except`",
            _ => continue,
        };
        let Some(url) = pass
            .argument(0)
            .and_then(ProxyUrl::parse)
            .filter(|url| !url.has_variables())
        else {
            continue;
        };
        let Some(uri) = url.uri_word() else { continue };

        report
            .at(uri.span, format!("nginx refuses the URI `{uri}` in `proxy_pass` inside {inside}"))
            .here("no location name that this could replace")
            .label(block.span(), "in here")
            .help("A `rewrite … break` before a `proxy_pass` without URI changes the path in such a place.")
            .fix("drop the URI part", [Edit::delete(uri.span)]);
    }
}
