//! Every rule. Generated from this directory by `just update`; do not edit.

mod constant_proxy_uri;
mod forbidden_proxy_uri;
mod hardcoded_connection_upgrade;
mod identity_proxy_uri;
mod incomplete_websocket_upgrade;
mod ineffective_connect_timeout;
mod ineffective_websocket_tuning;
mod lost_proxy_header;
mod missing_websocket_upgrade;
mod proxy_path_mismatch;
mod short_timeout;
mod short_websocket_timeout;
mod zero_timeout;

use crate::rule::Rule;

/// The rules by name.
pub static RULES: &[(&str, &Rule)] = &[
    ("constant-proxy-uri", &constant_proxy_uri::RULE),
    ("forbidden-proxy-uri", &forbidden_proxy_uri::RULE),
    (
        "hardcoded-connection-upgrade",
        &hardcoded_connection_upgrade::RULE,
    ),
    ("identity-proxy-uri", &identity_proxy_uri::RULE),
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
    ("lost-proxy-header", &lost_proxy_header::RULE),
    (
        "missing-websocket-upgrade",
        &missing_websocket_upgrade::RULE,
    ),
    ("proxy-path-mismatch", &proxy_path_mismatch::RULE),
    ("short-timeout", &short_timeout::RULE),
    ("short-websocket-timeout", &short_websocket_timeout::RULE),
    ("zero-timeout", &zero_timeout::RULE),
];
