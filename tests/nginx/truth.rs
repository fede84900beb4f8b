//! What is known to surprise people about nginx, asked of trace and of nginx alike.

use nginspect::routing::{Options, Outcome, Request, Tracer, WebSocket};

use crate::harness::{Echo, Nginx, PORT, Server, say};
use crate::trace::{ask, disagreement, disk_of, read};

/// Stands for the port of the backend.
const BACKEND: &str = "{backend}";

/// Stands for the document root.
const WWW: &str = "{www}";

/// A configuration of one server with requests to it: each with what trace says in short.
struct Row {
    server: &'static str,
    requests: &'static [(&'static str, &'static str)],
}

const ROWS: &[Row] = &[
    // Choosing a location.
    Row {
        server: "location ^~ /a/ { return 200 keep; } location ~ x$ { return 200 regex; } location /b/ { return 200 b; }",
        requests: &[
            ("/a/x", "200 keep"),
            ("/b/x", "200 regex"),
            ("/b/y", "200 b"),
            ("/c", "404"),
        ],
    },
    Row {
        server: "location ^~ /a/ { return 200 a; } location /a/b/ { return 200 b; } location ~ x$ { return 200 regex; }",
        requests: &[
            ("/a/x", "200 a"),
            ("/a/b/x", "200 regex"),
            ("/a/b/y", "200 b"),
        ],
    },
    Row {
        server: "location /a/ { return 200 a; location ^~ /a/b/ { return 200 b; } } location ~ x$ { return 200 regex; }",
        requests: &[("/a/b/x", "200 regex"), ("/a/b/y", "200 b")],
    },
    Row {
        server: "location ^~ /a/ { location ~ y$ { return 200 inner; } } location ~ [xy]$ { return 200 outer; }",
        requests: &[("/a/y", "200 inner"), ("/a/x", "404"), ("/x", "200 outer")],
    },
    Row {
        server: "location = /a { return 200 exact; } location /a { return 200 prefix; } location ~ a { return 200 regex; }",
        requests: &[
            ("/a", "200 exact"),
            ("/ab", "200 regex"),
            ("/a?b", "200 exact"),
        ],
    },
    Row {
        server: "location /a%20b { return 200 raw; } location \"/a b\" { return 200 decoded; } location /q? { return 200 mark; }",
        requests: &[
            ("/a%20b", "200 decoded"),
            ("/a%2520b", "200 raw"),
            ("/q%3F", "200 mark"),
            ("/q?", "404"),
        ],
    },
    Row {
        server: "rewrite ^/go$ api/x last; location api { return 200 inside; } location /api { return 200 outside; }",
        requests: &[("/go", "200 inside"), ("/api/x", "200 outside")],
    },
    Row {
        server: r"location =/e { return 200 e; } location ~^/r { return 200 r; } location ~*\.PHP$ { return 200 php; } location ^~/p { return 200 p; }",
        requests: &[
            ("/e", "200 e"),
            ("/rx", "200 r"),
            ("/x.php", "200 php"),
            ("/p.php", "200 p"),
        ],
    },
    // `proxy_pass`.
    Row {
        server: "location /app/ { proxy_pass http://127.0.0.1:{backend}; }",
        requests: &[
            ("/app/users?x=1", "GET /app/users?x=1"),
            ("/app", "301 /app/"),
            ("/app?a=b", "301 /app/?a=b"),
            ("/application", "404"),
            ("/app/a%2Fb", "GET /app/a%2Fb"),
        ],
    },
    Row {
        server: "location /app/ { proxy_pass http://127.0.0.1:{backend}/api; }",
        requests: &[
            ("/app/users?x=1", "GET /apiusers?x=1"),
            ("/app", "301 /app/"),
            ("/app/a%2Fb", "GET /apia/b"),
        ],
    },
    Row {
        server: "location /app/ { proxy_pass http://127.0.0.1:{backend}/api/; }",
        requests: &[
            ("/app/users?x=1", "GET /api/users?x=1"),
            ("/app/a%2Fb", "GET /api/a/b"),
        ],
    },
    Row {
        server: "location /app { proxy_pass http://127.0.0.1:{backend}/; }",
        requests: &[
            ("/app/users?x=1", "GET //users?x=1"),
            ("/app", "GET /"),
            ("/application", "GET /lication"),
            ("/app/a%2Fb", "GET //a/b"),
        ],
    },
    Row {
        server: "location /app { proxy_pass http://127.0.0.1:{backend}/v1; }",
        requests: &[
            ("/app/users?x=1", "GET /v1/users?x=1"),
            ("/app", "GET /v1"),
            ("/application", "GET /v1lication"),
        ],
    },
    Row {
        server: "set $up 127.0.0.1:{backend}; location /a/ { proxy_pass http://$up; } location /b/ { proxy_pass http://$up/new; }",
        requests: &[
            ("/a/x%2F?q", "GET /a/x%2F?q"),
            ("/b/x?q", "GET /new"),
            ("/a", "301 /a/"),
        ],
    },
    Row {
        server: "location /a/ { rewrite ^/a/(.*) /z/$1 break; proxy_pass http://127.0.0.1:{backend}/v1/; }",
        requests: &[("/a/x?q", "GET /z/x?q")],
    },
    Row {
        server: "location /a/ { proxy_pass http://127.0.0.1:{backend}; return 403; } location /b/ { proxy_pass http://127.0.0.1:{backend}; empty_gif; }",
        requests: &[("/a/x", "403"), ("/b/x", "empty_gif")],
    },
    Row {
        server: "location /api/ws/ { proxy_pass http://127.0.0.1:{backend}; } location /api/ { return 200 api; }",
        requests: &[("/api/ws", "301 /api/ws/"), ("/api/wsx", "200 api")],
    },
    // Rewriting, `if`, `try_files`, redirects.
    Row {
        server: "root {www}; location / { if ($arg_a) { } try_files /index.html =410; }",
        requests: &[("/no", "file index.html"), ("/no?a=1", "file no 404")],
    },
    Row {
        server: "error_page 404 @gone; location /x { try_files /no @none; } location /y { return 404; }",
        requests: &[("/x", "500"), ("/y", "500")],
    },
    Row {
        server: "root {www}; location / { try_files /no /lost; }",
        requests: &[("/x", "500")],
    },
    Row {
        server: "location / { deny all; return 200 open; } location /r { deny all; rewrite ^ /to redirect; } location /d { deny all; }",
        requests: &[("/", "200 open"), ("/r", "302 /to"), ("/d", "403")],
    },
    Row {
        server: "location ~ ^/a/(.*)$ { if ($arg_x ~ (.)) { set $y 1; } return 200 $1; } location ~ ^/b/(?<rest>.*)$ { if ($arg_x ~ (.)) { set $y 1; } return 200 $rest; }",
        requests: &[
            ("/a/keep?x=z", "200 z"),
            ("/a/keep", "200 "),
            ("/b/keep?x=z", "200 keep"),
        ],
    },
    Row {
        server: "return 301 http://h$request_uri$is_args$args;",
        requests: &[("/a?b", "301 http://h/a?b?b")],
    },
    Row {
        server: "location ~ ^/p/(.*)$ { rewrite ^/p/(.*)$ /to/$1 permanent; } location ~ ^/q/(.*)$ { return 302 /to/$1; }",
        requests: &[("/p/a%20b", "301 /to/a%20b"), ("/q/a%20b", "302 /to/a b")],
    },
    Row {
        server: "rewrite ^/loop(.*)$ /loop$1x; location / { rewrite ^/l(.*)$ /l$1y last; return 200 out; }",
        requests: &[("/loop", "500"), ("/x", "200 out")],
    },
    Row {
        server: "location /in { internal; return 200 in; location /in/a { return 200 a; } } location /to { rewrite ^ /in last; }",
        requests: &[("/in", "404"), ("/in/a", "404"), ("/to", "200 in")],
    },
    // Files.
    Row {
        server: "location /static { alias {www}/a/; } location /s/ { alias {www}/a; }",
        requests: &[
            ("/static../index.html", "file a/../index.html"),
            ("/static/x.php", "file a//x.php"),
            ("/s/x.php", "file ax.php 404"),
        ],
    },
    Row {
        server: "location ~ ^/favicon\\.ico$ { alias {www}/a/x.php; } location ~ ^/d/ { alias {www}/a; }",
        requests: &[("/favicon.ico", "file a/x.php"), ("/d/x", "301 /d/x/")],
    },
    Row {
        server: "root {www}; location /a/ { index index.html; } location /api/ { }",
        requests: &[
            ("/a/", "file a/index.html"),
            ("/a", "301 /a/"),
            ("/api/", "file api/ 403"),
            ("/a/b/", "file a/b/ 403"),
        ],
    },
    Row {
        server: "location /a { alias {www}/a; rewrite ^/a/(.*) /a/b/$1 break; }",
        requests: &[("/a/c.txt", "500")],
    },
    Row {
        server: "location / { proxy_pass http://127.0.0.1:{backend}; limit_except GET { deny all; } } location /r { limit_except GET { deny all; } return 200 r; }",
        requests: &[("/x", "GET /x"), ("/r", "200 r")],
    },
    // Requests that are refused.
    Row {
        server: "return 200 $uri;",
        requests: &[
            ("/a%2F..%2Fb", "200 /b"),
            ("/a//b/./c", "200 /a/b/c"),
            ("/..", "400"),
            ("/a%00", "400"),
            ("/a%zz", "400"),
            ("/a%", "400"),
            ("/%2e%2e/x", "400"),
            ("*", "400"),
        ],
    },
];

