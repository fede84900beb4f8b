use crate::rule::*;

rule! {
    /// A gRPC stream that is silent for a minute is cut off.
    ///
    /// nginx gives up a backend from which nothing comes for `grpc_read_timeout`, which is 60 seconds unless it is set.
    /// A stream of events is silent for longer now and then; its client gets `INTERNAL`, and the error log says
    /// "upstream timed out".
    ///
    /// ## When it is fine
    /// When there are only calls that are answered soon, or the backend sends pings more often than that. Where
    /// `grpc_read_timeout` is set, however short, nothing is reported, nor of a single method beside a service for which it
    /// is. A server gets one note for all of its locations.
    ///
    /// ## Fix
    /// Unsafe: an hour. A backend that hangs is given up as late as that, too.
    category: Timeout,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_grpc_module.html#grpc_read_timeout",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.quiet_grpc() {
        let line = "grpc_read_timeout 1h;".to_owned();
        report
            .at(
                place.pass.span(),
                format!("a gRPC stream of `{}` that is silent for 60 s is cut off", place.location),
            )
            .here("`grpc_read_timeout` is not set")
            .given(place.scope.effective("grpc_read_timeout").visibility)
            .help(
                "`grpc_send_timeout` does not help. Pings of the backend do, if they come more often. A call whose client \
                 has more to send, and is silent, is ended by `client_body_timeout`.",
            )
            .alike(place.server_number())
            .fix("wait for an hour", place.scope.grow(place.pass, &[line]));
    }
}
