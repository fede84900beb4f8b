//! Whole requests: random configurations and random requests, about which `trace` and nginx have to agree.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use nginspect::config::{Config, LoadOptions, Root, load};
use nginspect::nginx::Version;
use nginspect::routing::{Disk, Options, Outcome, Protocol, Request, Trace, Tracer, WebSocket};

use crate::harness::{Echo, Nginx, PORT, Server, say};

/// How many configurations are made unless `NGINSPECT_TRACE_ROUNDS` says otherwise.
const ROUNDS: u64 = 120;

/// How many requests each of them gets.
const REQUESTS: usize = 30;

/// How many disagreements are shown.
const SHOWN: usize = 8;

/// Numbers that look random and are the same each time (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.roll(all.len())]
    }
}

/// Files below the document root of a test.
const FILES: [&str; 12] = [
    "index.html",
    "a/index.html",
    "a/b/index.htm",
    "a/b/c.txt",
    "a/x.php",
    "b/x.js",
    "b c.txt",
    "50x.html",
    "404.html",
    "fallback.html",
    "api/v1/data.json",
    "f?x.txt",
];

/// Writes one configuration.
struct Writer {
    dice: Dice,
    text: String,
    /// The number of the next block that is marked.
    mark: usize,
    backend: u16,
    fastcgi: u16,
    root: String,
}

const NAMES: [&str; 14] = [
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/",
    "/ab",
    "/b/",
    "/api/",
    "/api/v1/",
    "/b c",
    "/x/",
    "/c",
    "/a/b/c.txt",
    "/f?",
];
const REGEXES: [&str; 12] = [
    r"\.php$",
    "^/a/(.*)$",
    "^/(?<first>[^/]+)/(.*)",
    "/b/?$",
    "(?<ext>[a-z]+)$",
    "^/api/(v[0-9])/",
    "x",
    "^/(a|b)/?",
    " ",
    "^/$",
    "^/b/(.+)\\.(js|txt)$",
    "%",
];

impl Writer {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn mark(&mut self) {
        self.mark += 1;
        let mark = self.mark;
        self.line(format!("add_header X-Location {mark} always;"));
    }

    fn config(mut self) -> String {
        self.line("events {}");
        self.line("http {");
        self.line("keepalive_timeout 0; server_names_hash_bucket_size 128; map_hash_bucket_size 128; variables_hash_bucket_size 128;");
        let root = self.root.clone();
        self.line(format!("root {root};"));
        let backend = self.backend;
        self.line(format!(
            "upstream backend {{ server 127.0.0.1:{backend}; }}"
        ));
        self.tables();
        if self.dice.chance(20) {
            self.headers();
        }
        if self.dice.chance(15) {
            self.line("proxy_http_version 1.1;");
        }
        for number in 0..1 + self.dice.roll(4) {
            self.server(number);
        }
        self.line("}");
        self.text
    }

