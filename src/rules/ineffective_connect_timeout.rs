use crate::rule::*;

/// The longest connect timeout that can make a difference, in milliseconds, as nginx's manual has it.
const USEFUL: u64 = 75 * 1000;

rule! {
    /// A connect timeout of minutes or days keeps nothing open.
    ///
    /// It limits connecting to the backend, its TLS handshake included, and ends with it. The operating system gives up
    /// connecting after one or two minutes by itself. A running WebSocket is not affected at all.
    ///
    /// ## When it is fine
    /// It does no harm beyond a slow failure.
    ///
    /// ## Fix
    /// Safe: 75 seconds, the longest time that the manual promises to matter.
    category: Timeout,
    severity: Note,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_connect_timeout",
}

fn check(config: &Config, report: &mut Report) {
    let names = ["proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached"]
        .map(|family| format!("{family}_connect_timeout"));
    for directive in config
        .directives()
        .filter(|directive| directive.context().intersects(Contexts::HTTP_LEVELS))
    {
        let Some(value) = directive
            .argument(0)
            .filter(|_| names.iter().any(|name| directive.is(name)))
        else {
            continue;
        };
        if value.milliseconds().is_none_or(|time| time <= USEFUL) {
            continue;
        }

        report
            .at(directive.span(), format!("`{} {value}` limits connecting only", directive.name()))
            .alike(&value.value)
            .help(
                "Connecting fails or succeeds within a minute or two. For all that comes later, such as a slow answer or an \
                 idle WebSocket, it is `proxy_read_timeout` that counts.",
            )
            .fix("wait no longer than connecting can take", [Edit::replace(value.span, "75s")]);
    }
}
