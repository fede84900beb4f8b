use crate::rule::*;

rule! {
    /// A value uses a variable that neither nginx nor the configuration defines.
    ///
    /// nginx looks every variable up when it starts and refuses the whole configuration for one that it does not find,
    /// without naming the line. `$connection_upgrade` is the most frequent one: it is no variable of nginx, but the name
    /// that guides to WebSockets give to a `map`, which has to be copied with the rest.
    ///
    /// ## When it is fine
    /// When a module that nginspect does not know defines it. Nothing is said where such a module is loaded, where a
    /// directive is unknown that is no misspelled one, where a part of the configuration cannot be seen, and in templates
    /// nothing of names in capitals.
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
        let Some(subsystem) = directive.subsystem().filter(|_| directive.is_merged()) else {
            continue;
        };
        // A log is written when all regexes have matched, and knows no `$1`.
        let has_captures = !directive.is("log_format");
        let mut seen: Vec<String> = Vec::new();
        for argument in directive.evaluated_arguments() {
            for reference in nginx::references(&argument) {
                let name = &reference.name;
                if (has_captures && reference.is_capture())
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
            .alike(name)
            .help("It is the name that guides to WebSockets give to a `map` of `$http_upgrade`, which belongs into the `http` block.")
            .fix("add the `map`", config.prepend_to_http(&MAP));
        return;
    }
    let message = match config.variable_of_other_version(name, subsystem) {
        Some(known) => other_version(config, known, name),
        None => format!("nginx knows no variable `${name}`, and nothing here defines it"),
    };
    let finding = report.at(place, message);
    // Of a template all are told together.
    let is_in_capitals = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    finding
        .here("nginx does not start without it")
        .alike(if is_in_capitals { "" } else { name });
    let other_part = match subsystem {
        Subsystem::Http => (Subsystem::Stream, "`stream`", "`http`"),
        Subsystem::Stream => (Subsystem::Http, "`http`", "`stream`"),
    };
    if let Some(definition) = config.definitions_in(name, other_part.0).next() {
        let (_, there, here) = other_part;
        finding
            .label(definition.span(), format!("defined for {there} only"))
            .help(format!(
                "Define it in {here} too: the two share no variables."
            ));
        return;
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        finding.help("The groups of a regex are `$1` to `$9`, written without braces.");
    } else if is_in_capitals {
        finding.help("Where another program such as `envsubst` fills it in: check what comes out, or call the file `.template`.");
    } else if let Some(similar) = config.similar_variable(name, subsystem) {
        finding.help(format!("Did you mean `${similar}`?"));
    }
}

fn other_version(config: &Config, known: &nginx::Variable, name: &str) -> String {
    let told = config.told_version();
    match (told, known.gone) {
        (Some(told), Some(gone)) if gone <= told => {
            format!("nginx {told} has no variable `${name}` any more: it is gone since {gone}")
        }
        (Some(told), _) => {
            let since = known.since;
            format!("nginx {told} has no variable `${name}` yet: it comes with {since}")
        }
        (None, Some(gone)) => {
            format!("nginx has no variable `${name}` any more: it is gone since {gone}")
        }
        (None, None) => format!("nginx knows no variable `${name}`, and nothing here defines it"),
    }
}
