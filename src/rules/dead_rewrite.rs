use crate::rule::*;

rule! {
    /// A `set`, `if`, `rewrite` or `return` stands behind one that always ends the list.
    ///
    /// nginx runs these directives of a block one after the other, in the order of the file. Behind an unconditional
    /// `return` or `break`, and behind a `rewrite` that matches every path and has a flag or redirects, none is run.
    ///
    /// ## When it is fine
    /// Never: what stands behind is dead. That the path of a request may hold a line feed, which `.*` does not match, is left out
    /// of account.
    ///
    /// ## Fix
    /// Unsafe: remove what is never run, unless it defines a variable.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html",
}

fn check(config: &Config, report: &mut Report) {
    let blocks = config.directives().filter(|block| {
        let places = Contexts::SERVER
            .union(Contexts::LOCATION)
            .union(Contexts::SERVER_IF)
            .union(Contexts::LOCATION_IF);
        block.is_block() && block.inside().intersects(places)
    });
    for block in blocks {
        let Some((end, dead)) = block.dead_script() else {
            continue;
        };
        let first = dead[0];
        if report.has(first.span()) {
            continue;
        }
        let shown = config.excerpt(end.span());
        let why = match &*end.name() {
            b"rewrite" => "matches every path, and nothing behind it is run",
            _ => "nothing behind it is run",
        };
        let finding = report.at(
            first.span(),
            format!(
                "`{}` is never run: `{shown}` stands before it",
                config.excerpt(first.span())
            ),
        );
        finding
            .here("no request gets here")
            .label(end.span(), why)
            .help("These directives run in the order of the file, unlike most others.");
        for other in &dead[1..] {
            finding.label(other.span(), "never run either");
        }
        let defines = |step: &Directive<'_>| {
            let names = |word: Word<'_>| word.windows(2).any(|pair| pair == b"(?");
            step.is("set") || step.arguments().any(names)
        };
        let is_needed =
            |step: &Directive<'_>| defines(step) || step.descendants().any(|inner| defines(&inner));
        let is_here = |step: &Directive<'_>| step.span().file == end.span().file;
        if dead.iter().all(|step| is_here(step) && !is_needed(step)) {
            finding.fix(
                "remove what is never run",
                dead.iter().map(|step| step.remove()),
            );
        }
    }
}
