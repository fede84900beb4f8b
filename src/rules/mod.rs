//! Every rule. Generated from this directory by `just update`; do not edit.

mod alias_traversal;
mod blocked_acme_challenge;
mod clobbered_capture;
mod competing_handlers;
mod conflicting_buffer_sizes;
mod constant_proxy_uri;
mod dead_rewrite;
mod deprecated_directive;
mod duplicate_default_server;
mod duplicate_directive;
mod duplicate_location;
mod encoded_location;
mod forbidden_proxy_uri;
mod glob_in_location;
mod handlerless_location;
mod hardcoded_connection_upgrade;
mod identity_proxy_uri;
mod ignore_without_reason;
mod include_cycle;
mod incomplete_websocket_upgrade;
mod ineffective_connect_timeout;
mod ineffective_websocket_tuning;
mod invalid_regex;
mod invalid_value;
mod loose_regex;
mod lost_proxy_header;
mod misplaced_directive;
mod misplaced_location;
mod missing_block;
mod missing_capture;
mod missing_certificate;
mod missing_include;
mod missing_websocket_upgrade;
mod never_matching_location;
mod prefix_overmatch;
mod proxy_path_mismatch;
mod query_in_location;
mod regex_without_modifier;
mod shadowed_handler;
mod short_timeout;
mod short_websocket_timeout;
mod syntax_error;
mod template_syntax;
mod undefined_named_location;
mod undefined_zone;
mod unknown_directive;
mod unknown_ignore;
mod unknown_variable;
mod unreachable_location;
mod unsafe_if;
mod unused_definition;
mod unused_ignore;
mod websocket_path_redirect;
mod wrong_argument_count;
mod zero_timeout;

use crate::rule::Rule;

/// The rules by name.
pub static RULES: &[(&str, &Rule)] = &[
    ("alias-traversal", &alias_traversal::RULE),
    ("blocked-acme-challenge", &blocked_acme_challenge::RULE),
    ("clobbered-capture", &clobbered_capture::RULE),
    ("competing-handlers", &competing_handlers::RULE),
    ("conflicting-buffer-sizes", &conflicting_buffer_sizes::RULE),
    ("constant-proxy-uri", &constant_proxy_uri::RULE),
    ("dead-rewrite", &dead_rewrite::RULE),
    ("deprecated-directive", &deprecated_directive::RULE),
    ("duplicate-default-server", &duplicate_default_server::RULE),
    ("duplicate-directive", &duplicate_directive::RULE),
    ("duplicate-location", &duplicate_location::RULE),
    ("encoded-location", &encoded_location::RULE),
    ("forbidden-proxy-uri", &forbidden_proxy_uri::RULE),
    ("glob-in-location", &glob_in_location::RULE),
    ("handlerless-location", &handlerless_location::RULE),
    (
        "hardcoded-connection-upgrade",
        &hardcoded_connection_upgrade::RULE,
    ),
    ("identity-proxy-uri", &identity_proxy_uri::RULE),
    ("ignore-without-reason", &ignore_without_reason::RULE),
    ("include-cycle", &include_cycle::RULE),
    (
        "incomplete-websocket-upgrade",
        &incomplete_websocket_upgrade::RULE,
    ),
    (
        "ineffective-connect-timeout",
        &ineffective_connect_timeout::RULE,
    ),
    (
        "ineffective-websocket-tuning",
        &ineffective_websocket_tuning::RULE,
    ),
    ("invalid-regex", &invalid_regex::RULE),
    ("invalid-value", &invalid_value::RULE),
    ("loose-regex", &loose_regex::RULE),
    ("lost-proxy-header", &lost_proxy_header::RULE),
    ("misplaced-directive", &misplaced_directive::RULE),
    ("misplaced-location", &misplaced_location::RULE),
    ("missing-block", &missing_block::RULE),
    ("missing-capture", &missing_capture::RULE),
    ("missing-certificate", &missing_certificate::RULE),
    ("missing-include", &missing_include::RULE),
    (
        "missing-websocket-upgrade",
        &missing_websocket_upgrade::RULE,
    ),
    ("never-matching-location", &never_matching_location::RULE),
    ("prefix-overmatch", &prefix_overmatch::RULE),
    ("proxy-path-mismatch", &proxy_path_mismatch::RULE),
    ("query-in-location", &query_in_location::RULE),
    ("regex-without-modifier", &regex_without_modifier::RULE),
    ("shadowed-handler", &shadowed_handler::RULE),
    ("short-timeout", &short_timeout::RULE),
    ("short-websocket-timeout", &short_websocket_timeout::RULE),
    ("syntax-error", &syntax_error::RULE),
    ("template-syntax", &template_syntax::RULE),
    ("undefined-named-location", &undefined_named_location::RULE),
    ("undefined-zone", &undefined_zone::RULE),
    ("unknown-directive", &unknown_directive::RULE),
    ("unknown-ignore", &unknown_ignore::RULE),
    ("unknown-variable", &unknown_variable::RULE),
    ("unreachable-location", &unreachable_location::RULE),
    ("unsafe-if", &unsafe_if::RULE),
    ("unused-definition", &unused_definition::RULE),
    ("unused-ignore", &unused_ignore::RULE),
    ("websocket-path-redirect", &websocket_path_redirect::RULE),
    ("wrong-argument-count", &wrong_argument_count::RULE),
    ("zero-timeout", &zero_timeout::RULE),
];
