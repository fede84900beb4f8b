use crate::rule::*;

rule! {
    /// An `include` names a file that does not exist.
    ///
    /// nginx opens a literal name and does not start when there is no such file. A name without a leading `/` is looked
    /// for in the folder of the main configuration file, never in that of the file that includes it.
    ///
    /// Away from its host a configuration names files that cannot be seen. Such an include earns a note, since what the
    /// file sets is not known, and everything that depends on it stays unsaid. In a checkout of git every absolute path that
    /// leads out of it is such a file, whatever lies there on this machine; `--root` tells where they are.
    ///
    /// ## When it is fine
    /// A name with `*`, `?` or `[` may match nothing. The stock files of nginx and Debian are known and never missing.
    ///
    /// ## Fix
    /// None: create the file, or correct the name.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/ngx_core_module.html#include",
}

fn check(config: &Config, report: &mut Report) {
    for (include, problem) in config.include_problems() {
        let Some(name) = include.argument(0).filter(|name| !name.has_placeholder()) else {
            continue;
        };
        let path = problem.path.display();
        let certain = match problem.kind {
            IncludeProblemKind::Missing { certain } => certain,
            IncludeProblemKind::Outside => {
                report
                    .at(name.span, format!("`{name}` lies outside of this checkout, so what it sets is not known"))
                    .here("a path of the host")
                    .severity(Severity::Note)
                    .alike(&problem.path)
                    .help("Findings that depend on it are left out. `--root` tells where absolute paths start: `/` for this machine.");
                continue;
            }
            IncludeProblemKind::Cycle => continue,
        };
        // Only a link that leads nowhere matches a pattern and is missing all the same.
        let is_link = name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
        let missing = match is_link {
            true => format!("`{path}`, a link that `{name}` matches,"),
            false => format!("`{name}`"),
        };
        if !certain {
            report
                .at(name.span, format!("{missing} was not found, so what it sets is not known"))
                .here(format!("looked for at {path}"))
                .severity(Severity::Note)
                .alike(&problem.path)
                .help("Findings that depend on it are left out: look at the whole configuration on its host, or at the output of `nginx -T`.");
            continue;
        }
        let message = match is_link {
            true => format!("{missing} leads nowhere"),
            false => format!("the included file {missing} does not exist"),
        };
        let is_relative = !name.starts_with(b"/") && !is_link;
        let finding = report.at(name.span, message);
        finding
            .here(format!("looked for at {path}"))
            .alike(&problem.path);
        if is_relative {
            finding.help("A name without a leading `/` starts at the folder of the main configuration file, wherever the `include` stands.");
        }
    }
}
