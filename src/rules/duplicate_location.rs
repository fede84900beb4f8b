use crate::rule::*;

rule! {
    /// Two locations of one level have the same name, and nginx refuses the second.
    ///
    /// A plain prefix and a `^~` prefix are looked for together, so `/a` and `^~ /a` are the same name. An exact
    /// location is looked for apart: `= /a` may stand beside `/a`.
    ///
    /// ## When it is fine
    /// Never; nginx does not start.
    ///
    /// ## Fix
    /// None: put both blocks into one, or give the second the name that was meant.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for level in config.location_levels() {
        let mut first_of = std::collections::HashMap::new();
        for location in level {
            let kind = match location.modifier {
                Modifier::Exact => "an exact location",
                Modifier::Prefix | Modifier::PreferentialPrefix => "a prefix",
                Modifier::Regex | Modifier::CaselessRegex | Modifier::Named => continue,
            };
            let name = (kind, location.path.value.to_vec());
            let Some(first) = first_of.get(&name) else {
                first_of.insert(name, location);
                continue;
            };
            explain(config, report, first, &location);
        }
    }
}

fn explain(config: &Config, report: &mut Report, first: &Location<'_>, second: &Location<'_>) {
    let place = second.directive.span();
    if first.directive.span() == place {
        report
            .at(
                place,
                format!("`location {second}` is included twice at one level"),
            )
            .here("nginx refuses the second")
            .help("Include the file once on each level.");
        return;
    }
    let line = config.place(first.directive.span(), place);
    let finding = report.at(
        place,
        format!("`location {second}` stands at this level already, on {line}"),
    );
    finding
        .here("nginx refuses the second")
        .label(first.directive.span(), "the first");
    if first.modifier != second.modifier {
        finding.help("A prefix with `^~` and one without are the same name to nginx; `^~` only says what happens when it matches.");
    }
}
