//! What keeps requests out of a block.

use crate::config::Directive;
use crate::nginx::Contexts;

/// Modules that ask who sends a request, besides `allow` and `deny`, each with the value that turns it off.
const CHECKS: [&str; 10] = [
    "auth_basic",
    "auth_request",
    "auth_jwt",
    "auth_oidc",
    "auth_digest",
    "auth_pam",
    "auth_gss",
    "auth_ldap",
    "auth_spnego",
    "internal",
];

/// True when one of [`protections`] may stand in a block itself.
pub fn sets_protection(block: Directive<'_>) -> bool {
    let mut names = CHECKS.iter().chain(&["deny"]);
    names.any(|name| block.own(name).next().is_some())
}

/// The directives in effect in a block that a location sets and that keep requests out, one for each kind; of addresses
/// the last rule, when that is `deny all`.
///
/// With `satisfy any` an `allow all` lets everybody in, whatever else is asked; only `internal` holds.
pub fn protections(scope: Directive<'_>) -> Vec<Directive<'_>> {
    let is_of_location = |directive: &Directive<'_>| {
        directive
            .parent()
            .is_some_and(|block| block.inside() == Contexts::LOCATION)
    };
    let satisfy = scope.effective("satisfy").directive();
    let is_any = satisfy
        .and_then(|satisfy| satisfy.argument(0))
        .is_some_and(|word| word.eq_ignore_ascii_case(b"any"));
    let lets_all_in = is_any && whole_rule(scope).is_some_and(|rule| rule.is("allow"));
    let mut all: Vec<Directive<'_>> = CHECKS
        .iter()
        .filter_map(|name| scope.effective(name).directive())
        .filter(|check| is_on(*check, scope) && (!lets_all_in || check.is("internal")))
        .chain(closing(scope))
        .filter(is_of_location)
        .collect();
    all.sort_by_key(|directive| directive.number());
    all
}

/// Directives besides the checks that decide who is let in, or run code that may.
const DECIDING: [&str; 14] = [
    "allow",
    "deny",
    "satisfy",
    "limit_except",
    "access_by_lua",
    "access_by_lua_block",
    "access_by_lua_file",
    "rewrite_by_lua",
    "rewrite_by_lua_block",
    "rewrite_by_lua_file",
    "server_rewrite_by_lua_block",
    "server_rewrite_by_lua_file",
    "js_access",
    "perl_access",
];

/// True when a block certainly lets everybody in: nothing in it or around it asks who sends a request.
///
/// What turns such a check off counts as well: it says that the block is meant to be open.
pub fn is_open(scope: Directive<'_>) -> bool {
    let verify = scope.effective("ssl_verify_client").directive();
    let is_verified = verify
        .and_then(|verify| verify.argument(0))
        .is_some_and(|word| word != "off");
    let asks = |block: Directive<'_>| {
        let is_location = block.inside() == Contexts::LOCATION;
        let mut names = CHECKS.iter().chain(&DECIDING);
        names.any(|name| block.own(name).next().is_some())
            || block.own("if").any(|inside| gates(inside, is_location))
            || is_location && block.children().any(is_unknown)
    };
    !is_verified && !std::iter::once(scope).chain(scope.ancestors()).any(asks)
}

/// True for a directive of a module that is not known, which may do anything.
fn is_unknown(directive: Directive<'_>) -> bool {
    crate::nginx::directive(&directive.name()).is_none()
}

/// True for an `if` that may answer those who are not to come in; around locations, not by what all clients may choose.
fn gates(condition: Directive<'_>, is_inside: bool) -> bool {
    const CHOSEN: [&[u8]; 9] = [
        b"scheme",
        b"https",
        b"host",
        b"http_host",
        b"server_port",
        b"request_method",
        b"request_uri",
        b"request_filename",
        b"http_user_agent",
    ];
    let word = condition.argument(0);
    let text = word.as_deref().unwrap_or_default();
    let text = text.strip_prefix(b"(").unwrap_or(text);
    let name = text.strip_prefix(b"$").unwrap_or_default();
    let name = name.strip_suffix(b")").unwrap_or(name);
    let is_file_test = text.starts_with(b"-") || text.starts_with(b"!-");
    let answers = condition.own("return").next().is_some();
    answers && (is_inside || !is_file_test && !CHOSEN.contains(&name))
}

/// The `deny all` that the addresses in effect end with.
fn closing(scope: Directive<'_>) -> Option<Directive<'_>> {
    whole_rule(scope).filter(|rule| rule.is("deny"))
}

/// The first of the `allow` and `deny` in effect that is for all addresses; what follows it is never asked.
fn whole_rule(scope: Directive<'_>) -> Option<Directive<'_>> {
    let is_whole = |rule: &Directive<'_>| rule.argument(0).is_some_and(|word| word == "all");
    scope.access_rules().into_iter().find(is_whole)
}

fn is_on(check: Directive<'_>, scope: Directive<'_>) -> bool {
    let is_off = check.argument(0).is_some_and(|word| word == "off");
    let lacks_users = check.is("auth_basic")
        && scope
            .effective("auth_basic_user_file")
            .directive()
            .is_none();
    !is_off && !lacks_users
}
