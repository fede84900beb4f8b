//! The variables that nginx and its well-known modules define, by subsystem. Names are in lower case.

use super::{Provider, Version};

/// Where the value of a variable comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// nginx itself.
    Nginx,
    /// The client, byte for byte as sent.
    Client,
    /// The client, decoded.
    Decoded,
    /// The client, out of a small alphabet.
    Limited,
    /// The other end of the connection, as the system sees it.
    Peer,
    /// The upstream.
    Upstream,
}

use Source::{Client, Decoded, Limited, Peer, Upstream};

/// A variable, or the beginning of the names of an open family such as `http_`.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name in lower case, without the `$`.
    pub name: &'static str,
    /// The module, or for a third-party one the package, that defines it.
    pub module: &'static str,
    /// True when `set`, `map` and the like may define it anew.
    pub is_settable: bool,
    /// Where its value comes from.
    pub source: Source,
    /// True when the value may hold line breaks or any other byte.
    pub is_unescaped: bool,
    /// The first version that has it; 0.0.0 when that is not known.
    pub since: Version,
    /// The first version that does not have it any more.
    pub gone: Option<Version>,
}

const fn variable(name: &'static str, module: &'static str) -> Variable {
    Variable {
        name,
        module,
        is_settable: false,
        source: Source::Nginx,
        is_unescaped: false,
        since: Version(0, 0, 0),
        gone: None,
    }
}

impl Variable {
    /// True when nginx of this version may have it; without a version, when any nginx in use may.
    ///
    /// What is not nginx's own has versions of its own.
    pub fn may_exist_in(&self, version: Option<Version>) -> bool {
        let own = super::module_of(self.module);
        if own.is_some_and(|module| module.provider != Provider::Nginx) {
            return true;
        }
        let is_gone = |at: Version| self.gone.is_some_and(|gone| gone <= at);
        match version {
            Some(version) => self.since <= version && !is_gone(version),
            None => !is_gone(Version::OLDEST),
        }
    }

    const fn settable(mut self) -> Self {
        self.is_settable = true;
        self
    }

