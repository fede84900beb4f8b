use crate::rule::*;

rule! {
    /// A `^~` prefix keeps a regex from running a script or from refusing a file, which is sent to everybody instead.
    ///
    /// Where a `^~` prefix is the longest, nginx tries no regex of its level. With `location ^~ / { root /srv/www; }`,
    /// `location ~ \.php$` is never tried, and clients get the source text of every script; beside
    /// `location ^~ /files/`, a `location ~ /\. { deny all; }` does not hold for `/files/.git/config`.
    ///
    /// ## When it is fine
    /// When `^~` is there to keep that very regex away, as for `/.well-known/acme-challenge/` beside a regex for hidden
    /// files: a prefix that the regex matches itself is not reported. Nor is a regex from an included file, or a folder
    /// of which nothing says that it holds scripts.
    ///
    /// ## Fix
    /// Unsafe: drop the `^~`. All regexes of the level are then tried below the prefix. To let in only one of them, put a
    /// copy of it inside the location.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for found in urispace::suppressed(config) {
        let (prefix, regex) = (&found.prefix, &found.regex);
        let (place, other) = (prefix.directive.span(), regex.directive.span());
        let target = routing::target(&found.path);
        let line = config.place(other, place);
        let (message, label) = match found.refusal {
            Some(status) => (
                format!(
                    "`{target}` would be sent: `^~` keeps `{regex}` on {line} from refusing it"
                ),
                format!("would answer `{target}` with {status}"),
            ),
            None => (
                format!(
                    "`{target}` is sent as a text: `^~` keeps `{regex}` on {line} from running it"
                ),
                format!("would run `{target}`"),
            ),
        };
        report
            .at(place, message)
            .severity(found.severity())
            .here("no regex of this level is tried below this prefix")
            .label(other, label)
            .witness(
                routing::request_url(prefix, &found.path, "http"),
                format!("{}, if it is there", found.given),
            )
            .given(prefix.visibility())
            .help(format!(
                "Moving the blocks changes nothing: `^~` wins wherever it stands. A copy of `location {regex}` inside `location {prefix}` is tried as well."
            ))
            .fix("let the regexes of this level be tried again", prefix.drop_preference());
    }
}
