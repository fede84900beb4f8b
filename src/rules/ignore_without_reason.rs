use crate::rule::*;

rule! {
    /// A comment ignores a finding and does not say why.
    ///
    /// Whoever reads the line next has to know whether the finding was wrong, or right and accepted, and for how long.
    ///
    /// ## When it is fine
    /// Never; one word is enough.
    ///
    /// ## Fix
    /// None: only you know the reason. It follows the brackets.
    category: Ignore,
    severity: Warning,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/beginners_guide.html#conf_structure",
    looks_at: Ignores,
}

fn check(config: &Config, ignores: &Ignores, report: &mut Report) {
    for ignore in ignores.iter().filter(|ignore| !ignore.has_reason) {
        report
            .at(ignore.span, "this ignores a finding without a reason")
            .help(format!(
                "Write it behind the brackets: `{} the reason`.",
                config.excerpt(ignore.span)
            ));
    }
}
