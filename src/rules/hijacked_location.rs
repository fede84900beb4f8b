use crate::rule::*;

rule! {
    /// A regex takes requests that a prefix is there for, and does something else with them.
    ///
    /// nginx finds the longest prefix first, and then tries the regexes of the same level all the same: the first that
    /// matches wins, however long the prefix is and wherever it stands. Beside `location /app/ { proxy_pass …; }`, a
    /// `location ~* \.(js|css)$` for the files of the site takes `/app/app.js` too, and looks for it on the disk.
    ///
    /// Reported is a request that gets another upstream, a file in the place of the upstream's answer, or another file.
    /// A regex that only adds headers or expiry times changes none of these.
    ///
    /// ## When it is fine
    /// When the files below the prefix are meant to come from the disk. A regex that names the prefix, one that refuses or
    /// redirects, and one that takes its requests from the same upstream elsewhere too are not reported.
    ///
    /// ## Fix
    /// Unsafe: `^~` keeps the regexes of its level from being tried below the prefix, all of them. Where it would keep
    /// another one from refusing a file or running a script, no fix is offered.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for hijack in urispace::hijacked(config) {
        let Some(first) = hijack.takers.first() else {
            continue;
        };
        let (prefix, place) = (&hijack.prefix, hijack.prefix.directive.span());
        let target = routing::target(&first.path);
        let line = |location: &Location<'_>| config.place(location.directive.span(), place);
        let (taker, at) = (&first.location, line(&first.location));
        let (what, scheme) = match first.is_handshake {
            true => ("a WebSocket handshake for ", "ws"),
            false => ("", "http"),
        };
        let takers = hijack.takers.iter();
        let takers: Vec<u32> = takers
            .map(|taker| taker.location.directive.number())
            .collect();
        let finding = report.at(
            place,
            format!(
                "{what}`{target}` {}: `{taker}` on {at} takes it",
                first.loss()
            ),
        );
        finding
            .severity(hijack.severity())
            .here("the longest prefix, but regexes are tried after it")
            .witness(
                routing::request_url(prefix, &first.path, scheme),
                format!("answered by `location {taker}` on {at}: {}", first.answer()),
            )
            .given(prefix.visibility())
            .alike(takers);
        for other in &hijack.takers {
            let (example, given) = (routing::target(&other.path), other.answer());
            let span = other.location.directive.span();
            finding
                .label(span, format!("matches `{example}`: {given}"))
                .given(other.location.visibility());
        }
        let shorter = hijack.shorter_preference().map(|shorter| {
            let at = line(&shorter);
            format!(" `{shorter}` on {at} does not hold for a longer prefix without `^~`.")
        });
        finding.help(format!(
            "Moving the blocks changes nothing: a regex that matches wins over every prefix without `^~`.{}",
            shorter.unwrap_or_default()
        ));
        if hijack.may_be_preferred {
            finding.fix(
                "let `^~` keep regexes from being tried below",
                hijack.guards().filter_map(|guard| guard.prefer()),
            );
        }
    }
}
