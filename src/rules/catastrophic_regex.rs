use crate::rule::*;

rule! {
    /// A client can send a text on which the regex takes millions of steps.
    ///
    /// Where a regex can read one text in many ways, PCRE2 tries them all before it knows that none leads to a match.
    /// `(?:[^/]+/?)*` reads `aaa` as one, two or three parts, and each further `a` doubles the ways. After 10,000,000
    /// steps PCRE2 gives up (`pcre2_match() failed: -47` in the error log). Until then, for some tenths of a second, the
    /// worker of nginx does nothing else: a few such requests a second keep it from all others. For a location, a
    /// `rewrite` and an `if` the answer is 500. A `map` gives its default value, whatever regex would have followed, and
    /// the referer passes for a valid one.
    ///
    /// PCRE2 itself has given up on each text that is reported. A note stands where a request of some kilobytes is
    /// needed, a warning where a short one does.
    ///
    /// ## When it is fine
    /// When nobody but you can send requests.
    ///
    /// ## Fix
    /// None. Leave one way to read each text: no repetition within a repetition that can read the same characters, no
    /// optional separator.
    category: Security,
    severity: Warning,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
}

fn check(config: &Config, report: &mut Report) {
    // nginx was built with another engine before.
    let engine = Version(1, 21, 5);
    if config.told_version().is_some_and(|told| told < engine) {
        return;
    }
    let mut attacks = urispace::Attacks::new(config);
    for directive in config.directives() {
        for tested in directive.tested() {
            if directive.is_stock() || report.has(tested.regex.span) {
                continue;
            }
            let Some(attack) = attacks.find(&tested) else {
                continue;
            };
            let text = attack.text();
            let target = urispace::sent(&text);
            if let Some(attempt) = routing::attempt(directive, &tested, &text, &target) {
                explain(report, directive, &tested, &attack, attempt.request);
            }
        }
    }
}

fn explain(
    report: &mut Report,
    directive: Directive<'_>,
    tested: &Tested<'_>,
    attack: &urispace::Attack,
    request: Option<routing::Example>,
) {
    let subject = &tested.subject;
    let (scheme, effect) = match subject {
        _ if directive.context() == Contexts::MAP => ("", "the map gives its default value"),
        Subject::Host if directive.is("server_name") => ("", "nginx closes the connection"),
        Subject::Referer => ("http://", "nginx takes the referer for a valid one"),
        _ => ("", "nginx answers 500"),
    };
    let (severity, why) = match attack.is_exponential {
        true => {
            let pump = String::from_utf8_lossy(&attack.pump);
            let why = format!("each further `{pump}` multiplies the ways to read it");
            (Severity::Warning, why)
        }
        false => (
            Severity::Note,
            "several repetitions can share a long text".to_owned(),
        ),
    };
    let words = attack.shell(subject);
    let text = attack.excerpt();
    report
        .at(
            tested.regex.span,
            format!(
                "`{scheme}{text}` as {subject} makes PCRE2 give up after 10,000,000 steps, and {effect}"
            ),
        )
        .severity(severity)
        .here(why)
        .witness(
            request.and_then(|request| request.shell(subject, &words)),
            effect,
        )
        .help(
            "The worker serves nobody else meanwhile, for some tenths of a second. `pcre_jit on` makes that shorter, and \
             no more. Names, locations, `rewrite` and `if` come before `limit_req` counts a request.",
        );
}
