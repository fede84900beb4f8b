use crate::rule::*;

rule! {
    /// What follows the name of a Unix socket without a colon is a part of the socket's path.
    ///
    /// In `http://unix:/run/app.sock/api/` nginx sees no URI: it connects to a socket with the name `/run/app.sock/api/`.
    /// There is none, because `/run/app.sock` is no folder, and every request is answered with 502. A colon ends the path
    /// of the socket: `http://unix:/run/app.sock:/api/`.
    ///
    /// ## When it is fine
    /// When a folder has a name that ends in `.sock`. Where what follows names a socket file itself, nothing is reported.
    ///
    /// ## Fix
    /// Safe: put the colon in. In a regex or named location, and in an `if`, nginx refuses a URI without variables; there is
    /// no fix there.
    category: Proxy,
    severity: Error,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let Some(url) = place.url() else { continue };
        let Some(uri) = url.swallowed_uri().filter(|uri| !report.has(uri.span)) else {
            continue;
        };
        let start = url.word.len() - uri.len();
        let socket = url.word.slice(url.scheme().len() + "unix:".len()..start);
        let name = socket.text().into_owned();
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let request = example
            .filter(|_| place.scope == place.location.directive)
            .and_then(|example| example.url("http"));
        let log = match url.has_variables() {
            true => String::new(),
            false => format!("; the error log says \"connect() to unix:{name}{uri} failed\""),
        };
        let edit = place.end_socket(&uri);
        let help = match &edit {
            Some(_) => {
                "A colon ends the path of the socket; what follows it is the URI.".to_owned()
            }
            None => format!(
                "nginx refuses a URI here: write `http://unix:{name}`, and change the path in a `rewrite … break` before."
            ),
        };

        report
            .at(
                uri.span,
                format!("nginx connects to a socket with the name `{name}{uri}`"),
            )
            .here("no URI, but more of the path of the socket")
            .witness(request.map(|url| format!("GET {url}")), format!("502{log}"))
            .behind(place.scope)
            .help(help)
            .fix("end the path of the socket", edit);
    }
}
