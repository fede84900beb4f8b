use crate::rule::*;

rule! {
    /// nginx cannot compile the regex, and does not start.
    ///
    /// Every regex is compiled by PCRE2, the engine that nginx uses: those of locations, server names, rewrites,
    /// conditions, maps, referers, redirects and cookies. `fastcgi_split_path_info` needs two groups besides, and a named
    /// group may not be called as a variable that belongs to nginx, for it would set it.
    ///
    /// ## When it is fine
    /// Never. nginx before 1.21.5 is built with PCRE, which takes some of what PCRE2 refuses, as `[\w-.]`; of such a regex
    /// nothing is said unless the version is told.
    ///
    /// ## Fix
    /// None.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/server_names.html#regex_names",
}

fn check(config: &Config, report: &mut Report) {
    for directive in config.directives() {
        if directive.is_stock() {
            continue;
        }
        for bad in directive.bad_regexes() {
            if report.has(bad.span) {
                continue;
            }
            let regex = config.excerpt(bad.word.span);
            report
                .at(
                    bad.span,
                    format!("nginx refuses the regex `{regex}`: {}", bad.problem),
                )
                .help("A `*` or `?` repeats what stands before it, and `(`, `)`, `[`, `{` and `\\` are only themselves after a `\\`.");
        }
    }
}
