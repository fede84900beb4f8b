use crate::rule::*;

rule! {
    /// What is enough for short requests runs out with WebSockets, which stay.
    ///
    /// A WebSocket counts for `limit_conn` as long as it is open, and all people behind one router have one address: a limit
    /// for the whole site that no page ever reaches turns them away. A client of Socket.IO polls first and then sends three
    /// requests at once, of which a `limit_req` without `burst` lets one pass. A WebSocket takes two of the
    /// `worker_connections` of its process, one to the client and one to the backend. And after a reload the old process
    /// waits for its tunnels to end.
    ///
    /// ## When it is fine
    /// For a few users, and where a limit is meant so. A limit in the location of the WebSocket itself is not reported, nor
    /// more than 512 connections, nor tunnels that may stay idle for less than twelve hours.
    ///
    /// ## Fix
    /// Unsafe: a larger number, or `worker_shutdown_timeout`, which ends the tunnels of an old process after a while.
    category: Websocket,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html",
}

fn check(config: &Config, report: &mut Report) {
    for (shortage, places) in config.shortages() {
        let Some(place) = places.first() else {
            continue;
        };
        let example = routing::handshake_example(place);
        let name = example.as_ref().map_or_else(
            || place.location.to_string(),
            |example| example.target.clone(),
        );
        let request = example.and_then(|example| example.url("ws"));
        let request = request.map(|url| format!("GET {url}"));
        let raised = |limit| {
            places
                .iter()
                .filter_map(move |place| place.raise_limit(limit))
        };
        match shortage {
            Shortage::OfAddress { limit, most } => {
                let status = place.refusal_of(limit);
                report
                    .at(limit.span(), format!("one address can keep at most {most} WebSockets open at `{name}`, then it gets {status}"))
                    .here("each counts as long as it is open")
                    .label(place.scope.span(), "reached by this limit")
                    .witness(request, format!("{status} while {most} are open from the same address"))
                    .help("All users behind one router have the same address, and each tab has a WebSocket of its own.")
                    .fix("let more of them through", raised(limit));
            }
            Shortage::OfRequests { limit, most } => {
                let status = place.refusal_of(limit);
                report
                    .at(limit.span(), format!("of requests to `{name}` at the same time {most} can pass, the others get {status}"))
                    .here("lets the first through, and as many as `burst` says")
                    .label(place.scope.span(), "reached by this limit")
                    .witness(request, format!("{status} when {most} came just before from the same address"))
                    .help("Unless it is told otherwise, Socket.IO begins with polling, and then sends three requests at once: one of them opens the WebSocket.")
                    .fix("let more of them through", raised(limit));
            }
            Shortage::OfProcess { limit, most } => {
                let value = limit.argument(0);
                let edit = value.map(|word| Edit::replace(word.span, "4096"));
                report
                    .at(limit.span(), format!("a worker process has room for at most {} WebSockets: each takes two of its {most} connections", most / 2))
                    .here("connections to clients and to backends")
                    .label(place.pass.span(), "WebSockets go on from here")
                    .help("The log says \"worker_connections are not enough\" when they run out. Each needs an open file too: see `worker_rlimit_nofile`.")
                    .fix("make room for more", edit);
            }
            Shortage::OfReload { timeout, processes } => {
                let length = timeout.argument(0);
                let length = length.map_or_else(String::new, |word| word.text().into_owned());
                report
                    .at(timeout.span(), format!("after a reload the old processes wait for tunnels at `{name}` that may stay idle for {length}"))
                    .here("an idle tunnel ends after this time")
                    .label(processes.span(), "each of them waits")
                    .help("They keep their memory and the old configuration until the last tunnel is closed. `worker_shutdown_timeout` closes it, and clients have to connect again.")
                    .fix("end old processes after five minutes", config.end_old_processes());
            }
        }
    }
}
