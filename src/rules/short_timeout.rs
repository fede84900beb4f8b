use crate::rule::*;

rule! {
    /// A timeout of a few seconds cuts off answers that take longer.
    ///
    /// A read timeout is the longest pause between two reads from the backend; a request that it thinks about for longer
    /// gets a 504. A send timeout is the longest pause between two writes.
    ///
    /// ## When it is fine
    /// For endpoints that must answer at once, or fail over quickly; for the copies of a `mirror`, whose answers nobody waits
    /// for, nothing is reported. `client_*` timeouts and `send_timeout` of this length
    /// protect against slow clients; they are only a note, for slow networks. Up to 5 seconds are short, or what
    /// `short-timeout` of the settings says.
    ///
    /// ## Fix
    /// Unsafe: nginx's default of 60 seconds.
    category: Timeout,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.passed() {
        for (kind, effect) in [
            ("read", "does not answer"),
            ("send", "takes nothing more of a large request"),
        ] {
            let name = format!("{}_{kind}_timeout", place.family());
            let Some((directive, time)) = place.time(&name) else {
                continue;
            };
            // An idle tunnel is another rule's matter.
            let tunnel =
                kind == "read" && place.pass.is("proxy_pass") && place.upgrade().completes();
            // Nobody waits for the answer to a copy.
            let is_copy = || place.location.is_internal() && place.asked_by("mirror");
            if time == 0
                || time > config.short_timeout()
                || tunnel
                || report.has(directive.span())
                || is_copy()
            {
                continue;
            }
            let seconds = time as f64 / 1000.0;

            report
                .at(
                    directive.span(),
                    format!(
                        "a backend of `{}` that {effect} for {seconds} s is given up",
                        place.location
                    ),
                )
                .help(match place.asked_by("auth_request") {
                    _ if kind == "send" => "The client gets a 504, unless another server takes it. A request that fits into the buffers of the connection is not limited by this.",
                    true => "The client gets a 500, even when the backend is merely slow: an `auth_request` without an answer lets nobody in.",
                    false if place.replaces_504() => "The client gets what stands in for a 504 here, even when the backend is merely slow.",
                    false => "The client gets a 504, even when the backend is merely slow, unless another server answers in time.",
                })
                .fix(
                    "give it nginx's default time",
                    directive
                        .argument(0)
                        .map(|value| Edit::replace(value.span, "60s")),
                );
        }
    }
    for directive in config
        .directives()
        .filter(|directive| directive.context().intersects(Contexts::HTTP_LEVELS))
    {
        let known = [
            "client_header_timeout",
            "client_body_timeout",
            "send_timeout",
        ];
        let Some(value) = directive
            .argument(0)
            .filter(|_| known.iter().any(|name| directive.is(name)))
        else {
            continue;
        };
        let time = value.milliseconds();
        if let Some(time) = time.filter(|time| *time > 0 && *time <= config.short_timeout()) {
            let seconds = time as f64 / 1000.0;
            report
                .at(
                    directive.span(),
                    format!("a client that pauses for {seconds} s is cut off"),
                )
                .severity(Severity::Note)
                .help("Phones on slow networks pause for seconds.")
                .fix(
                    "give clients nginx's default time",
                    [Edit::replace(value.span, "60s")],
                );
        }
    }
}
