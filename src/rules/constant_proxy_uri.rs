use crate::rule::*;

rule! {
    /// A variable in `proxy_pass` beside a constant path sends every request to that one path.
    ///
    /// With a variable anywhere in its address, `proxy_pass` no longer cuts the location's name off: a URI part replaces
    /// the whole URI of the request, query included. `proxy_pass http://$backend/` asks for `/`, whatever the client
    /// asked for.
    ///
    /// ## When it is fine
    /// When there is one endpoint to ask: in an exact or an internal location, or where the location's name is the
    /// endpoint. Those are not reported.
    ///
    /// ## Fix
    /// Unsafe: drop the path, and rewrite the URI first where the location's name should be replaced.
    category: Proxy,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
}

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let location = &place.location;
        let Some(written) = place.pass.argument(0).filter(Word::has_variables) else {
            continue;
        };
        let set = place.scope.only_literal(&written);
        let Some(url) = ProxyUrl::parse(set.clone().unwrap_or(written.clone())) else {
            continue;
        };
        let Some(uri) = url.uri_word().filter(|uri| !uri.has_variables()) else {
            continue;
        };
        let serves_many =
            uri.ends_with(b"/") || (location.is_prefix() && location.path.ends_with(b"/"));
        if location.is_for_one_path() || location.is_internal() || !serves_many {
            continue;
        }
        // A variable for the host may bring a path of its own.
        let holds_path = |reference: nginx::Reference| !config.is_without_slash(&reference.name);
        if nginx::references(url.authority())
            .into_iter()
            .any(holds_path)
        {
            continue;
        }
        let tail = if location.path.ends_with(b"/") {
            "a/b"
        } else {
            "/a/b"
        };
        let example = routing::passed_example(&place, &[tail]);
        if example.is_none() && location.is_prefix() && location.server().is_some() {
            continue;
        }

        let asked = String::from_utf8_lossy(&routing::rooted(&uri)).into_owned();
        let finding = report.at(
            uri.span,
            format!("every request here reaches the backend as `{asked}`"),
        );
        finding
            .here("this replaces the whole URI, query included")
            .label(written.span, "because the address holds a variable")
            .help(
                "With a variable in the address nginx replaces nothing but the whole URI. Without a path after the host \
                 it passes the request's own URI on.",
            );
        if let Some(url) = example.and_then(|example| example.url("http")) {
            finding
                .witness(
                    Some(format!("GET {url}")),
                    format!("the backend is asked for {asked}"),
                )
                .behind(place.scope);
        }
        if set.is_none() {
            // No `rewrite` may stand in a `limit_except`.
            let may_stand = !place.scope.is("limit_except");
            let rewrite = location
                .strip_by_rewrite(&uri)
                .map(|line| place.pass.prepend_lines(&[line]));
            let edits = rewrite.into_iter().chain([Edit::delete(uri.span)]);
            finding.fix(
                "pass the URI of the request on",
                edits.filter(|_| may_stand),
            );
        }
    }
}
