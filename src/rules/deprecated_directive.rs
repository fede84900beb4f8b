use crate::rule::*;

rule! {
    /// nginx has grown out of a directive or a parameter: it warns, does nothing with it, or a newer nginx refuses it.
    ///
    /// What nginx takes with a warning today, one of the next versions may refuse, as 1.25.1 refuses `ssl on`. Judged by
    /// the version that the settings or `--nginx-version` tell, else by 1.28.
    ///
    /// ## When it is fine
    /// As long as the same file must work with an old nginx that knows no other way.
    ///
    /// ## Fix
    /// `http2` of a `listen` becomes `http2 on`, and what nginx ignores is removed: safe when the version is told and no
    /// other server shares the socket. Unsafe: the new name, where it means the same.
    category: Server,
    severity: Note,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_v2_module.html#http2",
}

fn check(config: &Config, report: &mut Report) {
    for directive in config.directives() {
        if let Some(form) = directive.retired() {
            retired(directive, form, report);
        }
    }
    for server in config.servers() {
        if let Some(parameters) = server.http2_parameters() {
            http2(&parameters, report);
        }
    }
}

fn retired(directive: Directive<'_>, form: &nginx::Form, report: &mut Report) {
    let name = directive.name();
    let message = match (form.ignored, form.deprecated, form.gone) {
        (Some(since), ..) => format!("`{name}` does nothing since nginx {since}"),
        (_, _, Some(gone)) => format!("nginx refuses `{name}` from {gone} on"),
        (_, Some(since), _) => format!("`{name}` is deprecated since nginx {since}"),
        (None, None, None) => return,
    };
    let finding = report.at(name.span, message);
    if form.ignored.is_some() {
        let safety = match directive.config().told_version() {
            Some(_) => Safety::Safe,
            None => Safety::Unsafe,
        };
        finding.fix_that_is(safety, format!("remove `{name}`"), [directive.remove()]);
    }
    let Some(instead) = directive.instead(form) else {
        return;
    };
    finding.help(format!("Write `{instead}` instead."));
    if directive.could_mean(form, instead) {
        let edit = name.rewrite(instead);
        finding.fix_that_is(Safety::Unsafe, format!("write `{instead}`"), edit);
    }
}

fn http2(parameters: &Http2Parameters<'_>, report: &mut Report) {
    let [first, others @ ..] = &parameters.listens[..] else {
        return;
    };
    let is_http2 = |word: &Word<'_>| *word == "http2";
    let Some(word) = first.arguments().find(is_http2) else {
        return;
    };
    let safety = match parameters.is_safe {
        true => Safety::Safe,
        false => Safety::Unsafe,
    };
    let finding = report.at(
        word.span,
        "`http2` of a `listen` is deprecated since nginx 1.25.1",
    );
    finding
        .here("nginx warns of it")
        .help("`http2 on` is for the server that it stands in, `http2` of a `listen` for all servers of the socket.")
        .fix_that_is(safety, "write `http2 on`", parameters.edits.clone());
    for other in others {
        finding.label(other.span(), "here too");
    }
}
