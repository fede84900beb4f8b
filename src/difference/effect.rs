//! What a directive can change: nothing of an answer, or only that of requests which are answered in some way.

use crate::config::Directive;
use crate::nginx::{Contexts, Version};

/// Directives that change no answer: logs, processes, sizes of tables, and how bytes are moved.
const WITHOUT_EFFECT: [&str; 69] = [
    "accept_mutex",
    "accept_mutex_delay",
    "access_log",
    "aio",
    "aio_write",
    "client_body_temp_path",
    "connection_pool_size",
    "daemon",
    "debug_connection",
    "debug_points",
    "directio",
    "directio_alignment",
    "error_log",
    "events",
    "fastcgi_temp_path",
    "include",
    "load_module",
    "lock_file",
    "log_format",
    "log_not_found",
    "log_subrequest",
    "map_hash_bucket_size",
    "map_hash_max_size",
    "master_process",
    "multi_accept",
    "open_log_file_cache",
    "output_buffers",
    "pcre_jit",
    "pid",
    "postpone_output",
    "proxy_headers_hash_bucket_size",
    "proxy_headers_hash_max_size",
    "proxy_temp_path",
    "read_ahead",
    "request_pool_size",
    "reset_timedout_connection",
    "rewrite_log",
    "scgi_temp_path",
    "sendfile",
    "sendfile_max_chunk",
    "server_names_hash_bucket_size",
    "server_names_hash_max_size",
    "ssl_session_cache",
    "ssl_session_tickets",
    "ssl_session_timeout",
    "status_zone",
    "subrequest_output_buffer_size",
    "tcp_nodelay",
    "tcp_nopush",
    "thread_pool",
    "timer_resolution",
    "types_hash_bucket_size",
    "types_hash_max_size",
    "use",
    "user",
    "uwsgi_temp_path",
    "variables_hash_bucket_size",
    "variables_hash_max_size",
    "worker_aio_requests",
    "worker_connections",
    "worker_cpu_affinity",
    "worker_priority",
    "worker_processes",
    "worker_rlimit_core",
    "worker_rlimit_nofile",
    "worker_rlimit_sigpending",
    "worker_shutdown_timeout",
    "working_directory",
    "zone",
];

/// Directives of which `trace` shows all that they do.
const TRACED: [&str; 47] = [
    "absolute_redirect",
    "add_header",
    "alias",
    "allow",
    "auth_basic",
    "auth_request",
    "break",
    "client_max_body_size",
    "deny",
    "error_page",
    "fastcgi_param",
    "fastcgi_pass",
    "fastcgi_read_timeout",
    "grpc_pass",
    "grpc_read_timeout",
    "grpc_set_header",
    "if",
    "ignore_invalid_headers",
    "index",
    "internal",
    "limit_except",
    "merge_slashes",
    "port_in_redirect",
    "proxy_http_version",
    "proxy_method",
    "proxy_pass",
    "proxy_pass_request_headers",
    "proxy_read_timeout",
    "proxy_set_header",
    "recursive_error_pages",
    "return",
    "rewrite",
    "root",
    "satisfy",
    "scgi_param",
    "scgi_pass",
    "scgi_read_timeout",
    "server_name",
    "server_name_in_redirect",
    "set",
    "ssl_reject_handshake",
    "stub_status",
    "try_files",
    "underscores_in_headers",
    "uwsgi_param",
    "uwsgi_pass",
    "uwsgi_read_timeout",
];

/// Where requests are passed on to, as the first part of the names of what belongs to it.
pub(super) const PROTOCOLS: [&str; 7] = [
    "proxy",
    "fastcgi",
    "uwsgi",
    "scgi",
    "grpc",
    "memcached",
    "tunnel",
];

/// What says how files are found and shown.
const FILES: [&str; 10] = [
    "root",
    "alias",
    "index",
    "random_index",
    "autoindex",
    "autoindex_exact_size",
    "autoindex_format",
    "autoindex_localtime",
    "try_files",
    "disable_symlinks",
];

/// What is asked before an answer is made, after the rewriting.
const ACCESS: [&str; 12] = [
    "allow",
    "deny",
    "satisfy",
    "auth_basic",
    "auth_basic_user_file",
    "auth_request",
    "auth_delay",
    "limit_req",
    "limit_req_status",
    "limit_conn",
    "limit_conn_status",
    "auth_jwt",
];

/// The values that nginx takes when a directive is not there.
const DEFAULTS: [(&str, &str); 24] = [
    ("absolute_redirect", "on"),
    ("auth_basic", "off"),
    ("auth_request", "off"),
    ("autoindex", "off"),
    ("client_max_body_size", "1m"),
    ("etag", "on"),
    ("expires", "off"),
    ("gzip", "off"),
    ("ignore_invalid_headers", "on"),
    ("merge_slashes", "on"),
    ("port_in_redirect", "on"),
    ("proxy_buffering", "on"),
    ("proxy_connect_timeout", "60s"),
    ("proxy_intercept_errors", "off"),
    ("proxy_pass_request_body", "on"),
    ("proxy_pass_request_headers", "on"),
    ("proxy_read_timeout", "60s"),
    ("proxy_request_buffering", "on"),
    ("proxy_send_timeout", "60s"),
    ("recursive_error_pages", "off"),
    ("satisfy", "all"),
    ("server_name_in_redirect", "off"),
    ("server_tokens", "on"),
    ("underscores_in_headers", "off"),
];

