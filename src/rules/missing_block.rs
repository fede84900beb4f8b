use crate::rule::*;

rule! {
    /// A part is missing that nginx does not start without.
    ///
    /// A configuration has an `events` block, if only an empty one. An `upstream` has a server, and one that is no
    /// `backup`. A `server` of `stream` or `mail` has a `listen`, since there is no port that would go without saying;
    /// before nginx 1.25 one of `stream` also says what becomes of a connection.
    ///
    /// ## When it is fine
    /// Never; nginx does not start. Nothing is said where a part of the configuration cannot be seen, or where a module
    /// of somebody else may add what is missing.
    ///
    /// ## Fix
    /// Safe: an empty `events` block. There is none for the others.
    category: Load,
    severity: Error,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/ngx_core_module.html#events",
}

fn check(config: &Config, report: &mut Report) {
    if let Some(first) = config.without_events() {
        let block = config
            .top()
            .find(|directive| directive.is_block() && directive.span().file == first.span().file);
        let edit = match block {
            Some(block) => block.prepend_lines(&["events {}"]),
            None => first.append_lines(&["events {}"]),
        };
        report
            .at(first.span(), "the configuration has no `events` block")
            .help("An empty one will do: `events {}`.")
            .fix("add an empty `events` block", [edit]);
    }
    for block in config.directives() {
        let Some(lack) = block.lack() else { continue };
        if config.is_called_template(block.span()) || report.has(block.span()) {
            continue;
        }
        let name = block
            .argument(0)
            .map(|name| format!(" `{name}`"))
            .unwrap_or_default();
        let (message, help) = match lack {
            Lack::Servers => (
                format!("the upstream{name} has no server"),
                "It needs a `server`, one with `down` at least.",
            ),
            Lack::MainServers => (
                format!("all servers of the upstream{name} are `backup`"),
                "A backup stands in for another server, of which there is none.",
            ),
            Lack::Listen => (
                "this server has no `listen`".to_owned(),
                "There is no default outside of `http`.",
            ),
            Lack::Handler => (
                "this server neither passes connections on nor answers them".to_owned(),
                "It needs `proxy_pass` or `return`.",
            ),
        };
        report.at(block.span(), message).help(help);
    }
}
