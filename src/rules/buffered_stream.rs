use crate::rule::*;

/// Handlers that collect the answer of the backend.
const FAMILIES: [&str; 4] = ["proxy", "fastcgi", "uwsgi", "scgi"];

rule! {
    /// Events reach the client late, because nginx collects the answer of the backend.
    ///
    /// With `proxy_buffering` on, which is the default, nginx passes an answer on when a buffer is full or the answer ends. A
    /// page that waits for server-sent events, or for the words of a language model, sees nothing until then and everything
    /// at once.
    ///
    /// That is so where only the end of the connection ends an answer, as in HTTP/1.0, which nginx speaks to backends unless
    /// it is told otherwise (before 1.29.7). What comes in the chunks of HTTP/1.1, or by FastCGI with `fastcgi_keep_conn on`,
    /// is passed on as it comes; there nothing is reported.
    ///
    /// ## When it is fine
    /// When the backend sends `X-Accel-Buffering: no`, as some frameworks do by themselves, or when the path stands for a
    /// list or a film. Where buffering is switched on here, or answers are cached, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: switch the buffering off for this location. A slow client then occupies the backend for as long as it reads.
    category: Proxy,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.passed() {
        let family = place.family();
        let block = place.location.directive;
        if !FAMILIES.contains(&family.as_str()) || report.has(place.location.path.span) {
            continue;
        }
        let Some(reason) = place.streams_events() else {
            continue;
        };
        // What comes in chunks or records is passed on as it comes, buffers or not.
        if place.tells_pieces_apart() {
            continue;
        }
        let buffering = place.scope.effective(&format!("{family}_buffering"));
        let cache = place.scope.effective(&format!("{family}_cache"));
        let is_cached = cache
            .directive()
            .and_then(|cache| cache.argument(0))
            .is_some_and(|zone| zone != "off");
        if buffering.directive().is_some() || is_cached {
            continue;
        }
        let example = routing::passed_example(&place, &["", "x", "/x"]);
        let request = example.and_then(|example| example.url("http"));

        report
            .at(
                place.location.path.span,
                format!("what `{}` sends piece by piece is held back until a buffer is full or the answer ends", place.location),
            )
            .here(format!("likely events: {reason}"))
            .label(place.pass.span(), format!("`{family}_buffering` is on unless it is set, here or by the backend"))
            .given(buffering.visibility)
            .given(cache.visibility)
            .given(place.pieces_visibility())
            .witness(
                request.map(|url| format!("GET {url}")),
                "what the backend sends at once arrives together with what it sends last",
            )
            .help(format!(
                "Neither `gzip off` nor `tcp_nodelay` changes that. `X-Accel-Buffering: no` in the answer of the backend does. An \
                 answer that pauses for longer than `{family}_read_timeout` is ended."
            ))
            .fix(
                "pass the answer on as it comes",
                block.grow(place.pass, &[format!("{family}_buffering off;")]),
            );
    }
}