/// True when no answer depends on a directive.
pub(super) fn is_without(directive: Directive<'_>) -> bool {
    let keepalive =
        directive.context() == Contexts::UPSTREAM && directive.name().starts_with(b"keepalive");
    keepalive || has(&WITHOUT_EFFECT, directive)
}

/// True when a trace of the right request shows what a directive changes.
pub(super) fn is_traced(name: &str) -> bool {
    TRACED.contains(&name)
}

/// True when a directive says what nginx does without it.
pub(super) fn is_default(directive: Directive<'_>, version: Version) -> bool {
    let mut arguments = directive.arguments();
    let (Some(value), None) = (arguments.next(), arguments.next()) else {
        return false;
    };
    if directive.is("proxy_http_version") {
        return value == version.default_proxy_http_version();
    }
    let time = |text: &[u8]| crate::nginx::milliseconds(text);
    let default = DEFAULTS.iter().find(|(name, _)| directive.is(name));
    default.is_some_and(|(name, default)| {
        let same_time = || time(&value).is_some() && time(&value) == time(default.as_bytes());
        value.eq_ignore_ascii_case(default.as_bytes()) || name.ends_with("timeout") && same_time()
    })
}

/// How the requests that end in a block are answered, as far as that says what does not matter there.
#[derive(Debug, Clone, Default)]
pub(super) struct Answering {
    /// By an unconditional `return`, before anything is asked.
    pub(super) at_once: bool,
    /// By these protocols, in the block or in what stands in it.
    protocols: Vec<&'static str>,
    /// True when files are looked at once the request is let in.
    files: bool,
    /// True when files may be looked at before.
    looks_at_files: bool,
    /// True when everything matters.
    whole: bool,
    /// True when no rewriting is done, as for a redirect to a name with a slash.
    is_redirect: bool,
}

impl Answering {
    /// Reads it from what stands in a block itself; `looks_at_files` when some directive of the configuration does, by a
    /// variable or a condition.
    pub(super) fn of(block: Directive<'_>, looks_at_files: bool) -> Self {
        let inner = || {
            block
                .children()
                .filter(|child| child.is("if") || child.is("limit_except"))
        };
        let passes = |protocol: &&str| {
            let name = format!("{protocol}_pass");
            block.own(&name).next().is_some()
                || inner().any(|inner| inner.own(&name).next().is_some())
        };
        let protocols: Vec<&str> = PROTOCOLS.into_iter().filter(|name| passes(name)).collect();
        let by_itself = block.handler().is_some_and(|handler| {
            let name = handler.name();
            PROTOCOLS
                .iter()
                .any(|protocol| name.strip_suffix(b"_pass") == Some(protocol.as_bytes()))
        });
        Self {
            at_once: returns(block),
            looks_at_files,
            files: !by_itself || block.own("try_files").next().is_some(),
            protocols,
            ..Self::default()
        }
    }

    /// Where everything matters.
    pub(super) fn whole() -> Self {
        Self {
            whole: true,
            ..Self::default()
        }
    }

    /// Where requests are only redirected to a name with a slash.
    pub(super) fn redirect(looks_at_files: bool) -> Self {
        Self {
            at_once: true,
            looks_at_files,
            is_redirect: true,
            ..Self::default()
        }
    }

    /// True when a directive matters to the answer.
    pub(super) fn heeds(&self, directive: Directive<'_>) -> bool {
        if self.whole {
            return true;
        }
        let name = directive.name();
        if self.is_redirect && is_rewriting(directive) {
            return false;
        }
        let family = |protocol: &&&str| {
            let rest = name.strip_prefix(protocol.as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b"_"))
        };
        if let Some(protocol) = PROTOCOLS.iter().find(family) {
            return !self.at_once && self.protocols.contains(protocol);
        }
        if has(&FILES, directive) {
            return self.looks_at_files || self.files && !self.at_once;
        }
        !(self.at_once && has(&ACCESS, directive))
    }
}

/// True when every request that comes to the rewriting of a block ends with its `return`.
pub(super) fn returns(block: Directive<'_>) -> bool {
    for child in block.children() {
        if child.is("return") {
            return true;
        }
        let inside = |name: &str| child.is("if") && child.own(name).next().is_some();
        if child.is("break") || child.is("rewrite") || inside("break") || inside("rewrite") {
            return false;
        }
    }
    false
}

fn has(names: &[&str], directive: Directive<'_>) -> bool {
    let name = directive.name();
    names.iter().any(|known| *name == *known.as_bytes())
}

/// True for the directives of the rewrite module, which are followed in their order.
pub(super) fn is_rewriting(directive: Directive<'_>) -> bool {
    has(&["set", "rewrite", "return", "break", "if"], directive)
}
