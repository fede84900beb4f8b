use crate::rule::*;

rule! {
    /// A directive stands in a block that nginx does not take it in.
    ///
    /// Every directive belongs into certain blocks: `listen` into a `server`, `upstream` and `map` beside the servers,
    /// `proxy_pass` into a `location`. nginx refuses it anywhere else, also when the block is put there by an `include`.
    ///
    /// ## When it is fine
    /// Never; nginx does not start. A file that no configuration includes is judged by the blocks that it holds itself.
    ///
    /// ## Fix
    /// None: move the directive to where it belongs.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/dirindex.html",
}

fn check(config: &Config, report: &mut Report) {
    for (directive, misfit) in config.misfits() {
        if *misfit == Misfit::Misplaced {
            misplaced(directive, report);
        }
    }
}

fn misplaced(directive: Directive<'_>, report: &mut Report) {
    let name = directive.name();
    let allowed = directive.allowed_contexts();
    let belongs = allowed.places();
    let message = match directive.parent() {
        None if directive.config().fragment().is_some() => {
            format!("`{name}` belongs {belongs}, not beside the blocks of this file")
        }
        _ => format!(
            "`{name}` belongs {belongs}, not {}",
            directive.context().places()
        ),
    };
    let finding = report.at(directive.span(), message);
    finding.here("nginx does not take it here");
    if let Some(block) = directive.parent() {
        finding.label(block.span(), "in this block");
    }
    if let Some(include) = directive.included_by() {
        finding.label(include, "included here");
    }
    let outer = directive
        .ancestors()
        .find(|block| block.inside().intersects(allowed));
    if let Some(outer) = outer {
        let line = directive.config().place(outer.span(), directive.span());
        finding.help(format!(
            "Move it out, into the `{}` of {line}.",
            outer.name()
        ));
    } else if let Some(help) = advice(directive, allowed) {
        finding.help(help);
    }
}

/// What is usually meant by a directive that stands too far out.
fn advice(directive: Directive<'_>, allowed: Contexts) -> Option<&'static str> {
    let context = directive.context();
    Some(
        if context == Contexts::SERVER && allowed.intersects(Contexts::LOCATION) {
            "Write it in a `location`; `location / { … }` is for all requests that no other location takes."
        } else if context == Contexts::HTTP && allowed.intersects(Contexts::SERVER) {
            "Write it in each `server` that it is for."
        } else if context == Contexts::MAIN && allowed.intersects(Contexts::HTTP) {
            "Put an `http { … }` around it."
        } else {
            return None;
        },
    )
}
