use crate::rule::*;

rule! {
    /// A WebSocket handshake is forwarded in part, and fails.
    ///
    /// It takes three things to get a handshake through: `Upgrade` and a `Connection` that says `upgrade`, both sent to
    /// the backend, over HTTP/1.1. Up to nginx 1.29.6 the backend is spoken to in HTTP/1.0 unless
    /// `proxy_http_version` says otherwise; some backends upgrade even so, strict ones answer 400. A `Connection` of
    /// `keep-alive`, `close` or nothing makes the backend answer as to a plain GET.
    ///
    /// ## When it is fine
    /// From nginx 1.29.7 on HTTP/1.1 is the default: give `--nginx-version`.
    ///
    /// ## Fix
    /// Safe: add what is missing.
    category: Websocket,
    severity: Error,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/websocket.html",
}

fn check(config: &Config, report: &mut Report) {
    for place in config
        .proxied()
        .filter(|place| !place.location.is_never_websocket())
        // What `add_header` was meant to forward is another rule's matter.
        .filter(|place| place.answered_upgrade().is_empty())
    {
        let upgrade = place.upgrade();
        let (Some(problem), Some(header)) =
            (&upgrade.problem, upgrade.upgrade.or(upgrade.connection))
        else {
            continue;
        };
        // A list that several locations inherit is one mistake, at the list.
        let inherited = header.parent() != Some(place.scope);
        let span = if inherited {
            header.span()
        } else {
            place.scope.span()
        };
        if report.has(span) {
            continue;
        }
        let example = routing::handshake_example(&place);
        let name = example.as_ref().map_or_else(
            || place.location.to_string(),
            |example| example.target.clone(),
        );
        let written = |directive: &Directive<'_>, index| {
            let value = directive.argument(index).filter(|value| !value.is_empty());
            value.map(|value| value.text().into_owned())
        };
        let (message, label, at) = match problem {
            UpgradeProblem::NoUpgrade { connection } => (
                "`Upgrade` is not forwarded".to_owned(),
                "`Connection` alone upgrades nothing",
                connection.span(),
            ),
            UpgradeProblem::NoConnection => (
                "no `Connection` says `upgrade`".to_owned(),
                "`Upgrade` alone upgrades nothing",
                header.span(),
            ),
            UpgradeProblem::WrongConnection { connection } => (
                match written(connection, 1) {
                    Some(value) => format!("`Connection` is `{value}`"),
                    None => "`Connection` is empty".to_owned(),
                },
                "this can never say `upgrade`",
                connection.span(),
            ),
            UpgradeProblem::Protocol {
                directive: Some(directive),
            } => (
                format!(
                    "HTTP/{} to the backend has no upgrade",
                    written(directive, 0).unwrap_or_default()
                ),
                "this should be 1.1",
                directive.span(),
            ),
            UpgradeProblem::Protocol { directive: None } => (
                format!(
                    "nginx before {} speaks HTTP/1.0 to the backend",
                    Version::HTTP_1_1_UPSTREAM
                ),
                "`proxy_http_version 1.1` is missing",
                place.pass.span(),
            ),
        };
        let (outcome, effect) = if problem.is_http_1_0() {
            (
                "fails at a strict backend",
                "400 or 505 by a strict backend, which wants HTTP/1.1",
            )
        } else {
            ("cannot complete", "answered as a plain request")
        };

        report
            .at(
                span,
                format!("a WebSocket handshake for `{name}` {outcome}: {message}"),
            )
            .label(at, label)
            .given(upgrade.visibility)
            .witness(
                example
                    .and_then(|example| example.url("ws"))
                    .map(|url| format!("GET {url}")),
                effect,
            )
            .behind(place.scope)
            .help("The order of the locations has nothing to do with it.")
            .fix("complete the handshake", place.upgrade_edits());
    }
}
