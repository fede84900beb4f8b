//! Random configurations, made of lines that rules have something to say about.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::trace::Dice;

const HTTP: [&str; 12] = [
    "absolute_redirect off;",
    "client_max_body_size 1k;",
    "error_page 404 /lost;",
    "merge_slashes off;",
    "port_in_redirect off;",
    "proxy_http_version 1.1;",
    "proxy_redirect off;",
    "proxy_set_header Connection \"\";",
    "proxy_set_header Host $host;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrading;",
    "satisfy any;",
    "server_name_in_redirect on;",
];

const SERVER: [&str; 35] = [
    "add_header Connection upgrade;",
    "allow 127.0.0.1; deny all;",
    "auth_basic x; auth_basic_user_file /etc/nginx/staff;",
    "client_max_body_size 0;",
    "error_page 403 /denied;",
    "error_page 404 =200 /index.html;",
    "error_page 404 = @app;",
    "error_page 500 502 504 @app;",
    "if ($host != one.example) { return 301 http://one.example$request_uri; }",
    "if ($http_x_a) { return 403; }",
    "if ($request_uri ~ ^/out) { return 302 /in; }",
    "if (!-e $request_filename) { rewrite ^ /index.php last; }",
    "index index.html index.php;",
    "listen 443 ssl; ssl_certificate $ssl_server_name.crt; ssl_certificate_key $ssl_server_name.key;",
    "listen 443 ssl; ssl_certificate $ssl_server_name.crt; ssl_certificate_key $ssl_server_name.key;",
    "listen 8443 ssl; ssl_certificate $ssl_server_name.crt; ssl_certificate_key $ssl_server_name.key;",
    "listen 8080;",
    "location = /50x.html { internal; root /srv/pages; }",
    "location ~ \\.(png|jpg)$ { expires 1d; }",
    "proxy_hide_header Upgrade;",
    "proxy_http_version 1.0;",
    "proxy_http_version 1.1;",
    "proxy_pass_request_headers off;",
    "proxy_redirect http://app/ /;",
    "proxy_set_header Connection $http_connection;",
    "proxy_set_header Host $http_host;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
    "proxy_set_header X-A b;",
    "recursive_error_pages on;",
    "return 301 https://$host$request_uri;",
    "rewrite ^(/ws)$ $1/ permanent;",
    "rewrite ^/a/old/(.*)$ /b/$1;",
    "rewrite ^/old/(.*)$ /a/$1 last;",
    "root /srv/www;",
    "try_files $uri $uri/ /index.php;",
];

const PLACES: [&str; 62] = [
    "/",
    "/",
    "= /",
    "~ /",
    "~ ^/$",
    "/a",
    "/a/",
    "= /a",
    "^~ /a/",
    "/a/b",
    "/a/b/",
    "/a/b/c",
    "/A",
    "/A/",
    "~* ^/A/",
    "~ ^/a/",
    "~ ^/a/b",
    "~ ^/a/?$",
    "~ ^/a(?:/(.*))?$",
    "/a/*",
    "~ /a/*",
    "/a?b",
    "/x//y",
    "/b%20c/",
    "\"/a b/\"",
    "/api",
    "/api/",
    "= /api",
    "^~ /api/",
    "/api/v1",
    "~ ^/api",
    "~ ^/api/(.*)$",
    "~ ^/(?!api)",
    "~ ^/(api|ws)/",
    "/app/",
    "~ ^/app(/.*)?$",
    "/ws",
    "/ws/",
    "= /ws",
    "^~ /ws",
    "/ws/chat/",
    "/_ws/",
    "~ /ws",
    "~ ^/ws/(?<room>[a-z]+)$",
    "/socket.io",
    "/socket.io/",
    "/chat",
    "/events",
    "/graphql",
    "/hub",
    "/notifications/hub",
    "/upload",
    "/v1/users",
    "/static/",
    "/.well-known/",
    "~ /\\.",
    "~ \\.php$",
    "~ \\.php(/|$)",
    "= /index.php",
    "~* \\.(js|css)$",
    "= /favicon.ico",
    "~ \"^/[0-9]{2}/\"",
];

