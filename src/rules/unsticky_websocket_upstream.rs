use crate::rule::*;

rule! {
    /// The requests of one session go to several servers, of which only one knows it.
    ///
    /// Socket.IO, SockJS, SignalR and their like open a session by an ordinary request, and come back to it with others: to
    /// poll, to send, to upgrade to a WebSocket. The session lives in the process that opened it. nginx gives the
    /// requests to the servers of an `upstream` in turn unless a method says otherwise, and another server answers that it
    /// knows no such session: 400 or 404, more often the more servers there are.
    ///
    /// ## When it is fine
    /// When the clients use nothing but WebSockets, without the requests before. With `ip_hash`, `hash` or `sticky`, or any
    /// method that nginx does not have itself, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: `ip_hash`, by which requests from one address, or from one IPv4 network of 256, go to the same server.
    /// Behind another proxy that is one address for all, unless `set_real_ip_from` tells them apart.
    category: Websocket,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#ip_hash",
}

fn check(config: &Config, report: &mut Report) {
    for (group, places) in config.spreads() {
        let Some((place, spread)) = places
            .first()
            .and_then(|place| Some((place, place.spread()?)))
        else {
            continue;
        };
        let Some(name) = group.argument(0) else {
            continue;
        };
        let library = spread.library;
        let tails: &[&str] = match library {
            "Socket.IO" | "Engine.IO" => &["?EIO=4&transport=polling", "/?EIO=4&transport=polling"],
            _ => &["", "/"],
        };
        let effect = match library {
            "Socket.IO" | "Engine.IO" => {
                "the next request with its `sid` may go to another server: 400 \"Session ID unknown\""
            }
            _ => "the next request of the session may go to another server, which does not know it",
        };
        let proxied = place
            .location
            .server()
            .is_some_and(|server| server.is_behind_a_proxy())
            && place
                .scope
                .effective("set_real_ip_from")
                .directive()
                .is_none();
        let help = match proxied {
            true => {
                "This server seems to stand behind another proxy, whose address is all that `ip_hash` sees: name it in `set_real_ip_from`, or let it keep the clients apart."
            }
            false => {
                "Headers, timeouts and an adapter that shares messages between the servers do not cure it: the session itself has to be found."
            }
        };

        let finding = report.at(
            group.span(),
            format!("requests of one {library} session are spread over the servers of `{name}`"),
        );
        finding
            .here("nothing keeps a client at one server")
            .witness(
                routing::passed_example(place, tails)
                    .and_then(|example| example.url("http"))
                    .map(|url| format!("GET {url}")),
                effect,
            )
            .help(help);
        if let Some(method) = spread.method {
            finding.label(method.span(), "chooses anew for each request");
        }
        for place in &places {
            finding.label(place.pass.span(), "sessions come from here");
        }
        finding.fix("keep each address at one server", spread.stick());
    }
}
