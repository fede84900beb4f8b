use crate::rule::*;

rule! {
    /// An `upstream` is to keep connections open, and none is kept.
    ///
    /// `keepalive` says how many idle connections a worker keeps. Before nginx 1.29.7 a request goes out as HTTP/1.0 with
    /// `Connection: close` unless both are changed, and the backend closes the connection after its answer. There too
    /// `least_conn` and its like replace the `keepalive` that stands before them; nginx only warns that the "load balancing
    /// method" is "redefined". And the `map` of nginx's own example for WebSockets makes `close` of all other requests.
    ///
    /// ## When it is fine
    /// When the connection costs nothing, and the line is there for later. A `map` that says `close` is only a note, and so
    /// is a location beside others whose connections to the same `upstream` are kept.
    ///
    /// ## Fix
    /// Unsafe: HTTP/1.1 with an empty `Connection`, and the method before `keepalive`. The backend then sees one connection
    /// with many requests; its own idle timeout should be longer than nginx's 60 seconds.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive",
}

fn check(config: &Config, report: &mut Report) {
    if !config
        .upstreams_of_http()
        .any(|group| group.pool().is_some())
    {
        return;
    }
    for group in config.upstreams_of_http() {
        let Some((keepalive, method)) = group.replaces_pool() else {
            continue;
        };
        report
            .at(method.span(), format!("`{}` takes the place of `keepalive`: no connection is kept", method.name()))
            .here("stands after it")
            .label(keepalive.span(), "without effect")
            .help("Before nginx 1.29.7 the last of the two counts. `nginx -t` warns: \"load balancing method redefined\".")
            .fix("put the method first", method.put_before(keepalive));
    }
    let kept = config.kept_pools();
    for place in config.proxied() {
        let Some((group, why)) = place.closing() else {
            continue;
        };
        let (Some(keepalive), Some(name)) = (group.pool(), group.argument(0)) else {
            continue;
        };
        let (span, here) = told(&place, why);
        if report.has(span) {
            continue;
        }

        report
            .at(span, format!("no connection to `{name}` is kept after a request to `{}`", place.location))
            .here(here)
            .label(keepalive.span(), "is to keep some")
            .severity(match why == Closing::Mapped || kept.contains(&group.number()) {
                true => Severity::Note,
                false => Severity::Warning,
            })
            .help(match why {
                Closing::Mapped => "WebSockets do not need the `close`: with an empty value nginx sends no `Connection` for other requests.",
                _ => "It takes HTTP/1.1 and an empty `Connection`: either alone changes nothing, nor does a higher number.",
            })
            .given(place.closing_visibility())
            .alike((place.server_number(), group.number(), why))
            .fix("keep connections", place.keep_edits(why));
    }
}

/// Where it is decided that a connection is closed, and how.
fn told(place: &Proxied<'_>, why: Closing) -> (Span, &'static str) {
    let header = place.headers().get("Connection");
    match (why, place.closing_line(), header) {
        (Closing::Mapped, Some(line), _) => {
            (line.span(), "sent with every request that is no handshake")
        }
        (Closing::Written, _, Some(header)) => (header.span(), "asks the backend to close it"),
        (Closing::Protocol, ..) => (place.pass.span(), "HTTP/1.0, in which a backend closes it"),
        _ => (
            place.pass.span(),
            "nginx sends `Connection: close` unless it is told otherwise",
        ),
    }
}
