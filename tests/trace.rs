//! Whatever a configuration and a request hold, tracing ends and says something.

use nginspect::config::{LoadOptions, Root, load};
use nginspect::report::trace::{json, text};
use nginspect::routing::{Disk, Options, Protocol, Request, Tracer};
use proptest::prelude::*;

/// Pieces of configurations, right and wrong, that are put together at random.
const PIECES: [&str; 60] = [
    "server {",
    "}",
    "}",
    "location / {",
    "location /a {",
    "location ~ (a)(?<b>.) {",
    "location ~ ( {",
    "location = {",
    "location @a {",
    "location \"\" {",
    "if ($a) {",
    "if ($a ~ (.)) {",
    "if (-f $request_filename) {",
    "if () {",
    "if ($a = ) {",
    "limit_except GET {",
    "map $a $b { ~(.) $1$c; default $a; }",
    "map $b $a { hostnames; . x; *.a y; a.* z; }",
    "map $b $c",
    "geo $g { default 1; ranges; 1-2 3; }",
    "geo $uri $h { 0/0 1; ::/200 2; }",
    "split_clients $a $s { 200% x; 1.234% y; % z; * q; }",
    "upstream u { server a; }",
    "set $a $b$a$1;",
    "set $args ?$args;",
    "set a;",
    "set $a;",
    "rewrite (.)(.) /$2$1?$1 last;",
    "rewrite (.*) $1x;",
    "rewrite ^ ? break;",
    "rewrite ^ $scheme://$host$1 permanent;",
    "rewrite (?<a> x;",
    "rewrite a;",
    "return 301 /$uri;",
    "return x;",
    "return;",
    "return 99999;",
    "break;",
    "try_files $uri $uri/ @a;",
    "try_files /x =;",
    "try_files / /;",
    "try_files;",
    "error_page 404 500 301 = @a;",
    "error_page 404 =x /$1;",
    "error_page 404;",
    "recursive_error_pages on;",
    "proxy_pass http://u/$1;",
    "proxy_pass http://unix:/x:/y;",
    "proxy_pass $a;",
    "proxy_pass http://[::1;",
    "proxy_pass;",
    "proxy_set_header Host $proxy_host$a;",
    "fastcgi_pass $a; fastcgi_param A $fastcgi_script_name; fastcgi_split_path_info ^(.);",
    "alias /$1; index $a /b;",
    "root $a; autoindex on;",
    "auth_request /a; satisfy any; deny 1.2.3.4/99; allow x;",
    "internal;",
    "listen 99999; listen [::]:1-3 ssl; listen unix:; listen a-b:c;",
    "server_name ~(a)(?<n>.)$ . *. .* a..b \"\" $hostname;",
    "include nothing;",
];

fn configurations() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40);
    pieces.prop_map(|pieces| format!("http {{ server {{ {}", pieces.join("\n")))
}

fn requests() -> impl Strategy<Value = Request> {
    let targets = prop_oneof![
        "(/|a|b|%2[0-9a-f]|\\.\\.|\\?|x=|&|#|%|\\+|:){0,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    let methods = prop::sample::select(&["GET", "HEAD", "POST", "", "x y"][..]);
    let hosts = prop::collection::vec(any::<u8>(), 0..8);
    (targets, methods, hosts, any::<bool>()).prop_map(|(target, method, host, old)| {
        let mut request = Request::get("ws://a.example:8080/").expect("a URL");
        request.target = target;
        request.method = method.to_owned();
        request.headers[0].1 = host;
        if old {
            request.protocol = Protocol::Http10;
        }
        request
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn tracing_never_panics(configuration in configurations(), requests in prop::collection::vec(requests(), 1..4)) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, configuration).expect("a file");
        let config = load(&Root::File(path), &LoadOptions::default()).expect("a configuration");
        let mut disk = Disk::default();
        disk.add(b"/x/y");
        disk.remove(b"/z");
        let tracer = Tracer::new(&config, Options { disk, prefix: None });
        for request in requests {
            if let Ok(trace) = tracer.trace(&request) {
                prop_assert!(text(&trace, &config).lines().count() > 1);
                prop_assert!(json(&trace, &config).is_object());
            }
        }
    }
}

#[test]
fn values_that_grow_without_end_are_cut() {
    let mut text = String::from("events {} http { server { listen 80; set $a x;");
    text.push_str(&"set $a $a$a;".repeat(60));
    text.push_str("return 200 $m0$a; }");
    for number in 0..90 {
        let next = number + 1;
        text.push_str(&format!(
            "map $uri $m{number} {{ volatile; default $m{next}$m{next}; }}"
        ));
    }
    text.push('}');
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, text).expect("a file");
    let config = load(&Root::File(path), &LoadOptions::default()).expect("a configuration");
    let request = Request::get("http://a/").expect("a URL");
    let trace = nginspect::routing::trace(&config, &request, &Options::default());
    assert!(!trace.expect("an answer").assumptions.is_empty());
}
