use crate::rule::*;

rule! {
    /// A file holds placeholders of a template, which another program fills in before nginx reads it.
    ///
    /// `{{ name }}`, `{% if %}` and `<%= name %>` belong to Jinja, Go, Handlebars or ERB, and `${NAME}` alone on a line to
    /// `envsubst`. nginx takes them for blocks and words as any others, and refuses nearly all such files. What the placeholders stand for is not known, so nothing that depends on it is
    /// reported, and syntax is not checked.
    ///
    /// ## When it is fine
    /// In a template: a file whose name says that it is one (`.j2`, `nginx.template.conf`, a folder `templates`). In any other it is
    /// an error.
    ///
    /// ## Fix
    /// None: fill the template in, and check what comes out.
    category: Typo,
    severity: Note,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/beginners_guide.html#conf_structure",
}

fn check(config: &Config, report: &mut Report) {
    for mistake in config.mistakes() {
        if mistake.kind != MistakeKind::Template {
            continue;
        }
        let text = config.excerpt(mistake.span);
        let finding = report.at(
            mistake.span,
            format!("`{text}` belongs to a template, which is filled in before nginx reads it"),
        );
        finding
            .here("a program replaces this")
            .help("What depends on such places is left out here: check the file that comes out.");
        if !config.is_called_template(mistake.span) {
            finding.severity(Severity::Error);
        }
    }
}