    fn tables(&mut self) {
        // So that the names of groups are known in every configuration.
        self.line(
            r"map $arg_none $groups { ~^(?<sub>.)(?<first>.)(?<ext>.)(?<name>.)(?<seen>)$ 1; }",
        );
        self.line(r#"map $http_upgrade $connection_upgrade { default upgrade; "" close; }"#);
        self.line(r#"map $arg_x $by_arg { default d$args; 1 one; "" none; Two $uri; ~^(\d+)$ n$1; ~*^a(?<rest>.*)$ r$rest; }"#);
        self.line(
            "map $uri $by_uri { default $by_arg; / root; ~^/a/(?<tail>.*) t$tail; ~c c-$1; }",
        );
        self.line("map $host $by_host { hostnames; default other; a.example A; *.example E; .dot.example D; www.* W; ~^re re; }");
        self.line("map $request_uri$is_args $lazy { volatile; default v$uri; ~(b.) $1; }");
        self.line("geo $local { default 0; 127.0.0.0/8 1; 127.0.0.2 2; 10.0.0.0/8 3; }");
        self.line(r#"geo $arg_ip $by_ip { ranges; default none; 10.0.0.0-10.0.0.255 ten; 10.0.0.5-10.0.0.6 five; }"#);
        self.line(r#"split_clients "$arg_x$uri" $half { 50% left; 0.5% some; * right; }"#);
    }

    fn server(&mut self, number: usize) {
        self.line("server {");
        let default = if self.dice.chance(20) && number > 0 && !self.text.contains("default_server")
        {
            " default_server"
        } else {
            ""
        };
        let listen = self
            .dice
            .pick(&["127.0.0.1:", "127.0.0.1:", "", "127.0.0.2:", "[::1]:"]);
        self.line(format!("listen {listen}{PORT}{default};"));
        if number == 0 && listen != "127.0.0.1:" {
            self.line(format!("listen 127.0.0.1:{PORT};"));
        }
        let names = self.dice.pick(&[
            "a.example b.example",
            "*.example",
            ".dot.example",
            "www.*",
            r"~^(?<sub>\w+)\.re\.example$",
            r"~^(.+)\.Re2\.example$ c.example",
            "\"\" d.example",
            "_",
            "*.b.example www.a.*",
        ]);
        if self.dice.chance(85) {
            self.line(format!("server_name {names};"));
        }
        self.mark();
        for (percent, line) in [
            (10, "merge_slashes off;"),
            (10, "underscores_in_headers on;"),
            (10, "ignore_invalid_headers off;"),
            (10, "absolute_redirect off;"),
            (10, "server_name_in_redirect on;"),
            (10, "port_in_redirect off;"),
            (10, "recursive_error_pages on;"),
            (15, "error_page 404 /404.html;"),
            (10, "error_page 404 = @one;"),
            (8, "error_page 403 405 =200 /a/index.html;"),
            (8, "error_page 500 502 /50x.html;"),
            (6, "error_page 404 =410 https://other.example/gone?$args;"),
            (6, "error_page 301 302 =418 /api/v1/data.json;"),
            (6, "error_page 400 /400$is_args;"),
            (6, "index /fallback.html;"),
            (6, "index missing.html index.htm index.html;"),
        ] {
            if self.dice.chance(percent) {
                self.line(line);
            }
        }
        if self.dice.chance(20) {
            self.headers();
        }
        for _ in 0..self.dice.roll(3) {
            if self.dice.chance(25) {
                self.rewriting(true);
            }
        }
        self.locations(None, 0);
        if self.dice.chance(50) {
            let uri = self
                .dice
                .pick(&["", "/", "/all", "/all/?z", "$uri", "/q?$args"]);
            self.line(format!(
                "location ^~ /api/v {{ proxy_pass http://backend{uri};"
            ));
            self.mark();
            self.headers();
            self.line("}");
        }
        if self.dice.chance(50) {
            self.line("location = / {");
            self.body(Kind::Exact, "/", 9);
            self.line("}");
        }
        for name in ["@one", "@two"] {
            if self.dice.chance(70) {
                self.line(format!("location {name} {{"));
                self.body(Kind::Named, name, 9);
                self.line("}");
            }
        }
        if self.dice.chance(30) {
            self.line("location = /ok { return 204; }");
            self.line("location = /no { internal; return 403; }");
        }
        self.line("}");
    }

    fn locations(&mut self, outer: Option<&str>, depth: usize) {
        let mut taken = vec!["=/".to_owned()];
        let least = if depth == 0 { 3 } else { 0 };
        for _ in 0..least + self.dice.roll(if depth == 0 { 8 } else { 3 }) {
            let kind = match self.dice.roll(10) {
                0 => Kind::Exact,
                1..=4 => Kind::Prefix,
                5 => Kind::Preferential,
                _ => Kind::Regex,
            };
            let name = match kind {
                Kind::Regex => self.dice.pick(&REGEXES).to_owned(),
                _ => self.dice.pick(&NAMES).to_owned(),
            };
            let key = match kind {
                Kind::Exact => format!("={name}"),
                _ => name.clone(),
            };
            let fits = kind == Kind::Regex || outer.is_none_or(|outer| name.starts_with(outer));
            if taken.contains(&key) && kind != Kind::Regex || !fits {
                continue;
            }
            taken.push(key);
            let modifier = match kind {
                Kind::Exact => "= ",
                Kind::Preferential => "^~ ",
                Kind::Regex if self.dice.chance(30) => "~* ",
                Kind::Regex => "~ ",
                Kind::Prefix | Kind::Named => "",
            };
            self.line(format!("location {modifier}\"{name}\" {{"));
            self.body(kind, &name, depth);
            self.line("}");
        }
    }

    fn body(&mut self, kind: Kind, name: &str, depth: usize) {
        self.mark();
        for (percent, line) in [
            (4, "internal;"),
            (5, "error_page 404 403 /fallback.html;"),
            (4, "error_page 404 =200 @two;"),
            (4, "error_page 404 = /ok;"),
            (3, "proxy_method PUT;"),
            (3, "proxy_pass_request_headers off;"),
            (3, "satisfy any;"),
            (4, "proxy_http_version 1.1;"),
            (2, "proxy_set_body $by_arg;"),
        ] {
            if self.dice.chance(percent) {
                self.line(line);
            }
        }
        if self.dice.chance(6) {
            let asked = self.dice.pick(&["/ok", "/no", "off", "/a/b"]);
            self.line(format!("auth_request {asked};"));
        }
        if self.dice.chance(12) {
            let rules = self.dice.pick(&[
                "deny all;",
                "allow 127.0.0.1; deny all;",
                "allow 10.0.0.0/8; deny 127.0.0.2; allow all;",
                "deny 127.0.0.0/24;",
                "allow all;",
            ]);
            self.line(rules);
        }
        if self.dice.chance(20) {
            self.headers();
        }
        for _ in 0..self.dice.roll(3) {
            if self.dice.chance(45) {
                self.rewriting(false);
            }
        }
        if self.dice.chance(6) {
            let methods = self.dice.pick(&["GET", "POST", "GET POST PUT", "HEAD"]);
            let inner = self.dice.pick(&[
                "deny all;",
                "proxy_pass http://backend;",
                "allow 127.0.0.1; deny all;",
            ]);
            self.line(format!("limit_except {methods} {{ {inner} }}"));
        }
        self.handler(kind);
        let may_nest = matches!(kind, Kind::Prefix | Kind::Preferential | Kind::Regex);
        if depth < 2 && may_nest && self.dice.chance(35) {
            let outer = if kind == Kind::Regex { "\0" } else { name };
            self.locations(Some(outer), depth + 1);
        }
    }

    fn handler(&mut self, kind: Kind) {
        let root = self.root.clone();
        let backend = self.backend;
        let literal = matches!(kind, Kind::Exact | Kind::Prefix | Kind::Preferential);
        match self.dice.roll(15) {
            0..=3 | 10..=12 => {
                let uris: &[&str] = if literal {
                    &[
                        "",
                        "",
                        "/",
                        "/v1",
                        "/v1/",
                        "/v1/?k=v",
                        "?k",
                        "/a%20b/",
                        "$request_uri",
                        "/w$uri",
                        "/w$uri$is_args$args",
                        "/$1",
                        "/$by_uri",
                        "/$lazy",
                    ]
                } else {
                    &[
                        "",
                        "",
                        "$request_uri",
                        "/w$uri",
                        "/$1/$2?$args",
                        "/$by_uri$half",
                        "$by_arg",
                        "?$args",
                        "/$first-$tail-$sub",
                    ]
                };
                let uri = self.dice.pick(uris);
                let host = match self.dice.roll(5) {
                    0 => "backend".to_owned(),
                    1 => format!("localhost:{backend}"),
                    _ => format!("127.0.0.1:{backend}"),
                };
                self.line(format!("proxy_pass http://{host}{uri};"));
            }
            4 => {
                let answer = self.dice.pick(&[
                    "return 200 \"$uri|$args|$1|$by_arg|$by_uri|$by_host|$half|$local|$lazy\";",
                    "return 204;",
                    "return 301 /to$uri;",
                    "return 302 https://$host$request_uri;",
                    "return 404;",
                    "return 403 \"no $sub\";",
                    "return 444;",
                    "return 307 $scheme://$http_host/$1;",
                    "return https://x.example/$arg_x;",
                    "return 200 \"$by_ip $cookie_id $http_x_flag $server_name $request_method\";",
                    "return 500;",
                    "return 308 $uri;",
                ]);
                self.line(answer);
            }
            5 => {
                if kind == Kind::Named {
                    self.line(format!("root {root}/a;"));
                } else {
                    let path = match kind {
                        Kind::Regex => {
                            self.dice
                                .pick(&["/a/$1", "/$first/$2", "/a/index.html", "/b/"])
                        }
                        _ => self
                            .dice
                            .pick(&["/a/", "/a", "/", "/b/", "/api/v1/data.json"]),
                    };
                    self.line(format!("alias {root}{path};"));
                }
                if self.dice.chance(30) {
                    let files = self.dice.pick(&[
                        "$uri $uri/ =404",
                        "$uri /fallback.html",
                        "$uri @two",
                        "x.js $uri /c?$args",
                    ]);
                    self.line(format!("try_files {files};"));
                }
            }
            6 | 7 => {
                let files = self.dice.pick(&[
                    "$uri =404",
                    "$uri $uri/ /index.html",
                    "$uri $uri/ @one",
                    "$uri @two",
                    "/missing $uri.html /fallback.html?q=$uri&$args",
                    "/a/index.html /404.html",
                    "$uri/ $uri =403",
                    "/$1 /b/$1 =502",
                    "$uri /api/v1/$arg_x",
                    "$uri index.html",
                ]);
                self.line(format!("try_files {files};"));
                if self.dice.chance(20) {
                    self.line("proxy_pass http://backend;");
                }
            }
            8 => {
                let handler = self
                    .dice
                    .pick(&["empty_gif;", "index b c.txt;", "autoindex on;"]);
                self.line(handler.replace("index b c.txt", "index \"b c.txt\""));
            }
            9 => {
                let fastcgi = self.fastcgi;
                self.line(format!("fastcgi_pass 127.0.0.1:{fastcgi};"));
                for (percent, line) in [
                    (50, r"fastcgi_split_path_info ^(.+\.php)(/.*)?$;"),
                    (50, "fastcgi_index index.php;"),
                    (
                        70,
                        "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
                    ),
                    (40, "fastcgi_param PATH_INFO $fastcgi_path_info;"),
                    (40, "fastcgi_param QUERY_STRING $query_string if_not_empty;"),
                    (
                        30,
                        "fastcgi_param REQUEST \"$request_method $request_uri $document_uri\";",
                    ),
                    (
                        30,
                        "fastcgi_param SERVER \"$server_name:$server_port $server_protocol $scheme $https\";",
                    ),
                    (20, "fastcgi_param EMPTY \"\";"),
                    (20, "fastcgi_param EMPTY $arg_none if_not_empty;"),
                ] {
                    if self.dice.chance(percent) {
                        self.line(line);
                    }
                }
            }
            _ => {}
        }
    }

    fn headers(&mut self) {
        for _ in 0..1 + self.dice.roll(3) {
            let header = self.dice.pick(&[
                "Host $host",
                "Host $http_host",
                "Upgrade $http_upgrade",
                "Connection $connection_upgrade",
                "Connection upgrade",
                "Connection \"\"",
                "X-Real-IP $remote_addr",
                "X-Forwarded-For $proxy_add_x_forwarded_for",
                "X-Captured \"$1-$2\"",
                "X-Map $by_uri",
                "X-Empty \"\"",
                "X-Flag \"\"",
                "Accept-Encoding \"\"",
                "X-Proxy $proxy_host:$proxy_port",
                "X-Uri $uri",
                "X-Arg $arg_x",
                "X-Cookie $cookie_id",
                "X-File $request_filename",
            ]);
            self.line(format!("proxy_set_header {header};"));
        }
    }

    fn rewriting(&mut self, server: bool) {
        if self.dice.chance(45) {
            let condition = self.dice.pick(&[
                "$arg_x",
                "$arg_x = 1",
                "$arg_x != 1",
                "$uri ~ ^/a/(.*)$",
                "$uri !~ b",
                "$host ~* ^(A|re)",
                "$request_method = POST",
                "$http_x_flag",
                "$by_uri ~ (.)$",
                "$by_arg = $uri",
                "-f $request_filename",
                "!-e $request_filename",
                "-d $document_root$uri",
                "$local = 1",
                "$lazy ~ (.)(.)$",
                "$seen",
            ]);
            self.line(format!("if ({condition}) {{"));
            for _ in 0..self.dice.roll(3) {
                self.instruction(server);
            }
            if !server && self.dice.chance(25) {
                let uri = self.dice.pick(&["", "", "$request_uri", "/if$uri"]);
                let backend = self.backend;
                self.line(format!("proxy_pass http://127.0.0.1:{backend}{uri};"));
            }
            self.line("}");
        } else {
            self.instruction(server);
        }
    }

    fn instruction(&mut self, server: bool) {
        let all: &[&str] = &[
            "set $seen 1;",
            "set $seen \"$1\";",
            "set $seen $by_arg;",
            "set $args \"x=9&$args\";",
            "set $by_arg set;",
            "rewrite ^/a/(.*)$ /b/$1 last;",
            "rewrite ^/a/(.*)$ /b/$1 break;",
            "rewrite ^/a/(.*)$ /c/$1;",
            "rewrite ^/b/(.*)$ /a/$1?r=$1 last;",
            "rewrite ^/b/(.*)$ /w/$1? break;",
            "rewrite ^/(.*)$ /x/$1?;",
            "rewrite ^/c(.*)$ /to$1 permanent;",
            "rewrite ^/c(.*)$ https://c.example$1?c redirect;",
            "rewrite ^/x/(.*)$ $scheme://x.example/$1;",
            "rewrite (?<name>[a-z]+)$ /$name$by_uri break;",
            "rewrite ^/api/(.*) /api/v1/$1 last;",
            "rewrite ^/b%20c /$seen last;",
            "break;",
            "return 200 \"r$seen|$1|$uri\";",
            "return 403;",
            "return 301 /r$1;",
        ];
        let line = self.dice.pick(all);
        let ends = line.starts_with("return") || line.starts_with("break");
        if !(ends && server && self.dice.chance(70)) {
            self.line(line);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Preferential,
    Regex,
    Named,
}

/// The configuration of a number, which passes requests on to the ports of a backend and of a FastCGI program.
pub(crate) fn random_config(number: u64, root: &Path, backend: u16, fastcgi: u16) -> String {
    let writer = Writer {
        dice: Dice(number),
        text: String::new(),
        mark: 0,
        backend,
        fastcgi,
        root: root.to_string_lossy().into_owned(),
    };
    writer.config()
}

pub(crate) fn request(dice: &mut Dice, port: u16) -> Request {
    let address = dice.pick(&["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2", "[::1]"]);
    let mut request = Request::get(&format!("http://{address}:{port}/")).expect("a URL");
    request.client = Some(match address {
        "[::1]" => Ipv6Addr::LOCALHOST.into(),
        _ => Ipv4Addr::LOCALHOST.into(),
    });
    let path = match dice.chance(75) {
        true => dice
            .pick(&[
                "/",
                "/a",
                "/a/",
                "/a/b",
                "/a/b/",
                "/a/b/c.txt",
                "/ab",
                "/b/x.js",
                "/b/",
                "/api/",
                "/api",
                "/api/v1/data.json",
                "/api/v1/",
                "/a/x.php",
                "/b%20c.txt",
                "/b%20c",
                "/c",
                "/c/d",
                "/x/",
                "/x/y",
                "/ok",
                "/no",
                "/404.html",
                "/fallback.html",
                "/missing",
                "/a/b/index.htm",
                "/index.html",
                "/f%3Fx.txt",
            ])
            .to_owned(),
        false => {
            let mut path = String::new();
            for _ in 0..1 + dice.roll(5) {
                path.push_str(dice.pick(&[
                    "/", "/", "a", "b", "c", "//", "/./", "/../", "%2F", "%20", "%41", "%2e%2e/",
                    "x.php", "%3F", "%25", "%zz", "%00", "+", "%2B", "api", "v1", "..", ".",
                    "%C3%A9", "\u{e9}", "#", "%0a", ";", "&", "\"", "{", "~", "'", "%",
                ]));
            }
            if path.starts_with('/') || dice.chance(5) {
                path
            } else {
                format!("/{path}")
            }
        }
    };
    let query = match dice.chance(45) {
        true => dice.pick(&[
            "?",
            "?x=1",
            "?x=Two&y",
            "?x=77",
            "?x=abc%20d",
            "?y=1&X=1",
            "?x=",
            "?a=/b?c#d",
            "?ip=10.0.0.5",
            "?x=two",
            "?ip=x&x=0",
        ]),
        false => "",
    };
    request.target = format!("{path}{query}").into_bytes();
    let host = dice.pick(&[
        "a.example",
        "A.Example:81",
        "b.example.",
        "c.example",
        "d.example",
        "x.example",
        "dot.example",
        "x.dot.example",
        "www.test",
        "www.a.org",
        "one.re.example",
        "two.re2.example",
        "x.b.example",
        "_",
        "other",
        "127.0.0.1",
        "[::1]:80",
        "a..b",
        "a/b",
        "re.local",
    ]);
    request.headers[0].1 = host.as_bytes().to_vec();
    if dice.chance(4) {
        request.headers.remove(0);
        if dice.chance(50) {
            request.protocol = Protocol::Http10;
        }
    } else if dice.chance(4) {
        request.headers[0].1 = Vec::new();
    } else if dice.chance(4) {
        request.protocol = Protocol::Http10;
    }
    if dice.chance(5) {
        let target = String::from_utf8_lossy(&request.target).into_owned();
        let start = dice.pick(&[
            "http://c.example",
            "http://x.example:80",
            "HTTPS://B.example",
            "http://a_b",
            "ws://127.0.0.1",
            "http://",
        ]);
        request.target = format!("{start}{target}").into_bytes();
    } else if dice.chance(2) {
        request.target = dice
            .pick(&[
                "http://a.example",
                "http://a.example?x=1",
                "*",
                "http:/",
                "a",
            ])
            .as_bytes()
            .to_vec();
    }
    if dice.chance(25) {
        request.method = dice
            .pick(&[
                "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE", "CONNECT", "get", "M-SEARCH",
            ])
            .to_owned();
    }
    let mut add = |name: &str, value: &str| {
        request
            .headers
            .push((name.to_owned(), value.as_bytes().to_vec()))
    };
    if dice.chance(20) {
        add("Upgrade", "websocket");
        add("Connection", "Upgrade");
        add("Sec-WebSocket-Version", "13");
    } else if dice.chance(20) {
        add("Connection", dice.pick(&["close", "keep-alive", "TE"]));
    }
    for (name, value) in [
        ("X-Flag", "1"),
        ("X_Under", "u"),
        ("x-flag", " two  "),
        ("Cookie", "a=b; id=7; ID=8"),
        ("Cookie", "id = 9, x=1"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-For", "192.0.2.2"),
        ("TE", "trailers"),
        ("Expect", "x"),
        ("Keep-Alive", "5"),
        ("X.Dot", "d"),
        ("Accept-Encoding", "gzip"),
        ("Authorization", "Basic YTpi"),
        ("Proxy-Connection", "p"),
        ("If-Match", "x"),
        ("Content-Length", "0"),
    ] {
        if dice.chance(6) {
            add(name, value);
        }
    }
    request
}

/// An answer of nginx.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.split("\r\n").find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known
                .eq_ignore_ascii_case(name)
                .then(|| value.strip_prefix(' ').unwrap_or(value))
        })
    }
}

/// What nginx answers; nothing when it closes the connection.
pub(crate) fn ask(server: &Server, request: &Request) -> Option<Answer> {
    let address: IpAddr = request.host.parse().expect("an address");
    let mut stream = TcpStream::connect((address, server.port())).expect("nginx listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    let mut raw = format!("{} ", request.method).into_bytes();
    raw.extend(&request.target);
    raw.extend(format!(" {}\r\n", request.protocol.as_str()).bytes());
    for (name, value) in &request.headers {
        raw.extend(format!("{name}: ").bytes());
        raw.extend(value);
        raw.extend(b"\r\n");
    }
    raw.extend(b"\r\n");
    stream.write_all(&raw).expect("nginx reads the request");
    let mut answer = Vec::new();
    // A refused request may end with a reset after its answer.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head: String = answer[..end].iter().map(|byte| char::from(*byte)).collect();
    let mut body = answer[end..].to_vec();
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        head: String::from_utf8_lossy(&answer[..end]).into_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn unchunked(body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut rest = body;
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&rest[..line])
            .ok()
            .and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && line + 2 + size <= rest.len()) else {
            break;
        };
        whole.extend(&rest[line + 2..line + 2 + size]);
        rest = rest.get(line + 4 + size..).unwrap_or_default();
    }
    whole
}

/// The mark of the block whose settings answer.
fn mark_of(trace: &Trace<'_>) -> Option<String> {
    let block = match &trace.location {
        Some(location) => location.directive,
        None => trace.server?.directive,
    };
    let marks = block.effective("add_header").directive()?;
    marks.argument(1).map(|mark| mark.text().into_owned())
}

/// What a trace and an answer do not agree about.
pub(crate) fn disagreement(trace: &Trace<'_>, answer: Option<&Answer>) -> Option<String> {
    let Some(answer) = answer else {
        return (trace.outcome != Outcome::Close).then(|| "nginx closed the connection".to_owned());
    };
    let status = match &trace.outcome {
        Outcome::Close => return Some("nginx answered".to_owned()),
        other => other.status().unwrap_or(200),
    };
    if status != answer.status {
        return Some(format!("status {status} is {}", answer.status));
    }
    let mark = mark_of(trace);
    if mark.as_deref() != answer.header("X-Location") {
        return Some(format!(
            "block {mark:?} is {:?}",
            answer.header("X-Location")
        ));
    }
    let location = match &trace.outcome {
        Outcome::Return { location, .. } => location.as_deref(),
        _ => None,
    };
    let shown = matches!(trace.outcome, Outcome::Return { .. });
    if shown && location.unwrap_or_default() != answer.header("Location").unwrap_or_default() {
        return Some(format!(
            "redirect {location:?} is {:?}",
            answer.header("Location")
        ));
    }
    let head_only = trace.request.method == "HEAD";
    match &trace.outcome {
        Outcome::Return {
            body: Some(body), ..
        } if !head_only && *body != answer.body => {
            Some(format!("body {body:?} is {:?}", answer.body))
        }
        Outcome::Pass(pass) if !head_only => {
            let line = |(name, value): &(String, String)| format!("{name}={value}\n");
            let expected: String = pass.params.iter().map(line).collect();
            let same = answer.body.starts_with(&expected);
            (!same).then(|| format!("parameters {expected:?} are {:?}", answer.body))
        }
        Outcome::Proxy(proxy) if !head_only => {
            let uri = String::from_utf8_lossy(&proxy.uri);
            let mut expected = format!("{} {uri} HTTP/{}\r\n", proxy.method, proxy.http_version);
            for (name, value) in &proxy.headers {
                expected.push_str(&format!("{name}: {value}\r\n"));
            }
            expected.push_str("\r\n");
            if expected != answer.body {
                return Some(format!("upstream {expected:?} is {:?}", answer.body));
            }
            let words = |name: &str| {
                let header = proxy
                    .headers
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(name));
                header
                    .map(|(_, value)| value.to_lowercase())
                    .unwrap_or_default()
            };
            let whole = words("Upgrade") == "websocket"
                && words("Connection") == "upgrade"
                && proxy.http_version == "1.1"
                && proxy.method == "GET";
            let said = proxy.websocket == WebSocket::Complete;
            let asked = proxy.websocket != WebSocket::NotRequested;
            (asked && said != whole).then(|| format!("the handshake is not {:?}", proxy.websocket))
        }
        _ => None,
    }
}

pub(crate) fn read(text: &str, port: u16, version: Version) -> Config {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, text.replace(PORT, &port.to_string())).expect("a file");
    let options = LoadOptions {
        version: Some(version),
        ..LoadOptions::default()
    };
    load(&Root::File(path), &options).expect("a configuration")
}

