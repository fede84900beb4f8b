use crate::rule::*;

rule! {
    /// nginx has no directive of this name, and no module that nginspect knows brings one.
    ///
    /// Most often a letter is wrong, or a blank is missing. Names are compared as they are written, so `Listen` is not
    /// `listen`. A directive may also be newer than the nginx that reads it, or gone from it: that is judged by the
    /// version that the settings or `--nginx-version` tell; without one, a directive of any version is fine.
    ///
    /// ## When it is fine
    /// When a module brings the directive: name the module and its directives in the settings, under `[modules]`. Those of
    /// nginx Plus, njs, OpenResty and many other modules are known. Where a module is loaded that nginspect does not
    /// know, this is only a warning.
    ///
    /// ## Fix
    /// Unsafe: write the name that was probably meant.
    category: Load,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/dirindex.html",
}

const MODULES: &str =
    "If a module brings it, name the module and its directives in the settings, under `[modules]`.";

fn check(config: &Config, report: &mut Report) {
    if let Some(first) = config.first_of_another_language() {
        let name = first.name();
        report
            .at(
                name.span,
                format!("nginx knows neither `{name}` nor most other names of this file"),
            )
            .severity(Severity::Warning)
            .help("Is it an nginx configuration?");
        return;
    }
    for (directive, misfit) in config.misfits() {
        match misfit {
            Misfit::Unknown { meant } => unknown(directive, meant.as_deref(), report),
            Misfit::OtherVersion => other_version(directive, report),
            _ => {}
        }
    }
}

fn unknown(directive: Directive<'_>, meant: Option<&str>, report: &mut Report) {
    let name = directive.name();
    let config = directive.config();
    let finding = report.at(name.span, format!("nginx knows no directive `{name}`"));
    if let Some(load) = config.unknown_module() {
        finding.severity(Severity::Warning).label(
            load.span(),
            "it may come from this module, which nginspect does not know",
        );
    } else if meant.is_none() && config.may_load_unknown_module() {
        finding.severity(Severity::Warning);
    }
    if let Some(slip) = directive.slip() {
        finding.help(slip);
    } else if let Some(meant) = meant {
        finding.help(format!("Did you mean `{meant}`?"));
        if directive.could_be(meant) {
            finding.fix(format!("write `{meant}`"), name.rewrite(meant));
        }
    } else {
        finding.help(MODULES);
    }
}

fn other_version(directive: Directive<'_>, report: &mut Report) {
    let name = directive.name();
    let Some(form) = directive.known().and_then(|known| known.forms.first()) else {
        return;
    };
    let told = directive.config().told_version();
    let message = match (told, form.gone) {
        (Some(told), Some(gone)) if gone <= told => {
            format!("nginx {told} has no `{name}` any more: it is gone since {gone}")
        }
        (Some(told), _) => format!(
            "nginx {told} has no `{name}` yet: it comes with {}",
            form.since
        ),
        (None, Some(gone)) => format!("nginx has no `{name}` any more: it is gone since {gone}"),
        (None, None) => return,
    };
    let finding = report.at(name.span, message);
    if let Some(instead) = directive.instead(form) {
        finding.help(format!("Write `{instead}` instead."));
        if directive.could_mean(form, instead) {
            finding.fix(format!("write `{instead}`"), name.rewrite(instead));
        }
    }
}
