use crate::rule::*;

rule! {
    /// A fallback names a location that its server does not have, and requests that need it are answered with 500.
    ///
    /// nginx looks for an `@name` among the named locations of the server, and only when a request goes there: the
    /// configuration loads, and the error log says `could not find named location`. The names of other servers do not count.
    ///
    /// ## When it is fine
    /// Never. Nothing is said where a part of the server was not read, and of names made of variables.
    ///
    /// ## Fix
    /// None: define the location in the server, or write the name of the one that was meant.
    category: Location,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    for directive in config.directives() {
        let Some(name) = directive.named_target() else {
            continue;
        };
        let is_answered = directive.is("try_files")
            && directive
                .parent()
                .is_some_and(|block| block.own("return").next().is_some());
        let Some(server) = directive.server_without_target().filter(|_| !is_answered) else {
            continue;
        };
        let (message, effect) = match directive.is("try_files") {
            true => (
                format!("a missing file is answered with 500: this server has no `{name}`"),
                "500 where none of the files is there".to_owned(),
            ),
            false => {
                let codes: Vec<String> = directive
                    .arguments()
                    .take_while(|word| word.iter().all(u8::is_ascii_digit))
                    .map(|word| word.text().into_owned())
                    .collect();
                let codes = codes.join(" or ");
                let whose = match directive.parent() {
                    Some(block) if block == server.directive || !block.is("http") => {
                        "this server".to_owned()
                    }
                    _ => format!(
                        "the server on {}",
                        config.place(server.directive.span(), directive.span())
                    ),
                };
                (
                    format!("500 takes the place of {codes}: {whose} has no `{name}`"),
                    format!("500 instead of {codes}"),
                )
            }
        };
        let block = directive.parent();
        let location = block.and_then(Location::of);
        let example = location.and_then(|location| routing::example(&location, &["x", ""]));
        let known: Vec<Location<'_>> = server.named_locations().collect();
        let names: Vec<String> = known
            .iter()
            .map(|other| other.path.text().into_owned())
            .collect();
        let meant = closest(&name.text(), names.iter().map(String::as_str));
        let elsewhere = config
            .servers()
            .find_map(|other| other.named_location(&name));

        let finding = report.at(name.span, message);
        finding
            .here("looked for when a request goes there")
            .witness(
                example
                    .and_then(|example| example.url("http"))
                    .map(|url| format!("GET {url}")),
                effect,
            )
            .behind(block.unwrap_or(server.directive));
        match (meant, elsewhere) {
            (Some(meant), _) => finding.help(format!("Did you mean `{meant}`?")),
            (None, Some(other)) => finding
                .label(other.directive.span(), "of another server")
                .help("Each server has named locations of its own; what several need can be included."),
            (None, None) => finding.help("`nginx -t` does not look for it."),
        };
    }
}
