use crate::rule::*;

rule! {
    /// Another location takes every request that this one is for.
    ///
    /// Regexes of one level are tried in the order of the file and the first that matches wins, however short it is. A
    /// `^~` prefix keeps the regexes of its level from being tried at all, unless a longer prefix without `^~` matches.
    /// nginx accepts two equal regexes and two equal named locations, and never uses the second.
    ///
    /// Only what is certain is reported: a regex that takes a part of what another one is for is not.
    ///
    /// ## When it is fine
    /// Never; the block is dead.
    ///
    /// ## Fix
    /// Unsafe: the narrower regex moves above the wider one, and a copy is removed.
    category: Location,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for level in config.location_levels() {
        let winners = routing::winners(&level);
        for (location, winner) in level.iter().zip(winners) {
            let Some(winner) = winner else { continue };
            if winner.location.directive.span() != location.directive.span() {
                explain(config, report, location, &winner);
            }
        }
    }
}

fn explain(
    config: &Config,
    report: &mut Report,
    location: &Location<'_>,
    winner: &routing::Winner<'_>,
) {
    let place = location.directive.span();
    let other = &winner.location;
    let other_place = other.directive.span();
    let line = config.place(other_place, place);
    let witness = routing::contested(other, location);
    let what = match &witness {
        Some(example) => format!(
            "`{}`, like everything for `{location}`, goes to `{other}`",
            example.target
        ),
        None => format!("everything for `{location}` goes to `{other}`"),
    };
    let exception = if winner.but_line_feeds {
        " (but for a path with a line feed)"
    } else {
        ""
    };
    let finding = report.at(place, format!("{what} on {line}{exception}"));
    finding.here("this block gets no request").witness(
        witness
            .and_then(|example| example.url("http"))
            .map(|url| format!("GET {url}")),
        format!("answered by `location {other}` on {line}"),
    );
    match winner.reason {
        routing::Reason::Preference => {
            finding
                .label(other_place, "no regex of this level is tried below this prefix")
                .help(format!(
                    "Moving the block has no effect: `^~` wins wherever it stands. Put the regex inside `location {other}`, or drop its `^~`."
                ));
        }
        routing::Reason::Order if winner.is_equal => {
            finding
                .label(other_place, "the first of two that match the same wins")
                .help("Put both blocks into one.")
                .fix(
                    "remove the block that is never used",
                    [location.directive.remove()],
                );
        }
        routing::Reason::Order => {
            finding
                .label(other_place, "this regex is tried first")
                .help(format!(
                    "Move the block above {line}: the order of the file counts among regexes, and only there."
                ))
                .fix(
                    format!("move it above `location {other}`"),
                    location.directive.move_before(other.directive).into_iter().flatten(),
                );
        }
    }
}
