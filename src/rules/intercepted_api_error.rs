use crate::rule::*;

rule! {
    /// An error that an API answers with reaches the client as an HTML page.
    ///
    /// Where `proxy_intercept_errors` is on, nginx throws the answer of the backend away for every status that an
    /// `error_page` is for. What an API says about the error is lost, and programs that expect JSON stumble over the
    /// page.
    ///
    /// ## When it is fine
    /// When people look at what is answered below this path. Only paths with a segment such as `api` or `graphql` are
    /// reported, and only where both directives come from the server or further out; pages for 500 and above are not.
    ///
    /// ## Fix
    /// Unsafe: pass errors of the API on. The page then only stands for errors that nginx makes itself.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_intercept_errors",
}

fn check(config: &Config, report: &mut Report) {
    for (switch, places) in config.proxied_under(|place| Some(place.intercepted()?.switch)) {
        let Some((place, lost)) = places
            .first()
            .and_then(|place| Some((place, place.intercepted()?)))
        else {
            continue;
        };
        let request = routing::passed_example(place, &["x", "/x", ""]);
        let request = request.and_then(|example| example.url("http"));
        let effect = match lost.status {
            Some(status) => format!(
                "the page with {status} where the backend answers {}",
                lost.code
            ),
            None => format!("the page where the backend answers {}", lost.code),
        };
        let finding = report.at(
            switch.span(),
            format!(
                "a {} of the API at `{}` becomes the page `{}`",
                lost.code, place.location, lost.target
            ),
        );
        finding
            .given(lost.visibility)
            .label(lost.page.span(), "takes the place of the answer")
            .witness(request.map(|url| format!("GET {url}")), effect)
            .help("What the API says about the error is lost. Without `proxy_intercept_errors` the page is for errors of nginx only.");
        for place in &places {
            finding.label(place.scope.span(), "loses its errors");
        }
        finding.fix(
            "pass errors of the API on",
            places.iter().filter_map(|place| {
                let line = "proxy_intercept_errors off;".to_owned();
                place.scope.grow(place.pass, &[line])
            }),
        );
    }
}
