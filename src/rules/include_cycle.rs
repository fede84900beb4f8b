use crate::rule::*;

rule! {
    /// A file includes itself, directly or through others.
    ///
    /// nginx does not notice: it opens the files again and again until it runs out of file descriptors (`Too many open
    /// files`) or of stack.
    ///
    /// ## When it is fine
    /// Never. A pattern such as `include *.conf` also matches the file that it stands in.
    ///
    /// ## Fix
    /// None: move what both files need into a third one.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/ngx_core_module.html#include",
}

fn check(config: &Config, report: &mut Report) {
    for (include, problem) in config.include_problems() {
        if !matches!(problem.kind, IncludeProblemKind::Cycle) {
            continue;
        }
        let path = problem.path.display();
        let steps: Vec<_> = config.circle(problem).collect();
        let through: Vec<_> = steps
            .iter()
            .skip(1)
            .map(|step| config.sources().file(step.span().file).name())
            .collect();
        let message = if through.is_empty() {
            format!("{path} includes itself")
        } else {
            format!("{path} includes itself through {}", through.join(", "))
        };
        let finding = report.at(include.span(), message);
        finding.here("nginx opens the file again here, without end");
        for step in steps.iter().filter(|step| **step != include) {
            finding.label(step.span(), "the circle leads through this include");
        }
        if include.argument(0).is_some_and(|name| name.contains(&b'*')) {
            finding.help(
                "The pattern matches the file that it stands in, or one that leads back to it.",
            );
        }
    }
}
