use crate::rule::*;

rule! {
    /// A location that was written to tune a proxy has no `proxy_pass`, so its requests are looked up as files.
    ///
    /// No handler is inherited: neither from the location around it, nor from `location /`, which answers only what no
    /// longer name matches. Timeouts, headers, a limit for bodies or a password in a location of their own do not refine
    /// the proxy of another one; they take the requests away from it, and nginx looks for files.
    ///
    /// ## When it is fine
    /// When there are such files. A location with a `root`, `alias`, `try_files` or `index` of its own is not reported, and
    /// where the server has a `root`, only one with settings that nothing but a proxy uses.
    ///
    /// ## Fix
    /// Unsafe: pass the requests on as the other location does.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

/// What may follow the name of the location in a request, for regexes on file names too.
const TAILS: [&str; 9] = [
    "x", "", "x", "/x", "/x.js", "/x.css", "/x.png", "/x.jpg", "/x.php",
];

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let Some(tuning) = location.tuning() else {
            continue;
        };
        let folder = location.folder();
        let (setting, severity) = match (tuning.of_pass, tuning.of_requests) {
            (Some(setting), _) if folder.is_none() => (setting, Severity::Error),
            (Some(setting), _) => (setting, Severity::Warning),
            (None, Some(setting)) if folder.is_none() => (setting, Severity::Warning),
            _ => continue,
        };
        let Some(example) = routing::example(
            &location,
            &TAILS[usize::from(!location.path.ends_with(b"/"))..],
        ) else {
            continue;
        };
        let routing::Choice::Location(other) = example.without(&location) else {
            continue;
        };
        let Some(pass) = other.handler().filter(|handler| {
            PASSES.iter().any(|name| handler.is(name)) && other.own_return().is_none()
        }) else {
            continue;
        };
        let target = &example.target;
        let name = pass.name();
        let below = folder.and_then(|folder| folder.argument(0)).map_or_else(
            || "nginx's folder `html`".to_owned(),
            |folder| format!("`{folder}`"),
        );

        report
            .at(
                location.directive.span(),
                format!("`{target}` is looked up as a file: `location {location}` has no `{name}`"),
            )
            .here(format!("without this block, `location {other}` would pass it on"))
            .label(setting.span(), "a setting, and nothing that answers")
            .label(pass.span(), "this is not inherited")
            .severity(severity)
            .given(location.visibility())
            .witness(
                example.url("http").map(|url| format!("GET {url}")),
                format!("404, unless there is such a file in {below}"),
            )
            .behind(location.directive)
            .help("Moving the block, or nesting it in the other one, makes no difference: no location inherits a handler.")
            .fix("pass requests on as the other location does", location.pass_on_like(&other));
    }
}
