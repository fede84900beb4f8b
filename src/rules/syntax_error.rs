use crate::rule::*;

rule! {
    /// nginx cannot read the file: a `;`, a brace or a quote is missing, or stands where none may.
    ///
    /// A directive that needs a block and has none, or the reverse, belongs here too.
    ///
    /// nginx stops at the first mistake of this kind and names the line where it noticed, which is often far below the
    /// line that is wrong. Here every mistake is shown, at the place where it was made.
    ///
    /// ## When it is fine
    /// Never; nginx does not start, and a reload keeps the old configuration.
    ///
    /// ## Fix
    /// Safe where only one edit is possible: a missing `;`, a surplus `;`, a byte order mark, a `}` that is missing at
    /// the end of a well indented file. Unsafe where the place is guessed from the indentation or the end of a line.
    category: Load,
    severity: Error,
    fix: Safe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/beginners_guide.html#conf_structure",
}

fn check(config: &Config, report: &mut Report) {
    for (directive, misfit) in config.misfits() {
        wrong_end(directive, misfit, report);
    }
    for mistake in config.mistakes() {
        let span = mistake.span;
        let text = config.excerpt(span);
        let length = span.end - span.start;
        match mistake.kind {
            MistakeKind::MissingSemicolon => {
                let finding = report.at(span, format!("missing `;` after `{text}`"));
                match mistake.related {
                    Some(instead) => {
                        finding.label(instead, "nginx takes this for a part of the same directive")
                    }
                    None => finding.here("the file ends here"),
                };
                finding.fix("add the `;`", [Edit::insert_after(span, ";")]);
            }
            MistakeKind::UnclosedBlock => unclosed_block(config, mistake, report),
            MistakeKind::UnclosedQuote => {
                let quote = text.chars().next().unwrap_or('"');
                report
                    .at(span, format!("`{text}` has no closing quote"))
                    .here(format!(
                        "everything up to the next `{quote}` belongs to this word"
                    ))
                    .fix_that_is(
                        Safety::Unsafe,
                        "close the quote",
                        [Edit::insert_after(span, quote)],
                    );
            }
            MistakeKind::AfterQuote => {
                report
                    .at(span, format!("`{text}` right after a closing quote"))
                    .here("a blank, `;`, `{` or `)` must stand here")
                    .help("nginx does not glue a quoted and an unquoted text together: quote the whole word, or write `\\\"` for a quote inside it.");
            }
            MistakeKind::UnexpectedClose => {
                report.at(span, "a `}` that closes nothing").help(
                    "Either this one is too many, or a `}` further up closes a block too early.",
                );
            }
            MistakeKind::UnexpectedSemicolon => {
                report
                    .at(span, "a `;` without a directive before it")
                    .fix("remove the `;`", [Edit::delete(span)]);
            }
            MistakeKind::UnexpectedOpen => {
                report.at(span, "a `{` without a directive before it");
            }
            MistakeKind::LongWord => {
                report
                    .at(
                        span,
                        format!("a word of {length} bytes: nginx reads at most 4095"),
                    )
                    .help("A quote that is closed too late makes such words.");
            }
            MistakeKind::LongComment => {
                report
                    .at(
                        span,
                        format!("a comment of {length} bytes: nginx reads at most 4095"),
                    )
                    .help("Break it into several lines.");
            }
            MistakeKind::UnclosedLua => {
                report
                    .at(span, format!("the Lua code of `{text}` is never closed"))
                    .help("The braces of the code are counted; those in its strings and comments do not count.");
            }
            MistakeKind::ByteOrderMark => {
                report
                    .at(
                        span,
                        "a byte order mark: nginx takes it for a part of the first directive",
                    )
                    .help("Save the file as UTF-8 without a byte order mark.")
                    .fix("remove the byte order mark", [Edit::delete(span)]);
            }
            // That is `template-syntax`.
            MistakeKind::Template => {}
            MistakeKind::GivenUp => {
                report.at(
                    span,
                    "more than 100 mistakes: the rest of the file was not read",
                );
            }
        }
    }
}

/// A block where nginx wants a `;`, or the reverse (`ngx_conf_handler`).
fn wrong_end(directive: Directive<'_>, misfit: &Misfit, report: &mut Report) {
    let name = directive.name();
    let place = directive.span();
    match misfit {
        Misfit::NoBlock => report
            .at(
                place,
                format!("`{name}` needs a block in braces, not a `;`"),
            )
            .here("a `{` must stand after this"),
        Misfit::Block => report
            .at(
                place,
                format!("`{name}` takes no block: it ends with a `;`"),
            )
            .here("a `;` must stand after this"),
        _ => return,
    };
}

fn unclosed_block(config: &Config, mistake: &Mistake, report: &mut Report) {
    let Some(place) = mistake.related else { return };
    let safety = if config.certainly_ends_with_file(mistake) {
        Safety::Safe
    } else {
        Safety::Unsafe
    };
    let where_it_belongs = if config.ends_file(place) {
        "the file ends without its `}`"
    } else {
        "by the indentation, its `}` belongs before this"
    };
    report
        .at(
            mistake.span,
            format!("`{}` is never closed", config.excerpt(mistake.span)),
        )
        .label(place, where_it_belongs)
        .fix_that_is(safety, "add the missing `}`", config.close_block(mistake));
}
