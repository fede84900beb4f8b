use crate::rule::*;

rule! {
    /// A location that does not end in `/` with an `alias` that does lets clients climb out of the directory.
    ///
    /// nginx replaces the name of the location by the alias and appends the rest of the path unchanged. `/static../x`
    /// begins with `/static`, and its `..` is no segment of its own that would be resolved, so
    /// `location /static { alias /srv/static/; }` opens `/srv/static/../x`: every file in the folder above.
    ///
    /// ## When it is fine
    /// Never with files of others beside the folder. End both with a slash, or neither.
    ///
    /// ## Fix
    /// Unsafe: end the location with a slash. `/static` itself is then answered by another location.
    category: Static,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#alias",
}

fn check(config: &Config, report: &mut Report) {
    for location in config.location_levels().into_iter().flatten() {
        let block = location.directive;
        let Some(folder) = block.own("alias").find_map(|alias| alias.argument(0)) else {
            continue;
        };
        let closed = block
            .own("deny")
            .any(|deny| deny.argument(0).is_some_and(|who| who == "all"));
        if !location.is_prefix()
            || location.path.ends_with(b"/")
            || !folder.ends_with(b"/")
            || folder == "/"
            || location.handler().is_some()
            || location.own_return().is_some()
            || closed
        {
            continue;
        }
        let example = routing::example(&location, &["../x"]);
        let is_outside = |example: &routing::Example| {
            let served = example.served_in(&location);
            served.is_some_and(|served| served.file().is_some_and(|file| file.ends_with("../x")))
        };
        let Some(example) = example.filter(is_outside) else {
            continue;
        };
        let target = &example.target;
        report
            .at(
                location.path.span,
                format!("`{target}` reads `{folder}../x`, outside of the folder"),
            )
            .here("this is replaced by the alias, no more and no less")
            .label(folder.span, "clients can leave this folder")
            .witness(
                example.url("http").map(|url| format!("GET {url}")),
                format!("the file {folder}../x"),
            )
            .behind(block)
            .help("Permissions of files are the only limit. An `autoindex off` does not help.")
            .fix("end the location with a slash", location.end_with_slash());
    }
}
