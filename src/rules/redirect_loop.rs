use crate::rule::*;

rule! {
    /// A redirect leads the client back to the URL that it asked for.
    ///
    /// nginx answers each of the requests with a redirect to the next, and the last is the first again. A client follows
    /// for a while, and then shows an error instead of a page. Most often `return 301 https://…` stands in a server that
    /// answers over TLS too, or one redirect adds what another takes away: a slash, or `www.`.
    ///
    /// The requests are followed through the whole configuration. What depends on a file, on an upstream, on the
    /// client's address, on a cookie that nginx sets, or on what a proxy in front says of the client, such as
    /// `X-Forwarded-Proto`, is not reported.
    ///
    /// ## When it is fine
    /// Never.
    ///
    /// ## Fix
    /// None: only you know which of the URLs was meant to answer.
    category: Location,
    severity: Warning,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return",
}

fn check(config: &Config, report: &mut Report) {
    for found in loops::redirect_loops(config) {
        let Some((first, others)) = found.hops.split_first() else {
            continue;
        };
        let place = first.directive.span();
        if report.has(place) {
            continue;
        }
        let (url, to) = (&first.url, &first.to);
        let message = match others.len() {
            _ if found.grows => format!("`{url}` is redirected to `{to}`, and so on without end"),
            0 => format!("`{url}` is redirected to itself"),
            1 => format!("`{url}` is redirected to `{to}`, and that back again"),
            _ => format!("`{url}` is redirected to `{to}`, and by others back again"),
        };
        let way: Vec<String> = found
            .hops
            .iter()
            .map(|hop| format!("{} to {}", hop.status, hop.to))
            .collect();
        let finding = report.at(place, message);
        finding.given(found.visibility).witness(
            Some(format!("GET {url}")),
            format!("{}, and so on", way.join(", ")),
        );
        for hop in others.iter().filter(|hop| hop.directive != first.directive) {
            finding.label(hop.directive.span(), format!("redirects to `{}`", hop.to));
        }
        let plain = |listen: &Directive<'_>| listen.listen().is_some_and(|listen| !listen.ssl);
        let secure = |listen: &Directive<'_>| listen.listen().is_some_and(|listen| listen.ssl);
        let is_self = others.is_empty() && !found.grows && url.starts_with("https:");
        let mut listens = first.server.listens();
        match listens.find(secure).filter(|_| is_self) {
            Some(listen) if first.server.listens().any(|one| plain(&one)) => {
                finding
                    .label(listen.span(), "requests over TLS come here too")
                    .help(
                        "Over TLS the request is where it was to go. Put the redirect into a server of its own, which \
                         listens without TLS only.",
                    );
            }
            _ => {
                finding.help(
                    "A client follows for a while, and then shows an error instead of a page.",
                );
            }
        }
    }
}
