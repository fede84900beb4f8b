use crate::rule::*;

rule! {
    /// `$uri` in `proxy_pass` sends the path decoded and loses the query.
    ///
    /// `$uri` (and `$document_uri`) is the path as nginx compares it with locations: percent signs are decoded, slashes
    /// merged, and the query is left out. nginx writes it into the request line as it is: `/a%20b` becomes `/a b`, which
    /// is no request line, and `/a%3Fb` becomes `/a?b`.
    ///
    /// ## When it is fine
    /// When a `rewrite` has changed the URI before and only plain characters come. Where there is one in the location or
    /// its server, nothing is reported.
    ///
    /// ## Fix
    /// Unsafe: pass the URI on as it was sent, with its query.
    category: Proxy,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#var_uri",
}

/// What is written behind the variable where the query is meant to follow.
const QUERIES: [&str; 4] = [
    "$is_args$args",
    "$is_args$query_string",
    "?$args",
    "?$query_string",
];

fn check(config: &Config, report: &mut Report) {
    for place in config.proxied() {
        let location = &place.location;
        let Some(url) = place.url().filter(ProxyUrl::has_variables) else {
            continue;
        };
        let path = url
            .word
            .split(|byte| *byte == b'?')
            .next()
            .map_or(0, <[u8]>::len);
        let is_path = |name: &str| ["uri", "document_uri"].contains(&&*name.to_ascii_lowercase());
        let references = nginx::references(&url.word);
        let found = references
            .iter()
            .find(|found| is_path(&found.name) && found.range.end <= path);
        let Some(found) = found else { continue };
        if location.modifier == Modifier::Exact
            || location.is_internal()
            || routing::may_be_rewritten(location)
            || report.has(url.word.span)
        {
            continue;
        }
        let rest = url.word.tail(found.range.end);
        let has_query = nginx::references(&rest)
            .iter()
            .any(|rest| ["args", "query_string"].contains(&&*rest.name.to_ascii_lowercase()));
        let slash = if location.path.ends_with(b"/") {
            ""
        } else {
            "/"
        };
        let tail = format!("{slash}a%20b{}", if has_query { "" } else { "?x=1" });
        let mapping = routing::mapping_example(&place, &url, &tail);
        let variable = String::from_utf8_lossy(&url.word[found.range.clone()]).into_owned();
        let lost = if has_query { "" } else { ", without its query" };
        // Where no such path is known to come, none is told of.
        let shown = match mapping {
            Some(_) => ": `a%20b` reaches the backend as `a b`",
            None => "",
        };

        let finding = report.at(
            url.word.part(found.range.clone()),
            format!("`{variable}` sends the path decoded{lost}{shown}"),
        );
        finding
            .here("this is the path that nginx compares with locations")
            .help(
                "A blank in the request line is answered with 400 by most backends. `$request_uri` is the URI as it was \
                 sent, and so is what `proxy_pass` sends without any URI part.",
            );
        if let Some(mapping) = mapping {
            let effect = format!("the backend is asked for {}", mapping.upstream());
            finding
                .witness(mapping.url("http"), effect)
                .behind(place.scope);
        }
        if !rest.is_empty() && !QUERIES.iter().any(|query| rest == *query) {
            continue;
        }
        let end = found.range.start..url.word.len();
        let is_known = place
            .backend()
            .is_some_and(|backend| !backend.is_resolved_late(config));
        let bare = references[0] == *found
            && url.authority().len() + url.scheme().len() == found.range.start;
        let text = if is_known && bare { "" } else { "$request_uri" };
        if url.word.is_verbatim() {
            finding.fix(
                "pass the URI on as it was sent",
                [Edit::replace(url.word.part(end), text)],
            );
        }
    }
}