    const fn from(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    const fn unescaped(mut self) -> Self {
        self.is_unescaped = true;
        self
    }

    const fn since(mut self, major: u16, minor: u16, patch: u16) -> Self {
        self.since = Version(major, minor, patch);
        self
    }

    const fn gone(mut self, major: u16, minor: u16, patch: u16) -> Self {
        self.gone = Some(Version(major, minor, patch));
        self
    }
}

/// Variables of the http subsystem, sorted.
#[rustfmt::skip]
pub(super) static HTTP: &[Variable] = &[
    variable("acme_certificate", "ngx_http_acme_module"),
    variable("acme_certificate_key", "ngx_http_acme_module"),
    variable("ancient_browser", "ngx_http_browser_module").settable().from(Limited).since(1, 13, 4),
    variable("args", "ngx_http_core_module").settable().from(Client).since(0, 3, 16),
    variable("binary_remote_addr", "ngx_http_core_module").from(Peer).since(0, 5, 6),
    variable("body_bytes_sent", "ngx_http_core_module").since(0, 3, 27),
    variable("brotli_ratio", "brotli"),
    variable("bytes_sent", "ngx_http_core_module").since(1, 3, 8),
    variable("connection", "ngx_http_core_module").since(1, 3, 8),
    variable("connection_requests", "ngx_http_core_module").since(1, 3, 8),
    variable("connection_time", "ngx_http_core_module").since(1, 19, 10),
    variable("connections_active", "ngx_http_stub_status_module").since(1, 3, 14),
    variable("connections_reading", "ngx_http_stub_status_module").since(1, 3, 14),
    variable("connections_waiting", "ngx_http_stub_status_module").since(1, 3, 15),
    variable("connections_writing", "ngx_http_stub_status_module").since(1, 3, 14),
    variable("content_length", "ngx_http_core_module").from(Limited).since(0, 1, 29),
    variable("content_type", "ngx_http_core_module").from(Client).since(0, 1, 29),
    variable("date_gmt", "ngx_http_ssi_filter_module").since(0, 1, 29),
    variable("date_local", "ngx_http_ssi_filter_module").since(0, 1, 29),
    variable("document_root", "ngx_http_core_module").since(0, 1, 29),
    variable("document_uri", "ngx_http_core_module").from(Decoded).unescaped().since(0, 1, 29),
    variable("drizzle_thread_id", "drizzle").settable(),
    variable("echo_cacheable_request_uri", "echo"),
    variable("echo_client_request_headers", "echo").from(Client).unescaped(),
    variable("echo_client_request_method", "echo").from(Client).unescaped(),
    variable("echo_incr", "echo"),
    variable("echo_it", "echo"),
    variable("echo_request_body", "echo").from(Client).unescaped(),
    variable("echo_request_method", "echo").from(Client).unescaped(),
    variable("echo_request_uri", "echo").from(Client).unescaped(),
    variable("echo_response_status", "echo"),
    variable("echo_timer_elapsed", "echo"),
    variable("fastcgi_path_info", "ngx_http_fastcgi_module").from(Decoded).unescaped().since(0, 7, 31),
    variable("fastcgi_script_name", "ngx_http_fastcgi_module").from(Decoded).unescaped().since(0, 1, 29),
    variable("geoip_area_code", "ngx_http_geoip_module").since(0, 8, 48),
    variable("geoip_city", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_city_continent_code", "ngx_http_geoip_module").since(0, 7, 66),
    variable("geoip_city_country_code", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_city_country_code3", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_city_country_name", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_country_code", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_country_code3", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_country_name", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_dma_code", "ngx_http_geoip_module").since(0, 8, 48),
    variable("geoip_latitude", "ngx_http_geoip_module").since(0, 7, 66),
    variable("geoip_longitude", "ngx_http_geoip_module").since(0, 7, 66),
    variable("geoip_org", "ngx_http_geoip_module").since(1, 0, 3),
    variable("geoip_postal_code", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_region", "ngx_http_geoip_module").since(0, 7, 63),
    variable("geoip_region_name", "ngx_http_geoip_module").since(0, 8, 48),
    variable("grpc_internal_trailers", "ngx_http_grpc_module").since(1, 13, 10),
    variable("gzip_ratio", "ngx_http_gzip_filter_module").since(0, 3, 8),
    variable("host", "ngx_http_core_module").from(Limited).since(0, 1, 29),
    variable("hostname", "ngx_http_core_module").since(0, 6, 32),
    variable("http2", "ngx_http_v2_module").from(Limited).since(1, 9, 5),
    variable("http3", "ngx_http_v3_module").from(Limited).since(1, 25, 0),
    variable("http_cookie", "ngx_http_core_module").from(Client).since(0, 1, 32),
    variable("http_host", "ngx_http_core_module").from(Client).since(0, 1, 29),
    variable("http_referer", "ngx_http_core_module").from(Client).since(0, 1, 29),
    variable("http_user_agent", "ngx_http_core_module").from(Client).since(0, 1, 29),
    variable("http_via", "ngx_http_core_module").from(Client).since(0, 1, 29),
    variable("http_x_forwarded_for", "ngx_http_core_module").from(Client).since(0, 1, 29),
    variable("https", "ngx_http_core_module").since(1, 1, 11),
    variable("invalid_referer", "ngx_http_referer_module").settable().from(Limited).since(1, 13, 4),
    variable("is_args", "ngx_http_core_module").from(Limited).since(0, 5, 30),
    variable("is_request_port", "ngx_http_core_module").from(Limited).since(1, 29, 3),
    variable("jwt_payload", "ngx_http_auth_jwt_module").from(Client).unescaped(),
    variable("limit_conn_status", "ngx_http_limit_conn_module").since(1, 17, 6),
    variable("limit_rate", "ngx_http_core_module").settable().since(0, 3, 40),
    variable("limit_req_status", "ngx_http_limit_req_module").since(1, 17, 6),
    variable("memc_flags_as_http_time", "memc"),
    variable("memcached_key", "ngx_http_memcached_module").settable(),
    variable("modern_browser", "ngx_http_browser_module").settable().from(Limited).since(1, 13, 4),
    variable("msec", "ngx_http_core_module").since(1, 3, 9),
    variable("msie", "ngx_http_browser_module").settable().from(Limited).since(1, 13, 4),
    variable("naxsi_attack_action", "naxsi"),
    variable("naxsi_attack_family", "naxsi"),
    variable("naxsi_block", "naxsi"),
    variable("naxsi_learning", "naxsi"),
    variable("naxsi_match", "naxsi"),
    variable("naxsi_request_id", "naxsi"),
    variable("naxsi_score", "naxsi"),
    variable("naxsi_server", "naxsi"),
    variable("naxsi_total_blocked", "naxsi"),
    variable("naxsi_total_processed", "naxsi"),
    variable("naxsi_uri", "naxsi").from(Client).unescaped(),
    variable("nginx_version", "ngx_http_core_module").since(0, 5, 29),
    variable("oidc_access_token", "ngx_http_oidc_module").from(Client).unescaped(),
    variable("oidc_id_token", "ngx_http_oidc_module").from(Client).unescaped(),
    variable("oidc_userinfo", "ngx_http_oidc_module").from(Client).unescaped(),
    variable("otel_parent_id", "ngx_otel_module"),
    variable("otel_parent_sampled", "ngx_otel_module"),
    variable("otel_span_id", "ngx_otel_module"),
    variable("otel_trace_id", "ngx_otel_module"),
    variable("pid", "ngx_http_core_module").since(0, 7, 17),
    variable("pipe", "ngx_http_core_module").since(1, 3, 12),
    variable("proxy_add_x_forwarded_for", "ngx_http_proxy_module").from(Client).since(0, 1, 29),
    variable("proxy_host", "ngx_http_proxy_module").settable().since(0, 1, 29),
    variable("proxy_internal_body_length", "ngx_http_proxy_module").since(0, 3, 10),
    variable("proxy_internal_chunked", "ngx_http_proxy_module").since(1, 7, 11),
    variable("proxy_internal_connection", "ngx_http_proxy_module").since(1, 29, 4).gone(1, 29, 7),
    variable("proxy_internal_host", "ngx_http_proxy_module").settable().since(1, 29, 4).gone(1, 31, 4),
    variable("proxy_port", "ngx_http_proxy_module").settable().since(0, 1, 29),
    variable("proxy_protocol_addr", "ngx_http_core_module").from(Peer).since(1, 5, 12),
    variable("proxy_protocol_port", "ngx_http_core_module").from(Peer).since(1, 11, 0),
    variable("proxy_protocol_server_addr", "ngx_http_core_module").from(Peer).since(1, 17, 6),
    variable("proxy_protocol_server_port", "ngx_http_core_module").from(Peer).since(1, 17, 6),
    variable("proxy_protocol_tlv_aws_vpce_id", "ngx_http_proxy_protocol_vendor_module").from(Peer).unescaped(),
    variable("proxy_protocol_tlv_azure_pel_id", "ngx_http_proxy_protocol_vendor_module").from(Peer).unescaped(),
    variable("proxy_protocol_tlv_gcp_conn_id", "ngx_http_proxy_protocol_vendor_module").from(Peer).unescaped(),
    variable("ps_dollar", "pagespeed").settable(),
    variable("query_string", "ngx_http_core_module").from(Client).since(0, 1, 29),
    variable("realip_remote_addr", "ngx_http_realip_module").from(Peer).since(1, 9, 7),
    variable("realip_remote_port", "ngx_http_realip_module").from(Peer).since(1, 11, 0),
    variable("realpath_root", "ngx_http_core_module").since(0, 7, 18),
    variable("remote_addr", "ngx_http_core_module").from(Peer).since(0, 1, 29),
    variable("remote_port", "ngx_http_core_module").from(Peer).since(0, 1, 29),
    variable("remote_user", "ngx_http_core_module").from(Decoded).unescaped().since(0, 1, 29),
    variable("request", "ngx_http_core_module").from(Client).since(0, 3, 6),
    variable("request_body", "ngx_http_core_module").from(Client).unescaped().since(0, 7, 58),
    variable("request_body_file", "ngx_http_core_module").since(0, 4, 7),
    variable("request_completion", "ngx_http_core_module").since(0, 3, 36),
    variable("request_filename", "ngx_http_core_module").from(Decoded).unescaped().since(0, 1, 29),
    variable("request_id", "ngx_http_core_module").since(1, 11, 0),
    variable("request_length", "ngx_http_core_module").since(1, 3, 12),
    variable("request_method", "ngx_http_core_module").from(Limited).since(0, 1, 29),
    variable("request_port", "ngx_http_core_module").from(Limited).since(1, 29, 3),
    variable("request_time", "ngx_http_core_module").since(1, 3, 9),
    variable("request_uri", "ngx_http_core_module").from(Client).since(0, 1, 29),
    variable("scheme", "ngx_http_core_module").since(0, 4, 4),
    variable("secure_link", "ngx_http_secure_link_module").from(Decoded).unescaped().since(0, 7, 18),
    variable("secure_link_expires", "ngx_http_secure_link_module").from(Limited).since(0, 8, 50),
    variable("sent_http_cache_control", "ngx_http_core_module").from(Upstream).since(0, 3, 42),
    variable("sent_http_connection", "ngx_http_core_module").from(Upstream).since(0, 3, 42),
    variable("sent_http_content_length", "ngx_http_core_module").from(Upstream).since(0, 3, 42),
    variable("sent_http_content_type", "ngx_http_core_module").from(Upstream).since(0, 3, 42),
    variable("sent_http_keep_alive", "ngx_http_core_module").from(Upstream).since(0, 3, 42),
    variable("sent_http_last_modified", "ngx_http_core_module").from(Upstream).since(0, 3, 42),
    variable("sent_http_link", "ngx_http_core_module").from(Upstream).since(1, 13, 9),
    variable("sent_http_location", "ngx_http_core_module").from(Upstream).since(0, 7, 33),
    variable("sent_http_transfer_encoding", "ngx_http_core_module").from(Upstream).since(0, 3, 42),
    variable("server_addr", "ngx_http_core_module").since(0, 1, 29),
    variable("server_name", "ngx_http_core_module").since(0, 1, 29),
    variable("server_port", "ngx_http_core_module").since(0, 1, 29),
    variable("server_protocol", "ngx_http_core_module").from(Limited).since(0, 1, 29),
    variable("session_log_binary_id", "ngx_http_session_log_module"),
    variable("session_log_id", "ngx_http_session_log_module"),
    variable("slice_range", "ngx_http_slice_filter_module").since(1, 9, 8),
    variable("spdy", "ngx_http_spdy_module").since(1, 3, 15).gone(1, 9, 5),
    variable("spdy_request_priority", "ngx_http_spdy_module").since(1, 3, 15).gone(1, 9, 5),
    variable("srcache_expire", "srcache"),
    variable("srcache_fetch_status", "srcache"),
    variable("srcache_store_status", "srcache"),
    variable("ssl_alpn_protocol", "ngx_http_ssl_module").settable().from(Limited).since(1, 21, 4),
    variable("ssl_cipher", "ngx_http_ssl_module").settable().from(Limited).since(0, 3, 27),
    variable("ssl_ciphers", "ngx_http_ssl_module").settable().from(Limited).since(1, 11, 7),
    variable("ssl_client_cert", "ngx_http_ssl_module").settable().from(Client).unescaped().since(0, 7, 2),
    variable("ssl_client_escaped_cert", "ngx_http_ssl_module").settable().from(Limited).since(1, 13, 5),
    variable("ssl_client_fingerprint", "ngx_http_ssl_module").settable().from(Limited).since(1, 7, 1),
    variable("ssl_client_i_dn", "ngx_http_ssl_module").settable().from(Limited).since(0, 3, 45),
    variable("ssl_client_i_dn_legacy", "ngx_http_ssl_module").settable().from(Limited).since(1, 11, 6),
    variable("ssl_client_raw_cert", "ngx_http_ssl_module").settable().from(Client).unescaped().since(0, 7, 7),
    variable("ssl_client_s_dn", "ngx_http_ssl_module").settable().from(Limited).since(0, 3, 45),
    variable("ssl_client_s_dn_legacy", "ngx_http_ssl_module").settable().from(Limited).since(1, 11, 6),
    variable("ssl_client_serial", "ngx_http_ssl_module").settable().from(Limited).since(0, 3, 57),
    variable("ssl_client_sigalg", "ngx_http_ssl_module").settable().from(Limited).since(1, 29, 3),
    variable("ssl_client_v_end", "ngx_http_ssl_module").settable().from(Limited).since(1, 11, 7),
    variable("ssl_client_v_remain", "ngx_http_ssl_module").settable().from(Limited).since(1, 11, 7),
    variable("ssl_client_v_start", "ngx_http_ssl_module").settable().from(Limited).since(1, 11, 7),
    variable("ssl_client_verify", "ngx_http_ssl_module").settable().from(Limited).since(0, 7, 63),
    variable("ssl_curve", "ngx_http_ssl_module").settable().from(Limited).since(1, 21, 5),
    variable("ssl_curves", "ngx_http_ssl_module").settable().from(Limited).since(1, 11, 7),
    variable("ssl_early_data", "ngx_http_ssl_module").settable().from(Limited).since(1, 15, 3),
    variable("ssl_ech_outer_server_name", "ngx_http_ssl_module").settable().from(Client).unescaped().since(1, 29, 4),
    variable("ssl_ech_status", "ngx_http_ssl_module").settable().from(Limited).since(1, 29, 4),
    variable("ssl_protocol", "ngx_http_ssl_module").settable().from(Limited).since(0, 3, 27),
    variable("ssl_server_name", "ngx_http_ssl_module").settable().from(Client).unescaped().since(1, 7, 0),
    variable("ssl_session_id", "ngx_http_ssl_module").settable().from(Limited).since(0, 7, 65),
    variable("ssl_session_reused", "ngx_http_ssl_module").settable().from(Limited).since(1, 5, 11),
    variable("ssl_sigalg", "ngx_http_ssl_module").settable().from(Limited).since(1, 29, 3),
    variable("ssl_sigalgs", "ngx_http_ssl_module").settable().from(Limited).since(1, 31, 2),
    variable("status", "ngx_http_core_module").since(1, 3, 2),
    variable("tcpinfo_rcv_space", "ngx_http_core_module").from(Peer).since(1, 1, 18),
    variable("tcpinfo_rtt", "ngx_http_core_module").from(Peer).since(1, 1, 18),
    variable("tcpinfo_rttvar", "ngx_http_core_module").from(Peer).since(1, 1, 18),
    variable("tcpinfo_snd_cwnd", "ngx_http_core_module").from(Peer).since(1, 1, 18),
    variable("time_iso8601", "ngx_http_core_module").since(1, 3, 12),
    variable("time_iso8601_ms", "ngx_http_core_module"),
    variable("time_local", "ngx_http_core_module").since(1, 3, 12),
    variable("uid_got", "ngx_http_userid_filter_module").from(Limited).since(0, 3, 8),
    variable("uid_reset", "ngx_http_userid_filter_module").settable().since(1, 0, 5),
    variable("uid_set", "ngx_http_userid_filter_module").since(0, 3, 8),
    variable("upload_content_range", "upload").settable().from(Client).unescaped(),
    variable("upload_content_type", "upload").settable().from(Client).unescaped(),
    variable("upload_field_name", "upload").settable().from(Client).unescaped(),
    variable("upload_file_crc32", "upload").settable(),
    variable("upload_file_md5", "upload").settable(),
    variable("upload_file_md5_uc", "upload").settable(),
    variable("upload_file_name", "upload").settable().from(Client).unescaped(),
    variable("upload_file_number", "upload").settable(),
    variable("upload_file_sha1", "upload").settable(),
    variable("upload_file_sha1_uc", "upload").settable(),
    variable("upload_file_sha256", "upload").settable(),
    variable("upload_file_sha256_uc", "upload").settable(),
    variable("upload_file_sha512", "upload").settable(),
    variable("upload_file_sha512_uc", "upload").settable(),
    variable("upload_file_size", "upload").settable(),
    variable("upload_tmp_path", "upload").settable(),
    variable("uploadprogress_callback", "upload-progress").settable(),
    variable("uploadprogress_length", "upload-progress").settable(),
    variable("uploadprogress_received", "upload-progress").settable(),
    variable("uploadprogress_remaining", "upload-progress").settable(),
    variable("uploadprogress_status", "upload-progress").settable(),
    variable("upstream_addr", "ngx_http_upstream_module").from(Upstream).since(0, 5, 19),
    variable("upstream_bytes_received", "ngx_http_upstream_module").since(1, 11, 4),
    variable("upstream_bytes_sent", "ngx_http_upstream_module").since(1, 15, 8),
    variable("upstream_cache_etag", "ngx_http_upstream_module").from(Upstream).since(1, 7, 3),
    variable("upstream_cache_last_modified", "ngx_http_upstream_module").from(Upstream).since(1, 5, 7),
    variable("upstream_cache_status", "ngx_http_upstream_module").since(0, 7, 62),
    variable("upstream_connect_time", "ngx_http_upstream_module").since(1, 9, 1),
    variable("upstream_header_time", "ngx_http_upstream_module").since(1, 7, 10),
    variable("upstream_last_addr", "ngx_http_upstream_module"),
    variable("upstream_last_server_name", "ngx_http_upstream_module"),
    variable("upstream_queue_time", "ngx_http_upstream_module"),
    variable("upstream_response_length", "ngx_http_upstream_module").from(Upstream).since(0, 7, 27),
    variable("upstream_response_time", "ngx_http_upstream_module").since(0, 3, 8),
    variable("upstream_status", "ngx_http_upstream_module").from(Upstream).since(0, 3, 8),
    variable("uri", "ngx_http_core_module").from(Decoded).unescaped().since(0, 3, 8),
    variable("vts_1xx_counter", "vts"),
    variable("vts_2xx_counter", "vts"),
    variable("vts_3xx_counter", "vts"),
    variable("vts_4xx_counter", "vts"),
    variable("vts_5xx_counter", "vts"),
    variable("vts_cache_bypass_counter", "vts"),
    variable("vts_cache_expired_counter", "vts"),
    variable("vts_cache_hit_counter", "vts"),
    variable("vts_cache_miss_counter", "vts"),
    variable("vts_cache_revalidated_counter", "vts"),
    variable("vts_cache_scarce_counter", "vts"),
    variable("vts_cache_stale_counter", "vts"),
    variable("vts_cache_updating_counter", "vts"),
    variable("vts_in_bytes", "vts"),
    variable("vts_out_bytes", "vts"),
    variable("vts_request_counter", "vts"),
    variable("vts_request_time", "vts"),
    variable("vts_request_time_counter", "vts"),
    variable("zstd_ratio", "zstd"),
];

/// Beginnings of names that the http subsystem defines without bound, sorted.
#[rustfmt::skip]
pub(super) static HTTP_PREFIXES: &[Variable] = &[
    variable("arg_", "ngx_http_core_module").from(Client).since(0, 7, 8),
    variable("cookie_", "ngx_http_core_module").from(Client).since(0, 7, 22),
    variable("http_", "ngx_http_core_module").from(Client).since(0, 1, 24),
    variable("jwt_claim_", "ngx_http_auth_jwt_module").from(Client).unescaped(),
    variable("jwt_header_", "ngx_http_auth_jwt_module").from(Client).unescaped(),
    variable("oidc_claim_", "ngx_http_oidc_module").from(Client).unescaped(),
    variable("proxy_protocol_tlv_", "ngx_http_core_module").from(Peer).unescaped().since(1, 23, 2),
    variable("sent_http_", "ngx_http_core_module").from(Upstream).since(0, 3, 10),
    variable("sent_trailer_", "ngx_http_core_module").from(Upstream).since(1, 13, 2),
    variable("upstream_cookie_", "ngx_http_upstream_module").from(Upstream).since(1, 7, 1),
    variable("upstream_http_", "ngx_http_upstream_module").from(Upstream).since(0, 5, 18),
    variable("upstream_trailer_", "ngx_http_upstream_module").from(Upstream).since(1, 13, 10),
];

/// Variables of the stream subsystem, sorted.
#[rustfmt::skip]
pub(super) static STREAM: &[Variable] = &[
    variable("binary_remote_addr", "ngx_stream_core_module").from(Peer).since(1, 11, 2),
    variable("bytes_received", "ngx_stream_core_module").since(1, 11, 4),
    variable("bytes_sent", "ngx_stream_core_module").since(1, 11, 2),
    variable("connection", "ngx_stream_core_module").since(1, 11, 2),
    variable("geoip_area_code", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_city", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_city_continent_code", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_city_country_code", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_city_country_code3", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_city_country_name", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_country_code", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_country_code3", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_country_name", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_dma_code", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_latitude", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_longitude", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_org", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_postal_code", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_region", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("geoip_region_name", "ngx_stream_geoip_module").since(1, 11, 3),
    variable("hostname", "ngx_stream_core_module").since(1, 11, 2),
    variable("limit_conn_status", "ngx_stream_limit_conn_module").since(1, 17, 6),
    variable("mqtt_preread_clientid", "ngx_stream_mqtt_preread_module").from(Client).unescaped(),
    variable("mqtt_preread_username", "ngx_stream_mqtt_preread_module").from(Client).unescaped(),
    variable("msec", "ngx_stream_core_module").since(1, 11, 2),
    variable("nginx_version", "ngx_stream_core_module").since(1, 11, 2),
    variable("pid", "ngx_stream_core_module").since(1, 11, 2),
    variable("protocol", "ngx_stream_core_module").since(1, 11, 4),
    variable("proxy_protocol_addr", "ngx_stream_core_module").from(Peer).since(1, 11, 4),
    variable("proxy_protocol_port", "ngx_stream_core_module").from(Peer).since(1, 11, 4),
    variable("proxy_protocol_server_addr", "ngx_stream_core_module").from(Peer).since(1, 17, 6),
    variable("proxy_protocol_server_port", "ngx_stream_core_module").from(Peer).since(1, 17, 6),
    variable("proxy_protocol_tlv_aws_vpce_id", "ngx_stream_proxy_protocol_vendor_module").from(Peer).unescaped(),
    variable("proxy_protocol_tlv_azure_pel_id", "ngx_stream_proxy_protocol_vendor_module").from(Peer).unescaped(),
    variable("proxy_protocol_tlv_gcp_conn_id", "ngx_stream_proxy_protocol_vendor_module").from(Peer).unescaped(),
    variable("realip_remote_addr", "ngx_stream_realip_module").from(Peer).since(1, 11, 4),
    variable("realip_remote_port", "ngx_stream_realip_module").from(Peer).since(1, 11, 4),
    variable("remote_addr", "ngx_stream_core_module").from(Peer).since(1, 11, 2),
    variable("remote_port", "ngx_stream_core_module").from(Peer).since(1, 11, 2),
    variable("server_addr", "ngx_stream_core_module").since(1, 11, 2),
    variable("server_name", "ngx_stream_core_module").since(1, 25, 5),
    variable("server_port", "ngx_stream_core_module").since(1, 11, 2),
    variable("session_time", "ngx_stream_core_module").since(1, 11, 4),
    variable("ssl_alpn_protocol", "ngx_stream_ssl_module").settable().from(Limited).since(1, 21, 4),
    variable("ssl_cipher", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 2),
    variable("ssl_ciphers", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 7),
    variable("ssl_client_cert", "ngx_stream_ssl_module").settable().from(Client).unescaped().since(1, 11, 8),
    variable("ssl_client_escaped_cert", "ngx_stream_ssl_module").settable().from(Limited).since(1, 13, 5),
    variable("ssl_client_fingerprint", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 8),
    variable("ssl_client_i_dn", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 8),
    variable("ssl_client_raw_cert", "ngx_stream_ssl_module").settable().from(Client).unescaped().since(1, 11, 8),
    variable("ssl_client_s_dn", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 8),
    variable("ssl_client_serial", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 8),
    variable("ssl_client_sigalg", "ngx_stream_ssl_module").settable().from(Limited).since(1, 29, 3),
    variable("ssl_client_v_end", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 8),
    variable("ssl_client_v_remain", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 8),
    variable("ssl_client_v_start", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 8),
    variable("ssl_client_verify", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 8),
    variable("ssl_curve", "ngx_stream_ssl_module").settable().from(Limited).since(1, 21, 5),
    variable("ssl_curves", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 7),
    variable("ssl_ech_outer_server_name", "ngx_stream_ssl_module").settable().from(Client).unescaped().since(1, 29, 4),
    variable("ssl_ech_status", "ngx_stream_ssl_module").settable().from(Limited).since(1, 29, 4),
    variable("ssl_preread_alpn_protocols", "ngx_stream_ssl_preread_module").from(Client).unescaped().since(1, 13, 10),
    variable("ssl_preread_protocol", "ngx_stream_ssl_preread_module").from(Limited).since(1, 15, 2),
    variable("ssl_preread_server_name", "ngx_stream_ssl_preread_module").from(Client).unescaped().since(1, 11, 5),
    variable("ssl_protocol", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 2),
    variable("ssl_server_name", "ngx_stream_ssl_module").settable().from(Client).unescaped().since(1, 11, 2),
    variable("ssl_session_id", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 2),
    variable("ssl_session_reused", "ngx_stream_ssl_module").settable().from(Limited).since(1, 11, 2),
    variable("ssl_sigalg", "ngx_stream_ssl_module").settable().from(Limited).since(1, 29, 3),
    variable("ssl_sigalgs", "ngx_stream_ssl_module").settable().from(Limited).since(1, 31, 2),
    variable("status", "ngx_stream_core_module").since(1, 11, 4),
    variable("sts_1xx_counter", "stream-sts"),
    variable("sts_2xx_counter", "stream-sts"),
    variable("sts_3xx_counter", "stream-sts"),
    variable("sts_4xx_counter", "stream-sts"),
    variable("sts_5xx_counter", "stream-sts"),
    variable("sts_connect_counter", "stream-sts"),
    variable("sts_in_bytes", "stream-sts"),
    variable("sts_out_bytes", "stream-sts"),
    variable("sts_session_time", "stream-sts"),
    variable("time_iso8601", "ngx_stream_core_module").since(1, 11, 2),
    variable("time_iso8601_ms", "ngx_stream_core_module"),
    variable("time_local", "ngx_stream_core_module").since(1, 11, 2),
    variable("upstream_addr", "ngx_stream_upstream_module").from(Upstream).since(1, 11, 4),
    variable("upstream_bytes_received", "ngx_stream_upstream_module").since(1, 11, 4),
    variable("upstream_bytes_sent", "ngx_stream_upstream_module").since(1, 11, 4),
    variable("upstream_connect_time", "ngx_stream_upstream_module").since(1, 11, 4),
    variable("upstream_first_byte_time", "ngx_stream_upstream_module").since(1, 11, 4),
    variable("upstream_last_addr", "ngx_stream_upstream_module"),
    variable("upstream_session_time", "ngx_stream_upstream_module").since(1, 11, 4),
];

/// Beginnings of names that the stream subsystem defines without bound, sorted.
#[rustfmt::skip]
pub(super) static STREAM_PREFIXES: &[Variable] = &[
    variable("proxy_protocol_tlv_", "ngx_stream_core_module").from(Peer).unescaped().since(1, 23, 2),
];
