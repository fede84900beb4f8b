//! Every rule. Generated from this directory by `just update`; do not edit.

mod alias_traversal;
mod blocked_acme_challenge;
mod buffered_stream;
mod bypassed_access_control;
mod catastrophic_regex;
mod clobbered_capture;
mod competing_handlers;
mod compressed_sub_filter;
mod conflicting_buffer_sizes;
mod constant_proxy_uri;
mod dead_rewrite;
mod decoded_proxy_path;
mod decoded_uri_variable;
mod deprecated_directive;
mod dropped_underscore_header;
mod duplicate_default_server;
mod duplicate_directive;
mod duplicate_location;
mod duplicate_proxy_header;
mod encoded_location;
mod forbidden_proxy_uri;
mod foreign_host;
mod forwarded_upgrade_token;
mod frozen_dns;
mod glob_in_location;
mod grpc_over_http;
mod handlerless_location;
mod hardcoded_connection_upgrade;
mod hidden_upgrade_header;
mod hijacked_location;
mod http3_host;
mod identity_proxy_uri;
mod ignore_without_reason;
mod ignored_proxy_uri;
mod include_cycle;
mod incomplete_websocket_upgrade;
mod ineffective_connect_timeout;
mod ineffective_keepalive;
mod ineffective_websocket_tuning;
mod intercepted_api_error;
mod invalid_regex;
mod invalid_upstream_host;
mod invalid_value;
mod leaked_upgrade_header;
mod localhost_upstream;
mod loose_regex;
mod lost_port;
mod lost_proxy_header;
mod misplaced_directive;
mod misplaced_location;
mod missing_block;
mod missing_capture;
mod missing_certificate;
mod missing_forwarded_proto;
mod missing_include;
mod missing_resolver;
mod missing_upstream_sni;
mod missing_websocket_upgrade;
mod misspelled_upstream;
mod near_miss_location;
mod never_matching_location;
mod non_idempotent_retry;
mod order_comment;
mod prefix_overmatch;
mod proxy_path_mismatch;
mod proxy_redirect_mismatch;
mod query_in_location;
mod query_in_proxy_uri;
mod redirect_loop;
mod regex_without_modifier;
mod rewrite_cycle;
mod scheme_port_mismatch;
mod shadowed_handler;
mod short_grpc_timeout;
mod short_timeout;
mod short_websocket_timeout;
mod small_body_limit;
mod small_proxy_buffer;
mod spoofable_client_address;
mod suppressed_regex;
mod syntax_error;
mod template_syntax;
mod timeout_below_upstream;
mod undefined_named_location;
mod undefined_zone;
mod unix_socket_path;
mod unknown_directive;
mod unknown_ignore;
mod unknown_variable;
mod unreachable_location;
mod unsafe_auth_subrequest;
mod unsafe_if;
mod unsticky_websocket_upstream;
mod unused_definition;
mod unused_ignore;
mod unverified_upstream_tls;
mod upgrade_in_response;
mod variable_proxy_redirect;
mod weak_origin_check;
mod websocket_behind_basic_auth;
mod websocket_capacity;
mod websocket_host;
mod websocket_path_redirect;
mod websocket_prefix_contract;
mod websocket_to_static;
mod wrong_argument_count;
mod zero_timeout;

use crate::rule::Rule;

