use crate::rule::*;

rule! {
    /// A comment for nginspect says something that nginspect does not know, so it does nothing.
    ///
    /// A misspelled rule ignores no finding. Nor does `ignore` without a list of rules in brackets, or `ignore-file` below
    /// the first directive of its file.
    ///
    /// ## When it is fine
    /// When a newer nginspect knows the rule.
    ///
    /// ## Fix
    /// Unsafe: the name that is most like it, if one is.
    category: Ignore,
    severity: Warning,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/beginners_guide.html#conf_structure",
    looks_at: Ignores,
}

const FORM: &str =
    "Write `# nginspect: ignore[rule] reason`, with the name that a finding shows in brackets.";

fn check(_: &Config, ignores: &Ignores, report: &mut Report) {
    for flaw in ignores.flaws() {
        let span = flaw.span;
        let (finding, similar) = match &flaw.kind {
            FlawKind::Name(name) => (
                report.at(span, format!("there is no rule `{name}` to ignore")),
                ignores.similar(name),
            ),
            FlawKind::Verb(verb) if verb.is_empty() => (
                report.at(span, "this comment tells nginspect nothing"),
                None,
            ),
            FlawKind::Verb(verb) => (
                report.at(span, format!("nginspect does not know what `{verb}` means")),
                ignores.similar_verb(verb),
            ),
            FlawKind::List(verb) => (
                report.at(
                    span,
                    format!("`{verb}` needs the rules that it ignores, in brackets"),
                ),
                None,
            ),
            FlawKind::NotAtTop => {
                report
                    .at(span, "`ignore-file` ignores nothing below the first directive of a file")
                    .help("Move it to the top of the file, or write `ignore` above the directive that it is meant for.");
                continue;
            }
        };
        let Some(similar) = similar else {
            finding.help(FORM);
            continue;
        };
        finding
            .help(format!("Did you mean `{similar}`?"))
            .fix(format!("write `{similar}`"), [Edit::replace(span, similar)]);
    }
}
