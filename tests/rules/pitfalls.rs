//! The shortest example of each pitfall about locations, proxying, WebSockets and timeouts, wrong and right.

use std::fs;

use nginspect::config::{LoadOptions, Root, Scope, load};
use nginspect::lint::lint_with;
use nginspect::rules::RULES;

/// A rule, what it finds something in, and what it finds nothing in. What belongs to the http level stands before `@@`, and
/// before another one the main level with its `events`.
type Row = (&'static str, &'static str, &'static str);

const HANDSHAKE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
     proxy_set_header Connection \"upgrade\";";

/// `{handshake}` stands for the three lines that forward a handshake.
const ROWS: [Row; 97] = [
    (
        "missing-websocket-upgrade",
        "location /ws { proxy_pass http://app; }",
        "location /ws { proxy_pass http://app; {handshake} }",
    ),
    (
        "incomplete-websocket-upgrade",
        "location /ws { proxy_pass http://app; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; }",
        "location /ws { proxy_pass http://app; {handshake} }",
    ),
    (
        "lost-proxy-header",
        "proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; location /ws { proxy_set_header X-A b; proxy_pass http://app; }",
        "proxy_set_header Host $host; {handshake} location /ws { proxy_set_header Host $host; {handshake} proxy_set_header X-A b; proxy_pass http://app; }",
    ),
    (
        "incomplete-websocket-upgrade",
        "location / { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection keep-alive; proxy_pass http://app; }",
        "map $http_upgrade $connection_upgrade { default upgrade; '' ''; } @@ location / { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_pass http://app; }",
    ),
    (
        "hardcoded-connection-upgrade",
        "location / { {handshake} proxy_pass http://app; }",
        "map $http_upgrade $connection_upgrade { default upgrade; '' ''; } @@ location / { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_pass http://app; }",
    ),
    (
        "ineffective-keepalive",
        "map $http_upgrade $connection_upgrade { default upgrade; '' close; } upstream k { server 127.0.0.1:8000; keepalive 8; } @@ location / { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_pass http://k; }",
        "map $http_upgrade $connection_upgrade { default upgrade; '' ''; } upstream k { server 127.0.0.1:8000; keepalive 8; } @@ location / { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_pass http://k; }",
    ),
    (
        "short-websocket-timeout",
        "{handshake} location /ws { proxy_read_timeout 10s; proxy_pass http://app; }",
        "{handshake} location /ws { proxy_read_timeout 1h; proxy_pass http://app; }",
    ),
    (
        "short-timeout",
        "location /api { proxy_read_timeout 1s; proxy_pass http://app; }",
        "location /api { proxy_read_timeout 30s; proxy_pass http://app; }",
    ),
    (
        "ineffective-connect-timeout",
        "location /ws { proxy_connect_timeout 7d; proxy_pass http://app; }",
        "location /ws { proxy_pass http://app; }",
    ),
    (
        "hijacked-location",
        "location /api/ws/ { proxy_pass http://ws; } location ~ ^/api/ { proxy_pass http://app; }",
        "location ^~ /api/ws/ { proxy_pass http://ws; } location ~ ^/api/ { proxy_pass http://app; }",
    ),
    (
        "websocket-to-static",
        "upstream vaultwarden { server 127.0.0.1:8000; } @@ location / { try_files $uri /index.html; } location /api/ { proxy_pass http://vaultwarden; }",
        "upstream vaultwarden { server 127.0.0.1:8000; } @@ location / { try_files $uri /index.html; } location /api/ { proxy_pass http://vaultwarden; } location /notifications/hub { {handshake} proxy_pass http://vaultwarden; }",
    ),
    (
        "websocket-path-redirect",
        "location /ws/ { proxy_pass http://app; }",
        "location /ws { proxy_pass http://app; }",
    ),
    (
        "websocket-prefix-contract",
        "location /console/ { proxy_pass http://app/; } location /console/ws { {handshake} proxy_pass http://app; }",
        "location /console/ { proxy_pass http://app/; } location /console/ws { {handshake} proxy_pass http://app/ws; }",
    ),
    (
        "unsticky-websocket-upstream",
        "upstream io { server 127.0.0.1:3001; server 127.0.0.1:3002; } @@ location /socket.io/ { {handshake} proxy_pass http://io; }",
        "upstream io { ip_hash; server 127.0.0.1:3001; server 127.0.0.1:3002; } @@ location /socket.io/ { {handshake} proxy_pass http://io; }",
    ),
    (
        "websocket-host",
        "location /ws { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; proxy_pass http://app; }",
        "location /ws { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; proxy_set_header Host $http_host; proxy_pass http://app; }",
    ),
    (
        "unsafe-auth-subrequest",
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; location /ws { auth_request /a; proxy_pass http://app; } location = /a { internal; proxy_pass http://auth; }",
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; location /ws { auth_request /a; proxy_pass http://app; } location = /a { internal; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; proxy_set_header Upgrade \"\"; proxy_set_header Connection \"\"; proxy_pass http://auth; }",
    ),
    (
        "websocket-behind-basic-auth",
        "location /ws { auth_basic x; auth_basic_user_file h; proxy_pass http://app; }",
        "location /ws { auth_request /a; proxy_pass http://app; } location = /a { internal; proxy_pass http://auth; }",
    ),
    (
        "leaked-upgrade-header",
        "http2 on; location / { proxy_pass http://app; }",
        "http2 on; location / { proxy_hide_header Upgrade; proxy_pass http://app; }",
    ),
    (
        "websocket-capacity",
        "worker_processes 2; events {} @@ @@ location /ws { {handshake} proxy_read_timeout 24h; proxy_pass http://app; }",
        "worker_processes 2; worker_shutdown_timeout 5m; events {} @@ @@ location /ws { {handshake} proxy_read_timeout 24h; proxy_pass http://app; }",
    ),
    (
        "websocket-capacity",
        "events { worker_connections 512; } @@ @@ location /ws { {handshake} proxy_pass http://app; }",
        "events { worker_connections 8192; } @@ @@ location /ws { {handshake} proxy_pass http://app; }",
    ),
    (
        "websocket-capacity",
        "limit_conn_zone $binary_remote_addr zone=c:1m; limit_conn c 5; @@ location /ws { proxy_pass http://app; }",
        "limit_conn_zone $binary_remote_addr zone=c:1m; limit_conn c 100; @@ location /ws { proxy_pass http://app; }",
    ),
    (
        "websocket-capacity",
        "limit_req_zone $binary_remote_addr zone=r:1m rate=1r/s; limit_req zone=r; @@ location /socket.io/ { {handshake} proxy_pass http://app; }",
        "limit_req_zone $binary_remote_addr zone=r:1m rate=1r/s; limit_req zone=r burst=20; @@ location /socket.io/ { {handshake} proxy_pass http://app; }",
    ),
    (
        "handlerless-location",
        "location / { proxy_pass http://app; } location /ws/ { proxy_read_timeout 1h; }",
        "location / { proxy_pass http://app; } location /ws/ { proxy_read_timeout 1h; proxy_pass http://app; }",
    ),
    (
        "incomplete-websocket-upgrade",
        "location /ws { proxy_http_version 2; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; proxy_pass http://app; }",
        "location /ws { {handshake} proxy_pass http://app; }",
    ),
    (
        "forwarded-upgrade-token",
        "location / { {handshake} proxy_pass http://app; } location /admin { deny all; }",
        "map $http_upgrade $ws_upgrade { default ''; ~*^websocket$ websocket; } @@ location / { proxy_http_version 1.1; proxy_set_header Upgrade $ws_upgrade; proxy_set_header Connection \"upgrade\"; proxy_pass http://app; } location /admin { deny all; }",
    ),
    (
        "upgrade-in-response",
        "location /ws { add_header Upgrade $http_upgrade; add_header Connection upgrade; proxy_pass http://app; }",
        "location /ws { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_pass http://app; }",
    ),
    (
        "zero-timeout",
        "location /ws { proxy_read_timeout 0; proxy_pass http://app; }",
        "location /ws { proxy_read_timeout 24h; proxy_pass http://app; }",
    ),
    (
        "hidden-upgrade-header",
        "proxy_hide_header Upgrade; location /ws { proxy_set_header Upgrade $http_upgrade; proxy_pass http://app; }",
        "location /ws { proxy_set_header Upgrade $http_upgrade; proxy_pass http://app; }",
    ),
    (
        "hijacked-location",
        "location /app/ { proxy_pass http://app; } location ~* \\.(js|css)$ { root /srv; }",
        "location ^~ /app/ { proxy_pass http://app; } location ~* \\.(js|css)$ { root /srv; }",
    ),
    (
        "unreachable-location",
        "location ~ ^/api/ { proxy_pass http://app; } location ~ ^/api/ws { proxy_pass http://ws; }",
        "location ~ ^/api/ws { proxy_pass http://ws; } location ~ ^/api/ { proxy_pass http://app; }",
    ),
    (
        "suppressed-regex",
        "root /srv; location ^~ / { index index.php; } location ~ \\.php$ { fastcgi_pass 127.0.0.1:9000; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }",
        "root /srv; location / { index index.php; } location ~ \\.php$ { fastcgi_pass 127.0.0.1:9000; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }",
    ),
    (
        "hijacked-location",
        "location ^~ /a/ { proxy_pass http://app; } location /a/b/ { proxy_pass http://ws; } location ~ \\.js$ { root /srv; }",
        "location ^~ /a/ { proxy_pass http://app; } location ^~ /a/b/ { proxy_pass http://ws; } location ~ \\.js$ { root /srv; }",
    ),
    (
        "loose-regex",
        "location / { root /srv; } location ~ /api { proxy_pass http://app; } location ~ .php { fastcgi_pass 127.0.0.1:9000; }",
        "location / { root /srv; } location ~ ^/api/ { proxy_pass http://app; } location ~ \\.php$ { fastcgi_pass 127.0.0.1:9000; }",
    ),
    (
        "prefix-overmatch",
        "location /api { proxy_pass http://app; } location /api-docs/ { root /srv; } location / { root /srv; }",
        "location /api/ { proxy_pass http://app; } location /api-docs/ { root /srv; } location / { root /srv; }",
    ),
    (
        "glob-in-location",
        "location /assets/* { root /srv; }",
        "location /assets/ { root /srv; }",
    ),
    (
        "query-in-location",
        "location ~ ^/s\\?cat=1 { proxy_pass http://app; }",
        "location ~ ^/s { proxy_pass http://app; }",
    ),
    (
        "encoded-location",
        "location /a%20b/ { root /srv; }",
        "location \"/a b/\" { root /srv; }",
    ),
    (
        "never-matching-location",
        "location ^/develop/api/ { proxy_pass http://app; }",
        "location /develop/api/ { proxy_pass http://app; }",
    ),
    (
        "never-matching-location",
        "location api { root /srv; }",
        "location /api { root /srv; }",
    ),
    (
        "blocked-acme-challenge",
        "location ~ /\\. { deny all; } location /.well-known/acme-challenge/ { root /srv; }",
        "location ~ /\\. { deny all; } location ^~ /.well-known/acme-challenge/ { root /srv; }",
    ),
    (
        "near-miss-location",
        "location = /health/ { return 200; }",
        "location = /health { return 200; }",
    ),
    (
        "near-miss-location",
        "location /API/ { proxy_pass http://app; }",
        "location /api/ { proxy_pass http://app; }",
    ),
    (
        "order-comment",
        "\n# This must come first.\nlocation /uploads/ { root /srv; } location / { proxy_pass http://app; }",
        "location /uploads/ { root /srv; } location / { proxy_pass http://app; }",
    ),
    (
        "identity-proxy-uri",
        "location /x { proxy_pass http://app/x; }",
        "location /x { proxy_pass http://app; }",
    ),
    (
        "proxy-path-mismatch",
        "location /app { proxy_pass http://app/; }",
        "location /app/ { proxy_pass http://app/; }",
    ),
    (
        "proxy-path-mismatch",
        "location /app/ { proxy_pass http://app/api; }",
        "location /app/ { proxy_pass http://app/api/; }",
    ),
    (
        "proxy-path-mismatch",
        "location /app { proxy_pass http://app/v1; }",
        "location /app/ { proxy_pass http://app/v1/; }",
    ),
    (
        "decoded-proxy-path",
        "location /npm/ { proxy_pass http://app/npm/; }",
        "location /npm/ { proxy_pass http://app; }",
    ),
    (
        "constant-proxy-uri",
        "set $b app; location /api/ { proxy_pass http://$b/; }",
        "set $b app; location /api/ { rewrite ^/api/(.*)$ /$1 break; proxy_pass http://$b; }",
    ),
    (
        "missing-resolver",
        "set $b backend.internal; location / { proxy_pass http://$b; }",
        "resolver 127.0.0.53; set $b backend.internal; location / { proxy_pass http://$b; }",
    ),
    (
        "frozen-dns",
        "resolver 127.0.0.11; location / { proxy_pass http://backend:5001; }",
        "upstream backend { zone backend 64k; server api:5001 resolve; } @@ resolver 127.0.0.11; location / { proxy_pass http://backend; }",
    ),
    (
        "decoded-uri-variable",
        "location / { proxy_pass http://app$uri; }",
        "location / { proxy_pass http://app; }",
    ),
    (
        "query-in-proxy-uri",
        "location /a { proxy_pass http://app/z?k=1; }",
        "location /a { rewrite ^ /z?k=1 break; proxy_pass http://app; }",
    ),
    (
        "ignored-proxy-uri",
        "location /api/ { rewrite ^/api/(.*)$ /v2/$1 break; proxy_pass http://app/base/; }",
        "location /api/ { rewrite ^/api/(.*)$ /base/v2/$1 break; proxy_pass http://app; }",
    ),
    (
        "variable-proxy-redirect",
        "set $b app; location / { proxy_pass http://$b; }",
        "set $b app; location / { proxy_pass http://$b; proxy_redirect http://$b/ /; }",
    ),
    (
        "invalid-upstream-host",
        "upstream my_app { server 127.0.0.1:8000; } @@ location / { proxy_pass http://my_app; }",
        "upstream my_app { server 127.0.0.1:8000; } @@ location / { proxy_set_header Host $host; proxy_pass http://my_app; }",
    ),
    (
        "lost-port",
        "location / { proxy_set_header Host $host; proxy_pass http://app; }",
        "location / { proxy_set_header Host $http_host; proxy_pass http://app; }",
    ),
    (
        "http3-host",
        "listen 18102 quic; location / { proxy_set_header Host $http_host; proxy_pass http://app; }",
        "listen 18102 quic; location / { proxy_set_header Host $host; proxy_pass http://app; }",
    ),
    (
        "foreign-host",
        "location / { proxy_set_header Host $host; proxy_pass http://bucket.s3.amazonaws.com; }",
        "location / { proxy_set_header Host $proxy_host; proxy_pass http://bucket.s3.amazonaws.com; }",
    ),
    (
        "duplicate-proxy-header",
        "location / { proxy_set_header Host $http_host; proxy_set_header Host $host; proxy_pass http://app; }",
        "location / { proxy_set_header Host $host; proxy_pass http://app; }",
    ),
    (
        "missing-forwarded-proto",
        "set_real_ip_from 10.0.0.0/8; location / { proxy_set_header X-Forwarded-Proto $scheme; proxy_pass http://app; }",
        "set_real_ip_from 10.0.0.0/8; location / { proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto; proxy_pass http://app; }",
    ),
    (
        "missing-upstream-sni",
        "location / { proxy_pass https://localhost; }",
        "location / { proxy_ssl_server_name on; proxy_pass https://localhost; }",
    ),
    (
        "missing-upstream-sni",
        "set $u https://app; location / { proxy_ssl_server_name on; proxy_ssl_name $proxy_host; proxy_pass $u; }",
        "set $u https://app; location / { proxy_ssl_server_name on; proxy_ssl_name app.internal; proxy_pass $u; }",
    ),
    (
        "unverified-upstream-tls",
        "location / { proxy_pass https://app; }",
        "location / { proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem; proxy_pass https://app; }",
    ),
    (
        "localhost-upstream",
        "location / { proxy_pass http://localhost:5000; }",
        "location / { proxy_pass http://127.0.0.1:5000; }",
    ),
    (
        "ineffective-keepalive",
        "upstream k { server 127.0.0.1:8000; keepalive 8; } @@ location / { proxy_pass http://k; }",
        "upstream k { server 127.0.0.1:8000; keepalive 8; } @@ location / { proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://k; }",
    ),
    (
        "ineffective-keepalive",
        "upstream k { server 127.0.0.1:8000; keepalive 8; least_conn; } @@",
        "upstream k { server 127.0.0.1:8000; least_conn; keepalive 8; } @@",
    ),
    (
        "proxy-redirect-mismatch",
        "location / { proxy_redirect off; proxy_pass http://app; }",
        "location / { proxy_redirect http:// https://; proxy_set_header Host $host; proxy_pass http://app; }",
    ),
    (
        "non-idempotent-retry",
        "location / { proxy_next_upstream error timeout non_idempotent; proxy_pass http://app; }",
        "location / { proxy_next_upstream error timeout; proxy_pass http://app; }",
    ),
    (
        "small-proxy-buffer",
        "location /oauth2/ { proxy_pass http://app; }",
        "location /oauth2/ { proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_pass http://app; }",
    ),
    (
        "small-body-limit",
        "location / { client_max_body_size 50m; proxy_pass http://app; } location /upload/ { proxy_pass http://app; }",
        "location / { proxy_pass http://app; } location /upload/ { client_max_body_size 50m; proxy_pass http://app; }",
    ),
    (
        "buffered-stream",
        "location /events { proxy_pass http://app; }",
        "location /events { proxy_buffering off; proxy_pass http://app; }",
    ),
    (
        "grpc-over-http",
        "location /pkg.Svc/ { proxy_pass http://127.0.0.1:50051; }",
        "listen 18104 http2; location /pkg.Svc/ { grpc_pass grpc://127.0.0.1:50051; }",
    ),
    (
        "short-grpc-timeout",
        "location / { grpc_pass grpc://127.0.0.1:50051; }",
        "location / { grpc_read_timeout 1h; grpc_pass grpc://127.0.0.1:50051; }",
    ),
    (
        "timeout-below-upstream",
        "upstream two { server 127.0.0.1:8000; server 127.0.0.1:8001; } @@ location / { proxy_next_upstream_timeout 10s; proxy_pass http://two; }",
        "upstream two { server 127.0.0.1:8000; server 127.0.0.1:8001; } @@ location / { proxy_connect_timeout 3s; proxy_next_upstream_timeout 10s; proxy_pass http://two; }",
    ),
    (
        "unix-socket-path",
        "location /c/ { proxy_pass http://unix:/run/x.sock/foo/; }",
        "location /c/ { proxy_pass http://unix:/run/x.sock:/foo/; }",
    ),
    (
        "shadowed-handler",
        "location / { proxy_pass http://app; return 301 /x; }",
        "location / { return 301 /x; }",
    ),
    (
        "competing-handlers",
        "location / { proxy_pass http://app; fastcgi_pass 127.0.0.1:9000; }",
        "location / { proxy_pass http://app; }",
    ),
    (
        "spoofable-client-address",
        "location / { proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_pass http://app; }",
        "location / { proxy_set_header X-Forwarded-For $remote_addr; proxy_pass http://app; }",
    ),
    (
        "unsafe-auth-subrequest",
        "location / { auth_request /a; proxy_pass http://app; } location = /a { internal; proxy_pass http://auth; }",
        "location / { auth_request /a; proxy_pass http://app; } location = /a { internal; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; proxy_pass http://auth; }",
    ),
    (
        "intercepted-api-error",
        "proxy_intercept_errors on; error_page 404 /index.html; location /api/ { proxy_pass http://app; }",
        "proxy_intercept_errors on; error_page 404 /index.html; location /api/ { proxy_intercept_errors off; proxy_pass http://app; }",
    ),
    (
        "compressed-sub-filter",
        "location / { sub_filter a b; proxy_pass http://app; }",
        "location / { sub_filter a b; proxy_set_header Accept-Encoding \"\"; proxy_pass http://app; }",
    ),
    (
        "dropped-underscore-header",
        "underscores_in_headers off; location / { proxy_pass http://app; }",
        "underscores_in_headers on; location / { proxy_pass http://app; }",
    ),
    (
        "scheme-port-mismatch",
        "location / { proxy_pass http://127.0.0.1:8443; }",
        "location / { proxy_pass https://127.0.0.1:8443; }",
    ),
    (
        "small-proxy-buffer",
        "location /sso/ { proxy_pass http://app; }",
        "large_client_header_buffers 4 32k; location /sso/ { proxy_pass http://app; }",
    ),
    (
        "unsafe-if",
        "root /srv; location / { if ($arg_a) { set $z 1; } try_files $uri /index.html; }",
        "map $arg_a $z { default 1; '' ''; } @@ root /srv; location / { try_files $uri /index.html; }",
    ),
    (
        "unsafe-if",
        "location / { add_header X-A 1; if ($arg_a) { add_header X-B 1; } root /srv; }",
        "map $arg_a $b { default 1; '' ''; } @@ location / { add_header X-A 1; add_header X-B $b; root /srv; }",
    ),
    (
        "rewrite-cycle",
        "location /a/ { rewrite ^/a/(.*) /b/$1 last; } location /b/ { rewrite ^/b/(.*) /a/$1 last; }",
        "location /a/ { rewrite ^/a/(.*) /b/$1 last; } location /b/ { root /srv; }",
    ),
    (
        "clobbered-capture",
        "location ~ ^/h/(.*)$ { if ($http_user_agent ~ \"(x)?\") { set $z 1; } proxy_pass http://app/$1; }",
        "location ~ ^/h/(?<rest>.*)$ { if ($http_user_agent ~ \"(x)?\") { set $z 1; } proxy_pass http://app/$rest; }",
    ),
    (
        "rewrite-cycle",
        "root /srv; location / { try_files $uri /; }",
        "root /srv; location / { try_files $uri /index.html; }",
    ),
    (
        "redirect-loop",
        "listen 443 ssl; ssl_certificate c.pem; ssl_certificate_key k.pem; return 301 https://$host$request_uri;",
        "server { listen 443 ssl; server_name a.example; ssl_certificate c.pem; ssl_certificate_key k.pem; location / { proxy_pass http://app; } } @@ return 301 https://$host$request_uri;",
    ),
    (
        "spoofable-client-address",
        "set_real_ip_from 0.0.0.0/0; real_ip_header X-Forward-For; root /srv;",
        "set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; root /srv;",
    ),
    (
        "undefined-named-location",
        "root /srv; location / { try_files $uri @app; }",
        "root /srv; location / { try_files $uri @app; } location @app { proxy_pass http://app; }",
    ),
    (
        "unused-definition",
        "upstream old { server 127.0.0.1:1; } @@ location / { proxy_pass http://app; }",
        "upstream old { server 127.0.0.1:1; } @@ location / { proxy_pass http://old; }",
    ),
    (
        "dead-rewrite",
        "location / { return 301 /x; rewrite ^ /y last; }",
        "location / { return 301 /x; }",
    ),
    (
        "missing-capture",
        "location / { rewrite ^/old/.* /new/$1 permanent; }",
        "location / { rewrite ^/old/(.*) /new/$1 permanent; }",
    ),
    (
        "misspelled-upstream",
        "upstream backend { server 127.0.0.1:8000; } @@ resolver 127.0.0.53; location / { proxy_pass http://backend; } location /b { proxy_pass http://bakend$request_uri; }",
        "upstream backend { server 127.0.0.1:8000; } @@ location / { proxy_pass http://backend; }",
    ),
];

/// How many findings a rule that is selected alone has in an example.
fn findings(rule: &str, example: &str) -> usize {
    let example = example.replace("{handshake}", HANDSHAKE);
    let mut levels = example.rsplit("@@");
    let server = levels.next().unwrap_or_default();
    let http = levels.next().unwrap_or_default();
    let main = levels.next().unwrap_or("events {}");
    let group = |name: &str, port: u16| match example.contains(&format!("http://{name};")) {
        true => format!("upstream {name} {{ server 127.0.0.1:{port}; }}\n"),
        false => String::new(),
    };
    let groups = group("ws", 8002) + &group("auth", 8003);
    let text = format!(
        "{main}\nhttp {{\n\
         upstream app {{ server 127.0.0.1:8001; }}\n{groups}{http}\n\
         server {{ listen 18101; server_name a.example; {server} }}\n\
         server {{ listen 18103; location / {{ proxy_set_header X-Forwarded-For $remote_addr; proxy_pass http://app; }} }}\n}}\n"
    );
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let path = folder.path().join("nginx.conf");
    fs::write(&path, text).expect("a writable folder");
    let config = load(&Root::File(path), &LoadOptions::default()).expect("a readable file");
    let known = RULES.iter().find(|(name, _)| *name == rule);
    let alone = *known.expect("a rule");
    lint_with(&config, &Scope::All, &[alone]).len()
}

#[test]
fn each_pitfall_is_found_by_its_rule_and_its_cure_is_not() {
    let mut failures = Vec::new();
    for (rule, wrong, right) in ROWS {
        if findings(rule, wrong) == 0 {
            failures.push(format!("{rule} finds nothing in {wrong}"));
        }
        if findings(rule, right) > 0 {
            failures.push(format!("{rule} still finds something in {right}"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