/// The rules by name.
pub static RULES: &[(&str, &Rule)] = &[
    ("alias-traversal", &alias_traversal::RULE),
    ("blocked-acme-challenge", &blocked_acme_challenge::RULE),
    ("buffered-stream", &buffered_stream::RULE),
    ("bypassed-access-control", &bypassed_access_control::RULE),
    ("catastrophic-regex", &catastrophic_regex::RULE),
    ("clobbered-capture", &clobbered_capture::RULE),
    ("competing-handlers", &competing_handlers::RULE),
    ("compressed-sub-filter", &compressed_sub_filter::RULE),
    ("conflicting-buffer-sizes", &conflicting_buffer_sizes::RULE),
    ("constant-proxy-uri", &constant_proxy_uri::RULE),
    ("dead-rewrite", &dead_rewrite::RULE),
    ("decoded-proxy-path", &decoded_proxy_path::RULE),
    ("decoded-uri-variable", &decoded_uri_variable::RULE),
    ("deprecated-directive", &deprecated_directive::RULE),
    (
        "dropped-underscore-header",
        &dropped_underscore_header::RULE,
    ),
    ("duplicate-default-server", &duplicate_default_server::RULE),
    ("duplicate-directive", &duplicate_directive::RULE),
    ("duplicate-location", &duplicate_location::RULE),
    ("duplicate-proxy-header", &duplicate_proxy_header::RULE),
    ("encoded-location", &encoded_location::RULE),
    ("forbidden-proxy-uri", &forbidden_proxy_uri::RULE),
    ("foreign-host", &foreign_host::RULE),
    ("forwarded-upgrade-token", &forwarded_upgrade_token::RULE),
    ("frozen-dns", &frozen_dns::RULE),
    ("glob-in-location", &glob_in_location::RULE),
    ("grpc-over-http", &grpc_over_http::RULE),
    ("handlerless-location", &handlerless_location::RULE),
    (
        "hardcoded-connection-upgrade",
        &hardcoded_connection_upgrade::RULE,
    ),
    ("hidden-upgrade-header", &hidden_upgrade_header::RULE),
    ("hijacked-location", &hijacked_location::RULE),
    ("http3-host", &http3_host::RULE),
    ("identity-proxy-uri", &identity_proxy_uri::RULE),
    ("ignore-without-reason", &ignore_without_reason::RULE),
    ("ignored-proxy-uri", &ignored_proxy_uri::RULE),
    ("include-cycle", &include_cycle::RULE),
    (
        "incomplete-websocket-upgrade",
        &incomplete_websocket_upgrade::RULE,
    ),
    (
        "ineffective-connect-timeout",
        &ineffective_connect_timeout::RULE,
    ),
    ("ineffective-keepalive", &ineffective_keepalive::RULE),
    (
        "ineffective-websocket-tuning",
        &ineffective_websocket_tuning::RULE,
    ),
    ("intercepted-api-error", &intercepted_api_error::RULE),
    ("invalid-regex", &invalid_regex::RULE),
    ("invalid-upstream-host", &invalid_upstream_host::RULE),
    ("invalid-value", &invalid_value::RULE),
    ("leaked-upgrade-header", &leaked_upgrade_header::RULE),
    ("localhost-upstream", &localhost_upstream::RULE),
    ("loose-regex", &loose_regex::RULE),
    ("lost-port", &lost_port::RULE),
    ("lost-proxy-header", &lost_proxy_header::RULE),
    ("misplaced-directive", &misplaced_directive::RULE),
    ("misplaced-location", &misplaced_location::RULE),
    ("missing-block", &missing_block::RULE),
    ("missing-capture", &missing_capture::RULE),
    ("missing-certificate", &missing_certificate::RULE),
    ("missing-forwarded-proto", &missing_forwarded_proto::RULE),
    ("missing-include", &missing_include::RULE),
    ("missing-resolver", &missing_resolver::RULE),
    ("missing-upstream-sni", &missing_upstream_sni::RULE),
    (
        "missing-websocket-upgrade",
        &missing_websocket_upgrade::RULE,
    ),
    ("misspelled-upstream", &misspelled_upstream::RULE),
    ("near-miss-location", &near_miss_location::RULE),
    ("never-matching-location", &never_matching_location::RULE),
    ("non-idempotent-retry", &non_idempotent_retry::RULE),
    ("order-comment", &order_comment::RULE),
    ("prefix-overmatch", &prefix_overmatch::RULE),
    ("proxy-path-mismatch", &proxy_path_mismatch::RULE),
    ("proxy-redirect-mismatch", &proxy_redirect_mismatch::RULE),
    ("query-in-location", &query_in_location::RULE),
    ("query-in-proxy-uri", &query_in_proxy_uri::RULE),
    ("redirect-loop", &redirect_loop::RULE),
    ("regex-without-modifier", &regex_without_modifier::RULE),
    ("rewrite-cycle", &rewrite_cycle::RULE),
    ("scheme-port-mismatch", &scheme_port_mismatch::RULE),
    ("shadowed-handler", &shadowed_handler::RULE),
    ("short-grpc-timeout", &short_grpc_timeout::RULE),
    ("short-timeout", &short_timeout::RULE),
    ("short-websocket-timeout", &short_websocket_timeout::RULE),
    ("small-body-limit", &small_body_limit::RULE),
    ("small-proxy-buffer", &small_proxy_buffer::RULE),
    ("spoofable-client-address", &spoofable_client_address::RULE),
    ("suppressed-regex", &suppressed_regex::RULE),
    ("syntax-error", &syntax_error::RULE),
    ("template-syntax", &template_syntax::RULE),
    ("timeout-below-upstream", &timeout_below_upstream::RULE),
    ("undefined-named-location", &undefined_named_location::RULE),
    ("undefined-zone", &undefined_zone::RULE),
    ("unix-socket-path", &unix_socket_path::RULE),
    ("unknown-directive", &unknown_directive::RULE),
    ("unknown-ignore", &unknown_ignore::RULE),
    ("unknown-variable", &unknown_variable::RULE),
    ("unreachable-location", &unreachable_location::RULE),
    ("unsafe-auth-subrequest", &unsafe_auth_subrequest::RULE),
    ("unsafe-if", &unsafe_if::RULE),
    (
        "unsticky-websocket-upstream",
        &unsticky_websocket_upstream::RULE,
    ),
    ("unused-definition", &unused_definition::RULE),
    ("unused-ignore", &unused_ignore::RULE),
    ("unverified-upstream-tls", &unverified_upstream_tls::RULE),
    ("upgrade-in-response", &upgrade_in_response::RULE),
    ("variable-proxy-redirect", &variable_proxy_redirect::RULE),
    ("weak-origin-check", &weak_origin_check::RULE),
    (
        "websocket-behind-basic-auth",
        &websocket_behind_basic_auth::RULE,
    ),
    ("websocket-capacity", &websocket_capacity::RULE),
    ("websocket-host", &websocket_host::RULE),
    ("websocket-path-redirect", &websocket_path_redirect::RULE),
    (
        "websocket-prefix-contract",
        &websocket_prefix_contract::RULE,
    ),
    ("websocket-to-static", &websocket_to_static::RULE),
    ("wrong-argument-count", &wrong_argument_count::RULE),
    ("zero-timeout", &zero_timeout::RULE),
];
