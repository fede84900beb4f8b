use crate::rule::*;

rule! {
    /// A directive stands twice in one block, and nginx takes only one.
    ///
    /// Most directives may stand once on a level, and an included file belongs to the level that includes it. Lists such as
    /// `add_header`, `allow` or `error_page` grow with each line and are fine. Some may stand several times under
    /// different names: an `upstream`, a `log_format`, a zone. `root` and `alias` of one location exclude each other. A
    /// `map` settles the sizes of its hash, so `map_hash_bucket_size` after it counts as the second.
    ///
    /// ## When it is fine
    /// Never; nginx does not start. An inner block may set again what an outer one sets.
    ///
    /// ## Fix
    /// Unsafe: remove the second one, or move `map_hash_bucket_size` up. Which of two was meant, only the author knows.
    category: Load,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/beginners_guide.html#conf_structure",
}

fn check(config: &Config, report: &mut Report) {
    let mut twice = std::collections::HashSet::new();
    for Repeated { first, second, key } in config.repeated() {
        let (place, name) = (second.span(), second.name());
        if first.span() == place {
            // One finding for a file, however many directives it repeats.
            if twice.insert((place.file, second.parent().map(Directive::span))) {
                included_twice(second, report);
            }
            continue;
        }
        let what = match key {
            Some(key) => format!("`{name}` with `{}`", config.excerpt(key)),
            None => format!("`{name}`"),
        };
        let line = config.place(first.span(), place);
        report
            .at(
                place,
                format!("{what} stands at this level already, on {line}"),
            )
            .here("nginx refuses the second")
            .label(first.span(), "the first")
            .fix(format!("remove the second `{name}`"), [second.remove()]);
    }
    for location in config.locations() {
        let own = |name| location.directive.own(name).next();
        if let (Some(alias), Some(root)) = (own("alias"), own("root")) {
            root_and_alias(alias, root, report);
        }
    }
    for (size, map) in config.late_map_sizes() {
        late_map_size(size, map, report);
    }
}

/// A `map` settles the sizes that nobody has set so far, and nginx takes those for the first use.
fn late_map_size(size: Directive<'_>, map: Directive<'_>, report: &mut Report) {
    let name = size.name();
    let line = size.config().place(map.span(), size.span());
    report
        .at(
            size.span(),
            format!("`{name}` must stand before the first `map`, on {line}"),
        )
        .here("nginx refuses it as a duplicate")
        .label(map.span(), "this `map` has settled the size")
        .fix(
            format!("move `{name}` up"),
            size.move_before(map).into_iter().flatten(),
        );
}

fn included_twice(directive: Directive<'_>, report: &mut Report) {
    let config = directive.config();
    let place = directive.span();
    let file = config.sources().file(place.file).name();
    let name = directive.name();
    let finding = report.at(
        place,
        format!("`{name}` stands twice at one level, since {file} is included twice there"),
    );
    finding
        .here("nginx refuses the second")
        .help("Include the file once on each level.");
    for include in config.inclusions(place.file).iter().take(2) {
        finding.label(*include, "included here");
    }
}

fn root_and_alias(alias: Directive<'_>, root: Directive<'_>, report: &mut Report) {
    let (first, second) = match root.precedes(alias) {
        true => (root, alias),
        false => (alias, root),
    };
    let line = alias.config().place(first.span(), second.span());
    report
        .at(
            second.span(),
            format!("`{}` excludes `{}` on {line}", second.name(), first.name()),
        )
        .here("nginx refuses the second")
        .label(first.span(), "the first")
        .help("`root` puts the whole path below a folder, `alias` what follows the name of the location.");
}
