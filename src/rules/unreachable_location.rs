use std::collections::HashSet;

use crate::rule::*;

rule! {
    /// Other locations take every request that this one is for.
    ///
    /// Regexes of one level are tried in the order of the file and the first that matches wins, however short it is. A
    /// `^~` prefix keeps the regexes of its level from being tried at all, unless a longer prefix without `^~` matches.
    /// A plain prefix answers only what no regex matches. nginx accepts two equal regexes and two equal named locations,
    /// and never uses the second.
    ///
    /// It is proved over all URIs that a client can send, and over those that a redirect inside of nginx may carry; a
    /// location that takes a part of what another one is for is not reported. Where a regex cannot be analysed, such
    /// as one with a backreference, nothing is said.
    ///
    /// ## When it is fine
    /// Never; the block is dead.
    ///
    /// ## Fix
    /// Unsafe: the narrower regex moves above the wider one, a prefix becomes `^~`, and a copy is removed.
    category: Location,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

/// Ends of paths that many locations are for.
const GUESSES: [&str; 8] = [
    "", "x", "/x.html", "/x.php", "/x.js", "/1", "x/1.html", "x/x.php",
];

fn check(config: &Config, report: &mut Report) {
    let mut spaces = urispace::Spaces::default();
    let mut dead = HashSet::new();
    for location in config.location_levels().into_iter().flatten() {
        // What is inside of one that gets nothing gets nothing for the same cause.
        let is_inside = location
            .parent()
            .is_some_and(|outer| dead.contains(&outer.directive.number()));
        // Most are reached by a path that is easily guessed.
        if routing::example(&location, &GUESSES).is_some() {
            continue;
        }
        let reached = spaces.reached(&location);
        // One that only holds others that answer is no dead block.
        if is_inside || reached.is_nothing() && spaces.is_dead(&location) {
            dead.insert(location.directive.number());
        } else {
            continue;
        }
        if is_inside || location.mismatch().is_some() {
            continue;
        }
        match reached {
            urispace::Reached::Nothing(takers) => {
                explain(report, &mut spaces, &location, &takers, "everything")
            }
            urispace::Reached::Control(_, takers) => {
                explain(
                    report,
                    &mut spaces,
                    &location,
                    &takers,
                    "every printable path",
                );
            }
            urispace::Reached::Path(_) | urispace::Reached::Unknown(_) => {}
        }
    }
}

fn explain<'c>(
    report: &mut Report,
    spaces: &mut urispace::Spaces<'c>,
    location: &Location<'c>,
    takers: &[Location<'c>],
    everything: &str,
) {
    let place = location.directive.span();
    let config = location.directive.config();
    let line = |taker: &Location<'_>| config.place(taker.directive.span(), place);
    let Some(first) = takers.first() else {
        // Of a name it is another rule's to say.
        if !location.is_regex() {
            return;
        }
        let what = match location.parent() {
            Some(outer) => format!("no path that `{outer}` gets"),
            None => "no path of a request".to_owned(),
        };
        report
            .at(place, format!("{what} matches `{location}`"))
            .here("this block gets no request")
            .help("A path begins with `/`; before it is compared, nginx decodes it, merges slashes and resolves `.` and `..`.");
        return;
    };
    let witness = spaces.contested(location, first);
    let all: Vec<String> = takers
        .iter()
        .map(|taker| format!("`{taker}` on {}", line(taker)))
        .collect();
    let others = all.join(", ");
    let message = match &witness {
        Some(example) if all.len() == 1 => {
            format!(
                "`{}`, like {everything} for `{location}`, goes to {others}",
                example.target
            )
        }
        _ => format!("{everything} for `{location}` goes to {others}"),
    };
    let finding = report.at(place, message);
    let url = witness.and_then(|example| example.url("http"));
    finding.here("this block gets no request").witness(
        url.map(|url| format!("GET {url}")),
        format!("answered by `location {first}` on {}", line(first)),
    );
    let cause = urispace::Cause::of(location, takers);
    for taker in takers {
        finding.label(taker.directive.span(), label(cause, taker));
    }
    match cause {
        urispace::Cause::Same => finding
            .help("Put both blocks into one.")
            .fix("remove the block that is never used", [location.directive.remove()]),
        urispace::Cause::Order => finding
            .help(format!(
                "Move the block above {}: the order of the file counts among regexes, and only there.",
                line(first)
            ))
            .fix(
                format!("move it above `location {first}`"),
                location.directive.move_before(first.directive).into_iter().flatten(),
            ),
        urispace::Cause::Preference => finding.help(format!(
            "Moving the block has no effect: `^~` wins wherever it stands. Put the regex inside `location {first}`, or drop its `^~`."
        )),
        urispace::Cause::Regexes => {
            // Not where the regexes would then get nothing.
            let prefer = Edit::insert_before(location.path.span, "^~ ");
            let edits = spaces.may_prefer(location).then_some(prefer);
            finding
                .help("Moving the block has no effect: regexes win over plain prefixes wherever they stand. `^~` would keep them from being tried.")
                .fix("write `^~`", edits)
        }
        urispace::Cause::Other => {
            // One that only another name keeps from being found may have to stay: it may bring regexes back.
            let is_twin = takers.len() == 1 && first.path.value == location.path.value;
            finding
                .help("Remove the block, or narrow those that take its requests.")
                .fix("remove the block that is never used", is_twin.then(|| location.directive.remove()))
        }
    };
}

fn label(cause: urispace::Cause, taker: &Location<'_>) -> &'static str {
    match (cause, taker.modifier) {
        (urispace::Cause::Same, _) => "the first of two that match the same wins",
        (urispace::Cause::Order, _) => "this regex is tried first",
        (urispace::Cause::Preference, _) => "no regex of this level is tried below this prefix",
        (urispace::Cause::Regexes, _) => "this regex wins over plain prefixes",
        (urispace::Cause::Other, Modifier::Exact) => "this exact name takes its requests",
        (urispace::Cause::Other, _) => "this takes requests that it is for",
    }
}
