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

fn check(config: &Config, report: &mut Report) {
    for dead in urispace::dead(config) {
        let location = &dead.location;
        let place = location.directive.span();
        let Some(first) = dead.takers.first() else {
            // Of a name it is another rule's to say.
            if location.is_regex() {
                let what = match location.parent() {
                    Some(outer) => format!("no path that `{outer}` gets"),
                    None => "no path of a request".to_owned(),
                };
                report
                    .at(place, format!("{what} matches `{location}`"))
                    .here("this block gets no request")
                    .help("A path begins with `/`; before it is compared, nginx decodes it, merges slashes and resolves `.` and `..`.");
            }
            continue;
        };
        let everything = match dead.is_left_control {
            true => "every printable path",
            false => "everything",
        };
        let line = |taker: &Location<'_>| config.place(taker.directive.span(), place);
        let takers = dead.takers.iter();
        let others: Vec<String> = takers
            .map(|taker| format!("`{taker}` on {}", line(taker)))
            .collect();
        let others = others.join(", ");
        let at = line(first);
        let message = match dead.witness.as_ref().filter(|_| dead.takers.len() == 1) {
            Some(example) => {
                let target = &example.target;
                format!("`{target}`, like {everything} for `{location}`, goes to {others}")
            }
            None => format!("{everything} for `{location}` goes to {others}"),
        };
        let (help, title) = match dead.cause {
            urispace::Cause::Same => ("Put both blocks into one.".to_owned(), "remove the block that is never used".to_owned()),
            urispace::Cause::Order => (
                format!("Move the block above {at}: the order of the file counts among regexes, and only there."),
                format!("move it above `location {first}`"),
            ),
            urispace::Cause::Preference => (
                format!(
                    "Moving the block has no effect: `^~` wins wherever it stands. Put the regex inside `location {first}`, or drop its `^~`."
                ),
                String::new(),
            ),
            urispace::Cause::Regexes => (
                "Moving the block has no effect: regexes win over plain prefixes wherever they stand. `^~` would keep them from \
                 being tried."
                    .to_owned(),
                "write `^~`".to_owned(),
            ),
            urispace::Cause::Other => (
                "Remove the block, or narrow those that take its requests.".to_owned(),
                "remove the block that is never used".to_owned(),
            ),
        };
        let url = dead
            .witness
            .as_ref()
            .and_then(|example| example.url("http"));

        let finding = report.at(place, message);
        finding
            .here("this block gets no request")
            .witness(
                url.map(|url| format!("GET {url}")),
                format!("answered by `location {first}` on {at}"),
            )
            .help(help)
            .fix(title, dead.cure());
        for taker in &dead.takers {
            finding.label(taker.directive.span(), label(dead.cause, taker));
        }
    }
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
