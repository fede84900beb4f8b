//! `trace`: requests on the command line and in files, and the two ways to print what becomes of them.

use super::*;

use serde_json::Value;

const SHOP: &str = "\
events {}
http {
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    server {
        listen 80 default_server;
        server_name shop.example;
        location / {
            root /srv/www;
            try_files $uri /index.html;
        }
        location /api/ {
            proxy_pass http://127.0.0.1:8000/v1/;
            proxy_set_header Host $host;
        }
        location /ws/ {
            proxy_pass http://127.0.0.1:8000;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 1h;
        }
        location = /old { return 301 /new; }
        location /me { allow 10.0.0.0/8; deny all; proxy_pass http://127.0.0.1:8000; }
    }
}
";

impl Tree {
    /// Traces in the configuration of the tree; file names in the output lose the folder.
    fn trace(&self, flags: &[&str], stdin: &[u8]) -> Outcome {
        let config = self.path("nginx.conf");
        let config = config.to_str().expect("a path of ours");
        let start = ["trace", "--config", config];
        let arguments = start.iter().chain(flags);
        let mut outcome = nginspect(arguments.map(PathBuf::from), stdin);
        let folder = format!("{}/", self.0.path().display());
        outcome.stdout = outcome.stdout.replace(&folder, "");
        outcome
    }
}

fn shop() -> Tree {
    Tree::new(&[("nginx.conf", SHOP)])
}

#[test]
fn a_request_is_told_step_by_step_and_ends_with_what_happens() {
    let outcome = shop().trace(&["wss://shop.example/ws/7?a=b"], b"");
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn several_requests_are_told_in_their_order() {
    let outcome = shop().trace(
        &[
            "http://shop.example/api/a%2Fb",
            "http://shop.example/api",
            "http://shop.example/old",
            "http://shop.example/about",
            "http://shop.example/a%00",
            "http://shop.example/me",
        ],
        b"",
    );
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn requests_stand_in_a_file_one_on_each_line() {
    let list = "# the shop\n\nhttp://shop.example/old\n  DELETE   http://shop.example/api/7\n";
    let outcome = shop().trace(&["--requests", "-"], list.as_bytes());
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
    let firsts: Vec<&str> = outcome
        .stdout
        .split("\n\n")
        .filter_map(|part| part.lines().next())
        .collect();
    assert_eq!(
        firsts,
        [
            "GET http://shop.example/old",
            "DELETE http://shop.example/api/7"
        ]
    );
    let wrong = shop().trace(&["--requests", "-"], b"http://a/\nGET a\n");
    assert_eq!(wrong.code, FAILED);
    assert!(wrong.stderr.contains("-:2: "), "{}", wrong.shown);
    assert_eq!(shop().trace(&["--requests", "-"], b"\n#x\n").code, FAILED);
}

#[test]
fn what_is_said_about_files_and_the_client_is_no_longer_assumed() {
    let tree = shop();
    let says = |flags: &[&str], part: &str| {
        let outcome = tree.trace(flags, b"");
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.shown);
    };
    let url = "http://shop.example/about";
    says(&[url], "assumed: the file /srv/www/about does not exist");
    says(
        &[url, "--exists", "/srv/www/about"],
        "the file /srv/www/about is sent",
    );
    says(
        &[
            url,
            "--missing",
            "/srv/www/about",
            "--missing",
            "/srv/www/index.html",
        ],
        "fails with 500: there were more than ten internal redirects",
    );
    says(
        &["http://shop.example/me"],
        "assumed: the client's address is not in 10.0.0.0/8",
    );
    says(
        &["http://shop.example/me", "--client", "10.1.2.3"],
        "proxied to http://127.0.0.1:8000",
    );
    says(
        &["http://shop.example/me", "--client", "192.0.2.1"],
        "refused with 403",
    );
}

#[test]
fn method_and_headers_are_those_that_were_given() {
    let outcome = shop().trace(
        &[
            "-X",
            "POST",
            "-H",
            "Host: other.example",
            "-H",
            "X-A: 1",
            "http://shop.example/api/x",
        ],
        b"",
    );
    for part in [
        "POST http://shop.example/api/x",
        "as `POST /v1/x`",
        "Host: other.example",
        "X-A: 1",
    ] {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.shown);
    }
}

#[test]
fn the_document_for_programs_has_the_keys_that_are_promised() {
    let tree = shop();
    let outcome = tree.trace(
        &[
            "--format",
            "json",
            "ws://shop.example/ws/",
            "http://shop.example/old",
            "http://shop.example/about",
            "http://shop.example/..",
        ],
        b"",
    );
    let documents: Vec<Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(documents.len(), 4);
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    for document in &documents {
        assert_eq!(
            keys(document),
            [
                "schema",
                "request",
                "nginx_version",
                "server",
                "uri",
                "location",
                "steps",
                "outcome",
                "assumptions"
            ]
        );
        assert_eq!(
            keys(&document["request"]),
            ["method", "scheme", "host", "port", "target", "headers"]
        );
        assert_eq!(
            keys(&document["server"]),
            ["file", "line", "name", "default"]
        );
        assert_eq!(keys(&document["steps"][0]), ["file", "line", "text"]);
    }
    assert_eq!(
        keys(&documents[0]["location"]),
        ["file", "line", "modifier", "pattern"]
    );
    let outcomes: Vec<_> = documents
        .iter()
        .map(|document| keys(&document["outcome"]))
        .collect();
    assert_eq!(
        outcomes,
        [
            &[
                "kind",
                "upstream",
                "method",
                "uri",
                "http_version",
                "headers",
                "websocket",
                "read_timeout_ms"
            ][..],
            &["kind", "status", "location", "body"],
            &["kind", "path", "status"],
            &["kind", "status"],
        ]
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&documents[0]).expect("JSON"));
}

