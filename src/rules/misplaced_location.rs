use crate::rule::*;

rule! {
    /// A location is nested in one that can never lead to it, and nginx refuses it.
    ///
    /// nginx looks for the nested locations of a prefix when that prefix has matched. A nested name is therefore written
    /// whole, and begins with the name around it: `/api/users`, not `/users`. Regexes may stand in any prefix and in any
    /// regex. Nothing may stand in an exact or a named location, and a named one only in the server itself.
    ///
    /// ## When it is fine
    /// Never; nginx does not start.
    ///
    /// ## Fix
    /// None: write the whole path, or move the location to where it belongs.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let Some(parent) = location.parent() else {
            continue;
        };
        let (problem, label, help) = match (parent.modifier, location.modifier) {
            (Modifier::Exact, _) => (
                format!("`{location}` stands in `{parent}`, an exact location"),
                "matches one URI only",
                "Nothing can be nested here: move it to the level of the exact location.".to_owned(),
            ),
            (Modifier::Named, _) => (
                format!("`{location}` stands in `{parent}`, a named location"),
                "is reached by its name only",
                "Nothing can be nested here: move it into the server.".to_owned(),
            ),
            (_, Modifier::Named) => (
                format!("`{location}` stands in `{parent}`, and a named location may not be nested"),
                "the location around it",
                "Move it into the server.".to_owned(),
            ),
            _ if location.is_regex() || begins_with(&location.path, &parent.path) => continue,
            (Modifier::Regex | Modifier::CaselessRegex, _) => (
                format!("`{location}` stands in `{parent}`, where only regexes can be nested"),
                "the location around it",
                "nginx compares the name with the text of the regex: write a regex, or move it into the server.".to_owned(),
            ),
            _ => (
                format!("`{location}` lies outside `{parent}`, in which it is nested"),
                "only URIs that begin so come here",
                whole_path(&parent, &location),
            ),
        };
        report
            .at(location.directive.span(), problem)
            .here("nginx refuses this")
            .label(parent.directive.span(), label)
            .help(help);
    }
}

/// True when nginx may find the one name at the beginning of the other: some systems compare without case.
fn begins_with(name: &[u8], prefix: &[u8]) -> bool {
    let start = name.get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn whole_path(parent: &Location<'_>, location: &Location<'_>) -> String {
    let (outer, inner) = (parent.path.text(), location.path.text());
    let path = format!(
        "{}/{}",
        outer.trim_end_matches('/'),
        inner.trim_start_matches('/')
    );
    format!("A nested name is written whole, such as `{path}`.")
}
