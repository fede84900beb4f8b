use crate::rule::*;

rule! {
    /// A comment says that the order of locations matters where it does not.
    ///
    /// nginx takes an exact name first, and among prefixes the longest one, wherever they stand. Only regexes are tried
    /// in the order of the file. Who believes the comment moves blocks about when something goes wrong, and nothing
    /// changes.
    ///
    /// ## When it is fine
    /// As an order for people to read. Comments above regexes are never reported. This rule is off unless it is
    /// selected.
    ///
    /// ## Fix
    /// None: take the comment away, or let it say what is really wanted.
    category: Location,
    severity: Note,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
    unless_selected: Off,
}

fn check(config: &Config, report: &mut Report) {
    for comment in config.order_comments() {
        let OrderComment {
            span,
            location,
            shorter,
        } = comment;
        let why = match (location.modifier, &shorter) {
            (Modifier::Exact, _) => "an exact name is taken first, wherever it stands".to_owned(),
            (_, Some(shorter)) => {
                format!("it is longer than `{shorter}`, and the longest one is taken")
            }
            (_, None) => "the longest one is taken, wherever it stands".to_owned(),
        };
        let finding = report.at(span, format!("`{location}` may stand anywhere: {why}"));
        finding
            .here("asks for a place")
            .help("Only regexes are tried in the order in which they stand, and that of the prefixes makes no difference to them.");
        if let Some(shorter) = shorter.filter(|_| location.is_prefix()) {
            finding.label(shorter.directive.span(), "shorter");
        }
    }
}
