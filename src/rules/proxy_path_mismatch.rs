use crate::rule::*;

rule! {
    /// Without a slash at the end of both `location` and `proxy_pass` the backend gets paths that nobody meant.
    ///
    /// With a URI part in `proxy_pass`, nginx cuts the location's name off the path by its length and puts the URI part
    /// in its place. It adds no slash and takes none away: `location /app/` with `http://b/api` turns `/app/users`
    /// into `/apiusers`, and `location /app` with `http://b/` turns it into `//users`.
    ///
    /// ## When it is fine
    /// When names are glued together on purpose, as in `location /img/` with `http://b/img-`; a URI part that ends in
    /// a sign such as `-` is not reported. Nor is a URI part that the location's name ends with: `location /app/v1` with
    /// `http://b/v1` takes `/app` off every path. Nor is the path of one document, as `/healthz`, that programs ask for by
    /// itself. Where neither side ends in a slash this is a note: what is asked for below the location arrives as meant, and
    /// only its siblings, as `/appx`, are taken along.
    ///
    /// ## Fix
    /// Unsafe: end both with a slash. The backend is then asked for other paths.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

/// Names of documents that tell whether a program is well.
const PROBES: [&str; 10] = [
    "health",
    "healthz",
    "healthcheck",
    "livez",
    "ready",
    "readyz",
    "ping",
    "status",
    "metrics",
    "version",
];

/// True for the path of one document that is asked for by itself.
fn is_probe(uri: &[u8]) -> bool {
    let name = uri.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    PROBES
        .iter()
        .any(|probe| name.eq_ignore_ascii_case(probe.as_bytes()))
}

/// True when all that nginx takes off is folders before a name that both have.
fn cuts_folders(name: &[u8], uri: &[u8]) -> bool {
    uri.len() > 1 && name.len() > uri.len() && name.ends_with(uri)
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let location = &place.location;
        let Some((url, uri)) = routing::replacement(&place) else {
            continue;
        };
        let deliberate = !uri
            .last()
            .is_some_and(|last| *last == b'/' || last.is_ascii_alphanumeric());
        if deliberate
            || location.is_internal()
            || is_probe(&uri)
            || uri.contains(&b'?')
            || uri.ends_with(&location.path)
            || cuts_folders(&location.path, &uri)
        {
            continue;
        }
        let (tail, first, title) = match (location.path.ends_with(b"/"), uri.ends_with(b"/")) {
            (true, true) => continue,
            (true, false) => (
                "users",
                uri.append("/"),
                "end the URI with a slash, as the location does",
            ),
            (false, true) => (
                "/users",
                location.end_with_slash(),
                "end the location with a slash, as the URI does",
            ),
            (false, false) => ("x", location.end_with_slash(), "end both with a slash"),
        };
        let Some(mapping) = routing::mapping_example(&place, &url, tail) else {
            continue;
        };

        let both = !location.path.ends_with(b"/") && !uri.ends_with(b"/");
        let severity = match both {
            true => Severity::Note,
            false => Severity::Warning,
        };
        let second = both.then(|| uri.append("/")).flatten();
        let edits = first.map(|first| std::iter::once(first).chain(second));
        report
            .at(uri.span, format!("`{}` reaches the backend as `{}`", mapping.target(), mapping.upstream()))
            .here(format!("this replaces `{}`, no more and no less", location.path))
            .severity(severity)
            .label(location.path.span, "this is cut off")
            .witness(mapping.url("http"), format!("the backend is asked for {}", mapping.upstream()))
            .behind(place.scope)
            .help(
                "nginx neither adds nor removes a slash between the two. Where the location stands in the file makes no \
                 difference.",
            )
            .fix(title, edits.into_iter().flatten());
    }
}
