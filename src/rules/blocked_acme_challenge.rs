use crate::rule::*;

rule! {
    /// A regex that hides files refuses the challenge by which certificates are renewed.
    ///
    /// For HTTP-01 a certificate authority asks for a file below `/.well-known/acme-challenge/` at port 80, and follows
    /// redirects to HTTPS. A regex for hidden files such as `~ /\.` matches this path too, and goes before every plain
    /// prefix, wherever that stands. The authority does not see the file, and there is no new certificate.
    ///
    /// ## When it is fine
    /// When certificates come in another way: by DNS-01, by TLS-ALPN-01, or from a client that answers without a file below
    /// this path. A note, unless a location for the challenge shows that it is meant to be answered here. A server with TLS
    /// that nothing at port 80 leads to is not reported.
    ///
    /// ## Fix
    /// Unsafe: `^~` for the prefix that loses, or an exception in the regex.
    category: Location,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for blocked in routing::blocked_challenges(config) {
        let location = &blocked.location;
        let host = blocked.host.as_ref();
        let whose = host.map_or_else(String::new, |host| format!(" for `{host}`"));
        let answer = match blocked.status {
            Some(status) => format!("answered with {status}"),
            None => "cut off without an answer".to_owned(),
        };
        let redirected = match blocked.urls.split_first() {
            Some((_, [.., last])) => format!("redirected to {last}, and there {answer}"),
            _ => answer.clone(),
        };

        let finding = report.at(
            location.directive.span(),
            format!("an ACME challenge{whose} is {answer}: `{location}` matches it"),
        );
        finding
            .here(format!("this matches `{}`", routing::CHALLENGE))
            .given(location.visibility())
            .witness(
                blocked.urls.first().map(|url| format!("GET {url}")),
                redirected,
            );
        match &blocked.loser {
            Some(loser) => finding
                .severity(Severity::Warning)
                .label(loser.directive.span(), "this plain prefix loses to the regex")
                .help("Moving either block makes no difference. Only `^~` or `=` keeps regexes from being tried.")
                .fix("try no regex below this prefix", blocked.cure()),
            None => finding
                .help(
                    "Certificates by HTTP-01 cannot be had this way. With DNS-01 nobody asks for this path. A plain \
                     prefix for it would lose to the regex; one with `^~` would not.",
                )
                .fix("leave out `/.well-known/`", blocked.cure()),
        };
    }
}
