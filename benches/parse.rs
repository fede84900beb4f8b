//! How fast a large configuration is parsed, and how much memory that takes.

use std::fmt::Write;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use nginspect::source::{Origin, Sources};
use nginspect::syntax::parse;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const TEN_MEGABYTES: usize = 10_000_000;

fn main() {
    divan::main();
}

/// Servers and maps as people write them, until they fill `size` bytes.
fn configuration(size: usize) -> String {
    let mut text = String::from("user www-data;\nevents {}\n\nhttp {\n");
    for number in 0.. {
        if text.len() >= size {
            break;
        }
        write!(
            text,
            r##"
    # Customer {number}: see the ticket before changing timeouts.
    map $http_upgrade $connection_{number} {{
        default upgrade;
        ""      close;
        ~*^web  "keep-alive, Upgrade";
    }}

    upstream backend_{number} {{
        server 10.0.{third}.{fourth}:8080 max_fails=3 fail_timeout=30s;
        server 10.1.{third}.{fourth}:8080 backup; # cold
        keepalive 32;
    }}

    server {{
        listen 80;
        listen 443 ssl http2;
        server_name www.customer-{number}.example customer-{number}.example
                    *.customer-{number}.example;
        ssl_certificate     /etc/ssl/customer-{number}/fullchain.pem;
        ssl_certificate_key /etc/ssl/customer-{number}/privkey.pem;
        log_format main_{number} '$remote_addr - $remote_user [$time_local] "$request" '
                        '$status $body_bytes_sent "$http_referer" "$http_user_agent"';
        access_log /var/log/nginx/customer-{number}.log main_{number};
        add_header Content-Security-Policy "default-src 'self'; img-src * data:; frame-ancestors 'none'" always;

        if ($host = "customer-{number}.example") {{
            return 301 https://www.customer-{number}.example$request_uri;
        }}

        location / {{
            root /srv/www/customer-{number};
            try_files $uri $uri/ /index.html;
        }}

        location ~* "\.(?:css|js|png|jpe?g|svg|woff2?)$" {{
            expires 30d;
            add_header Cache-Control "public, max-age=2592000, immutable";
        }}

        # The socket: both headers, or the upgrade is lost.
        location /socket/ {{
            proxy_pass http://backend_{number};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_{number};
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_read_timeout 3600s;
        }}

        location ~ ^/api/v(\d+)/(?<rest>.*)$ {{
            rewrite ^ /internal/$1/$rest break;
            proxy_pass http://backend_{number}; # keeps the rewritten path
        }}
    }}
"##,
            third = number / 250 % 250,
            fourth = number % 250,
        )
        .expect("a string takes any text");
    }
    text + "}\n"
}

#[divan::bench]
fn ten_megabytes(bencher: Bencher) {
    let text = configuration(TEN_MEGABYTES);
    let mut sources = Sources::default();
    let file = sources.add("nginx.conf", Origin::Dump, text.into_bytes());
    let bytes = sources.file(file).bytes();
    let tree = parse(file, bytes, nginspect::nginx::accepts);
    assert!(tree.mistakes.is_empty(), "{:?}", tree.mistakes);
    bencher
        .counter(BytesCount::of_slice(bytes))
        .bench_local(|| parse(file, bytes, nginspect::nginx::accepts));
}
