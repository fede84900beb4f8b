use crate::rule::*;

rule! {
    /// A directive has more or fewer arguments than nginx takes.
    ///
    /// A blank or a line break ends an argument unless it stands in quotes, so a value with blanks counts as several.
    /// Where the `;` of a line is forgotten, the next line becomes a part of it: that is a `syntax-error`, if it can be
    /// told from the names.
    ///
    /// ## When it is fine
    /// Never; nginx does not start.
    ///
    /// ## Fix
    /// None: which argument is too many, and what is missing, only the author knows.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/beginners_guide.html#conf_structure",
}

fn check(config: &Config, report: &mut Report) {
    for (directive, misfit) in config.misfits() {
        if *misfit == Misfit::Count {
            explain(directive, report);
        }
    }
}

fn explain(directive: Directive<'_>, report: &mut Report) {
    let Some(taken) = directive.taken_arguments() else {
        return;
    };
    let name = directive.name();
    let words: Vec<Word<'_>> = directive.arguments().collect();
    let here = match words.len() {
        0 => "here is none".to_owned(),
        1 => "here is one".to_owned(),
        count => format!("here are {count}"),
    };
    let place = directive.span();
    let finding = report.at(place, format!("`{name}` takes {taken}, {here}"));
    let Some(surplus) = words.get(taken.most) else {
        return;
    };
    finding.label(surplus.span, "nginx does not know what to do with this");
    let config = directive.config();
    let line = |place: Span| config.place(place, place);
    let broken = words
        .windows(2)
        .find(|pair| line(pair[0].span.after()) != line(pair[1].span));
    if let Some([last, _]) = broken {
        finding.help(format!(
            "Is a `;` missing at the end of {}?",
            line(last.span.after())
        ));
    } else if taken.most > 0 {
        finding.help("A value with blanks is one argument when it stands in quotes.");
    }
}
