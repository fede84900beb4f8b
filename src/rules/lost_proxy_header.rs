use crate::rule::*;

rule! {
    /// One `proxy_set_header` here drops all that were set further out.
    ///
    /// The directives of this name are one list: a level with any of its own inherits none. What the outer list set
    /// (`Host`, `X-Forwarded-Proto`, `Upgrade`) does not reach the backend from here.
    ///
    /// ## When it is fine
    /// When the inner list is meant to stand alone, as for the target of an `auth_request`; an `internal` location and
    /// headers that the outer list only empties are not reported. Nor is `Upgrade` where the inner list empties
    /// `Connection`: there no handshake is meant to get through.
    ///
    /// ## Fix
    /// Repeat the lost lines. Safe where a WebSocket handshake is what gets lost, else unsafe.
    category: Proxy,
    severity: Warning,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let lost = place.lost_headers();
        let headers = place.headers();
        let Some((first, last)) = headers
            .directives()
            .first()
            .zip(headers.directives().last())
        else {
            continue;
        };
        if lost.is_empty() || place.location.is_internal() || report.has(first.span()) {
            continue;
        }
        let names: Vec<Word<'_>> = lost
            .iter()
            .filter_map(|header| header.argument(0))
            .collect();
        let handshake = names
            .iter()
            .any(|name| name.is_header("Upgrade") || name.is_header("Connection"));
        let fatal = handshake && place.websocket_intent().score >= 2;
        let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let outer = lost.first().map_or(first.span(), |header| header.span());

        let message = format!(
            "{} set at {} not sent from here",
            listed.join(", "),
            config.place(outer, first.span())
        );
        let verb = if listed.len() == 1 { "is" } else { "are" };
        let finding = report.at(
            first.span(),
            message.replace(" not sent", &format!(" {verb} not sent")),
        );
        finding
            .here("a list of its own: nothing is inherited")
            .given(headers.visibility())
            .alike(lost.iter().map(|header| header.number()).collect::<Vec<_>>())
            .help("`proxy_set_header` lists are replaced, never merged. Nothing in the outer block can change that.");
        for header in &lost {
            finding.label(header.span(), "lost");
        }
        let lines: Vec<String> = lost.iter().map(|header| header.written()).collect();
        let (severity, safety) = match fatal {
            true => (Severity::Error, Safety::Safe),
            false => (Severity::Warning, Safety::Unsafe),
        };
        finding.severity(severity).fix_that_is(
            safety,
            "repeat what is lost",
            [last.append_lines(&lines)],
        );
    }
}