#[test]
fn what_cannot_be_traced_fails() {
    let tree = shop();
    for flags in [
        &[][..],
        &["shop.example"],
        &["ftp://shop.example/"],
        &["http://shop.example/", "-H", "x"],
        &["http://shop.example/", "--client", "x"],
        &["http://shop.example/", "--requests", "no/such/file"],
    ] {
        assert_eq!(tree.trace(flags, b"").code, FAILED, "{flags:?}");
    }
    tree.write("nginx.conf", b"events {}\nhttp {}\n");
    let outcome = tree.trace(&["http://shop.example/"], b"");
    assert_eq!(outcome.code, FAILED, "{}", outcome.shown);
    assert!(
        outcome.stderr.contains("has no server"),
        "{}",
        outcome.shown
    );
    tree.write(
        "nginx.conf",
        b"events {} http { server { listen 443 ssl; } }",
    );
    let outcome = tree.trace(&["http://shop.example/"], b"");
    assert!(
        outcome.stderr.contains("no server listens at port 80"),
        "{}",
        outcome.shown
    );
}

#[test]
fn a_broken_configuration_is_followed_as_far_as_it_goes() {
    let tree = Tree::new(&[(
        "nginx.conf",
        "events {}\nhttp { include no-such;\n server { listen 80; location / { return 200 ok } } }\n",
    )]);
    let outcome = tree.trace(&["http://shop.example/"], b"");
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
    for part in [
        "answered with 200",
        "assumed: what is wrong at nginx.conf:3 is skipped",
        "no-such was not read",
    ] {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.shown);
    }
}

#[test]
fn a_listen_is_read_as_nginx_reads_it() {
    let tree = Tree::new(&[(
        "nginx.conf",
        "events {}\nhttp {
            server { listen 127.0.0.1:8001; return 200 first; }
            server { listen localhost:8000-8001; return 200 range; }
            server { listen [0:0::1]:8002 default_server; listen 8003 quic; return 200 six; }
            server { listen 99999; listen unix:/run/a.sock; return 200 none; }
        }\n",
    )]);
    for (url, answer) in [
        ("http://127.0.0.1:8001/", "first"),
        ("http://localhost:8000/", "range"),
        ("http://[::1]:8002/", "six"),
    ] {
        let outcome = tree.trace(&[url], b"");
        assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
        assert!(outcome.stdout.contains(answer), "{url}: {}", outcome.shown);
        let skipped = "the `listen` at nginx.conf:6 is skipped: nginx does not take it";
        assert!(outcome.stdout.contains(skipped), "{}", outcome.shown);
    }
    let outcome = tree.trace(&["http://a.example:8003/"], b"");
    assert!(
        outcome.stdout.contains("something in front of nginx"),
        "{}",
        outcome.shown
    );
}

#[test]
fn nothing_that_a_terminal_obeys_reaches_it() {
    let tree = Tree::new(&[(
        "nginx.conf",
        "events {} http { server { listen 80; return 200 \"\u{1b}[31m\u{202e}\"; } }",
    )]);
    let outcome = tree.trace(&["http://shop.example/%1b[0m"], b"");
    assert!(
        outcome.stdout.contains("answered with 200"),
        "{}",
        outcome.shown
    );
    assert!(
        !outcome.stdout.contains(['\u{1b}', '\u{202e}']),
        "{}",
        outcome.shown
    );
}

#[test]
fn a_dump_can_be_traced_in_too() {
    let dump = format!("# configuration file /etc/nginx/nginx.conf:\n{SHOP}");
    let arguments = ["trace", "--config", "-", "http://shop.example/old"].map(PathBuf::from);
    let outcome = nginspect(arguments, dump.as_bytes());
    assert!(
        outcome.stdout.contains("answered with 301"),
        "{}",
        outcome.shown
    );
    assert!(
        outcome.stdout.contains("/etc/nginx/nginx.conf:"),
        "{}",
        outcome.shown
    );
}

#[test]
fn ten_thousand_servers_are_searched_quickly() {
    let mut text = String::from("events {}\nhttp {\n");
    for number in 0..10_000 {
        text.push_str(&format!(
            "server {{ listen 80; server_name s{number}.example; location / {{ proxy_pass http://127.0.0.1:8000; }} location ~ {number}$ {{ return 404; }} }}\n"
        ));
    }
    text.push_str("}\n");
    let tree = Tree::new(&[("nginx.conf", &text)]);
    let list: String = (0..2000)
        .map(|number| format!("http://s{}.example/x\n", number * 5))
        .collect();
    let start = Instant::now();
    let outcome = tree.trace(&["--requests", "-", "--format", "json"], list.as_bytes());
    assert_eq!(outcome.stdout.lines().count(), 2000);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}
