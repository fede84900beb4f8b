use crate::rule::*;

rule! {
    /// Nothing refers to an upstream, a `map`, a zone or a named location.
    ///
    /// nginx sets it up all the same: a zone takes its memory, and what is written for the one that is not used has no effect.
    /// Often a rename reached only one of two places.
    ///
    /// ## When it is fine
    /// When it is kept for later. Nothing is said where a part of the configuration was not read, where Lua, njs, Perl or an
    /// unknown module could refer to it, of upstreams where a `proxy_pass` takes its host from the request, and of named locations
    /// where an upstream may choose one with `X-Accel-Redirect`.
    ///
    /// ## Fix
    /// Unsafe: remove it. Where a name that nothing defines is written almost like it, there is none.
    category: Location,
    severity: Note,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#upstream",
}

fn check(config: &Config, report: &mut Report) {
    for unused in config.unused() {
        let Unused {
            directive,
            kind,
            name,
            may_be_meant,
        } = unused;
        report
            .at(directive.span(), format!("nothing uses {kind} `{name}`"))
            .here("defined here only")
            .help("If something should, look for a name that is spelled otherwise.")
            .fix("remove it", (!may_be_meant).then(|| directive.remove()));
    }
}
