//! Who may come in, in a few words.

use crate::config::Directive;

/// How many addresses are named before the rest is counted.
const NAMED: usize = 4;

/// What a request has to fulfil in a block before it is answered; empty when nothing is asked.
pub fn restrictions(scope: Directive<'_>) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(addresses(scope));
    let set = |name: &str| {
        let directive = scope.effective(name).directive();
        directive
            .and_then(|directive| directive.argument(0))
            .filter(|word| *word != "off")
            .map(|word| word.text().into_owned())
    };
    let has_users = scope
        .effective("auth_basic_user_file")
        .directive()
        .is_some();
    if has_users && set("auth_basic").is_some() {
        all.push("password".to_owned());
    }
    if let Some(uri) = set("auth_request") {
        all.push(format!("asks {uri}"));
    }
    let any = set("satisfy").is_some_and(|word| word.eq_ignore_ascii_case("any"));
    if any && all.len() > 1 {
        all = vec![all.join(" or ")];
    }
    if set("ssl_verify_client").is_some_and(|word| word.eq_ignore_ascii_case("on")) {
        all.push("client certificate".to_owned());
    }
    all
}

/// The `allow` and `deny` in force: those of the innermost level that has any.
fn addresses(scope: Directive<'_>) -> Option<String> {
    let rules = scope.access_rules();
    // What follows a rule for all is never asked.
    let whole = |rule: &Directive<'_>| rule.argument(0).is_some_and(|word| word == "all");
    let end = rules.iter().position(whole);
    let (before, last) = match end {
        Some(end) => (&rules[..end], Some(rules[end])),
        None => (&rules[..], None),
    };
    let denies = |rule: &Directive<'_>| rule.is("deny");
    let names = |rules: &[Directive<'_>]| {
        let words: Vec<String> = rules
            .iter()
            .filter_map(|rule| Some(rule.argument(0)?.text().into_owned()))
            .collect();
        shortened(&words)
    };
    match last {
        Some(last) if last.is("deny") && before.iter().all(denies) => Some("deny all".to_owned()),
        Some(last) if last.is("deny") && !before.iter().any(denies) => {
            Some(format!("only {}", names(before)))
        }
        Some(last) if last.is("allow") && !before.iter().any(denies) => None,
        None if !before.iter().any(denies) => None,
        Some(_) | None if before.iter().all(denies) => Some(format!("deny {}", names(before))),
        _ => {
            let words: Vec<String> = before
                .iter()
                .chain(last.iter())
                .filter_map(|rule| Some(format!("{} {}", rule.name(), rule.argument(0)?)))
                .collect();
            Some(shortened(&words))
        }
    }
}

fn shortened(words: &[String]) -> String {
    match words.len().checked_sub(NAMED) {
        None | Some(0) => words.join(", "),
        Some(more) => format!("{} and {more} more", words[..NAMED].join(", ")),
    }
}