/// A FastCGI application that answers with its parameters, in their order; its port.
fn fastcgi_echo() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // nginx may have gone away.
            let _ = answer_fastcgi(&mut stream);
        }
    });
    port
}

fn answer_fastcgi(stream: &mut TcpStream) -> std::io::Result<()> {
    const PARAMS: u8 = 4;
    const STDIN: u8 = 5;
    let mut params = Vec::new();
    loop {
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
        let mut content = vec![0; length + usize::from(head[6])];
        stream.read_exact(&mut content)?;
        match head[1] {
            PARAMS => params.extend(&content[..length]),
            STDIN if length == 0 => break,
            _ => {}
        }
    }
    let mut answer = b"Status: 200 OK\r\n\r\n".to_vec();
    let mut rest = &params[..];
    while !rest.is_empty() {
        let mut size = || {
            let (length, after) = match rest[0] {
                short @ ..128 => (usize::from(short), 1),
                _ => (
                    u32::from_be_bytes([rest[0] & 127, rest[1], rest[2], rest[3]]) as usize,
                    4,
                ),
            };
            rest = &rest[after..];
            length
        };
        let (name, value) = (size(), size());
        answer.extend(&rest[..name]);
        answer.push(b'=');
        answer.extend(&rest[name..name + value]);
        answer.push(b'\n');
        rest = &rest[name + value..];
    }
    let length = (answer.len() as u16).to_be_bytes();
    stream.write_all(&[1, 6, 0, 1, length[0], length[1], 0, 0])?;
    stream.write_all(&answer)?;
    stream.write_all(&[1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

/// Makes the files of a document root, and says of everything there whether it exists.
pub(crate) fn disk_of(root: &Path) -> Disk {
    let mut disk = Disk::default();
    for file in FILES {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, file).expect("a file");
        disk.add(path.to_string_lossy().as_bytes());
    }
    let around = root.parent().expect("a folder around");
    for folder in [root, around] {
        disk.close(folder.to_string_lossy().as_bytes());
    }
    disk
}

#[test]
fn a_trace_says_of_random_requests_what_nginx_does() {
    let Some(nginx) = Nginx::find() else { return };
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|number| number.parse().ok())
    };
    let rounds: u64 = number("NGINSPECT_TRACE_ROUNDS").unwrap_or(ROUNDS);
    let first: u64 = number("NGINSPECT_TRACE_FIRST").unwrap_or(0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().canonicalize().expect("a folder");
    let options = Options {
        disk: disk_of(&root),
        ..Options::default()
    };
    let backend = Echo::start().port;
    let fastcgi = fastcgi_echo();
    let (mut asked, mut refused, mut assumed) = (0, 0, 0);
    let (mut proxied, mut passed) = (0, 0);
    let mut wrong = String::new();
    let mut disagreements = 0;
    for round in first..first + rounds {
        let text = random_config(round, &root, backend, fastcgi);
        let server = match Server::try_start(nginx, &text) {
            Ok(server) => server,
            // Another program has the port, or the machine has no IPv6.
            Err(log) if log.contains("bind()") => continue,
            Err(log) => {
                assert!(
                    refused < rounds / 2 + 5,
                    "nginx refuses too much:\n{log}\n{text}"
                );
                if number("NGINSPECT_TRACE_SHOW").unwrap_or(0) > 0 {
                    say(&format!("refused: {log}"));
                }
                refused += 1;
                continue;
            }
        };
        let config = read(&text, server.port(), nginx.version);
        let tracer = Tracer::new(&config, options.clone());
        let listens = |address: &str| text.contains(&format!("listen {address}{PORT}"));
        let mut dice = Dice(round ^ 0x5eed);
        for _ in 0..REQUESTS {
            let request = request(&mut dice, server.port());
            let reached = match request.host.as_str() {
                "::1" => listens("[::1]:"),
                host => listens("") || listens(&format!("{host}:")),
            };
            if !reached {
                continue;
            }
            let trace = tracer.trace(&request).expect("an answer");
            asked += 1;
            if !trace.assumptions.is_empty() {
                assumed += 1;
                if number("NGINSPECT_TRACE_SHOW").unwrap_or(0) > 0 {
                    say(&format!("{:?}", trace.assumptions));
                }
                continue;
            }
            proxied += usize::from(matches!(trace.outcome, Outcome::Proxy(_)));
            passed += usize::from(matches!(trace.outcome, Outcome::Pass(_)));
            let answer = ask(&server, &request);
            if let Some(what) = disagreement(&trace, answer.as_ref()) {
                disagreements += 1;
                if disagreements <= SHOWN {
                    writeln!(
                        wrong,
                        "==== round {round}: {what}\n{request:?}\ntarget {}",
                        String::from_utf8_lossy(&request.target)
                    )
                    .expect("a string");
                    for step in &trace.steps {
                        writeln!(
                            wrong,
                            "  {} [{}]",
                            step.text,
                            step.span
                                .map(|span| config.excerpt(span))
                                .unwrap_or_default()
                        )
                        .expect("a string");
                    }
                    writeln!(wrong, "{:?}\n{answer:?}\n{}", trace.outcome, server.log())
                        .expect("a string");
                } else if disagreements < 40 {
                    writeln!(
                        wrong,
                        "round {round}: {}: {what}",
                        String::from_utf8_lossy(&request.target)
                    )
                    .expect("a string");
                }
            }
        }
    }
    say(&format!(
        "nginx {} and trace were asked {asked} times, {proxied} times with an upstream and {passed} times with FastCGI; {assumed} had assumptions, {refused} configurations were refused",
        nginx.version
    ));
    assert!(disagreements == 0, "{disagreements} disagreements\n{wrong}");
    assert!(
        asked > 10 * rounds as usize && proxied > rounds as usize,
        "too few reach an upstream"
    );
}
