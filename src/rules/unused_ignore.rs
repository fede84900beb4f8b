use crate::rule::*;

rule! {
    /// A comment ignores a finding that is not there.
    ///
    /// The finding is gone, or it starts on another line than the comment covers. A comment that is left behind hides the
    /// next finding of its kind.
    ///
    /// ## When it is fine
    /// When the finding comes and goes with the version of nginx. Nothing is said of a rule that did not run, and of a
    /// configuration of which a part cannot be seen: a finding may be missing for that reason only.
    ///
    /// ## Fix
    /// Safe: removes the comment, or from its list the names that ignore nothing.
    category: Ignore,
    severity: Warning,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/beginners_guide.html#conf_structure",
    looks_at: Ignores,
}

fn check(config: &Config, ignores: &Ignores, report: &mut Report) {
    if config.visibility_of_definitions() != Visibility::Whole {
        return;
    }
    for ignore in ignores.iter() {
        let unused: Vec<_> = ignores.unused(ignore).collect();
        let [first, others @ ..] = &*unused else {
            continue;
        };
        let edit = ignore.without(&unused);
        let title = if edit == ignore.remove {
            "remove the comment"
        } else {
            "remove it from the list"
        };
        let names: Vec<_> = unused
            .iter()
            .map(|name| format!("`{}`", name.text))
            .collect();

        let finding = report.at(
            first.span,
            format!("nothing here is a finding of {}", names.join(" or ")),
        );
        for other in others {
            finding.label(other.span, "nor of this");
        }
        finding.fix(title, [edit]);
    }
}
