use crate::rule::*;

rule! {
    /// A star in the name of a location does not stand for any text.
    ///
    /// Outside of a regex a star is a character like any other: `location /assets/*` matches a path that begins with
    /// `/assets/*` itself. A prefix needs no star: `/assets/` matches all that begins so. At the end of a regex `/*` is any
    /// number of slashes, none among them, so that `~ ^/assets/*` also matches `/assets-old`; what was meant still
    /// matches, so that this is only a note.
    ///
    /// ## When it is fine
    /// When paths hold a star. A regex that ends in `/*$` is not reported: it is a way to allow for a last slash. Nor is one
    /// that refuses requests.
    ///
    /// ## Fix
    /// Unsafe: without the star, or for `/*.php` a regex for the ending.
    category: Location,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let Some(glob) = location.glob() else {
            continue;
        };
        if location.is_internal() {
            continue;
        }
        let fix = location.without_star(&glob);
        match &glob {
            Glob::Literal(star) => {
                if location.may_be_redirected_to() {
                    continue;
                }
                let how = match location.modifier {
                    Modifier::Exact => "the path",
                    _ => "paths that begin with",
                };
                report
                    .at(
                        location.directive.span(),
                        format!("`location {location}` matches only {how} `{}`, with the star itself", location.path),
                    )
                    .label(location.path.part(*star..star + 1), "a character like any other")
                    .help("A prefix matches all that begins so, without a star. Only `~` and `~*` make a regex, in which any text is `.*`.")
                    .fix("write it without the star", fix);
            }
            Glob::Slashes(star) => {
                let before = Shape::of(&location.path[..star - 1]).map(|shape| shape.prefix);
                let beside = before.map(|prefix| [&prefix[..], b"-x"].concat());
                let example = beside
                    .filter(|target| target.starts_with(b"/") && target.len() > 3)
                    .and_then(|target| routing::request(&location, &routing::escape(&target)));
                let message = match &example {
                    Some(example) => format!(
                        "`{}` is for `location {location}` too: `/*` is any number of slashes, also none",
                        example.target
                    ),
                    None => format!(
                        "`/*` at the end of `{}` is any number of slashes, also none",
                        location.path
                    ),
                };
                report
                    .at(location.directive.span(), message)
                    .severity(Severity::Note)
                    .label(location.path.part(star - 1..star + 1), "matches nothing at all, too")
                    .witness(
                        example.and_then(|example| example.url("http")).map(|url| format!("GET {url}")),
                        format!("answered by `location {location}`"),
                    )
                    .help("Any text is `.*` in a regex, and at its end nothing has to be written for it.")
                    .fix("drop the star", fix);
            }
        }
    }
}