const PASSES: [&str; 32] = [
    "http://app",
    "http://app",
    "http://app",
    "http://127.0.0.1:8000",
    "https://127.0.0.1:8443",
    "http://app/",
    "http://app/v1",
    "http://app/v1/",
    "http://app/api",
    "http://app/ws",
    "http://app/socket.io/",
    "http://app/b%20c/",
    "http://app/a//b/",
    "http://app/p?k=1",
    "http://127.0.0.1:8000/a/",
    "http://127.0.0.1:8000/ws/",
    "http://$name",
    "http://$name/v1/",
    "http://$host",
    "$target",
    "$to",
    "http://app$u",
    "http://127.0.0.1:8000$u",
    "http://app$path",
    "http://app$uri",
    "http://app/$uri",
    "http://app$uri$is_args$args",
    "http://app$request_uri",
    "http://app$document_uri",
    "http://app/$1",
    "http://app/x/$1$is_args$args",
    "http://app/search?q=$arg_q",
];

const LOCATION: [&str; 84] = [
    "add_header Connection upgrade always;",
    "add_header Upgrade websocket;",
    "alias /srv/files;",
    "alias /srv/files/;",
    "allow 10.0.0.0/8; deny all;",
    "allow 127.0.0.1;",
    "allow all;",
    "auth_basic off;",
    "auth_basic y; auth_basic_user_file /etc/nginx/staff;",
    "auth_request /auth;",
    "client_max_body_size 1k;",
    "deny all;",
    "error_page 403 = @app;",
    "error_page 404 /404.html;",
    "error_page 404 /lost;",
    "error_page 405 =200 $uri;",
    "error_page 502 /down;",
    "expires 1d;",
    "gzip off;",
    "if ($arg_x) { proxy_pass http://app; }",
    "if ($http_upgrade) { proxy_pass http://127.0.0.1:8000; }",
    "if ($http_upgrade) { rewrite ^ /ws/ last; }",
    "if ($request_method = POST) { return 405; }",
    "if ($request_uri ~ ^/api(/.*)$) { set $u $1; }",
    "if ($uri ~ ^/(a|b)/(.*)$) { set $u /$2; }",
    "internal;",
    "limit_except GET { deny all; }",
    "limit_except GET { proxy_pass http://127.0.0.1:8000; }",
    "limit_rate 1m;",
    "mirror /mirror;",
    "proxy_buffering off;",
    "proxy_connect_timeout 0;",
    "proxy_cookie_path / /a/;",
    "proxy_hide_header Upgrade;",
    "proxy_http_version 1.0;",
    "proxy_http_version 1.1;",
    "proxy_http_version 1.1;",
    "proxy_intercept_errors on;",
    "proxy_method GET;",
    "proxy_pass_request_headers off;",
    "proxy_read_timeout 0;",
    "proxy_read_timeout 5s;",
    "proxy_redirect / /a/;",
    "proxy_redirect http://app/ /a/;",
    "proxy_redirect off;",
    "proxy_redirect ~^http://app(.*)$ $1;",
    "proxy_request_buffering off;",
    "proxy_send_timeout 0;",
    "proxy_set_body x;",
    "proxy_set_header Connection 'Upgrade';",
    "proxy_set_header Connection $http_connection;",
    "proxy_set_header Connection \"\";",
    "proxy_set_header Connection keep-alive;",
    "proxy_set_header Connection upgrade;",
    "proxy_set_header Host \"\";",
    "proxy_set_header Host $host;",
    "proxy_set_header Host $proxy_host;",
    "proxy_set_header Host app.example;",
    "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header Upgrade h2c;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrading;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrading; proxy_http_version 1.1;",
    "proxy_set_header Upgrade websocket; proxy_set_header Connection $http_connection;",
    "proxy_set_header X-B c;",
    "proxy_set_header X-Forwarded-Host $host;",
    "proxy_set_header X-Forwarded-Proto $scheme;",
    "proxy_set_header connection Upgrade;",
    "proxy_set_header upgrade $http_upgrade;",
    "return 204;",
    "rewrite (?i)^/A/(.*)$ /$1 break;",
    "rewrite ^ /all last;",
    "rewrite ^/(.*)$ /$1 break;",
    "rewrite ^/a/(.*) /b/$1 break;",
    "rewrite ^/a/(.*) /ws/$1 last;",
    "rewrite ^/api/(.*)$ /$1 break;",
    "rewrite ^/app/(.*)$ /$1?x=1 break;",
    "rewrite ^/ws$ /ws/ permanent;",
    "root /srv/other;",
    "satisfy all;",
    "set $name app;",
    "set $target http://app;",
    "set $u /set;",
    "try_files $uri $uri/ =404;",
    "try_files /x.html /index.php;",
];

