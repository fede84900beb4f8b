use crate::rule::*;

rule! {
    /// The regex that lets sites in takes the site of somebody else for one of them.
    ///
    /// `~https://example\.com` is found in `https://example.com.evil.example` as well, `~example\.com$` in
    /// `https://evilexample.com`, and `~^https://www.example\.com$` matches `https://wwwxexample.com`, because a dot stands
    /// for any byte. Anybody can buy such a name. The regexes are those whose match adds `Access-Control-Allow-Origin`, or
    /// keeps a request from a 403; each site that is reported was matched with PCRE2.
    ///
    /// ## When it is fine
    /// When the answers are the same for everybody and meant for all. A `Referer` only keeps honest sites from using
    /// files, which is why it makes a note.
    ///
    /// ## Fix
    /// Unsafe: anchors, escaped dots and a dot before the domain. The domain, its subdomains and any port stay let in.
    category: Security,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_map_module.html#map",
}

fn check(config: &Config, report: &mut Report) {
    for check in config.site_checks() {
        let tested = &check.tested;
        if report.has(tested.regex.span) {
            continue;
        }
        let Some(foreign) = urispace::foreign(tested) else {
            continue;
        };
        // Another regex may see to it before.
        if routing::attempt(check.directive, tested, foreign.seen.as_bytes(), "").is_none() {
            continue;
        }
        let name = match &tested.subject {
            Subject::Header(name) => name,
            _ => "Referer",
        };
        let why = match foreign.flaw {
            urispace::Flaw::OpenEnd => "more may follow the domain",
            urispace::Flaw::OpenStart => "the domain may stand in the path",
            urispace::Flaw::NoSeparator => "no dot has to stand before the domain",
            urispace::Flaw::BareDot => "a dot that is not escaped stands for any letter",
        };
        let (sent, meant) = (&foreign.sent, &foreign.meant);
        let effect = match check.is_shared {
            true if check.is_always() => "answered with `Access-Control-Allow-Origin`",
            true => "answered with `Access-Control-Allow-Origin`, unless it is an error",
            false => "not refused",
        };
        let help = match check.is_shared {
            true => {
                "Pages of that site can read the answers, and what belongs to a user where `Access-Control-Allow-Credentials` lets cookies along."
            }
            false => {
                "A program can send any such header; what has to be protected needs more than this."
            }
        };
        let severity = match name {
            "Origin" => Severity::Warning,
            _ => Severity::Note,
        };
        let request = routing::request_to(check.place)
            .and_then(|request| request.url("http"))
            .map(|url| format!("curl -i -H '{name}: {sent}' {url}"));
        report
            .at(
                tested.regex.span,
                format!("`{name}: {sent}` passes for `{meant}`: {why}"),
            )
            .severity(severity)
            .here(why)
            .witness(request, effect)
            .help(help)
            .fix(
                "let nothing stand before or after what is meant",
                foreign.cure.and_then(|cure| tested.regex.rewrite(&cure)),
            );
    }
}