/// What trace says, in short.
fn brief(outcome: &Outcome, www: &str, port: u16) -> String {
    let local = |text: &str| text.replace(&format!("http://localhost:{port}"), "");
    match outcome {
        Outcome::Proxy(proxy) => {
            format!("{} {}", proxy.method, String::from_utf8_lossy(&proxy.uri))
        }
        Outcome::Return {
            status,
            location,
            body,
        } => [
            Some(status.to_string()),
            location.as_deref().map(local),
            body.clone(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" "),
        Outcome::File { path, status } => {
            let path = path.replace(www, "").trim_start_matches('/').to_owned();
            match status {
                Some(200) | None => format!("file {path}"),
                Some(status) => format!("file {path} {status}"),
            }
        }
        Outcome::Handler { name, .. } => name.clone(),
        Outcome::Reject { status } | Outcome::Error { status, .. } => status.to_string(),
        Outcome::Close => "closed".to_owned(),
        Outcome::Pass(pass) => format!("{} {}", pass.protocol, pass.upstream),
    }
}

#[test]
fn trace_knows_what_surprises_people() {
    let Some(nginx) = Nginx::find() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let www = folder.path().canonicalize().expect("a folder");
    let options = Options {
        disk: disk_of(&www),
        ..Options::default()
    };
    let www = www.to_string_lossy().into_owned();
    let backend = Echo::start().port;
    let mut wrong = Vec::new();
    let mut asked = 0;
    for row in ROWS {
        let block = row
            .server
            .replace(BACKEND, &backend.to_string())
            .replace(WWW, &www);
        // Where nothing says otherwise, no file is there.
        let text = format!(
            "events {{}}\nhttp {{ keepalive_timeout 0; root {www}/none; server {{ listen 127.0.0.1:{PORT}; add_header X-Location 0 always;\n{block}\n}} }}\n"
        );
        let server = Server::start(nginx, &text);
        let config = read(&text, server.port(), nginx.version);
        let tracer = Tracer::new(&config, options.clone());
        for (target, expected) in row.requests {
            let mut request =
                Request::get(&format!("http://127.0.0.1:{}/", server.port())).expect("a URL");
            request.target = target.as_bytes().to_vec();
            request.headers[0].1 = b"localhost".to_vec();
            request.client = Some(std::net::Ipv4Addr::LOCALHOST.into());
            let trace = tracer.trace(&request).expect("an answer");
            asked += 1;
            let said = brief(&trace.outcome, &www, server.port());
            let missing = said.starts_with("file none/") && said.ends_with(" 404");
            let fits = said == *expected || *expected == "404" && missing;
            if !fits {
                wrong.push(format!(
                    "{target} in {}: {said:?}, not {expected:?}",
                    row.server
                ));
            }
            if let Some(what) = disagreement(&trace, ask(&server, &request).as_ref()) {
                wrong.push(format!("{target} in {}: {what}", row.server));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    say(&format!(
        "nginx {} and trace agree about {asked} surprises",
        nginx.version
    ));
}

/// The pairs of headers and versions that decide over a handshake.
#[test]
fn a_handshake_completes_with_both_headers_and_http_1_1_only() {
    let rows = [
        (
            "",
            "no Upgrade, Connection is `close`, HTTP/1.0, which a strict backend refuses",
        ),
        (
            "proxy_http_version 1.1;",
            "no Upgrade, Connection is `close`",
        ),
        (
            "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;",
            "Connection is `close`",
        ),
        (
            "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
            "",
        ),
        (
            "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;",
            "",
        ),
        (
            "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection keep-alive;",
            "Connection is `keep-alive`",
        ),
        (
            "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
            "HTTP/1.0, which a strict backend refuses",
        ),
    ];
    for (settings, expected) in rows {
        let text = format!(
            "events {{}} http {{ server {{ listen 80; location / {{ {settings} proxy_pass http://b; }} }} }}"
        );
        let config = read(&text, 80, nginspect::nginx::Version(1, 28, 0));
        let request = Request::get("ws://h/").expect("a URL");
        let trace = nginspect::routing::trace(&config, &request, &Options::default());
        let Outcome::Proxy(proxy) = trace.expect("an answer").outcome else {
            panic!("not proxied: {settings}");
        };
        let said = match proxy.websocket {
            WebSocket::Incomplete(reason) => reason,
            WebSocket::Complete => String::new(),
            WebSocket::NotRequested => panic!("not asked for: {settings}"),
        };
        assert_eq!(said, expected, "{settings}");
    }
}
