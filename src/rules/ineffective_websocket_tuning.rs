use crate::rule::*;

/// A send timeout from here on, in milliseconds, is written to keep a tunnel open.
const HOUR: u64 = 3_600_000;

rule! {
    /// Buffering, caching and send timeouts do nothing for a WebSocket.
    ///
    /// Once the backend has answered 101, nginx copies bytes in both directions: response buffering, request buffering
    /// and caching do not apply, and an idle tunnel is not writing, so no send timeout runs. Only
    /// `proxy_read_timeout` decides how long it may stay idle.
    ///
    /// ## When it is fine
    /// When the same path also serves event streams, long polling or downloads. Applications whose library falls back
    /// to those, such as Socket.IO, are not told to drop `proxy_buffering off`.
    ///
    /// ## Fix
    /// Unsafe: take the lines away.
    category: Websocket,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/websocket.html",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied().filter(|place| place.upgrade().completes()) {
        let intent = place.websocket_intent();
        if intent.path < 3 {
            continue;
        }
        let caches = |block: Directive<'_>| {
            block
                .effective("proxy_cache")
                .directive()
                .is_some_and(|cache| !cache.argument(0).is_some_and(|zone| zone == "off"))
        };
        let outer_caches = place.scope.parent().is_some_and(caches);
        let cached = outer_caches || caches(place.scope);
        // Taking the last directive of a list away brings the outer list back.
        let replaces = |name: &Word<'_>| {
            let outer = place.scope.parent();
            outer.is_some_and(|outer| !outer.effective(&name.text()).directives.is_empty())
        };
        let lines: Vec<(Directive<'_>, &str)> = place
            .scope
            .children()
            .filter(|child| child.span().file == place.scope.span().file)
            .filter_map(|child| {
                let value = child.argument(0)?;
                let name = child.name();
                let why = match &*name.text() {
                    "proxy_buffering" if value == "off" && !intent.pings => {
                        "a tunnel is not buffered"
                    }
                    "proxy_request_buffering" if value == "off" => "a handshake has no body",
                    "proxy_cache" if value == "off" && !outer_caches => {
                        "nothing is cached here anyway"
                    }
                    "proxy_cache_bypass" | "proxy_no_cache"
                        if value == "$http_upgrade" && !cached && !replaces(&name) =>
                    {
                        "nothing is cached here anyway"
                    }
                    "proxy_send_timeout" if value.milliseconds()? >= HOUR => {
                        "an idle tunnel is not sending"
                    }
                    _ => return None,
                };
                Some((child, why))
            })
            .collect();
        let Some(((first, why), others)) = lines.split_first() else {
            continue;
        };

        let names: Vec<String> = lines
            .iter()
            .map(|(line, _)| format!("`{}`", line.name()))
            .collect();
        let finding = report.at(
            first.span(),
            format!(
                "no effect on the WebSocket at `{}`: {}",
                place.location,
                names.join(", ")
            ),
        );
        finding.here(*why).help(
            "Only `proxy_read_timeout` keeps an idle tunnel open. Keep a line if the same path also serves event streams \
             or long polling.",
        );
        for (line, why) in others {
            finding.label(line.span(), *why);
        }
        finding.fix(
            "take the lines away",
            lines.iter().map(|(line, _)| line.remove()),
        );
    }
}
