use crate::rule::*;

rule! {
    /// A value uses a variable that neither nginx nor the configuration defines.
    ///
    /// nginx looks every variable up when it starts and refuses the whole configuration for one that it does not find,
    /// without naming the line. `$connection_upgrade` is the most frequent one: it is no variable of nginx, but the name
    /// that guides to WebSockets give to a `map`, which has to be copied with the rest.
    ///
    /// ## When it is fine
    /// When a module that nginspect does not know defines it. Nothing is said where a part of the configuration cannot
    /// be seen, and in templates nothing of names in capitals.
    ///
    /// ## Fix
    /// Safe: the `map` that defines `$connection_upgrade`. There is none for other names.
    category: Load,
    severity: Error,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/varindex.html",
}

const MAP: [&str; 4] = [
    "map $http_upgrade $connection_upgrade {",
    "    default upgrade;",
    "    ''      close;",
    "}",
];

fn check(config: &Config, report: &mut Report) {
    if config.visibility_of_definitions() != Visibility::Whole {
        return;
    }
    for directive in config.directives() {
        let Some(subsystem) = directive.subsystem() else {
            continue;
        };
        let mut seen: Vec<String> = Vec::new();
        for argument in directive.evaluated_arguments() {
            for reference in nginx::references(&argument) {
                let name = &reference.name;
                if reference.is_capture()
                    || config.may_know_variable(name, subsystem)
                    || config.is_placeholder(name, directive.span())
                    || seen.contains(name)
                {
                    continue;
                }
                seen.push(name.clone());
                unknown(config, report, &argument, &reference, subsystem);
            }
        }
    }
}

fn unknown(
    config: &Config,
    report: &mut Report,
    argument: &Word<'_>,
    reference: &nginx::Reference,
    subsystem: Subsystem,
) {
    let name = &reference.name;
    let place = argument.part(reference.range.clone());
    if name == "connection_upgrade" && subsystem == Subsystem::Http {
        report
            .at(place, "`$connection_upgrade` is no variable of nginx, and no `map` here defines it")
            .here("nginx does not start without it")
            .help("It is the name that guides to WebSockets give to a `map` of `$http_upgrade`, which belongs into the `http` block.")
            .fix("add the `map`", config.prepend_to_http(&MAP));
        return;
    }
    let finding = report.at(
        place,
        format!("nginx knows no variable `${name}`, and nothing here defines it"),
    );
    finding.here("nginx does not start without it");
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        finding.help("The groups of a regex are `$1` to `$9`, written without braces.");
    } else if let Some(similar) = config.similar_variable(name, subsystem) {
        finding.help(format!("Did you mean `${similar}`?"));
    }
}
