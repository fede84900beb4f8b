use crate::rule::*;

rule! {
    /// nginx does not take this value for the directive, and does not start.
    ///
    /// Each directive reads its arguments in its own way: what is a size for one is none for another, units are lower
    /// case and stand for themselves, words come from a closed list and are written as the manual writes them. This is
    /// judged as the function in nginx judges it, for all that a value says by itself; files, names of hosts and what
    /// OpenSSL makes of a text are left to nginx.
    ///
    /// ## When it is fine
    /// Never. Nothing is said of directives that other people's modules define, of values that a template fills in, and
    /// of values that some nginx since 1.18 takes when the version was not told.
    ///
    /// ## Fix
    /// Unsafe: what was probably meant, where one answer is likely.
    category: Load,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/syntax.html",
}

fn check(config: &Config, report: &mut Report) {
    let broken: Vec<Span> = config.mistakes().map(|mistake| mistake.span).collect();
    for directive in config.directives() {
        let head = directive.span();
        if directive.is_stock() || broken.iter().any(|mistake| mistake.touches(head)) {
            continue;
        }
        let of_lines = directive.refused_lines();
        for refusal in directive.refusal().into_iter().chain(of_lines) {
            refused(report, &directive, refusal);
        }
    }
}

fn refused(report: &mut Report, directive: &Directive<'_>, refusal: Refusal<'_>) {
    if report.has(refusal.span) {
        return;
    }
    let name = directive.name();
    let finding = report.at(
        refusal.span,
        format!("`{name}` is refused: {}", refusal.problem),
    );
    if let Some(help) = refusal.help {
        finding.help(help);
    }
    if let Some(other) = refusal.other {
        finding.label(other, "here");
    }
    if let Some(meant) = refusal.meant {
        let title = format!("write `{meant}`");
        finding.fix(title, refusal.word.rewrite(&meant));
    }
}