const HANDLERS: [&str; 19] = [
    "",
    "alias /srv/files;",
    "alias /srv/files/;",
    "autoindex on;",
    "deny all;",
    "fastcgi_pass 127.0.0.1:9000; fastcgi_connect_timeout 0;",
    "fastcgi_pass 127.0.0.1:9000; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
    "internal;",
    "return 200 ok;",
    "return 301 $uri/;",
    "return 301 /a/;",
    "return 301 http://one.example/a/;",
    "return 302 https://$host$request_uri;",
    "return 403;",
    "return 404;",
    "rewrite ^ /a/ redirect;",
    "root /srv/www;",
    "try_files $uri @app;",
    "try_files $uri @none;",
];

const NESTED: [&str; 4] = ["~ \\.php$", "~ /ws", "~* ^/a/.*\\.js$", "~ /in/"];

/// What every configuration begins with, and every server in it.
const BEGIN: &str = "events {}\nhttp {\nupstream app { server 127.0.0.1:8000; }
map $uri $to { ~^/a http://127.0.0.1:8000; default http://app; }
map $http_upgrade $upgrading { default upgrade; '' close; }
map $request_uri $path { ~^/(?<rest>[a-z]+) /$rest; default /x; }\n";
const SERVER_BEGIN: &str = "set $target http://127.0.0.1:8000;\nset $name app;\nset $u /v1;
location @app {\nproxy_pass http://app;\n}
location = /auth {\ninternal;\nproxy_pass http://127.0.0.1:8000/ok;\n}
location = /mirror {\ninternal;\nproxy_pass http://app;\n}\n";

/// Up to some of the lines, none that would stand twice on one level.
fn lines(dice: &mut Dice, all: &[&str], most: usize) -> String {
    let mut names = BTreeSet::new();
    let mut text = String::new();
    for _ in 0..dice.roll(most + 1) {
        let line = dice.pick(all);
        let mut own = line
            .split("; ")
            .filter_map(|directive| directive.split(' ').next());
        let may_repeat = ["if", "location", "proxy_set_header", "rewrite", "set"];
        if own.all(|name| may_repeat.contains(&name) || names.insert(name)) {
            text += line;
            text.push('\n');
        }
    }
    text
}

/// A location with some lines, and perhaps one inside.
fn location(dice: &mut Dice, place: &str) -> String {
    let is_regex = place.starts_with('~');
    let mut text = format!("location {place} {{\n{}", lines(dice, &LOCATION, 3));
    let may_have_uri = |url: &&str| {
        let has_uri = url.matches('/').count() > 2 && !url.contains('$');
        !(is_regex && has_uri)
    };
    if dice.chance(65) {
        let url = std::iter::repeat_with(|| dice.pick(&PASSES)).find(may_have_uri);
        let _ = writeln!(text, "proxy_pass {};", url.expect("one of them"));
    } else {
        let _ = writeln!(text, "{}", dice.pick(&HANDLERS));
    }
    if !is_regex && !place.starts_with('=') && dice.chance(12) {
        let inner = dice.pick(&NESTED);
        text += &location(dice, inner);
    }
    text + "}\n"
}

/// The configuration of a number.
pub(crate) fn random(number: u64) -> String {
    let mut dice = Dice(number);
    let mut text = BEGIN.to_owned() + &lines(&mut dice, &HTTP, 3);
    for name in ["one.example", "two.example *.wild.example", "_"]
        .iter()
        .take(1 + dice.roll(3))
    {
        let _ = write!(text, "server {{\nserver_name {name};\n{SERVER_BEGIN}");
        text += &lines(&mut dice, &SERVER, 4);
        let mut taken = BTreeSet::new();
        for _ in 0..=dice.roll(6) {
            let place = dice.pick(&PLACES);
            if taken.insert(place.trim_start_matches("^~ ")) {
                text += &location(&mut dice, place);
            }
        }
        text += "}\n";
    }
    text + "}\n"
}
